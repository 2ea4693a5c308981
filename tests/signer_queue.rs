//! Processes of one holder: they queue, a dead one blocks nobody, and `status` and the messages say what is
//! remembered.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;

use cli::{Fixture, finish};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::Stdio;

fn propose(fixture: &Fixture, names: &[&str]) {
    for name in names {
        let line = format!("{{\"op\":\"alias.set\",\"alias\":\"{name}\",\"target\":\"t\"}}\n");
        fixture.propose("alice", name, &line);
    }
}

fn numbers(fixture: &Fixture) -> Vec<String> {
    let log = fixture.git(&["log", "--first-parent", "--format=%s", "main"]);
    let pages = log.lines().filter(|subject| subject.starts_with("common@"));
    pages.map(str::to_owned).collect()
}

#[test]
fn processes_of_one_holder_queue_and_each_number_is_given_once() {
    let fixture = Fixture::bare();
    for round in 0..3 {
        let names: Vec<String> = (0..6).map(|n| format!("p{round}-{n}")).collect();
        propose(
            &fixture,
            &names.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        // Each at a time of its own: were two to sign one number, the bytes would differ.
        let running: Vec<_> = (0..4)
            .map(|n| {
                let mut run = fixture.command(&fixture.space, Some("wanda"));
                run.args(["accept", "--all", "--json", "--date"])
                    .arg(format!("{} +0000", 1_767_225_600 + round * 10 + n));
                run.stdin(Stdio::null());
                run.stdout(Stdio::piped()).stderr(Stdio::piped());
                run.spawn().unwrap()
            })
            .collect();
        let mut given = Vec::new();
        for child in running {
            let ran = child.wait_with_output().unwrap();
            let err = String::from_utf8_lossy(&ran.stderr).into_owned();
            assert!(ran.status.success(), "{err}");
            let answer: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
            let pages = answer["numbered"].as_array().unwrap();
            given.extend(pages.iter().map(|page| page["number"].as_u64().unwrap()));
        }
        given.sort_unstable();
        let first = 2 + 6 * round;
        assert_eq!(given, (first..first + 6).collect::<Vec<_>>());
    }
    assert_eq!(numbers(&fixture).len(), 19);
    fixture.run("wanda", &["verify"]).ok();
}

/// The directory of the one hand, in the repository or outside of it.
fn hand(dir: PathBuf) -> PathBuf {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut dirs = entries.map(|entry| entry.unwrap().path());
    dirs.find(|path| path.is_dir()).unwrap()
}

#[test]
fn who_waits_says_so_and_a_killed_holder_blocks_nobody() {
    let fixture = Fixture::bare();
    propose(&fixture, &["x"]);
    fixture.accept_all();
    propose(&fixture, &["y"]);
    // A process that has the lock: `flock` holds the file until it is killed.
    let lock = fixture.space.join("folio/signed/lock");
    let held = fixture
        .bare_command("flock", fixture.home.path())
        .arg(&lock)
        .args(["sh", "-c", "echo held; exec cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut held = held.unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(held.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    let mut run = fixture.command(&fixture.space, Some("wanda"));
    run.args(["accept", "--all"]);
    run.stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut waiting = run.spawn().unwrap();
    let mut err = BufReader::new(waiting.stderr.take().unwrap());
    let mut said = String::new();
    err.read_line(&mut said).unwrap();
    assert!(said.starts_with("waiting for another process"), "{said}");
    assert_eq!(waiting.try_wait().unwrap(), None);
    // Nobody unlocks it: the process that has it is killed, and with it whoever has its file open.
    held.kill().unwrap();
    drop(held.stdin.take());
    held.wait().unwrap();
    let mut rest = String::new();
    err.read_to_string(&mut rest).unwrap();
    assert!(waiting.wait().unwrap().success(), "{rest}");
    assert_eq!(numbers(&fixture).len(), 3);
    assert!(lock.exists(), "the file stays, the lock is gone");
}

#[test]
fn a_restored_backup_is_named_with_what_to_do() {
    let fixture = Fixture::bare();
    propose(&fixture, &["x"]);
    fixture.accept_all();
    let copy = |from: &str, to: &str| {
        let mut cp = fixture.bare_command("cp", fixture.home.path());
        finish(cp.args(["-r", from, to]), b"").ok();
    };
    copy("space", "backup");
    propose(&fixture, &["y"]);
    fixture.accept_all();
    copy("space", "newest");
    std::fs::remove_dir_all(&fixture.space).unwrap();
    copy("backup", "space");
    propose(&fixture, &["z"]);
    let status = fixture.run("wanda", &["status", "--json"]).json();
    let warnings = status["warnings"].as_array().unwrap();
    let ahead = warnings.iter().find(|w| w["warning"] == "signed-ahead");
    let what = ahead.unwrap()["what"].as_str().unwrap();
    assert!(
        what.contains("common@3") && what.contains("common@2"),
        "{what}"
    );
    let said = fixture
        .run("wanda", &["accept", "--all"])
        .refused("restored-backup", 6);
    assert!(said.contains("folio fetch"), "{said}");
    assert!(said.contains("common@3 of epoch 1"), "{said}");
    assert_eq!(numbers(&fixture).len(), 2);
    // Others are not warned: it is not their memory.
    let status = fixture.run("alice", &["status", "--json"]).json();
    assert!(!status.to_string().contains("signed-ahead"));
    fixture.git(&["fetch", "-q", "../newest", "main:main"]);
    fixture.accept_all();
    assert_eq!(numbers(&fixture).len(), 4);
    let status = fixture.run("wanda", &["status", "--json"]).json();
    assert!(!status.to_string().contains("signed-ahead"));
}

#[test]
fn two_clones_on_one_machine_share_what_is_remembered_outside() {
    let fixture = Fixture::bare();
    propose(&fixture, &["x", "y"]);
    let mut cp = fixture.bare_command("cp", fixture.home.path());
    finish(cp.args(["-r", "space", "clone"]), b"").ok();
    fixture.accept_all();
    let other = fixture.path("clone");
    let accept = || {
        let mut run = fixture.command(&other, Some("wanda"));
        finish(run.args(["accept", "--all"]), b"")
    };
    accept().refused("restored-backup", 6);
    // With another place for it nothing outside is known.
    let mut run = fixture.command(&other, Some("wanda"));
    let ran = finish(
        run.args(["--state-dir", "elsewhere", "accept", "--all"]),
        b"",
    );
    ran.ok();
    assert!(
        hand(other.join("elsewhere/signed"))
            .join("highest")
            .exists()
    );
}

#[test]
fn where_there_is_no_home_the_repository_alone_remembers() {
    let fixture = Fixture::bare();
    propose(&fixture, &["x"]);
    let mut run = fixture.command(&fixture.space, Some("wanda"));
    run.env_remove("HOME");
    finish(run.args(["accept", "--all"]), b"").ok();
    assert!(!fixture.path(".local").exists());
    let batch = hand(fixture.space.join("folio/signed"));
    let names = std::fs::read_dir(batch).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        names
            .iter()
            .any(|name| name.to_string_lossy().starts_with("batch-1-2-"))
    );
    propose(&fixture, &["y"]);
    fixture.accept_all();
    assert!(
        hand(fixture.path(".local/state/folio/signed"))
            .join("highest")
            .exists()
    );
}

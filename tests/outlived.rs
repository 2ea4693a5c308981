//! A git that outlives the Folio that started it: who comes next waits for it, and takes nothing of its work for
//! somebody's.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;

use cli::{Fixture, finish};
use std::fs::{self, File};
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A space with a work tree, and the work tree's next move under way in a git that waits, its Folio being dead. The
/// pipe lets that git go on.
fn orphaned() -> (Fixture, File) {
    let fixture = Fixture::with_work_tree();
    let git_dir = fixture.space.join(".git");
    let set = |n| format!("{{\"op\":\"alias.set\",\"alias\":\"a{n}\",\"target\":\"b\"}}\n");
    fixture.propose("bob", "first", &set(1));
    fixture.propose("bob", "second", &set(2));
    let pipe = fixture.path("pipe");
    let mut mkfifo = fixture.bare_command("mkfifo", fixture.home.path());
    finish(mkfifo.arg(&pipe), b"").ok();
    let wait = format!(
        "[ ! -e '{0}' ] || cat '{0}' >/dev/null; cat",
        pipe.display()
    );
    fixture.git(&["config", "filter.slow.smudge", &wait]);
    fs::create_dir_all(git_dir.join("info")).unwrap();
    fs::write(git_dir.join("info/attributes"), "* filter=slow\n").unwrap();
    let mut accept = fixture.command(&fixture.space, Some("wanda"));
    accept.args(["accept", "bob/first"]).stdin(Stdio::null());
    accept.stdout(Stdio::null()).stderr(Stdio::null());
    let mut accept = accept.spawn().unwrap();
    // It opens once its other end is read: git is writing the first file.
    let (name, (says, said)) = (pipe.clone(), mpsc::channel());
    thread::spawn(move || says.send(File::options().write(true).open(name).unwrap()));
    let open = loop {
        match said.recv_timeout(Duration::from_millis(10)) {
            Ok(open) => break open,
            Err(_) => assert!(accept.try_wait().unwrap().is_none(), "it never got there"),
        }
    };
    accept.kill().unwrap();
    accept.wait().unwrap();
    fs::remove_file(pipe).unwrap();
    (fixture, open)
}

#[test]
fn a_git_that_moves_the_work_tree_is_waited_for_though_its_folio_died() {
    let (fixture, pipe) = orphaned();
    let turn = fixture.space.join(".git/folio/worktree.turn");
    let turn = File::open(turn).unwrap();
    assert!(turn.try_lock().is_err(), "it is still at work");
    drop(pipe);
    turn.lock().unwrap();
    drop(turn);
    fixture.run("wanda", &["accept", "bob/second"]).ok();
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
    fixture.run("wanda", &["verify"]).ok();
}

#[test]
fn whoever_comes_while_it_is_at_work_waits() {
    let (fixture, pipe) = orphaned();
    let mut next = fixture.command(&fixture.space, Some("wanda"));
    next.args(["accept", "bob/second"]).stdin(Stdio::null());
    let next = next.stdout(Stdio::piped()).stderr(Stdio::piped());
    let next = next.spawn().unwrap();
    drop(pipe);
    let next = next.wait_with_output().unwrap();
    assert!(next.status.success(), "{next:?}");
    assert_eq!(String::from_utf8_lossy(&next.stderr), "");
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
}

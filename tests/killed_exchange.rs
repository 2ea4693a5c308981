//! The real process, killed at random moments of clone, fetch, push and sync, and stopped by a full disk: the
//! repositories open and verify, nothing is lost, and the command run again ends well.
#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the moments are measured; nothing depends on them"
)]

#[path = "common/cli.rs"]
mod cli;
#[path = "common/net.rs"]
mod net;

use net::Net;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Of each kind of command.
const KILLS: u32 = 14;

/// Random numbers from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Runs a command with all that it starts, and kills all of it after so long: whether it was still alive, and its
/// exit code where it was not.
fn kill(command: &mut Command, after: Duration) -> (bool, Option<i32>) {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let start = Instant::now();
    while start.elapsed() < after {
        std::hint::spin_loop();
    }
    // The machine loses power: its git goes too.
    let group = format!("-{}", child.id());
    let _ = Command::new("kill")
        .args(["-9", "--", &group])
        .stderr(Stdio::null())
        .status();
    let status = child.wait().unwrap();
    (status.signal() == Some(9), status.code())
}

/// git's own leavings of a process that was killed: its locks are for people to remove, as its words say. Folio's, which
/// are files with two names, it has to get over by itself.
fn unlock(net: &Net, dir: &str) {
    let git_dir = net.git(dir, &["rev-parse", "--absolute-git-dir"]);
    let mut left = vec![std::path::PathBuf::from(git_dir)];
    while let Some(dir) = left.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let names = std::fs::symlink_metadata(&path).map_or(0, |meta| meta.nlink());
            if path.is_dir() {
                left.push(path);
            } else if names == 1 && path.extension().is_some_and(|end| end == "lock") {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

/// How long a command takes.
fn typical(mut once: impl FnMut()) -> Duration {
    let mut found: Vec<Duration> = (0..3)
        .map(|_| {
            let start = Instant::now();
            once();
            start.elapsed()
        })
        .collect();
    found.sort();
    found[1]
}

/// New pages and a proposal at home.
fn more(net: &Net, round: u64) {
    net.number(&format!("n{round}"));
    net.propose("space", "bob", &format!("waits{round}"));
    net.run("space", "wanda", &["push"]).ok();
}

#[test]
fn a_clone_that_is_killed_can_be_run_again() {
    let net = Net::new();
    let id = net.space_id();
    let mut dice = Dice(11);
    let mut n = 0;
    let time = typical(|| {
        n += 1;
        net.clone_to(&format!("measured{n}"), &[]);
    });
    let mut kills = 0;
    for round in 0..40 {
        if kills == KILLS {
            break;
        }
        let name = format!("clone{round}");
        let args = ["clone", "hub.git", &name, "--space", &id];
        let moment = time.mul_f64(dice.roll(1000) as f64 / 1000.0);
        let (killed, code) = kill(&mut net.command(".", "", &args), moment);
        kills += u32::from(killed);
        let mut again = net.run(".", "", &args);
        for _ in 0..1000 {
            if !again.err.contains("error: busy: ") {
                break;
            }
            // What was killed with it takes a moment to go.
            again = net.run(".", "", &args);
        }
        match (code, again.code) {
            // It was whole already, or is now.
            (Some(0), _) => assert!(again.err.contains("already-a-repository"), "{again:?}"),
            (_, 0) => {}
            // Whole, or what is left is made up for: artifacts come with the fetch below.
            _ => assert!(
                again.err.contains("what was left to do is done")
                    || again.err.contains("already-a-repository"),
                "{again:?}"
            ),
        }
        net.sound(&name);
        assert_eq!(net.at(&name, "main"), net.at("hub.git", "main"));
        assert_eq!(net.git(&name, &["status", "--porcelain"]), "");
        let view = net.json(&name, "", &["fetch"]);
        assert_eq!(view["fetched"][0]["course"], "same");
    }
    assert!(kills >= KILLS / 2, "{kills}");
}

#[test]
fn a_fetch_that_is_killed_can_be_run_again() {
    let net = Net::new();
    let mut dice = Dice(12);
    net.clone_to("a", &[]);
    let mut round = 0;
    let time = typical(|| {
        round += 1;
        more(&net, round);
        net.run("a", "", &["fetch"]).ok();
    });
    let mut kills = 0;
    for _ in 0..30 {
        if kills == KILLS {
            break;
        }
        round += 1;
        more(&net, round);
        let moment = time.mul_f64(dice.roll(1000) as f64 / 1500.0);
        let (killed, _) = kill(&mut net.command("a", "", &["fetch"]), moment);
        kills += u32::from(killed);
        unlock(&net, "a");
        net.sound("a");
        net.run("a", "", &["fetch"]).ok();
        assert_eq!(net.at("a", "main"), net.at("hub.git", "main"));
        assert_eq!(net.git("a", &["status", "--porcelain"]), "");
        let waits = format!("refs/heads/proposals/bob/waits{round}");
        assert!(net.at("a", &waits).is_some());
        assert!(
            !net.refs("a").contains("refs/folio/incoming/"),
            "{}",
            net.refs("a")
        );
    }
    net.sound("a");
    assert!(kills >= KILLS / 2, "{kills}");
}

#[test]
fn a_push_or_sync_that_is_killed_can_be_run_again() {
    let net = Net::new();
    let mut dice = Dice(13);
    net.clone_to("a", &[]);
    let mut round = 0;
    let time = typical(|| {
        round += 1;
        net.number(&format!("n{round}"));
        net.run("space", "wanda", &["push"]).ok();
    });
    let mut kills = 0;
    for _ in 0..30 {
        if kills == KILLS {
            break;
        }
        round += 1;
        net.number(&format!("n{round}"));
        net.propose("space", "bob", &format!("waits{round}"));
        net.propose("a", "alice", &format!("sent{round}"));
        net.run("a", "alice", &["submit"]).ok();
        let command = ["push", "sync"][dice.roll(2) as usize];
        let moment = time.mul_f64(dice.roll(1000) as f64 / 1000.0);
        let (killed, _) = kill(&mut net.command("space", "wanda", &[command]), moment);
        kills += u32::from(killed);
        unlock(&net, "space");
        unlock(&net, "hub.git");
        net.sound("space");
        net.run("space", "wanda", &["sync"]).ok();
        assert_eq!(net.at("hub.git", "main"), net.at("space", "main"));
        assert_eq!(net.at("space", "refs/folio/home"), net.at("space", "main"));
        for name in [format!("bob/waits{round}"), format!("alice/sent{round}")] {
            let name = format!("refs/heads/proposals/{name}");
            assert!(net.at("space", &name).is_some(), "{name}");
            assert_eq!(net.at("space", &name), net.at("hub.git", &name));
        }
    }
    net.sound("hub.git");
    assert!(kills >= KILLS / 2, "{kills}");
}

/// A file system of that many KiB at a directory; nothing where that is not permitted.
struct Small<'n> {
    net: &'n Net,
    at: String,
}

impl<'n> Small<'n> {
    fn mount(net: &'n Net, name: &str, kib: u64) -> Option<Self> {
        let at = net.path(name);
        std::fs::create_dir_all(&at).unwrap();
        let size = format!("size={kib}k");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at);
        if !mount
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|ended| ended.success())
        {
            eprintln!("skipped: no small file system can be mounted here");
            return None;
        }
        Some(Self {
            net,
            at: at.display().to_string(),
        })
    }

    /// Fills it but for that many KiB.
    fn fill(&self, room: u64) {
        use std::io::Write as _;
        let path = self.net.path(&self.at).join("ballast");
        let mut file = std::fs::File::create(&path).unwrap();
        while file.write_all(&[7; 4096]).is_ok() {}
        let full = file.metadata().unwrap().len();
        file.set_len(full.saturating_sub(room * 1024)).unwrap();
    }

    fn empty(&self) {
        std::fs::remove_file(self.net.path(&self.at).join("ballast")).unwrap();
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l", &self.at]).status();
    }
}

#[test]
fn a_full_disk_is_said_and_nothing_is_half_done() {
    let net = Net::new();
    let Some(small) = Small::mount(&net, "small", 4096) else {
        return;
    };
    let id = net.space_id();
    let mut lines = String::new();
    for n in 0..400 {
        let hash = blake3::hash(format!("{n}").as_bytes()).to_hex();
        lines +=
            &format!("{{\"op\":\"alias.set\",\"alias\":\"n{hash}\",\"target\":\"t{hash}\"}}\n");
    }
    net.run(".", "", &["clone", "hub.git", "small/a", "--space", &id])
        .ok();
    net.propose_lines("space", "bob", "many", &lines);
    net.run("space", "wanda", &["accept", "--all"]).ok();
    net.run("space", "wanda", &["push"]).ok();
    let before = net.at("small/a", "main");
    let mut failed = 0;
    for room in [0, 16, 64, 160] {
        small.fill(room);
        let ran = net.run("small/a", "", &["fetch"]);
        let clone = net.run(".", "", &["clone", "hub.git", "small/b", "--space", &id]);
        for ran in [&ran, &clone] {
            if ran.code != 0 {
                failed += 1;
                let told = ["io", "remote-failed", "git-failed"];
                let told = told
                    .iter()
                    .any(|code| ran.err.contains(&format!("error: {code}: ")));
                assert!(
                    told && ran.err.contains("hint: "),
                    "room for {room} KiB: {ran:?}"
                );
                assert!(!ran.err.contains("panicked"), "{ran:?}");
            }
        }
        small.empty();
        if clone.code != 0 {
            net.run(".", "", &["clone", "hub.git", "small/b", "--space", &id])
                .ok();
        }
        net.sound("small/b");
        std::fs::remove_dir_all(net.path("small/b")).unwrap();
        net.sound("small/a");
        if ran.code != 0 {
            let main = net.at("small/a", "main");
            assert!(main == before || main == net.at("hub.git", "main"));
        }
        let again = net.run("small/a", "", &["fetch"]);
        assert!(!again.err.contains("warning: "), "{again:?}");
        again.ok();
        assert_eq!(net.at("small/a", "main"), net.at("hub.git", "main"));
        assert_eq!(net.git("small/a", &["status", "--porcelain"]), "");
        // Again from where it was.
        net.git(
            "small/a",
            &["update-ref", "-d", "refs/folio/remotes/origin/main"],
        );
        net.git("small/a", &["update-ref", "-d", "refs/folio/home"]);
        net.git(
            "small/a",
            &["reset", "-q", "--hard", before.as_deref().unwrap()],
        );
        net.git("small/a", &["reflog", "expire", "--expire=now", "--all"]);
        net.git("small/a", &["gc", "-q", "--prune=now"]);
    }
    assert!(failed >= 3, "{failed}");
    println!("{failed} commands met a full disk");
}

#[test]
fn a_full_disk_at_home_is_said_and_the_push_goes_through_later() {
    let net = Net::new();
    let Some(small) = Small::mount(&net, "small", 4096) else {
        return;
    };
    net.git(".", &["clone", "-q", "--bare", "hub.git", "small/hub.git"]);
    net.git(
        "space",
        &["remote", "set-url", "origin", "../small/hub.git"],
    );
    net.run("space", "wanda", &["fetch"]).ok();
    net.number("two");
    let before = net.at("small/hub.git", "main");
    small.fill(0);
    let ran = net.run("space", "wanda", &["push"]);
    let told = ["remote-failed", "push-refused"];
    assert!(
        told.iter()
            .any(|code| ran.err.contains(&format!("error: {code}: "))),
        "{ran:?}"
    );
    assert_eq!(net.at("small/hub.git", "main"), before);
    assert_eq!(net.at("space", "refs/folio/home"), before);
    small.empty();
    net.run("space", "wanda", &["push"]).ok();
    assert_eq!(net.at("small/hub.git", "main"), net.at("space", "main"));
    net.sound("small/hub.git");
}

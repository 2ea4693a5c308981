//! Three writers, a reader and a collector, each a real process again and again, some of them killed; and copies
//! of everything as it was at some moment.
//!
//! `FOLIO_COLLECT_ROUNDS` is how often each of them runs; a few by default.

use super::cli::{Fixture, Ran};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

/// Random numbers from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        let grown = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = grown.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Sends a signal to a process and all that it has started.
fn signal(name: &str, group: u32) {
    let mut kill = Command::new("kill");
    kill.args([name, "--", &format!("-{group}")]);
    kill.stderr(Stdio::null()).status().unwrap();
}

/// All that is under way.
struct Fleet {
    fixture: Fixture,
    /// Nothing is started while a copy is made.
    running: Mutex<Vec<u32>>,
    /// Keys that were acknowledged as kept, with their bytes.
    kept: RwLock<BTreeMap<String, Vec<u8>>>,
    done: AtomicBool,
    kills: AtomicU64,
}

impl Fleet {
    fn start(&self, command: &mut Command) -> Child {
        let mut running = self.running.lock().unwrap();
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.process_group(0).spawn().unwrap();
        running.push(child.id());
        child
    }

    /// Runs the binary; killed after so many milliseconds it says nothing.
    fn run(&self, args: &[&str], kill: Option<u64>) -> Option<Ran> {
        let mut command = self.fixture.command(&self.fixture.space, Some("wanda"));
        let mut child = self.start(command.args(args));
        let id = child.id();
        let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (tell, told) = channel();
        let ran = std::thread::scope(|scope| {
            let errors = scope.spawn(move || {
                let mut words = Vec::new();
                err.read_to_end(&mut words).unwrap();
                words
            });
            let answer = scope.spawn(move || {
                let mut words = Vec::new();
                out.read_to_end(&mut words).unwrap();
                tell.send(()).ok();
                words
            });
            if let Some(after) = kill
                && told.recv_timeout(Duration::from_millis(after)) == Err(RecvTimeoutError::Timeout)
            {
                signal("-KILL", id);
                self.kills.fetch_add(1, Ordering::Relaxed);
            }
            let (out, err) = (answer.join().unwrap(), errors.join().unwrap());
            let code = child.wait().unwrap().code();
            code.map(|code| Ran {
                code,
                out: String::from_utf8_lossy(&out).into_owned(),
                err: String::from_utf8_lossy(&err).into_owned(),
            })
        });
        self.running.lock().unwrap().retain(|other| *other != id);
        ran
    }

    fn write(&self, which: u64, rounds: u64) {
        let mut dice = Dice(which + 1);
        for round in 0..rounds {
            // Every second artifact is one that others add too.
            let seed = if round % 2 == 0 {
                round
            } else {
                round * 100 + which
            };
            let len = [700, 30_000, 400_000][dice.roll(3) as usize];
            let bytes = super::world::noise(seed % 50 + len as u64, len);
            let file = self.fixture.path(&format!("file-{which}"));
            std::fs::write(&file, &bytes).unwrap();
            let kill = (dice.roll(4) == 0).then(|| dice.roll(120));
            let args = ["artifact", "add", file.to_str().unwrap()];
            let Some(added) = self.run(&args, kill) else {
                continue;
            };
            let out = added.ok();
            let key = out.split_whitespace().next().unwrap().to_owned();
            assert_eq!(key, super::world::key_of(&bytes).to_hex());
            let kill = (dice.roll(6) == 0).then(|| dice.roll(40));
            let Some(kept) = self.run(&["artifact", "keep", &key], kill) else {
                continue;
            };
            // With no grace at all it may be gone before anything refers to it.
            match kept.code {
                1 => drop(kept.refused("not-found", 1)),
                _ => {
                    kept.ok();
                    self.kept.write().unwrap().insert(key, bytes);
                }
            }
        }
    }

    fn read(&self) {
        let mut dice = Dice(77);
        while !self.done.load(Ordering::SeqCst) {
            let chosen = {
                let kept = self.kept.read().unwrap();
                let at = dice.roll(kept.len().max(1) as u64) as usize;
                kept.iter()
                    .nth(at)
                    .map(|(key, bytes)| (key.clone(), bytes.clone()))
            };
            let Some((key, bytes)) = chosen else {
                std::thread::yield_now();
                continue;
            };
            let into = self.fixture.path("read");
            std::fs::remove_file(&into).ok();
            let args = ["artifact", "get", &key, "-o", into.to_str().unwrap()];
            self.run(&args, None).unwrap().ok();
            assert!(std::fs::read(&into).unwrap() == bytes, "{key}");
        }
    }

    fn collect(&self) {
        let mut dice = Dice(99);
        while !self.done.load(Ordering::SeqCst) {
            let kill = (dice.roll(3) == 0).then(|| dice.roll(300));
            let Some(ran) = self.run(&["gc", "--grace", "0"], kill) else {
                continue;
            };
            // What a killed collection had started may still run.
            assert!(ran.code == 0 || ran.err.contains("busy"), "{}", ran.err);
        }
    }

    /// Stops all processes where they are, copies what is on the disk, and lets them go on.
    fn copy(&self) -> (tempfile::TempDir, BTreeMap<String, Vec<u8>>) {
        let running = self.running.lock().unwrap();
        running.iter().for_each(|id| signal("-STOP", *id));
        let kept = self.kept.read().unwrap().clone();
        let copy = tempfile::tempdir().unwrap();
        let mut cp = Command::new("cp");
        let copied = cp
            .arg("-r")
            .arg(&self.fixture.space)
            .arg(copy.path())
            .status();
        running.iter().for_each(|id| signal("-CONT", *id));
        assert!(copied.unwrap().success());
        (copy, kept)
    }

    fn check(&self, space: &Path, kept: &BTreeMap<String, Vec<u8>>) {
        let run = |args: &[&str]| {
            let mut command = self.fixture.command(space, Some("wanda"));
            super::cli::finish(command.args(args), b"").ok()
        };
        run(&["artifact", "verify"]);
        for (key, bytes) in kept {
            let into = space.with_extension("got");
            std::fs::remove_file(&into).ok();
            run(&["artifact", "get", key, "-o", into.to_str().unwrap()]);
            assert!(std::fs::read(&into).unwrap() == *bytes, "{key}");
        }
        run(&["verify"]);
        let mut git = self.fixture.bare_command("git", space);
        super::cli::finish(git.args(["fsck", "--strict", "--no-dangling"]), b"").ok();
    }
}

#[test]
fn writers_a_reader_and_a_collector_get_along_though_some_are_killed() {
    let rounds = std::env::var("FOLIO_COLLECT_ROUNDS");
    let rounds: u64 = rounds.map_or(8, |rounds| rounds.parse().unwrap());
    let fleet = Fleet {
        fixture: Fixture::bare(),
        running: Mutex::default(),
        kept: RwLock::default(),
        done: AtomicBool::new(false),
        kills: AtomicU64::new(0),
    };
    std::thread::scope(|scope| {
        let fleet = &fleet;
        let writers: Vec<_> = (0..3)
            .map(|which| scope.spawn(move || fleet.write(which, rounds)))
            .collect();
        let others = [
            scope.spawn(|| fleet.read()),
            scope.spawn(|| fleet.collect()),
        ];
        let copies = scope.spawn(|| {
            while !fleet.done.load(Ordering::SeqCst) {
                let (copy, kept) = fleet.copy();
                fleet.check(&copy.path().join("space"), &kept);
            }
        });
        let ended: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        fleet.done.store(true, Ordering::SeqCst);
        let rest = others.into_iter().chain([copies]).map(|other| other.join());
        let failed = ended.into_iter().chain(rest).filter(Result::is_err).count();
        assert_eq!(failed, 0);
    });
    let kept = fleet.kept.read().unwrap();
    assert!(!kept.is_empty());
    fleet.check(&fleet.fixture.space, &kept);
    for _ in 0..3 {
        fleet.fixture.run("wanda", &["gc", "--grace", "0"]).ok();
    }
    fleet.check(&fleet.fixture.space, &kept);
    let log = std::fs::read_to_string(fleet.fixture.space.join("folio/gc.log")).unwrap();
    let count = |word: &str| log.lines().filter(|line| line.contains(word)).count();
    println!(
        "{} kept, {} kills, {} collections that ended, {} artifacts and {} blocks removed",
        kept.len(),
        fleet.kills.load(Ordering::Relaxed),
        count(" done "),
        count(" artifact "),
        count(" block ")
    );
}

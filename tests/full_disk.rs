//! `folio accept` and `folio pen take` on a disk that becomes full at any step of them: they say so, `main` is
//! where it was or whole, and with room the same command ends well and signs nothing else for the number.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;
#[path = "common/payloads.rs"]
mod payloads;
#[path = "common/travel.rs"]
mod travel;

use cli::{Fixture, Ran, finish};
use std::io::Write as _;
use std::path::PathBuf;

/// A space on a file system of its own, of a few MiB.
struct Small {
    fixture: Fixture,
    disk: PathBuf,
    /// Where the second copy of the signer's memory is.
    state: PathBuf,
    /// Whatever was signed.
    seen: payloads::Signed,
    /// Seconds that have passed: what is signed again has other bytes.
    now: u64,
}

impl Small {
    /// With the second copy of the memory on the same disk, or on another. Nothing where no file system can be
    /// mounted.
    fn new(fixture: Fixture, copy_too: bool) -> Option<Self> {
        let disk = fixture.path("disk");
        std::fs::create_dir(&disk).unwrap();
        let mut mount = fixture.bare_command("mount", fixture.home.path());
        mount.args(["-t", "tmpfs", "-o", "size=6m", "tmpfs", "disk"]);
        let mounted = finish(&mut mount, b"");
        if mounted.code != 0 {
            let why = mounted.err;
            eprintln!("skipped: no small file system can be mounted here: {why}");
            return None;
        }
        let state = if copy_too { &disk } else { fixture.home.path() }.join("copy");
        let mut this = Self {
            fixture,
            disk,
            state,
            seen: payloads::Signed::new(),
            now: 0,
        };
        let place = this.disk.join("space");
        travel::copy(&this.fixture.space, &place);
        this.fixture.space = place;
        Some(this)
    }

    /// Fills it but for that many KiB.
    fn fill(&self, room: u64) {
        let mut file = std::fs::File::create(self.disk.join("ballast")).unwrap();
        while file.write_all(&[7; 4096]).is_ok() {}
        let full = file.metadata().unwrap().len();
        file.set_len(full.saturating_sub(room * 1024)).unwrap();
    }

    fn empty(&self) {
        std::fs::remove_file(self.disk.join("ballast")).unwrap();
    }

    /// A command of the next second.
    fn run(&mut self, who: &str, args: &[&str]) -> Ran {
        self.now += 1;
        let date = format!("{} +0000", 1_767_225_600 + self.now);
        let mut run = self.fixture.command(&self.fixture.space, Some(who));
        run.args(args).args(["--date", &date]);
        run.arg("--state-dir").arg(&self.state);
        finish(&mut run, b"")
    }

    fn main(&self) -> String {
        self.fixture.git(&["rev-parse", "main"]).trim().to_owned()
    }

    /// Runs a command with ever more room, one block of the file system each time, until it ends well at once;
    /// after each failure again with enough room. How often it met the full disk.
    fn run_with_ever_more_room(
        &mut self,
        args: &[&str],
        ready: &mut dyn FnMut(&mut Self, u64) -> &'static str,
    ) -> usize {
        for (failed, room) in (0..512).step_by(4).enumerate() {
            let who = ready(self, room);
            let before = self.main();
            self.fill(room);
            let ran = self.run(who, args);
            assert!(!ran.err.contains("panicked"), "{ran:?}");
            let main = self.main();
            self.empty();
            travel::sound(&self.fixture, &self.fixture.space);
            self.never_two();
            if main != before {
                let parent = self.fixture.git(&["rev-parse", "main^1"]);
                assert_eq!(parent.trim(), before, "room for {room} KiB: one page");
            }
            if ran.code == 0 {
                assert_ne!(main, before);
                return failed;
            }
            assert_eq!(ran.code, 6, "room for {room} KiB: {ran:?}");
            assert!(
                ran.err.contains("error: io: "),
                "room for {room} KiB: {ran:?}"
            );
            assert!(ran.err.contains("hint: "), "{ran:?}");
            let again = self.run(who, args);
            assert_eq!(again.code, 0, "room for {room} KiB: {again:?}");
            assert_ne!(self.main(), before, "{again:?}");
            travel::sound(&self.fixture, &self.fixture.space);
            self.never_two();
        }
        panic!("it never had enough room");
    }

    fn never_two(&mut self) {
        let dir = travel::git(
            &self.fixture,
            &self.fixture.space,
            &["rev-parse", "--absolute-git-dir"],
        );
        let memory = PathBuf::from(dir).join("folio/signed");
        payloads::never_two_since(&mut self.seen, &self.fixture.space, &memory);
        payloads::never_two_since(&mut self.seen, &self.fixture.space, &self.state);
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let home = self.fixture.home.path();
        let mut umount = self.fixture.bare_command("umount", home);
        finish(umount.args(["-l", "disk"]), b"");
    }
}

fn accept_on(fixture: Fixture, copy_too: bool) {
    let Some(mut small) = Small::new(fixture, copy_too) else {
        return;
    };
    let failed = small.run_with_ever_more_room(&["accept", "--all"], &mut |small, room| {
        let slug = format!("n{room}");
        travel::propose(&small.fixture, &small.fixture.space, "alice", &slug);
        "wanda"
    });
    assert!(failed >= 2, "{failed}");
    println!("{failed} commands met a full disk");
}

#[test]
fn accept_in_a_bare_space_meets_a_full_disk() {
    accept_on(Fixture::bare(), true);
}

#[test]
fn accept_with_its_memory_elsewhere_meets_a_full_disk() {
    accept_on(Fixture::bare(), false);
}

#[test]
fn accept_with_a_work_tree_meets_a_full_disk() {
    accept_on(Fixture::with_work_tree(), false);
}

/// Released by whoever has it, or held and approved; then taken by the other.
fn take(held: bool, copy_too: bool) {
    let fixture = Fixture::bare();
    fixture.run("alice", &["witness", "appoint", "bob"]).ok();
    let recovery = ["member", "add", "alice", "--add-role", "recovery"];
    fixture.run("alice", &recovery).ok();
    fixture.run("alice", &["propose", "-m", "Terms"]).ok();
    fixture.accept_all();
    let Some(mut small) = Small::new(fixture, copy_too) else {
        return;
    };
    let mut hands = ["wanda", "bob"].into_iter().cycle();
    let failed = small.run_with_ever_more_room(&["pen", "take"], &mut |small, _| {
        let holder = hands.next().unwrap();
        let taker = ["bob", "wanda"][usize::from(holder == "bob")];
        if held {
            assert_eq!(small.run(taker, &["pen", "take"]).code, 1);
            let branch = format!("{taker}/pen-take");
            small.run("alice", &["approve", &branch]).ok();
        } else {
            small.run(holder, &["pen", "release"]).ok();
        }
        taker
    });
    assert!(failed >= 2, "{failed}");
    println!("{failed} commands met a full disk");
}

#[test]
fn taking_a_released_pen_meets_a_full_disk() {
    take(false, true);
}

#[test]
fn taking_a_held_pen_meets_a_full_disk() {
    take(true, false);
}

#[test]
fn adding_an_artifact_meets_a_full_disk() {
    let Some(small) = Small::new(Fixture::bare(), true) else {
        return;
    };
    let artifact = |args: &[&str]| small.fixture.run("alice", &[&["artifact"], args].concat());
    let file = small.fixture.path("first");
    std::fs::write(&file, "what was there before").unwrap();
    let first = artifact(&["add", file.to_str().unwrap()]).ok()[..64].to_owned();
    for (failed, room) in (0..512).step_by(16).enumerate() {
        // Nothing that packs well, and another artifact each time.
        let mut noise = blake3::Hasher::new();
        noise.update(&[room as u8, (room >> 8) as u8]);
        let mut bytes = vec![0; 100_000];
        noise.finalize_xof().fill(&mut bytes);
        std::fs::write(&file, &bytes).unwrap();
        small.fill(room);
        let ran = artifact(&["add", file.to_str().unwrap()]);
        assert!(!ran.err.contains("panicked"), "{ran:?}");
        small.empty();
        assert_eq!(artifact(&["cat", &first]).ok(), "what was there before");
        artifact(&["verify"]).ok();
        if ran.code == 0 {
            assert!(failed >= 2, "{failed}");
            return;
        }
        assert_eq!(ran.code, 6, "room for {room} KiB: {ran:?}");
        assert!(ran.err.contains("error: io: "), "{ran:?}");
        artifact(&["add", file.to_str().unwrap()]).ok();
        artifact(&["verify"]).ok();
    }
    panic!("it never had enough room");
}

//! The real process, killed at random moments: git and `verify` find nothing wrong, what was acknowledged
//! is there, and the same command can simply be run again.
#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the moments are measured; nothing depends on them"
)]

#[path = "common/cli.rs"]
mod cli;
#[path = "common/payloads.rs"]
mod payloads;
#[path = "common/tools.rs"]
mod tools;

use cli::{Fixture, Ran, finish};
use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Random numbers from a seed: the same commands and fractions in every run.
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

/// Runs a command and kills it after so long: whether it was still alive.
fn kill(command: &mut Command, after: Duration) -> (bool, Option<i32>) {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let start = Instant::now();
    while start.elapsed() < after {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    (status.signal() == Some(9), status.code())
}

/// What a space must be after any crash.
#[track_caller]
fn sound(fixture: &Fixture, space: &Path) {
    let fsck = finish(
        fixture
            .bare_command("git", space)
            .args(["fsck", "--strict", "--no-dangling"]),
        b"",
    );
    let said = format!("{}{}", fsck.out, fsck.err);
    assert_eq!(fsck.code, 0, "git fsck: {said}");
    for word in ["error", "missing", "broken", "corrupt", "warning"] {
        assert!(!said.contains(word), "git fsck: {said}");
    }
    finish(fixture.command(space, Some("wanda")).arg("verify"), b"").ok();
}

/// The aliases that JSON Lines speak of.
fn aliases_in(lines: &str) -> BTreeSet<String> {
    let parsed = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    parsed
        .filter_map(|line| Some(line.get("alias")?.as_str()?.to_owned()))
        .collect()
}

const KINDS: [&str; 4] = ["alias", "propose", "accept", "refuse"];

/// A space under fire, and what it acknowledged.
struct Target {
    fixture: Fixture,
    /// How long each kind of command takes here.
    typical: [Duration; 4],
    next: u64,
    drafted: BTreeSet<String>,
    proposed: BTreeSet<String>,
    numbered: BTreeSet<String>,
    kills: [u32; 4],
    /// Seconds that have passed: what is signed again has other bytes.
    now: u64,
}

impl Target {
    fn new(fixture: Fixture) -> Self {
        let mut this = Self {
            fixture,
            typical: [Duration::ZERO; 4],
            next: 0,
            drafted: BTreeSet::new(),
            proposed: BTreeSet::new(),
            numbered: BTreeSet::new(),
            kills: [0; 4],
            now: 0,
        };
        this.measure();
        this
    }

    /// Each command undisturbed, a few times: the middle of them.
    fn measure(&mut self) {
        let mut found: [Vec<Duration>; 4] = Default::default();
        for _ in 0..3 {
            for kind in [0, 1, 3, 2] {
                let args = self.command(kind);
                let start = Instant::now();
                let ran = self.run(&args);
                found[kind].push(start.elapsed());
                ran.ok();
                self.acknowledge(kind, &args);
            }
        }
        for (typical, mut found) in self.typical.iter_mut().zip(found) {
            found.sort();
            *typical = found[1];
        }
    }

    /// The next command of a kind. Who refuses and numbers is wanda; alice drafts and proposes.
    fn command(&mut self, kind: usize) -> Vec<String> {
        let words: Vec<String> = match kind {
            0 => {
                self.next += 1;
                vec![
                    "alias".into(),
                    "set".into(),
                    format!("n{}", self.next),
                    "x".into(),
                ]
            }
            1 => vec!["propose".into(), "-m".into(), format!("p{}", self.next)],
            2 => {
                self.now += 1;
                let date = format!("{} +0000", 1_767_225_600 + self.now);
                ["accept", "--all", "--date", &date]
                    .map(str::to_owned)
                    .to_vec()
            }
            _ => {
                let waiting = self.branches();
                let name = waiting
                    .first()
                    .unwrap()
                    .strip_prefix("refs/heads/proposals/")
                    .unwrap();
                // With a code of a rule, `accept --all` goes on numbering it.
                let words = ["refuse", name, "-m", "not yet", "--code", "stale"];
                words.map(str::to_owned).to_vec()
            }
        };
        words
    }

    fn who(args: &[String]) -> &'static str {
        match args[0].as_str() {
            "accept" | "refuse" => "wanda",
            _ => "alice",
        }
    }

    fn run(&self, args: &[String]) -> Ran {
        let args_str: Vec<&str> = args.iter().map(String::as_str).collect();
        self.fixture.run(Self::who(args), &args_str)
    }

    fn branches(&self) -> Vec<String> {
        let listed = self.fixture.git(&[
            "for-each-ref",
            "--format=%(refname)",
            "refs/heads/proposals",
        ]);
        listed.lines().map(str::to_owned).collect()
    }

    fn draft(&self) -> BTreeSet<String> {
        let dir = self.fixture.git(&["rev-parse", "--absolute-git-dir"]);
        let file = Path::new(dir.trim()).join("folio/drafts/alice.jsonl");
        aliases_in(&std::fs::read_to_string(file).unwrap_or_default())
    }

    fn queued(&self) -> BTreeSet<String> {
        let branches = self.branches();
        if branches.is_empty() {
            return BTreeSet::new();
        }
        let mut args = vec!["grep", "-h", "-e", "alias"];
        args.extend(branches.iter().map(String::as_str));
        args.extend(["--", "decisions.jsonl"]);
        aliases_in(&self.fixture.git(&args))
    }

    fn state(&self) -> BTreeSet<String> {
        let args = [
            "grep",
            "-h",
            "-e",
            "alias",
            "main",
            "--",
            "aliases",
            "aliases.jsonl",
        ];
        let mut git = self.fixture.bare_command("git", &self.fixture.space);
        aliases_in(&finish(git.args(args), b"").out)
    }

    /// Takes down what a command that ended with 0 has promised.
    fn acknowledge(&mut self, kind: usize, args: &[String]) {
        match kind {
            0 => drop(self.drafted.insert(args[2].clone())),
            1 => self.proposed.append(&mut self.drafted),
            2 => self.numbered.append(&mut self.proposed),
            _ => {}
        }
    }

    /// Nothing that was acknowledged is missing.
    fn kept(&self) {
        let (draft, queued, state) = (self.draft(), self.queued(), self.state());
        for name in &self.drafted {
            let somewhere = draft.contains(name) || queued.contains(name) || state.contains(name);
            assert!(somewhere, "{name} was drafted and is lost");
        }
        for name in &self.proposed {
            assert!(
                queued.contains(name) || state.contains(name),
                "{name} was proposed and is lost"
            );
        }
        for name in &self.numbered {
            assert!(state.contains(name), "{name} was numbered and is lost");
        }
    }

    /// Kills one command, looks, and runs it again.
    fn round(&mut self, dice: &mut Dice) {
        let kind = dice.roll(4) as usize;
        if kind == 1 && self.draft().is_empty() {
            let args = self.command(0);
            self.run(&args).ok();
            self.acknowledge(0, &args);
        }
        if kind >= 2 && self.branches().is_empty() {
            for kind in [0, 1] {
                let args = self.command(kind);
                self.run(&args).ok();
                self.acknowledge(kind, &args);
            }
        }
        let args = self.command(kind);
        let mut run = self
            .fixture
            .command(&self.fixture.space, Some(Self::who(&args)));
        let moment = self.typical[kind].mul_f64(dice.roll(1000) as f64 / 1000.0);
        let (killed, code) = kill(run.args(&args), moment);
        self.kills[kind] += u32::from(killed);
        if code == Some(0) {
            self.acknowledge(kind, &args);
        }
        sound(&self.fixture, &self.fixture.space);
        self.kept();
        let args = if kind == 2 { self.command(2) } else { args };
        let again = self.run(&args);
        match again.code {
            0 => self.acknowledge(kind, &args),
            // The killed one had come to its end.
            _ if kind == 1 && again.err.contains("error: empty") => {
                assert!(self.draft().is_empty());
                self.acknowledge(1, &args);
            }
            // A branch that a killed `accept` could not remove any more; the next one does, as the hint says.
            _ if kind == 3 && again.err.contains("it was numbered already") => {
                let name = format!("refs/heads/proposals/{}", args[1]);
                let accept = self.command(2);
                self.run(&accept).ok();
                self.acknowledge(2, &accept);
                assert!(!self.branches().contains(&name), "{name} is left over");
            }
            _ => panic!("{} again: {again:?}", KINDS[kind]),
        }
        self.kept();
        if kind == 2 {
            self.never_two();
        }
    }

    /// Nothing else was ever signed for the number of a page, published or not.
    fn never_two(&self) {
        let dir = self.fixture.git(&["rev-parse", "--absolute-git-dir"]);
        let memory = Path::new(dir.trim()).join("folio/signed");
        payloads::never_two(&self.fixture.space, &memory);
    }

    fn end(mut self, least: u32) {
        for kind in [0, 1, 2] {
            let args = self.command(kind);
            self.run(&args).ok();
            self.acknowledge(kind, &args);
        }
        assert!(self.branches().is_empty(), "{:?}", self.branches());
        self.kept();
        sound(&self.fixture, &self.fixture.space);
        self.fixture.run("alice", &["replay"]).ok();
        let locks = self.fixture.path("space").join("folio/locks");
        let left = std::fs::read_dir(locks).map_or(0, Iterator::count);
        assert!(
            left < 200,
            "{left} files were left in the directory of locks"
        );
        let all: u32 = self.kills.iter().sum();
        println!(
            "killed {all}: {:?} of {KINDS:?}; typical {:?}",
            self.kills, self.typical
        );
        assert!(
            all >= least && self.kills.iter().all(|kills| *kills > least / 10),
            "{:?}",
            self.kills
        );
    }
}

fn under_fire(fixture: Fixture, seed: u64, kills: u32) {
    let mut target = Target::new(fixture);
    let mut dice = Dice(seed);
    for _ in 0..4 * kills {
        if target.kills.iter().sum::<u32>() >= kills {
            break;
        }
        target.round(&mut dice);
    }
    target.end(kills);
}

#[test]
fn a_bare_space_survives_being_killed() {
    under_fire(Fixture::bare(), 1, 160);
}

#[test]
fn a_space_with_a_work_tree_survives_being_killed() {
    under_fire(Fixture::with_work_tree(), 2, 60);
}

#[test]
fn founding_survives_being_killed() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let fixture = Fixture::home();
    let mut dice = Dice(3);
    let mut kills = 0;
    let init = |place: &Path, bare: bool| {
        let mut run = fixture.command(fixture.home.path(), Some("alice"));
        run.arg("init")
            .arg(place)
            .args(["--name", "tests", "--handle", "alice"]);
        run.args(["--user-name", "Alice", "--email", "alice@example.org"]);
        run.args(bare.then_some("--bare"));
        run
    };
    let mut typical = [Duration::MAX; 2];
    for n in 0..6 {
        let bare = n % 2 == 0;
        let start = Instant::now();
        finish(&mut init(&fixture.path(&format!("measured{n}")), bare), b"").ok();
        let kind = usize::from(bare);
        typical[kind] = typical[kind].min(start.elapsed());
    }
    for n in 0..200 {
        if kills == 40 {
            break;
        }
        let bare = n % 2 == 0;
        let place = fixture.path(&format!("space{n}"));
        let moment = typical[usize::from(bare)].mul_f64(dice.roll(1000) as f64 / 1000.0);
        let (killed, code) = kill(&mut init(&place, bare), moment);
        kills += u32::from(killed);
        let founded = finish(
            fixture
                .command(fixture.home.path(), None)
                .arg("-C")
                .arg(&place)
                .arg("verify"),
            b"",
        );
        if code == Some(0) {
            assert_eq!(founded.code, 0, "{founded:?}");
        }
        // What was killed may be run again in another form.
        let bare = bare ^ (founded.code != 0 && dice.roll(2) == 0);
        let again = finish(&mut init(&place, bare), b"");
        if founded.code == 0 {
            assert!(
                again.err.contains("error: already-a-repository"),
                "{again:?}"
            );
        } else {
            again.ok();
        }
        sound(&fixture, &place);
        // It is whole: git says Good, and a work tree is there.
        finish(
            fixture
                .bare_command("git", &place)
                .args(["verify-commit", "main"]),
            b"",
        )
        .ok();
        let status = finish(
            fixture
                .bare_command("git", &place)
                .args(["status", "--porcelain"]),
            b"",
        );
        assert!(
            bare || status.code == 0 && status.out.is_empty(),
            "{status:?}"
        );
    }
    assert_eq!(kills, 40);
}

#[test]
fn an_interrupted_founding_takes_over_nothing_of_somebody_else() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let fixture = Fixture::home();
    let init = |place: &Path| {
        let mut run = fixture.command(fixture.home.path(), Some("alice"));
        run.arg("init")
            .arg(place)
            .args(["--name", "tests", "--handle", "alice"]);
        run.args(["--user-name", "Alice", "--email", "alice@example.org"]);
        finish(&mut run, b"")
    };
    // An empty `.git` beside somebody's files, and a repository that is not ours.
    let place = fixture.path("files");
    std::fs::create_dir_all(place.join(".git")).unwrap();
    std::fs::write(place.join("novel.txt"), "once").unwrap();
    init(&place).refused("not-empty", 6);
    assert!(place.join("novel.txt").exists());
    let place = fixture.path("other");
    let other = finish(
        fixture
            .bare_command("git", fixture.home.path())
            .args(["init", "-q", "other"]),
        b"",
    );
    other.ok();
    init(&place).refused("already-a-repository", 6);
    // A space that has the mark of its founding still: nothing of it goes.
    let space = Fixture::with_work_tree();
    std::fs::write(space.space.join(".git/folio-founding"), "").unwrap();
    std::fs::remove_file(space.space.join(".git/folio/allowed-signers")).unwrap();
    let again = space.run(
        "alice",
        &[
            "init",
            "--name",
            "x",
            "--handle",
            "alice",
            "--user-name",
            "A",
            "--email",
            "a@x.org",
        ],
    );
    again.refused("already-a-repository", 6);
    assert!(!space.space.join(".git/folio-founding").exists());
    space.git(&["verify-commit", "main"]);
    sound(&space, &space.space);
}

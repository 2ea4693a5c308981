//! A small space, made through the binary, that the tests of asking share.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test")]

use folio::crypto::keyfile::{KeyPair, public_line};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A home, two keys and a space.
pub struct World {
    home: TempDir,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// An escape sequence and a bidi override: what no terminal should get.
pub const HOSTILE: &str = "Evil \x1b[2J\u{202e}subject";

impl World {
    /// A home with the keys of alice and bob, and no space.
    pub fn empty() -> Self {
        let home = tempfile::tempdir().unwrap();
        let world = Self { home };
        for (name, seed) in [("alice", 1), ("bob", 2)] {
            use std::os::unix::fs::PermissionsExt as _;
            let pair = KeyPair::from_seed([seed; 32]);
            let file = world.path(name);
            std::fs::write(&file, pair.to_openssh(name).as_bytes()).unwrap();
            // ssh-keygen refuses keys that others can read.
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
            let public = public_line(&folio::crypto::Sign::public_key(&pair), name);
            std::fs::write(world.path(&format!("{name}.pub")), public).unwrap();
        }
        world
    }

    /// Six snapshots: the charter, bob's aliases, alice's group, layers and a distinct, bob's hostile
    /// message through plain git, alice's second thoughts. Then a proposal that waits.
    pub fn new() -> Self {
        let world = Self::empty();
        world.found();
        world.decide(
            "bob",
            "Two aliases\n\nSince everybody\nwrites them so.",
            ALIASES,
        );
        world.decide("alice", "A group", GROUP);
        world.decide("alice", "Layers, and two that differ", LAYERS);
        world.hostile();
        world.decide("alice", "Second thoughts", SECOND);
        world.propose("bob", "Still waiting", &[r#"{"op":"pin","name":"a"}"#]);
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn space(&self) -> PathBuf {
        self.path("space")
    }

    fn found(&self) {
        let bob = self.path("bob.pub");
        let member = format!("bob,bob@x.org,Bob,{}", bob.display());
        let space = self.space();
        let space = space.to_str().unwrap();
        let person = [
            "--handle",
            "alice",
            "--user-name",
            "Alice",
            "--email",
            "alice@x.org",
        ];
        let mut arguments = vec!["init", space, "--name", "zones", "--member", &member];
        arguments.extend(person);
        arguments.extend(["--nonce", NONCE]);
        self.done("alice", &arguments);
    }

    /// Proposes lines and numbers them.
    fn decide(&self, who: &str, words: &str, lines: &[&str]) {
        self.propose(who, words, lines);
        self.done("alice", &["accept", "--all"]);
    }

    pub fn propose(&self, who: &str, words: &str, lines: &[&str]) {
        let file = self.path("lines");
        std::fs::write(&file, lines.join("\n")).unwrap();
        self.done(who, &["propose", "-m", words, "-f", file.to_str().unwrap()]);
    }

    /// A proposal with plain git, whose message nobody cleaned.
    fn hostile(&self) {
        self.git(&["checkout", "-q", "-b", "proposals/bob/evil"]);
        let line = "{\"alias\":\"evil\",\"op\":\"alias.set\",\"target\":\"a\"}\n";
        std::fs::write(self.space().join("decisions.jsonl"), line).unwrap();
        self.git(&["add", "decisions.jsonl"]);
        let key = format!("user.signingKey={}", self.path("bob").display());
        let author = [
            "-c",
            "user.name=Bob",
            "-c",
            "user.email=bob@x.org",
            "-c",
            &key,
        ];
        let message = format!("{HOSTILE}\n\nbody \x1b[31m red\n");
        let commit = ["commit", "-q", "-S", "-m", &message];
        self.git(&[&author[..], &commit[..]].concat());
        self.git(&["checkout", "-q", "main"]);
        self.done("alice", &["accept", "--all"]);
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.space()).args(arguments);
        let ran = Ran::of(self.clean(&mut git).output().unwrap());
        assert_eq!(ran.code, 0, "git {arguments:?}: {}", ran.err);
        ran.out
    }

    fn clean<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_DATE", "1767225600 +0000")
            .env("GIT_COMMITTER_DATE", "1767225600 +0000")
            .stdin(Stdio::null())
    }

    /// Runs the binary in a directory.
    pub fn run_in(&self, dir: &Path, arguments: &[&str]) -> Ran {
        let mut folio = Command::new(env!("CARGO_BIN_EXE_folio"));
        folio.current_dir(dir).args(arguments);
        Ran::of(self.clean(&mut folio).output().unwrap())
    }

    /// Asks in the space, from outside of it.
    pub fn ask(&self, arguments: &[&str]) -> Ran {
        let space = self.space();
        let here = ["-C", space.to_str().unwrap()];
        self.run_in(self.home.path(), &[&here[..], arguments].concat())
    }

    /// What a question that succeeds prints.
    pub fn says(&self, arguments: &[&str]) -> String {
        let ran = self.ask(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
        ran.out
    }

    /// The JSON answer, whatever the exit code.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.ask(&[&["--json"], arguments].concat());
        let answer: Value = serde_json::from_str(&ran.out)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {ran:?}"));
        assert_eq!(answer["version"], 1);
        answer
    }

    /// Runs the binary in the space (at home before there is one) with somebody's key.
    pub fn done(&self, who: &str, arguments: &[&str]) -> String {
        let key = self.path(who);
        let key = ["--key", key.to_str().unwrap()];
        let space = self.space();
        let dir = if space.exists() {
            &space
        } else {
            self.home.path()
        };
        let ran = self.run_in(dir, &[&key[..], arguments].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.err);
        ran.out
    }
}

const NONCE: &str = "0707070707070707070707070707070707070707070707070707070707070707";

const ALIASES: &[&str] = &[
    r#"{"op":"alias.set","alias":"US/Eastern","target":"America/New_York"}"#,
    r#"{"op":"alias.set","alias":"Europe/Kiev","target":"Europe/Kyiv"}"#,
];

const GROUP: &[&str] = &[
    r#"{"op":"bind","a":"a","b":"b"}"#,
    r#"{"op":"merge","from":"c","into":"b"}"#,
    r#"{"op":"alias.set","alias":"nick","target":"c"}"#,
    r#"{"op":"alias.set","alias":"nicknick","target":"nick"}"#,
    r#"{"op":"pin","name":"b"}"#,
    r#"{"op":"fork","name":"fresh","of":"c"}"#,
    r#"{"op":"overlay.add","target":"pkg","base":"1.0","patch":"0303030303030303030303030303030303030303030303030303030303030303"}"#,
];

const LAYERS: &[&str] = &[
    r#"{"op":"distinct","a":"a","b":"z"}"#,
    r#"{"op":"overlay.add","target":"pkg","base":"1.1","patch":"0404040404040404040404040404040404040404040404040404040404040404"}"#,
];

const SECOND: &[&str] = &[
    r#"{"op":"alias.set","alias":"US/Eastern","target":"America/Toronto"}"#,
    r#"{"op":"alias.drop","alias":"Europe/Kiev"}"#,
];

/// A space with so many aliases, `n0` on.
pub fn large(world: World, aliases: usize) -> World {
    world.found();
    let line = |n| {
        format!(
            r#"{{"op":"alias.set","alias":"n{n}","target":"t{}"}}"#,
            n % 9
        )
    };
    let lines: Vec<String> = (0..aliases).map(line).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    world.decide("alice", "Many aliases", &lines);
    world
}

/// A question for every shape of every answer.
pub const QUESTIONS: &[&str] = &[
    "resolve nick",
    "group a",
    "same nick evil",
    "same nick z",
    "overlays pkg",
    "state",
    "state aliases",
    "log",
    "show 6",
    "show bob/still-waiting",
    "diff 1 6",
    "blame US/Eastern --all",
    "explain nick",
    "explain stale",
    "queue",
    "review bob/still-waiting",
    "review --list",
    "status",
    "pen status",
    "witness list",
    "man --out pages",
    "help decisions",
    "help codes",
    "help exit-codes",
    "help json",
];

/// Every command that changes something and answers with JSON.
pub fn change(world: &World, ask: &mut dyn FnMut(&World, &[&str])) {
    let new = world.path("new");
    let key = world.path("alice");
    let key = ["--key", key.to_str().unwrap()];
    let person = ["--handle", "a", "--user-name", "A", "--email", "a@x.org"];
    let init = ["init", new.to_str().unwrap()];
    ask(world, &[&key[..], &init[..], &person[..]].concat());
    let waiting = "bob/still-waiting";
    let patch = "03".repeat(32);
    let steps: [&[&str]; 15] = [
        &["pen", "beat"],
        &["pen", "release"],
        &["pen", "take"],
        &["approve", waiting],
        &["reject", waiting, "-m", "No."],
        &["review", "--list"],
        &["approve", waiting, "-m", "Yes."],
        &["hook", "install"],
        &["hook", "status"],
        &["hook", "uninstall"],
        &["artifact", "tombstone", &patch, "-m", "x"],
        &["alias", "set", "x", "y"],
        &["propose", "-m", "x"],
        &["accept", "--all"],
        &["accept", "--all"],
    ];
    for step in steps {
        ask(world, &[&key[..], step].concat());
    }
    layers(world, &key, ask);
    exchange(world, ask);
    // Evidence: one file of each shape, and one that is none.
    let made = world.json(&["evidence", "make", "1", "2", "-m", "origin"]);
    let file = made["file"].as_str().unwrap();
    let junk = Path::new(file).with_file_name("junk.json");
    std::fs::write(junk, "junk").unwrap();
    ask(world, &["evidence", "make", "1", "3"]);
    ask(world, &["evidence", "check", file]);
    ask(world, &["evidence", "show", file]);
    ask(world, &["evidence", "list"]);
}

/// A layer that applies elsewhere than it says, and one that is in conflict with a new base.
fn layers(world: &World, key: &[&str], ask: &mut dyn FnMut(&World, &[&str])) {
    let file = |name: &str, text: &str| {
        let path = world.path(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let diff = file("a-diff", "--- a\n+++ b\n@@ -2,3 +2,3 @@\n a\n-b\n+B\n c\n");
    let old = file("old-base", "0\n1\n2\na\nb\nc\n");
    let new = file("new-base", "0\n1\n2\na\nX\nc\n");
    let add = ["overlay", "add", "t", "--base", "1", "--patch", &diff];
    ask(world, &[key, &add].concat());
    ask(world, &[key, &["propose", "-m", "A layer"]].concat());
    ask(world, &[key, &["accept", "--all"]].concat());
    ask(world, &["overlay", "show", "t", "--base-file", &old]);
    ask(world, &["overlay", "show", "t", "--base-file", &new]);
    let stack = world.json(&["overlays", "t"]);
    let id = stack["layers"][0]["id"].as_str().unwrap();
    let bases = ["--old-base", &old, "--new-base", &new];
    let rebase = ["overlay", "rebase", "t", id, "--base", "2"];
    ask(world, &[key, &rebase, &bases].concat());
}

/// Between repositories: every shape of what they answer.
fn exchange(world: &World, ask: &mut dyn FnMut(&World, &[&str])) {
    let (hub, clone) = (world.path("hub.git"), world.path("clone"));
    let [hub, clone] = [&hub, &clone].map(|path| path.to_str().unwrap());
    let key = world.path("bob");
    let key = ["--key", key.to_str().unwrap()];
    world.git(&["init", "-q", "--bare", "-b", "main", hub]);
    world.git(&["remote", "add", "origin", hub]);
    world.propose("bob", "For others", &[r#"{"op":"pin","name":"q"}"#]);
    ask(world, &["push"]);
    let status = world.json(&["status"]);
    let space = status["space"].as_str().unwrap();
    ask(world, &["clone", hub, clone, "--space", space]);
    world.propose("bob", "Of my own", &[r#"{"op":"pin","name":"r"}"#]);
    ask(world, &[&key[..], &["submit"]].concat());
    // A branch that waits.
    let args = ["update-ref", "refs/heads/proposals/bob/not-so", "main"];
    world.git(&[&["-C", hub][..], &args].concat());
    ask(world, &["fetch"]);
    ask(world, &["sync"]);
    ask(world, &["pin", "2"]);
    ask(world, &["advance"]);
    ask(world, &["pin", "--clear"]);
    stick(world, &key, space, clone, ask);
    // One that is refused there.
    let hook = Path::new(hub).join("hooks/update");
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o700)).unwrap();
    world.propose("bob", "Not there", &[r#"{"op":"pin","name":"s"}"#]);
    ask(world, &["push"]);
}

/// A stick, and the witness's round.
fn stick(
    world: &World,
    key: &[&str],
    space: &str,
    clone: &str,
    ask: &mut dyn FnMut(&World, &[&str]),
) {
    let stick = world.path("stick");
    std::fs::create_dir(&stick).unwrap();
    let on = stick.to_str().unwrap();
    ask(world, &["bundle", "create", on]);
    world.run_in(Path::new(clone), &["bundle", "apply", on]);
    world.run_in(Path::new(clone), &["bundle", "create", on]);
    // One that is torn.
    let part = stick.join("folio").join(&space[..12]);
    std::fs::write(part.join("0123456789abcdef.json"), "{").unwrap();
    ask(world, &["bundle", "apply", on]);
    ask(world, &[key, &["witness", "run"]].concat());
    world.propose("bob", "To number", &[r#"{"op":"pin","name":"t"}"#]);
    let alice = world.path("alice");
    let alice = ["--key", alice.to_str().unwrap()];
    ask(world, &[&alice[..], &["witness", "run"]].concat());
}

//! Four clones on one remote, each with real processes at the same time: one winner a round, never two pages with
//! one number, nobody's work lost.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../common/cli.rs"]
mod cli;
#[path = "../common/net.rs"]
mod net;

mod pen;

use cli::{Fixture, Ran};
use net::Net;
use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};

const CLONES: [&str; 4] = ["w", "x", "y", "z"];
/// Of the races for the pen; the others are shorter.
pub const ROUNDS: usize = 25;

/// Four clones of a home that keeps its refs so.
struct Race {
    net: Net,
    /// What was proposed and must be numbered in the end.
    proposed: BTreeSet<String>,
    /// Every page that home ever had, by number.
    history: BTreeMap<usize, String>,
}

impl Race {
    fn new(net: Net) -> Self {
        for name in CLONES {
            net.clone_to(name, &["--bare"]);
        }
        Self {
            net,
            proposed: BTreeSet::new(),
            history: BTreeMap::new(),
        }
    }

    fn start(&self, dir: &str, who: &str, args: &[&str]) -> Child {
        // A machine of its own: what one remembers of its signatures is nothing to the others.
        let mut run = self.net.command(dir, who, args);
        run.arg("--state-dir")
            .arg(self.net.path(&format!("state-{dir}")));
        run.stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        run.spawn().unwrap()
    }

    fn end(child: Child) -> Ran {
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same command everywhere at once.
    fn all(&self, who: &str, args: &[&str]) -> Vec<Ran> {
        let children: Vec<Child> = CLONES
            .iter()
            .map(|dir| self.start(dir, who, args))
            .collect();
        children.into_iter().map(Self::end).collect()
    }

    fn propose(&mut self, dir: &str, who: &str, slug: &str) {
        self.net.propose(dir, who, slug);
        self.proposed.insert(slug.to_owned());
    }

    /// Home only ever grows, one page under each number.
    fn look_at_home(&mut self) {
        let listed = self.net.git(
            "hub.git",
            &["rev-list", "--first-parent", "--reverse", "refs/heads/main"],
        );
        for (number, page) in (1..).zip(listed.lines()) {
            let before = self
                .history
                .entry(number)
                .or_insert_with(|| page.to_owned());
            assert_eq!(before, page, "common@{number} was replaced at home");
        }
        assert_eq!(listed.lines().count(), self.history.len(), "home went back");
    }

    /// Everybody has the same chain, it is sound, and all that was proposed is in it.
    fn end_well(&mut self, witness: &str) {
        for _ in 0..2 {
            for dir in CLONES {
                Self::end(self.start(dir, witness, &["sync"])).ok();
            }
        }
        Self::end(self.start(CLONES[0], witness, &["accept", "--all"]));
        for _ in 0..2 {
            for dir in CLONES {
                Self::end(self.start(dir, witness, &["sync"])).ok();
            }
        }
        self.look_at_home();
        self.nothing_is_lost();
    }

    /// Everybody has what home has, all of it is sound, and all that was proposed is in it.
    fn nothing_is_lost(&self) {
        let state = self.net.git(
            "hub.git",
            &[
                "grep",
                "-h",
                "-e",
                "alias",
                "refs/heads/main",
                "--",
                "aliases",
                "aliases.jsonl",
            ],
        );
        for slug in &self.proposed {
            assert!(state.contains(&format!("\"{slug}\"")), "{slug} was lost");
        }
        let heads = |dir: &str| {
            self.net.git(
                dir,
                &[
                    "for-each-ref",
                    "--format=%(refname) %(objectname)",
                    "refs/heads",
                ],
            )
        };
        for dir in CLONES {
            assert_eq!(heads(dir), heads("hub.git"), "{dir}");
            self.net.sound(dir);
            assert!(
                !self.net.refs(dir).contains("refs/folio/other"),
                "{dir} saw two children"
            );
        }
    }
}

/// Codes that a loser of a race may end with: it is told, and nothing is half done.
fn lost(ran: &Ran) -> bool {
    let told = ["race-lost", "push-refused", "busy"];
    ran.code != 0
        && told
            .iter()
            .any(|code| ran.err.contains(&format!("error: {code}: ")))
}

fn home(format: &str) -> Option<Net> {
    let probe = tempfile::tempdir().unwrap();
    let option = format!("--ref-format={format}");
    let fixture = Fixture::bare();
    let init = ["init", "-q", "--bare", &option, "probe.git"];
    let mut git = fixture.bare_command("git", probe.path());
    if cli::finish(git.args(init), b"").code != 0 {
        eprintln!("skipped: this git knows no ref format {format}");
        return None;
    }
    Some(Net::of(fixture, &[&option]))
}

/// Authors on four machines, all at once, under the eyes of one witness.
fn proposals_from_everywhere(format: &str, rounds: usize) {
    let Some(net) = home(format) else {
        return;
    };
    let mut race = Race::new(net);
    for round in 0..rounds {
        for (dir, who) in CLONES.iter().zip(["alice", "bob", "alice", "bob"]) {
            race.propose(dir, who, &format!("r{round}-{dir}"));
        }
        // Three send while the fourth numbers what it has.
        let witness = CLONES[round % 4];
        let mut children = Vec::new();
        for dir in CLONES {
            let (who, args) = match dir == witness {
                true => ("wanda", &["accept", "--all"][..]),
                false => (["alice", "bob"][round % 2], &["push"][..]),
            };
            children.push(race.start(dir, who, args));
        }
        for ran in children.into_iter().map(Race::end) {
            assert!(ran.code == 0 || lost(&ran), "round {round}: {ran:?}");
        }
        Race::end(race.start(witness, "wanda", &["sync"])).ok();
        race.look_at_home();
        // All of them at once: whoever loses is told and runs it again.
        for ran in race.all("bob", &["sync"]) {
            assert!(ran.code == 0 || lost(&ran), "round {round}: {ran:?}");
        }
        race.look_at_home();
    }
    race.end_well("wanda");
}

#[test]
fn with_files() {
    proposals_from_everywhere("files", 8);
}

#[test]
fn with_reftable() {
    proposals_from_everywhere("reftable", 3);
}

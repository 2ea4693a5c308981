//! `folio pen take`, killed at random moments: the space opens and verifies, one key holds the pen, the command
//! can simply be run again, and nothing else was ever signed for the number of a page.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;
#[path = "common/payloads.rs"]
mod payloads;
#[path = "common/travel.rs"]
mod travel;

use cli::{Fixture, Ran, finish};
use serde_json::Value;
use std::time::Duration;

/// Of each way to take the pen.
const KILLS: u32 = 24;

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

/// A space with two witnesses, wanda and bob, and seconds that pass: what is signed again has other bytes.
struct Target {
    fixture: Fixture,
    now: u64,
}

impl Target {
    fn new() -> Self {
        let fixture = Fixture::bare();
        fixture.run("alice", &["witness", "appoint", "bob"]).ok();
        let recovery = ["member", "add", "alice", "--add-role", "recovery"];
        fixture.run("alice", &recovery).ok();
        fixture.run("alice", &["propose", "-m", "Terms"]).ok();
        fixture.accept_all();
        Self { fixture, now: 0 }
    }

    /// A command of the next second.
    fn args(&mut self, words: &[&str]) -> Vec<String> {
        self.now += 1;
        let date = format!("{} +0000", 1_767_225_600 + self.now);
        let words = words.iter().map(|word| (*word).to_owned());
        words.chain(["--date".to_owned(), date]).collect()
    }

    fn run(&mut self, who: &str, words: &[&str]) -> Ran {
        let args = self.args(words);
        let mut run = self.fixture.command(&self.fixture.space, Some(who));
        finish(run.args(args), b"")
    }

    fn pen(&self) -> Value {
        self.fixture
            .run("alice", &["--json", "pen", "status"])
            .json()
    }

    fn pages(&self) -> u64 {
        let count = ["rev-list", "--count", "--first-parent", "main"];
        self.fixture.git(&count).trim().parse().unwrap()
    }

    fn holder(&self) -> String {
        self.pen()["holder"].as_str().unwrap().to_owned()
    }

    /// Makes the pen one that can be taken: by anybody, or by who has an approval.
    fn make_ready(&mut self, held: bool) -> &'static str {
        let holder = self.holder();
        let taker = ["bob", "wanda"][usize::from(holder == "bob")];
        if held {
            assert_eq!(self.run(taker, &["pen", "take"]).code, 1);
            let branch = format!("{taker}/pen-take");
            self.run("alice", &["approve", &branch]).ok();
        } else {
            self.run(&holder, &["pen", "release"]).ok();
        }
        taker
    }

    /// After a crash or a command: either the pen is where it was, or whole in the hand of who took it.
    fn in_one_hand(&self, taker: &str, before: &(Value, u64)) -> bool {
        let (pen, pages) = (self.pen(), self.pages());
        let taken = pages > before.1;
        if taken {
            assert_eq!(pages, before.1 + 1);
            assert_eq!(
                (&pen["holder"], &pen["released"]),
                (&taker.into(), &false.into())
            );
            let epoch = before.0["epoch"].as_u64().unwrap() + 1;
            assert_eq!(pen["epoch"], epoch);
        } else {
            for field in ["holder", "released", "epoch"] {
                assert_eq!(pen[field], before.0[field], "{field}");
            }
        }
        taken
    }

    /// Kills one take, looks, and runs it again; whether it was killed, and whether its page was signed then but
    /// not published.
    fn round(&mut self, held: bool, moment: Duration) -> (bool, bool) {
        let taker = self.make_ready(held);
        let before = (self.pen(), self.pages());
        let signed = self.never_two();
        let args = self.args(&["pen", "take"]);
        let mut run = self.fixture.command(&self.fixture.space, Some(taker));
        let killed = travel::kill(run.args(args), moment);
        travel::sound(&self.fixture, &self.fixture.space);
        let taken = self.in_one_hand(taker, &before);
        let between = self.never_two() > signed && !taken;
        let again = self.run(taker, &["pen", "take"]);
        assert_eq!(again.code, 0, "{again:?}");
        let told = match taken {
            true => again.err.contains("you hold the pen already"),
            false => again.out.contains("you hold the pen, in epoch"),
        };
        assert!(told, "{again:?}");
        assert!(self.in_one_hand(taker, &before));
        self.never_two();
        (killed, between)
    }

    fn never_two(&self) -> usize {
        let memory = self.fixture.space.join("folio/signed");
        payloads::never_two(&self.fixture.space, &memory)
    }

    /// How long a take takes here: the middle of three.
    #[allow(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "the moments are measured; nothing depends on them"
    )]
    fn measure(&mut self, held: bool) -> Duration {
        let mut found = [Duration::ZERO; 3];
        for time in &mut found {
            let taker = self.make_ready(held);
            let start = std::time::Instant::now();
            self.run(taker, &["pen", "take"]).ok();
            *time = start.elapsed();
        }
        found.sort();
        found[1]
    }
}

fn under_fire(held: bool, seed: u64) {
    let mut target = Target::new();
    let mut dice = Dice(seed);
    let time = target.measure(held);
    let (mut kills, mut between) = (0, 0);
    for _ in 0..2 * KILLS {
        if kills == KILLS {
            break;
        }
        // The page is made near the end: half of the moments are there.
        let part = [dice.roll(1000), 600 + dice.roll(500)][dice.roll(2) as usize];
        let moment = time.mul_f64(part as f64 / 1000.0);
        let (killed, signed) = target.round(held, moment);
        kills += u32::from(killed);
        between += u32::from(killed && signed);
    }
    // Another hand goes on with it.
    let holder = target.holder();
    target.fixture.propose("alice", "end", &travel::set("end"));
    target.run(&holder, &["accept", "--all"]).ok();
    target.fixture.run("alice", &["replay"]).ok();
    target.never_two();
    println!("killed {kills}, {between} of them between signing and publishing; typical {time:?}");
    assert!(kills >= KILLS / 2, "{kills}");
}

#[test]
fn taking_a_released_pen_survives_being_killed() {
    under_fire(false, 21);
}

#[test]
fn taking_a_held_pen_with_an_approval_survives_being_killed() {
    under_fire(true, 22);
}

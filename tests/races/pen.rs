//! The pen itself is raced for, and one key signs on two machines.

use crate::{CLONES, ROUNDS, Race, home, lost};
use serde_json::Value;

/// Who sits where; on the fourth machine nobody numbers.
const PEOPLE: [(&str, &str); 3] = [("w", "wanda"), ("x", "alice"), ("y", "bob")];

/// Three witnesses of whom each may take the pen at any time.
fn witnesses(format: &str) -> Option<Race> {
    let net = home(format)?;
    for draft in [
        &["witness", "appoint", "bob"][..],
        &["witness", "appoint", "alice"],
        &["policy", "pen", "appointed"],
    ] {
        net.run("space", "alice", draft).ok();
        net.run("space", "alice", &["propose", "-m", "terms"]).ok();
        net.run("space", "wanda", &["accept", "--all"]).ok();
    }
    net.run("space", "wanda", &["push"]).ok();
    Some(Race::new(net))
}

impl Race {
    /// Brings one clone to what home has, its own pages given up where home has others.
    fn settle(&self, dir: &str, who: &str) {
        let ran = Self::end(self.start(dir, who, &["fetch"]));
        if ran.code == 0 {
            return;
        }
        assert!(ran.err.contains("error: two-children: "), "{ran:?}");
        let (_, chain) = ran.err.split_once("folio pin --takeover ").unwrap();
        let chain = chain.split_whitespace().next().unwrap();
        Self::end(self.start(dir, who, &["pin", "--takeover", chain])).ok();
        Self::end(self.start(dir, who, &["fetch"])).ok();
    }

    fn holder(&self, dir: &str) -> String {
        let status: Value = self.net.json(dir, "", &["pen", "status"]);
        status["holder"].as_str().unwrap().to_owned()
    }

    fn newest(&self, dir: &str) -> u64 {
        let count = self.net.git(
            dir,
            &["rev-list", "--count", "--first-parent", "refs/heads/main"],
        );
        count.parse().unwrap()
    }
}

/// The holder numbers while the two others take the pen from it, each on their own; then all of them push.
fn takes_and_pages(format: &str, rounds: usize) {
    let Some(mut race) = witnesses(format) else {
        return;
    };
    let mut holders = std::collections::BTreeSet::new();
    for round in 0..rounds {
        let holder = race.holder("w");
        holders.insert(holder.clone());
        let (before, mut children) = (race.newest("hub.git"), Vec::new());
        for (dir, who) in PEOPLE {
            if who == holder {
                race.propose(dir, "bob", &format!("r{round}"));
            }
        }
        for (dir, who) in PEOPLE {
            let args = match who == holder {
                true => &["accept", "--all", "--offline"][..],
                false => &["pen", "take", "--now", "--offline"],
            };
            children.push(race.start(dir, who, args));
        }
        for ran in children.into_iter().map(Race::end) {
            ran.ok();
        }
        let pushes: Vec<_> = PEOPLE
            .iter()
            .map(|(dir, who)| race.start(dir, who, &["push"]))
            .collect();
        let ended: Vec<_> = pushes.into_iter().map(Race::end).collect();
        let won = ended.iter().filter(|ran| ran.code == 0).count();
        assert_eq!(won, 1, "round {round}: {ended:?}");
        assert!(
            ended.iter().all(|ran| ran.code == 0 || lost(ran)),
            "round {round}: {ended:?}"
        );
        assert!(race.newest("hub.git") > before);
        race.look_at_home();
        for (dir, who) in PEOPLE {
            race.settle(dir, who);
            assert_eq!(
                race.net.at(dir, "refs/heads/main"),
                race.net.at("hub.git", "refs/heads/main")
            );
        }
    }
    println!("held by {holders:?}");
    let dir_of = |holder: &str| PEOPLE.iter().find(|(_, who)| *who == holder).unwrap().0;
    let holder = race.holder("w");
    // What only pages that lost had numbered is in the queue again.
    for _ in 0..2 {
        for (dir, who) in PEOPLE {
            Race::end(race.start(dir, who, &["sync"])).ok();
        }
    }
    let ran = Race::end(race.start(dir_of(&holder), &holder, &["accept", "--all"]));
    assert_eq!(ran.code, 0, "{ran:?}");
    Race::end(race.start(dir_of(&holder), &holder, &["sync"])).ok();
    race.everybody_agrees();
}

/// One key, two machines that know nothing of each other.
#[test]
fn one_key_on_two_machines_makes_one_page_a_number_at_home() {
    let mut race = Race::new(home("files").unwrap());
    for round in 0..4 {
        race.propose("w", "alice", &format!("w{round}"));
        race.propose("x", "bob", &format!("x{round}"));
        let accept = ["w", "x"].map(|dir| {
            let who = ["alice", "bob"][usize::from(dir == "x")];
            let id = format!("{who}/{dir}{round}");
            race.start(dir, "wanda", &["accept", &id, "--offline"])
        });
        for ran in accept.map(Race::end) {
            ran.ok();
        }
        let ended = ["w", "x"].map(|dir| race.start(dir, "wanda", &["push"]));
        let ended = ended.map(Race::end);
        let won = ended.iter().filter(|ran| ran.code == 0).count();
        assert_eq!(won, 1, "round {round}: {ended:?}");
        assert!(
            ended.iter().all(|ran| ran.code == 0 || lost(ran)),
            "round {round}: {ended:?}"
        );
        race.look_at_home();
        for dir in ["w", "x"] {
            race.settle(dir, "wanda");
        }
    }
    // Whoever looks at both is told who it was.
    let kept = race.net.path("w/folio/evidence");
    let kept = [kept, race.net.path("x/folio/evidence")];
    let files = kept
        .iter()
        .filter_map(|dir| std::fs::read_dir(dir).ok())
        .flatten();
    assert!(files.count() >= 4);
    for dir in ["w", "x"] {
        // A machine that lacks pages of its own key is told so, and numbers nothing before it has them.
        if race.newest(dir) < race.newest("hub.git") {
            let ran = Race::end(race.start(dir, "wanda", &["accept", "--all"]));
            assert!(ran.err.contains("error: restored-backup: "), "{ran:?}");
        }
        race.settle(dir, "wanda");
        Race::end(race.start(dir, "wanda", &["accept", "--all"])).ok();
        Race::end(race.start(dir, "wanda", &["sync"])).ok();
    }
    race.everybody_agrees();
}

#[test]
fn with_files() {
    takes_and_pages("files", ROUNDS);
}

#[test]
fn with_reftable() {
    takes_and_pages("reftable", ROUNDS);
}

impl Race {
    fn everybody_agrees(&mut self) {
        self.look_at_home();
        for dir in CLONES {
            Self::end(self.start(dir, "bob", &["fetch"])).ok();
        }
        self.nothing_is_lost();
    }
}

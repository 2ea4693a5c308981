//! A space, everybody in it, and what the simulation writes down about them.

use crate::common::rng::Rng;
use crate::exchange::Shown;
use crate::mirror::Mirrors;
use crate::node::{Made, Node, Person};
use folio::crypto::Sign as _;
use folio::journal::memory::ShortMemory;
use folio::journal::reconcile::RefMap;
use folio::model::{ObjectFormat, Oid, PublicKey};
use folio::store::MemoryStore;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

pub const HOME: usize = 0;
pub const WIM: usize = 1;
pub const WANDA: usize = 2;
pub const ALICE: usize = 3;
pub const BOB: usize = 4;
pub const RICK: usize = 5;
pub const RITA: usize = 6;
const PEOPLE: [&str; 9] = [
    "server", "wim", "wanda", "alice", "bob", "rick", "rita", "rob", "ruth",
];

/// What a schedule plays with, and which rule it plays without.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setting {
    /// Any appointed witness takes the pen at any time, without approvals.
    pub appointed: bool,
    /// The first witness works in the very repository that is home.
    pub at_home: bool,
    /// Witnesses forget what they signed.
    pub forgets: bool,
    /// The server takes whatever is pushed onto `main`.
    pub no_gate: bool,
    /// Readers follow every other chain that they are shown.
    pub gullible: bool,
}

pub struct World {
    pub rng: Rng,
    pub setting: Setting,
    pub nodes: Vec<Node>,
    pub mirrors: Mirrors,
    pub trace: Vec<String>,
    /// Every proposal that honest people made, in order.
    pub made: Vec<Made>,
    /// What each branch of a proposal held last while it was at home.
    pub last_at_home: BTreeMap<String, Oid>,
    /// Every branch that was ever at home, and where it pointed.
    pub home_branches: BTreeSet<(String, Oid)>,
    /// What somebody and home had after they last talked, at the end.
    pub asked: Vec<Option<(RefMap, RefMap)>>,
    /// Where everybody's `main` was after the last step.
    pub mains: Vec<Oid>,
    /// Home's pages, as far as they were seen there.
    pub home_chain: Vec<Oid>,
    /// Keys that are in bad hands: what they sign says nothing about whoever they belong to.
    pub stolen: BTreeSet<PublicKey>,
    /// What happened how often, for the report.
    pub tally: BTreeMap<&'static str, u64>,
}

/// Stops a schedule: what is wrong.
pub type Broken = String;

fn founded(appointed: bool) -> MemoryStore {
    static FOUNDED: [OnceLock<MemoryStore>; 2] = [OnceLock::new(), OnceLock::new()];
    let store = FOUNDED[usize::from(appointed)].get_or_init(|| found(appointed));
    store.copy()
}

fn found(appointed: bool) -> MemoryStore {
    use crate::common::{Actor, TestSpace, pens};
    let mut space = TestSpace::found(MemoryStore::new(ObjectFormat::Sha1)).unwrap();
    space.memory = Box::new(ShortMemory::default());
    let mut lines = vec![
        Actor::new("wim").member_add(r#""member""#),
        Actor::new("rick").member_add(r#""member","recovery""#),
        Actor::new("rita").member_add(r#""member","recovery""#),
        pens::appoint("wim"),
        r#"{"op":"policy.set","approvals":[{"count":1,"role":"recovery"}],"prefix":"","roles":["admin","member"],"scope":"pin","self_approval":false,"tier":"quorum"}"#.into(),
    ];
    if appointed {
        lines.push(r#"{"op":"policy.set","approvals":[],"prefix":"","roles":["witness"],"scope":"pen.take","self_approval":false,"tier":"witness"}"#.into());
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    pens::number(&mut space, "alice", "people", &lines);
    space.store
}

impl World {
    pub fn new(seed: u64, setting: Setting) -> Self {
        let first = founded(setting.appointed);
        let node = |(at, handle): (usize, &&'static str)| {
            let handle = match (at, setting.at_home) {
                (HOME, true) => "wanda",
                (WANDA, true) => "ruby",
                _ => handle,
            };
            Node::new(
                Person::new(handle),
                first.copy(),
                at == HOME,
                setting.forgets,
            )
        };
        let nodes: Vec<Node> = PEOPLE.iter().enumerate().map(node).collect();
        let mains = nodes.iter().map(Node::main).collect();
        let mut world = Self {
            rng: Rng::new(seed),
            setting,
            mirrors: Mirrors::new(&nodes[HOME]),
            nodes,
            trace: Vec::new(),
            made: Vec::new(),
            last_at_home: BTreeMap::new(),
            home_branches: BTreeSet::new(),
            asked: vec![None; PEOPLE.len()],
            mains,
            home_chain: Vec::new(),
            stolen: BTreeSet::from([crate::thief::stranger().public_key()]),
            tally: BTreeMap::new(),
        };
        world.look_at_home().unwrap();
        world
    }

    /// Where the first witness works.
    pub fn wanda(&self) -> usize {
        if self.setting.at_home { HOME } else { WANDA }
    }

    pub fn home(&self) -> &Node {
        &self.nodes[HOME]
    }

    /// A node and home, both to be changed.
    pub fn with_home(&mut self, at: usize) -> (&mut Node, &mut Node) {
        assert_ne!(at, HOME);
        let (home, rest) = self.nodes.split_at_mut(1);
        (&mut rest[at - 1], &mut home[0])
    }

    pub fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    pub fn shown_by(&self, at: usize) -> Shown {
        match at {
            HOME => Shown::by(self.home(), "home"),
            _ => Shown::by(
                &self.nodes[at],
                &format!("stick-{}", self.nodes[at].person.handle),
            ),
        }
    }
}

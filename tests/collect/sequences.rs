//! Any sequence of adding, naming, forgetting, collecting and dying keeps what is named readable.

use super::world::{World, add, key_of, noise};
use super::{DAY, NOW, terms, try_gc};
use folio::artifact::collect::lists::{List, change};
use folio::artifact::collect::purge::purge;
use folio::store::collector::Collecting;
use folio::store::{EveryStep, Script};
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
enum Op {
    /// Adds artifacts; the process may die after so many steps.
    Add(Vec<u8>, Option<u8>),
    /// Adds one and names it.
    Name(u8),
    Forget(u8),
    /// Collects; the process may die after so many steps.
    Collect(Option<u8>),
    Purge(u8),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let which = 0..12u8;
    let dies = || prop_oneof![3 => Just(None), 1 => (1..40u8).prop_map(Some)];
    let some = prop::collection::vec(which.clone(), 1..4);
    let op = prop_oneof![
        3 => (some, dies()).prop_map(|(which, dies)| Op::Add(which, dies)),
        2 => which.clone().prop_map(Op::Name),
        2 => which.clone().prop_map(Op::Forget),
        4 => dies().prop_map(Op::Collect),
        1 => which.prop_map(Op::Purge),
    ];
    prop::collection::vec(op, 1..14)
}

/// Small ones share blocks; two large ones share most of their chunks.
fn bytes_of(which: u8) -> Vec<u8> {
    match which {
        0..=8 => noise(which.into(), 3000 + usize::from(which) * 500),
        9 => noise(99, 900_000),
        10 => [noise(99, 900_000), b"and more".to_vec()].concat(),
        _ => Vec::new(),
    }
}

struct Play {
    world: World,
    named: BTreeSet<u8>,
    now: u64,
}

impl Play {
    fn list(&self, list: List, which: u8, on: bool) {
        let folio = self.world.dir.path().join("folio");
        change(&folio, list, &[key_of(&bytes_of(which))], on).unwrap();
    }

    fn dying<T>(at: Option<u8>, work: impl FnOnce(&Script) -> T) -> (T, bool) {
        let script = Script::new();
        if let Some(n) = at {
            script.fail_at(n.into());
        }
        (work(&script), script.is_dead())
    }

    fn step(&mut self, op: &Op) {
        match op {
            Op::Add(which, at) => {
                let all: Vec<Vec<u8>> = which.iter().map(|w| bytes_of(*w)).collect();
                let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
                let (added, died) = Self::dying(*at, |script| {
                    let shelves = self.world.shelves_with(script.clone());
                    add(shelves.internal(), &all).is_ok()
                });
                assert!(added || died, "{op:?}");
            }
            Op::Name(which) => {
                self.world.add(&[&bytes_of(*which)]);
                self.list(List::Purged, *which, false);
                self.list(List::Kept, *which, true);
                self.named.insert(*which);
            }
            Op::Forget(which) => {
                self.list(List::Kept, *which, false);
                self.named.remove(which);
            }
            Op::Collect(at) => {
                self.now += DAY / 2;
                let now = self.now;
                let (ended, died) = Self::dying(*at, |script| {
                    try_gc(&self.world, DAY, now, script).map(drop)
                });
                assert_eq!(ended.is_err(), died, "{ended:?}");
            }
            Op::Purge(which) => {
                let store = self.world.store().for_collecting();
                let turn = Collecting::begin(store.common_dir()).unwrap();
                let terms = terms(0, self.now, &EveryStep);
                let key = key_of(&bytes_of(*which));
                if let Ok(purged) = purge(&store, &turn, &key, &terms, &terms.imprint) {
                    assert!(!purged.shelves.is_empty());
                    self.named.remove(which);
                }
            }
        }
    }

    fn check(&self) {
        let shelves = self.world.shelves();
        for which in &self.named {
            let bytes = bytes_of(*which);
            let found = super::world::read(&shelves, &key_of(&bytes));
            let fault = found.as_ref().err();
            assert!(found.as_ref().ok() == Some(&bytes), "{which}: {fault:?}");
        }
        // What is listed can be read, named or not.
        for key in shelves.internal().keys().unwrap() {
            super::world::read(&shelves, &key.unwrap().key).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_what_is_named_can_be_read(ops in ops()) {
        let mut play = Play { world: World::sha1(), named: BTreeSet::new(), now: NOW };
        for op in &ops {
            play.step(op);
            play.check();
        }
    }
}

//! Laws of the fold: what it decides depends on the rows and the decision alone.

mod common;

use common::moves::{self, Move, NAMES};
use common::{Actor, POLICY, charter, decision};
use folio::crypto::Sign;
use folio::fold::{Decision, MemoryView, Outcome, Scene, Submission, View, fold, graph};
use folio::journal::replay;
use folio::model::{ChainDigest, Code, Name, ObjectFormat, Oid, ProposalDigest};
use folio::state::{Tables, TreeView};
use folio::store::MemoryStore;
use proptest::prelude::*;

/// One state, held twice: as a map and as a tree.
struct Twin<'t, 's> {
    tables: &'t Tables<'s, MemoryStore>,
    memory: MemoryView,
    root: Option<Oid>,
    alice: Actor,
    count: u32,
}

impl<'t, 's> Twin<'t, 's> {
    fn founded(tables: &'t Tables<'s, MemoryStore>) -> Self {
        let (alice, wanda) = (Actor::new("alice"), Actor::new("wanda"));
        let found = charter(&alice, &wanda, ObjectFormat::Sha1);
        let mut decisions = vec![Decision::SpaceFound(found)];
        decisions.extend(POLICY.iter().map(|line| decision(line)));
        let mut twin = Self {
            tables,
            memory: MemoryView::default(),
            root: None,
            alice,
            count: 0,
        };
        twin.fold(&decisions).unwrap();
        twin
    }

    /// Folds on both, which must agree; a refusal changes neither.
    fn fold(&mut self, decisions: &[Decision]) -> Result<Outcome, Code> {
        let submission = Submission {
            digest: ProposalDigest(*blake3::hash(&self.count.to_le_bytes()).as_bytes()),
            author: self.alice.key.public_key(),
            after: ChainDigest([0; 32]),
            decisions,
            votes: &[],
        };
        self.count += 1;
        let tree = TreeView::new(self.tables, self.root);
        let on_tree = fold(&tree, &submission).map_err(|stop| stop.to_string());
        let judged = fold(&self.memory, &submission);
        assert_eq!(
            judged.as_ref().map_err(ToString::to_string),
            on_tree.as_ref().map_err(Clone::clone)
        );
        let outcome = judged.map_err(|stop| stop.code())?;
        self.memory.apply(outcome.edits.clone());
        self.root = Some(self.tables.edit(self.root, &outcome.edits).unwrap());
        Ok(outcome)
    }

    fn run(&mut self, step: &Move) -> Result<Outcome, Code> {
        let decision = step.draft(&self.memory);
        self.fold(&[decision])
    }

    fn line(&mut self, line: &str) -> Result<Outcome, Code> {
        let mut decision = decision(line);
        decision.refresh(&Scene::new(&self.memory), false).unwrap();
        self.fold(&[decision])
    }

    fn group_of(&self, text: &str) -> graph::Group {
        let scene = Scene::new(&self.memory as &dyn View);
        graph::group(&scene, &Name::new(text).unwrap()).unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_map_and_a_tree_of_the_same_rows_are_judged_alike(log in moves::log(moves::ALL_KINDS, 80..120)) {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        let tables = Tables::new(&store);
        let mut twin = Twin::founded(&tables);
        let mut accepted = 0;
        for step in &log {
            let (before, staged) = (twin.root, tables.staged());
            match twin.run(step) {
                Ok(_) => accepted += 1,
                Err(_) => {
                    prop_assert_eq!(twin.root, before);
                    prop_assert_eq!(tables.staged(), staged);
                }
            }
        }
        prop_assert!(accepted * 4 > log.len(), "{} of {}", accepted, log.len());
        // The tree depends on the rows alone, not on the way that led there.
        let fresh = Tables::new(&store);
        prop_assert_eq!(replay::tree_of(&fresh, &twin.memory).unwrap(), twin.root.unwrap());
        prop_assert!(fresh.staged() > 0, "the store is still empty, so the tree was built anew");
        prop_assert!(fresh.check(twin.root).is_ok());
    }

    #[test]
    fn a_proposal_applies_whole_or_not_at_all(
        log in moves::log(moves::RULES_OF_NAMES, 20..40),
        batch in moves::log(moves::RULES_OF_NAMES, 2..6),
    ) {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        let tables = Tables::new(&store);
        let mut twin = Twin::founded(&tables);
        for step in &log {
            let _ = twin.run(step);
        }
        let decisions: Vec<Decision> = batch.iter().map(|step| step.draft(&twin.memory)).collect();
        let before = twin.memory.clone();
        let whole = twin.fold(&decisions);
        let after = std::mem::replace(&mut twin.memory, before.clone());
        twin.root = Some(replay::tree_of(&tables, &before).unwrap());
        // One by one they reach the same state, or stop where the whole did.
        let mut one_by_one = Ok(());
        for decision in &decisions {
            one_by_one = twin.fold(std::slice::from_ref(decision)).map(|_| ());
            if one_by_one.is_err() {
                break;
            }
        }
        prop_assert_eq!(whole.as_ref().map(|_| ()).map_err(|code| *code), one_by_one);
        match whole {
            Ok(_) => prop_assert_eq!(twin.memory, after),
            Err(_) => prop_assert_eq!(after, before),
        }
    }

    #[test]
    fn taking_back_gives_the_earlier_tree(
        log in moves::log(moves::RULES_OF_NAMES, 30..60),
        a in 0..NAMES.len(), b in 0..NAMES.len(),
    ) {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        let tables = Tables::new(&store);
        let mut twin = Twin::founded(&tables);
        for step in &log {
            let _ = twin.run(step);
        }
        let (a, b) = (NAMES[a], NAMES[b]);
        let pairs = [
            (format!(r#"{{"op":"bind","a":"{a}","b":"{b}"}}"#), format!(r#"{{"op":"unbind","a":"{b}","b":"{a}"}}"#)),
            (format!(r#"{{"op":"merge","from":"{a}","into":"{b}"}}"#), format!(r#"{{"op":"unmerge","from":"{a}"}}"#)),
            (format!(r#"{{"op":"alias.set","alias":"{a}","target":"{b}"}}"#), format!(r#"{{"op":"alias.drop","alias":"{a}"}}"#)),
            (format!(r#"{{"op":"distinct","a":"{a}","b":"{b}"}}"#), format!(r#"{{"op":"distinct.drop","a":"{b}","b":"{a}"}}"#)),
            (format!(r#"{{"op":"pin","name":"{a}"}}"#), format!(r#"{{"op":"unpin","name":"{a}"}}"#)),
        ];
        for (forth, back) in pairs {
            let before = (twin.root, twin.memory.clone());
            // What replaced a row, or changed nothing, is not what its opposite takes back.
            let adds = |outcome: &Outcome| !outcome.edits.is_empty() && outcome.edits.iter().all(|((table, key), row)| {
                row.is_some() && before.1.row(table, key).unwrap().is_none()
            });
            if twin.line(&forth).is_ok_and(|outcome| adds(&outcome)) {
                prop_assert_ne!(twin.root, before.0);
                prop_assert!(twin.line(&back).is_ok(), "{}", back);
                prop_assert_eq!(twin.root, before.0);
            } else {
                (twin.root, twin.memory) = before;
            }
        }
    }

    #[test]
    fn restoring_gives_the_tree_before_the_tombstone(
        log in moves::log(moves::ALL_KINDS, 30..60), n in 0..6usize,
    ) {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        let tables = Tables::new(&store);
        let mut twin = Twin::founded(&tables);
        for step in &log {
            let _ = twin.run(step);
        }
        let key = moves::key(n);
        // Whether it is published, withdrawn already, or neither.
        twin.line(&format!(r#"{{"op":"artifact.restore","artifact":"{key}"}}"#)).unwrap();
        let before = twin.root;
        for reason in ["one", "another"] {
            let line = format!(r#"{{"op":"artifact.tombstone","artifact":"{key}","reason":"{reason}"}}"#);
            prop_assert_eq!(twin.line(&line).unwrap().edits.len(), 1);
            prop_assert_ne!(twin.root, before);
        }
        twin.line(&format!(r#"{{"op":"artifact.restore","artifact":"{key}"}}"#)).unwrap();
        prop_assert_eq!(twin.root, before);
    }

    #[test]
    fn groups_depend_on_the_set_of_edges_alone(
        edges in prop::collection::btree_set((0..NAMES.len(), 0..NAMES.len()), 3..14),
        seed in any::<[u64; 4]>(),
    ) {
        let edges: Vec<_> = edges.into_iter().filter(|(a, b)| a < b).collect();
        let mut other = edges.clone();
        other.sort_by_key(|(a, b)| seed[(a * 7 + b) % 4].rotate_left((a * 10 + b) as u32));
        let store = MemoryStore::new(ObjectFormat::Sha1);
        let tables = Tables::new(&store);
        let mut twins = [Twin::founded(&tables), Twin::founded(&tables)];
        for (twin, (order, turned)) in twins.iter_mut().zip([(&edges, false), (&other, true)]) {
            for (a, b) in order {
                let (a, b) = if turned { (b, a) } else { (a, b) };
                let line = format!(r#"{{"op":"bind","a":"{}","b":"{}"}}"#, NAMES[*a], NAMES[*b]);
                prop_assert_eq!(twin.line(&line).unwrap().edits.len(), 2);
            }
        }
        prop_assert_eq!(twins[0].root, twins[1].root);
        // Each name is in one group: those of two names are the same or share nothing.
        for a in NAMES {
            let one = twins[0].group_of(a);
            prop_assert_eq!(&one, &twins[1].group_of(a));
            prop_assert!(one.members.contains(&one.representative));
            for b in NAMES {
                let two = twins[0].group_of(b);
                prop_assert!(one == two || one.members.is_disjoint(&two.members));
            }
        }
    }
}

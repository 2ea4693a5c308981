//! Changes made one after the other, with what another thread named of each on the state before all of them: the same states
//! as without it, and nothing missing.

use super::lazy::lazy;
use super::{Rows, after, alias, edge, from_scratch, puts};
use crate::model::RowEdits;
use crate::state::Tables;
use crate::state::tests::store::Memory;
use crate::store::Objects as _;
use proptest::prelude::*;

/// One change of a state.
#[derive(Debug, Clone)]
struct Change {
    /// Rows by their number, and whether each is there afterwards.
    rows: Vec<(u32, bool)>,
    /// Whether it does what the first one does instead.
    again: bool,
    /// Which objects of its preview the store has: a bit each, over and over.
    here: u64,
    /// Whether it is given up, and made again.
    discarded: bool,
    noted: bool,
}

fn change() -> impl Strategy<Value = Change> {
    let here = prop_oneof![3 => Just(u64::MAX), 1 => Just(0), 3 => any::<u64>()];
    let rows = prop::collection::vec((0u32..3000, any::<bool>()), 1..20);
    let chosen = (
        rows,
        prop::bool::weighted(0.3),
        here,
        any::<bool>(),
        any::<bool>(),
    );
    chosen.prop_map(|(rows, again, here, discarded, noted)| Change {
        rows,
        again,
        here,
        discarded,
        noted,
    })
}

/// The edits of rows, most of which have one subject: these lie far below the root, in directories of few rows.
fn edits(rows: &[(u32, bool)], fill: u32) -> RowEdits {
    let mut edits = RowEdits::default();
    for (n, stays) in rows {
        let (key, row) = match n % 8 {
            0 => alias(n % 100, n / 100),
            _ => edge(0, n % (fill + fill / 4)),
        };
        edits.insert(key, stays.then_some(row));
    }
    edits
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_lent_changes_nothing(
        fill in prop::sample::select(&[66, 70, 150, 1300][..]),
        changes in prop::collection::vec(change(), 1..8),
    ) {
        let store = Memory::default();
        let base: Rows = (0..fill).map(|n| edge(0, n)).collect();
        let tables = Tables::new(&store);
        let root = tables.edit(None, &puts(base.clone())).unwrap();
        store.write_all(&tables.take()).unwrap();
        let edits_of = |change: &Change| match change.again {
            true => edits(&changes[0].rows, fill),
            false => edits(&change.rows, fill),
        };
        for change in &changes {
            let tables = Tables::new(&store);
            tables.edit(Some(root), &edits_of(change)).unwrap();
            let preview = tables.take().into_iter().enumerate();
            let here = preview.filter(|(nth, _)| change.here >> (nth % 64) & 1 == 1);
            let here: Vec<_> = here.map(|(_, object)| object).collect();
            store.write_all(&here).unwrap();
        }
        let judge = lazy(&store);
        let (mut state, mut rows) = (root, base);
        for change in &changes {
            let (edits, prover) = (edits_of(change), lazy(&store));
            let name = || prover.edit(Some(root), &edits).unwrap();
            let (_, lent) = prover.lending(|| prover.naming(name));
            judge.borrow(lent);
            if change.noted {
                judge.note_changes();
            }
            let staged = judge.staged();
            let mut made = judge.edit(Some(state), &edits).unwrap();
            if change.discarded {
                judge.discard(staged);
                made = judge.edit(Some(state), &edits).unwrap();
            }
            judge.forget_changes();
            (state, rows) = (made, after(&rows, &edits));
            prop_assert_eq!(state, from_scratch(&rows));
            let all = judge.staged_since(0).into_iter();
            let all: Vec<_> = all.map(|(id, kind, bytes)| (id, kind, bytes.into_vec())).collect();
            let copy = store.clone();
            copy.write_all(&all).unwrap();
            prop_assert_eq!(Tables::new(&copy).check(Some(state)), Ok(rows.len() as u64));
        }
    }
}

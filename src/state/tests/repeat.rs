//! The same change on two states, with what it made of one noted for the other.

use super::lazy::lazy;
use super::{Rows, after, alias, edge, from_scratch, puts, removals, write};
use crate::model::{Oid, RowEdits};
use crate::state::Tables;
use crate::state::tests::store::Memory;
use crate::store::{Kind, Objects as _};

/// Two states of some hundred rows that differ in a few.
fn two_states(store: &Memory, rows: u32) -> [(Oid, Rows); 2] {
    let tables = Tables::new(store);
    let most: Rows = (0..rows).map(|n| alias(n, n + 1)).collect();
    let mut other = most.clone();
    other.extend([alias(7, 0), alias(rows + 5, 1), edge(1, 2)]);
    [most, other].map(|rows| {
        let root = tables.edit(None, &puts(rows.clone())).unwrap();
        write(store, &tables);
        (root, rows)
    })
}

#[test]
fn a_noted_change_makes_what_it_makes_by_itself() {
    for count in [0, 1, 63, 64, 65, 66, 1000] {
        let store = Memory::default();
        let [one, two] = two_states(&store, count);
        let mut all = vec![
            puts([alias(2, 5)]),
            puts([alias(count + 9, 5), edge(3, 4)]),
            removals([alias(3, 0)]),
            // Both states lose the same rows, and fold into fewer buckets.
            removals((2..count.min(16)).map(|n| alias(n, 0))),
            // More than is noted.
            puts((0..40).map(|n| alias(n, 3))),
        ];
        all.push(all[0].clone());
        for edits in &all {
            let tables = Tables::new(&store);
            tables.note_changes();
            for (root, rows) in [&one, &two, &one] {
                let made = tables.edit(Some(*root), edits).unwrap();
                assert_eq!(made, from_scratch(&after(rows, edits)), "{count}");
            }
            // Whatever was made twice or once is there to be written, and nothing is missing.
            write(&store, &tables);
            for (root, rows) in [&one, &two] {
                let made = Tables::new(&store).edit(Some(*root), edits).unwrap();
                let whole = Tables::new(&store).check(Some(made)).unwrap();
                assert_eq!(whole, after(rows, edits).len() as u64);
            }
        }
    }
}

#[test]
fn what_was_noted_is_forgotten_with_what_was_staged() {
    let store = Memory::default();
    let [one, two] = two_states(&store, 300);
    let tables = Tables::new(&store);
    let edits = puts([alias(2, 5)]);
    tables.note_changes();
    tables.edit(Some(one.0), &edits).unwrap();
    tables.discard(0);
    // The objects of the first change are gone: the second one stages all that it needs.
    let made = tables.edit(Some(two.0), &edits).unwrap();
    write(&store, &tables);
    Tables::new(&store).check(Some(made)).unwrap();
}

#[test]
fn what_was_only_named_is_made_when_it_is_wanted() {
    let store = Memory::default();
    let [one, two] = two_states(&store, 300);
    let edits = puts([alias(2, 5)]);
    for named_first in [true, false] {
        let tables = Tables::new(&store);
        let (named, wanted) = match named_first {
            true => (one.0, two.0),
            false => (two.0, one.0),
        };
        tables.note_changes();
        // What is wanted is noted, and may not be done when the same is named.
        let before = tables.naming(|| tables.edit(Some(named), &edits)).unwrap();
        let made = tables.edit(Some(wanted), &edits).unwrap();
        let again = tables.naming(|| tables.edit(Some(named), &edits)).unwrap();
        assert_eq!(before, again);
        assert_eq!(tables.edit(Some(named), &edits), Ok(before));
        write(&store, &tables);
        for root in [made, before] {
            Tables::new(&store).check(Some(root)).unwrap();
        }
    }
}

#[test]
fn what_another_thread_named_is_not_named_again_and_is_staged() {
    for count in [100, 5000] {
        let store = Memory::default();
        let [one, two] = two_states(&store, count);
        let edits = [
            puts([alias(2, 5), alias(count + 9, 5)]),
            removals([alias(30, 0)]),
            // Nothing of these is there to be removed, or is another row than it was.
            removals([alias(count + 100, 0)]),
        ];
        for edits in &edits {
            let (prover, judge, alone) = (lazy(&store), lazy(&store), lazy(&store));
            let name = || prover.edit(Some(one.0), edits).unwrap();
            let (claimed, lent) = prover.lending(|| prover.naming(name));
            assert_eq!(prover.staged(), 0);
            judge.borrow(lent);
            let named = |tables: &Tables<'_, Memory>| {
                store.named.set(0);
                let made = tables.edit(Some(two.0), edits).unwrap();
                (made, store.named.get())
            };
            let (made, hashed) = named(&judge);
            let (by_itself, all) = named(&alone);
            assert_eq!(made, by_itself);
            assert!(hashed <= all);
            // In a large state none of these rows lies where the two differ.
            assert!(count < 1000 || hashed == 0, "{hashed} of {all}");
            let bytes = judge.take();
            assert_eq!(bytes, alone.take());
            store.write_all(&bytes).unwrap();
            let whole = Tables::new(&store).check(Some(made)).unwrap();
            assert_eq!(whole, after(&two.1, edits).len() as u64);
            assert_eq!(judge.edit(Some(one.0), edits), Ok(claimed));
        }
        // What was staged of it and is given up is staged anew.
        let (prover, judge) = (lazy(&store), lazy(&store));
        let name = || prover.edit(Some(one.0), &edits[0]).unwrap();
        judge.borrow(prover.lending(|| prover.naming(name)).1);
        judge.edit(Some(two.0), &edits[0]).unwrap();
        let all = judge.staged();
        judge.discard(0);
        judge.edit(Some(two.0), &edits[0]).unwrap();
        assert_eq!(judge.staged(), all);
    }
}

#[test]
fn of_a_large_change_little_is_lent() {
    let store = Memory::default();
    let [one, _] = two_states(&store, 5000);
    let edits = puts((0..2000).map(|n| alias(n * 2, 7)));
    let prover = lazy(&store);
    let name = || prover.edit(Some(one.0), &edits).unwrap();
    let (_, lent) = prover.lending(|| prover.naming(name));
    assert!((1..=64).contains(&lent.named.len()), "{}", lent.named.len());
}

#[test]
fn who_reads_strictly_takes_over_nothing_that_was_read_lazily() {
    let store = Memory::default();
    let [one, _] = two_states(&store, 5000);
    let edits = puts([alias(2, 5)]);
    let prover = lazy(&store);
    let name = || prover.edit(Some(one.0), &edits).unwrap();
    let (claimed, lent) = prover.lending(|| prover.naming(name));
    let strict = Tables::new(&store);
    strict.borrow(lent);
    store.named.set(0);
    assert_eq!(strict.edit(Some(one.0), &edits), Ok(claimed));
    assert!(store.named.get() > 0);
}

type Staged = Vec<(Oid, Kind, Vec<u8>)>;

/// What is made of the second of two states where a thread named the same of the first one, and how many trees got an id
/// meanwhile. The store has these objects besides.
fn judged(
    store: &Memory,
    [one, two]: [Oid; 2],
    edits: &RowEdits,
    there: &[(Oid, Kind, Vec<u8>)],
) -> (Oid, Staged, usize) {
    store.write_all(there).unwrap();
    let (prover, judge) = (lazy(store), lazy(store));
    let name = || prover.edit(Some(one), edits).unwrap();
    judge.borrow(prover.lending(|| prover.naming(name)).1);
    store.trees.set(0);
    let made = judge.edit(Some(two), edits).unwrap();
    (made, judge.take(), store.trees.get())
}

#[test]
fn a_directory_that_another_thread_named_is_taken_over_where_all_of_it_is_here() {
    let edits = [
        puts([alias(2, 5), alias(90_000, 5)]),
        removals([alias(30, 0), alias(400, 0)]),
    ];
    // So many that directories of buckets are not the first ones below a table.
    let before = Memory::default();
    let [one, two] = two_states(&before, 30_000);
    for edits in &edits {
        let tables = Tables::new(&before);
        tables.edit(Some(one.0), edits).unwrap();
        let preview = tables.take();
        let states = [one.0, two.0];
        let (wanted, _, none_here) = judged(&before.clone(), states, edits, &[]);
        assert_eq!(wanted, from_scratch(&after(&two.1, edits)));
        // Whoever proposed it wrote all of its preview.
        let store = before.clone();
        let (made, staged, all_here) = judged(&store, states, edits, &preview);
        assert_eq!(made, wanted);
        assert!(all_here < none_here, "{all_here} of {none_here}");
        store.write_all(&staged).unwrap();
        let whole = Tables::new(&store).check(Some(made));
        assert_eq!(whole, Ok(after(&two.1, edits).len() as u64));
        // Or all but one object, whichever that is.
        for missing in 0..preview.len() {
            let mut there = preview.clone();
            there.remove(missing);
            let store = before.clone();
            let (made, staged, _) = judged(&store, states, edits, &there);
            assert_eq!(made, wanted);
            store.write_all(&staged).unwrap();
            assert_eq!(Tables::new(&store).check(Some(made)), whole);
        }
    }
}

//! The same change on two states, with what it made of one noted for the other.

use super::{Rows, alias, edge, from_scratch, puts, removals, write};
use crate::model::{Oid, RowEdits};
use crate::state::Tables;
use crate::state::tests::store::Memory;

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

fn after(rows: &Rows, edits: &RowEdits) -> Rows {
    let mut rows = rows.clone();
    for ((table, key), row) in edits.iter() {
        match row {
            Some(row) => rows.insert((table, key.clone()), row.clone()),
            None => rows.remove(&(table, key.clone())),
        };
    }
    rows
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

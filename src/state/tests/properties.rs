//! The laws: the tree depends on the rows alone, and reading agrees with a sorted map.

use super::store::Memory;
use super::{Rows, alias, edge, from_scratch, puts, write};
use crate::codec::rows::key_of;
use crate::crypto::digest;
use crate::fold::View as _;
use crate::model::{Oid, Row, RowEdits, RowKey, Table};
use crate::state::{Tables, TreeView};
use crate::store::{Kind, Objects};
use proptest::prelude::*;
use std::ops::ControlFlow;

/// An independent builder, straight from the words of the format: hexadecimal text, recursion over
/// all rows, no code shared with the module but the two hashes.
fn naive(store: &Memory, rows: &Rows) -> Oid {
    let mut entries = Vec::new();
    for table in Table::ALL {
        let rows: Vec<_> = rows
            .iter()
            .filter(|((of, _), _)| of == table)
            .map(|((_, key), row)| {
                let hex = |hash: [u8; 32]| data_encoding::HEXLOWER.encode(&hash);
                let subject = hex(digest::subject_place(*table, key.subject()));
                let path = subject[..8].to_owned() + &hex(digest::key_place(*table, key));
                (path, key, row)
            })
            .collect();
        entries.extend(naive_entry(store, table.name(), 0, &rows));
    }
    naive_tree(store, entries)
}

type Entry = (String, &'static str, Oid);

fn naive_entry(
    store: &Memory,
    name: &str,
    depth: usize,
    rows: &[(String, &RowKey, &Row)],
) -> Option<Entry> {
    if rows.is_empty() {
        return None;
    }
    if rows.len() <= 64 {
        // Rows come in the order of the sorted map and filtering keeps it.
        let text: String = rows
            .iter()
            .map(|(_, _, row)| format!("{row:?}\n"))
            .collect();
        let blob = store.put(Kind::Blob, text.as_bytes());
        return Some((format!("{name}.jsonl"), "100644", blob));
    }
    let children = "0123456789abcdef".chars().filter_map(|digit| {
        let here = |row: &&(String, &RowKey, &Row)| row.0[depth..].starts_with(digit);
        let below: Vec<_> = rows.iter().filter(here).cloned().collect();
        naive_entry(store, &digit.to_string(), depth + 1, &below)
    });
    let children = children.collect();
    Some((name.to_owned(), "40000", naive_tree(store, children)))
}

fn naive_tree(store: &Memory, mut entries: Vec<Entry>) -> Oid {
    entries.sort_by_key(|(name, mode, _)| match *mode {
        "40000" => format!("{name}/"),
        _ => name.clone(),
    });
    let mut bytes = Vec::new();
    for (name, mode, id) in entries {
        bytes.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        bytes.extend_from_slice(id.as_bytes());
    }
    store.put(Kind::Tree, &bytes)
}

/// One step: put or remove one of a limited number of keys, so that steps meet.
fn step() -> impl Strategy<Value = ((Table, RowKey), Option<Row>)> {
    let number = prop_oneof![0..40u32, 0..3000u32];
    (0..10u32, number, 0..3u32, prop::bool::weighted(0.6)).prop_map(|(which, n, value, put)| {
        let (key, row) = match which {
            0..5 => alias(n, value),
            // One subject has most of the edges.
            5..9 => edge(0, n),
            _ => edge(n, value),
        };
        (key, put.then_some(row))
    })
}

/// Steps in batches of very different sizes.
fn batches() -> impl Strategy<Value = Vec<RowEdits>> {
    let batch = prop_oneof![
        3 => prop::collection::vec(step(), 1..3),
        2 => prop::collection::vec(step(), 1..100),
        1 => prop::collection::vec(step(), 500..3000),
    ];
    let batch = batch.prop_map(|steps| steps.into_iter().collect::<RowEdits>());
    prop::collection::vec(batch, 1..12)
}

fn apply(rows: &mut Rows, edits: &RowEdits) {
    for ((table, key), row) in edits.iter() {
        let key = (table, key.clone());
        match row {
            Some(row) => rows.insert(key, row.clone()),
            None => rows.remove(&key),
        };
    }
}

/// The rows of each table, in no order.
fn of<'r>(rows: &'r Rows) -> impl Fn(Table) -> Vec<(&'r RowKey, &'r Row)> {
    move |wanted| {
        let own = rows.iter().filter(|((table, _), _)| *table == wanted);
        own.map(|((_, key), row)| (key, row)).rev().collect()
    }
}

/// What reading must give, from the sorted map.
fn agrees(tables: &Tables<'_, Memory>, root: Oid, rows: &Rows) -> Result<(), TestCaseError> {
    let root = Some(root);
    prop_assert_eq!(tables.check(root), Ok(rows.len() as u64));
    for n in (0..3000).step_by(37).chain(0..10) {
        for (key, _) in [alias(n, 0), edge(0, n), edge(n, 1)] {
            let found = tables.row(root, key.0, &key.1).unwrap();
            prop_assert_eq!(found.as_ref(), rows.get(&key), "{} {}", key.0, key.1);
        }
    }
    for subject in ["e0", "e1", "e2", "name-3", "nobody"] {
        for table in [Table::Edges, Table::Aliases, Table::Pins] {
            let found = tables.rows_of(root, table, subject, 10_000).unwrap();
            let of =
                |((t, key), _): &(&(Table, RowKey), &Row)| *t == table && key.subject() == subject;
            let expected: Vec<_> = rows.iter().filter(of).collect();
            let expected = expected
                .iter()
                .map(|((_, key), row)| (key.clone(), (*row).clone()));
            prop_assert_eq!(found, expected.collect::<Vec<_>>());
        }
    }
    let mut all = Rows::new();
    for &table in Table::ALL {
        let each = |key: &RowKey, row: &Row| {
            assert_eq!(key_of(table, row.as_str()).as_ref(), Ok(key));
            assert!(all.insert((table, key.clone()), row.clone()).is_none());
            ControlFlow::<()>::Continue(())
        };
        prop_assert!(tables.iter(root, table, each).unwrap().is_continue());
    }
    prop_assert_eq!(&all, rows);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_tree_depends_on_the_rows_alone_and_reads_like_a_map(batches in batches()) {
        let store = Memory::default();
        let tables = Tables::with_cache(&store, 200_000);
        let mut rows = Rows::new();
        let mut root = None;
        for edits in &batches {
            let next = tables.edit(root, edits).unwrap();
            let before = rows.clone();
            apply(&mut rows, edits);
            write(&store, &tables);
            prop_assert_eq!(next, from_scratch(&rows), "history shows");
            prop_assert_eq!(next, naive(&Memory::default(), &rows), "another builder");
            let nothing = Memory::default();
            let others = Tables::new(&nothing);
            prop_assert_eq!(others.naming(|| others.build(of(&rows))), Ok(next), "named only");
            prop_assert_eq!(others.staged(), 0);

            let changes = tables.diff(root, Some(next)).unwrap();
            prop_assert!(changes.is_sorted_by(|a, b| (a.table, &a.key) < (b.table, &b.key)));
            for change in &changes {
                let key = (change.table, change.key.clone());
                prop_assert_ne!(&change.before, &change.after);
                prop_assert_eq!(change.before.as_ref(), before.get(&key));
                prop_assert_eq!(change.after.as_ref(), rows.get(&key));
            }
            let forth = changes.iter().map(|c| ((c.table, c.key.clone()), c.after.clone()));
            prop_assert_eq!(tables.edit(root, &forth.collect()), Ok(next));
            let back = changes.into_iter().map(|c| ((c.table, c.key), c.before));
            let back = tables.edit(Some(next), &back.collect()).unwrap();
            prop_assert_eq!(Some(back), root.or(Some(store.id_of(Kind::Tree, b""))));
            root = Some(next);
        }
        // A reader that knows nothing but the store agrees, whatever the cache held.
        agrees(&Tables::new(&store), root.unwrap(), &rows)?;
        agrees(&tables, root.unwrap(), &rows)?;
        // Nor does who built them all at once, and wrote that.
        let store = Memory::default();
        let tables = Tables::new(&store);
        prop_assert_eq!(tables.build(of(&rows)), Ok(root.unwrap()));
        write(&store, &tables);
        agrees(&Tables::new(&store), root.unwrap(), &rows)?;
    }
}

#[test]
fn thousands_of_rows_one_by_one_in_two_orders_and_away_again() {
    let store = Memory::default();
    let tables = Tables::new(&store);
    let all: Vec<_> = (0..1500)
        .map(|n| alias(n, n))
        .chain((0..500).map(|n| edge(0, n)))
        .collect();
    let mut roots = [None, None];
    for n in 0..all.len() {
        // 7 has no factor in common with 2,000, so both orders meet every row once.
        for (root, at) in roots.iter_mut().zip([n, n * 7 % all.len()]) {
            let (key, row) = all[at].clone();
            let edits = RowEdits::from_iter([(key, Some(row))]);
            *root = Some(tables.edit(*root, &edits).unwrap());
        }
    }
    assert_eq!(roots[0], roots[1]);
    let rows: Rows = all.iter().cloned().collect();
    assert_eq!(roots[0], Some(naive(&Memory::default(), &rows)));
    let of = tables.rows_of(roots[0], Table::Edges, "e0", 500).unwrap();
    assert_eq!(of.len(), 500);
    for (at, (key, _)) in all.iter().enumerate() {
        let edits = RowEdits::from_iter([(key.clone(), None)]);
        roots[0] = Some(tables.edit(roots[0], &edits).unwrap());
        if at % 250 == 0 {
            let rest = all[at + 1..].iter().cloned().collect();
            assert_eq!(
                roots[0],
                Some(naive(&Memory::default(), &rest)),
                "after {at}"
            );
        }
    }
    assert_eq!(roots[0], Some(store.id_of(Kind::Tree, b"")));
}

#[test]
fn rows_that_come_by_thousands_make_the_same_tree_and_are_found_at_once() {
    let (few, many) = (0..100, 100..9_000);
    let rows = |numbers: std::ops::Range<u32>| numbers.map(|n| alias(n, n / 8));
    let store = Memory::default();
    let tables = Tables::new(&store);
    let first = tables.edit(None, &puts(rows(few.clone()))).unwrap();
    let all: Rows = rows(few).chain(rows(many)).collect();
    let at_once = tables.edit(Some(first), &puts(all.clone())).unwrap();
    assert_eq!(at_once, naive(&Memory::default(), &all));
    // Some that are there, and some that are not; in small and in large tables.
    for root in [first, at_once] {
        let view = TreeView::new(&tables, Some(root));
        let asked: Vec<_> = (0..12_000)
            .map(|n| alias(n * 3 % 12_000, n / 8).0)
            .collect();
        let places: Vec<_> = asked.iter().map(|(table, key)| (*table, key)).collect();
        let found = view.rows_at(&places).unwrap();
        let one_by_one = places.iter().map(|(table, key)| view.row(*table, key));
        assert_eq!(found, one_by_one.collect::<Result<Vec<_>, _>>().unwrap());
    }
}

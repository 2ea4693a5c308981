//! 0, 1, 64 and 65 rows, and what is read and written on the way.

use super::store::Memory;
use super::{alias, edge, from_scratch, puts, removals, write};
use crate::model::{Code, Oid, Row, RowEdits, RowKey, Table, limits};
use crate::state::Tables;
use crate::store::{Kind, Objects};
use std::ops::ControlFlow;

/// Mode and name of each entry of a tree.
fn names(store: &Memory, id: &Oid) -> Vec<String> {
    let mut rest = &store.read(id, Kind::Tree, 1 << 20).unwrap()[..];
    let mut names = Vec::new();
    while let Some(end) = rest.iter().position(|b| *b == 0) {
        names.push(String::from_utf8(rest[..end].to_vec()).unwrap());
        rest = &rest[end + 21..];
    }
    names
}

#[test]
fn a_table_is_absent_then_a_file_then_a_directory_and_back() {
    let store = Memory::default();
    let tables = Tables::new(&store);
    let empty = tables.edit(None, &RowEdits::new()).unwrap();
    assert_eq!(empty, store.id_of(Kind::Tree, b""));
    let mut roots = vec![empty];
    for n in 0..70 {
        let root = roots[roots.len() - 1];
        roots.push(tables.edit(Some(root), &puts([alias(n, 0)])).unwrap());
    }
    write(&store, &tables);
    for (rows, root) in roots.iter().enumerate() {
        let expected: &[&str] = match rows {
            0 => &[],
            1..=64 => &["100644 aliases.jsonl"],
            _ => &["40000 aliases"],
        };
        assert_eq!(names(&store, root), expected, "{rows} rows");
        assert_eq!(tables.count(Some(*root), Table::Aliases), Ok(rows as u64));
        assert_eq!(tables.check(Some(*root)), Ok(rows as u64));
        let scratch = from_scratch(&(0..rows as u32).map(|n| alias(n, 0)).collect());
        assert_eq!(*root, scratch, "{rows} rows");
    }
    let mut root = roots[70];
    for n in (0..70).rev() {
        root = tables.edit(Some(root), &removals([alias(n, 0)])).unwrap();
        assert_eq!(root, roots[n as usize], "back to {n} rows");
    }
    assert_eq!(tables.staged(), 0, "all of these were written before");
}

#[test]
fn one_subject_of_many_rows_goes_below_its_eight_digits_and_folds_back() {
    let store = Memory::default();
    let tables = Tables::new(&store);
    let few = tables
        .edit(None, &puts((0..64).map(|n| edge(0, n))))
        .unwrap();
    let many = tables.edit(Some(few), &puts([edge(0, 64)])).unwrap();
    write(&store, &tables);
    assert_eq!(names(&store, &many), ["40000 edges"]);
    assert_eq!(tables.check(Some(many)), Ok(65));
    // Table, eight digits of the subject, then at least one of the key.
    store.reads.set(0);
    let fresh = Tables::new(&store);
    let (key, row) = edge(0, 7);
    assert_eq!(fresh.row(Some(many), key.0, &key.1), Ok(Some(row)));
    assert!(
        (11..14).contains(&store.reads.get()),
        "{}",
        store.reads.get()
    );
    let back = fresh.edit(Some(many), &removals([edge(0, 64)])).unwrap();
    assert_eq!(back, few);
}

#[test]
fn no_change_is_the_same_tree_and_reads_only_its_path() {
    let store = Memory::default();
    let tables = Tables::new(&store);
    let rows: Vec<_> = (0..5000).map(|n| alias(n, 0)).collect();
    let root = tables.edit(None, &puts(rows.clone())).unwrap();
    write(&store, &tables);
    let fresh = Tables::new(&store);
    let mut nothing = removals([alias(5000, 0)]);
    let (key, row) = alias(17, 0);
    nothing.insert(key, Some(row));
    store.reads.set(0);
    assert_eq!(fresh.edit(Some(root), &nothing), Ok(root));
    assert_eq!(fresh.staged(), 0);
    assert!(store.reads.get() <= 8, "{} reads", store.reads.get());
    let other = fresh.edit(Some(root), &puts([alias(17, 1)])).unwrap();
    assert!(store.reads.get() <= 8 && fresh.staged() <= 5);
    let changes = fresh.diff(Some(root), Some(other)).unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].before, Some(alias(17, 0).1));
    assert_eq!(changes[0].after, Some(alias(17, 1).1));
    assert!(store.reads.get() <= 8, "equal subtrees are not looked into");
}

#[test]
fn what_the_store_has_is_not_staged_again_and_is_asked_for_once() {
    let store = Memory::default();
    let edits = puts((0..500).map(|n| alias(n, 0)));
    let tables = Tables::new(&store);
    let root = tables.edit(None, &edits).unwrap();
    write(&store, &tables);
    let objects = store.len();
    let fresh = Tables::new(&store);
    for _ in 0..2 {
        assert_eq!(fresh.edit(None, &edits), Ok(root));
        assert_eq!(fresh.staged(), 0);
    }
    // The first builder asked for each of them but the root, whose parts were not there; the second for all.
    assert_eq!(store.headers.get(), 2 * objects - 1);
}

#[test]
fn of_a_small_change_the_store_is_asked_for_its_new_bucket_alone() {
    let store = Memory::default();
    let tables = Tables::new(&store);
    let root = tables
        .edit(None, &puts((0..5000).map(|n| alias(n, 0))))
        .unwrap();
    write(&store, &tables);
    store.headers.set(0);
    tables.edit(Some(root), &puts([alias(17, 1)])).unwrap();
    assert_eq!(store.headers.get(), 1);
    assert!(tables.staged() > 2);
}

#[test]
fn discarded_objects_are_staged_again_when_they_are_needed() {
    let store = Memory::default();
    let tables = Tables::new(&store);
    let root = tables.edit(None, &puts([alias(0, 0)])).unwrap();
    let keep = tables.staged();
    let next = tables.edit(Some(root), &puts([alias(1, 0)])).unwrap();
    tables.discard(keep);
    assert_eq!(tables.staged(), keep);
    assert_eq!(tables.check(Some(root)), Ok(1));
    assert_eq!(
        tables.check(Some(next)).unwrap_err().code,
        Code::ObjectMissing
    );
    assert_eq!(tables.edit(Some(root), &puts([alias(1, 0)])), Ok(next));
    write(&store, &tables);
    assert_eq!(Tables::new(&store).check(Some(next)), Ok(2));
}

#[test]
fn decisions_lie_beside_the_tables_and_are_no_part_of_the_state() {
    let store = Memory::default();
    let tables = Tables::new(&store);
    let blob = store.put(Kind::Blob, b"{}\n");
    let root = tables.edit(None, &puts([alias(0, 0)])).unwrap();
    let proposal = tables.with_decisions(Some(root), blob).unwrap();
    assert_eq!(tables.split_decisions(proposal), Ok((root, Some(blob))));
    assert_eq!(tables.split_decisions(root), Ok((root, None)));
    let (key, row) = alias(0, 0);
    assert_eq!(tables.row(Some(proposal), key.0, &key.1), Ok(Some(row)));
    assert_eq!(tables.edit(Some(proposal), &RowEdits::new()), Ok(root));
    assert_eq!(tables.diff(Some(root), Some(proposal)), Ok(vec![]));
    assert_eq!(
        tables.check(Some(proposal)).unwrap_err().code,
        Code::TreeMalformed
    );
    write(&store, &tables);
    assert_eq!(
        names(&store, &proposal),
        ["100644 aliases.jsonl", "100644 decisions.jsonl"]
    );
    let alone = tables.with_decisions(None, blob).unwrap();
    let empty = store.id_of(Kind::Tree, b"");
    assert_eq!(tables.split_decisions(alone), Ok((empty, Some(blob))));
}

#[test]
fn one_blob_may_be_a_bucket_of_two_tables() {
    let store = Memory::default();
    let tables = Tables::new(&store);
    let ((_, key), row) = alias(0, 1);
    let reverse = (Table::AliasesByTarget, RowKey::pair("name-1", "name-0"));
    let both = [
        ((Table::Aliases, key), row.clone()),
        (reverse.clone(), row.clone()),
    ];
    let root = tables.edit(None, &puts(both)).unwrap();
    assert_eq!(tables.staged(), 2, "a bucket and the root");
    write(&store, &tables);
    for tables in [tables, Tables::new(&store)] {
        assert_eq!(tables.check(Some(root)), Ok(2));
        assert_eq!(
            tables.row(Some(root), reverse.0, &reverse.1),
            Ok(Some(row.clone()))
        );
        assert_eq!(tables.row(Some(root), Table::Aliases, &reverse.1), Ok(None));
    }
}

#[test]
fn lists_are_bounded_and_iteration_stops_when_told() {
    let store = Memory::default();
    let tables = Tables::new(&store);
    let root = tables
        .edit(None, &puts((0..100).map(|n| edge(0, n))))
        .unwrap();
    let of = |limit| tables.rows_of(Some(root), Table::Edges, "e0", limit);
    assert_eq!(of(100).map(|rows| rows.len()), Ok(100));
    assert_eq!(of(99).unwrap_err().code, Code::SubjectTooLarge);
    assert_eq!(tables.sorted(Some(root), Table::Edges, 100), of(100));
    assert_eq!(
        tables
            .sorted(Some(root), Table::Edges, 99)
            .unwrap_err()
            .code,
        Code::TooLarge
    );
    assert_eq!(tables.rows_of(None, Table::Edges, "e0", 0), Ok(vec![]));
    let mut seen = 0;
    let flow = tables.iter(Some(root), Table::Edges, |key, _| {
        seen += 1;
        if seen == 10 {
            ControlFlow::Break(key.clone())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(matches!(flow, Ok(ControlFlow::Break(_))));
    assert_eq!(seen, 10);
}

#[test]
fn a_row_that_could_not_be_read_again_is_not_written() {
    let store = Memory::default();
    let long = Row::from_canonical(&"x".repeat(limits::ROW_LINE + 1));
    let edits = puts([((Table::Pins, RowKey::of("x")), long)]);
    let fault = Tables::new(&store).edit(None, &edits).unwrap_err();
    assert_eq!(fault.code, Code::TooLarge);
}

#[test]
fn what_is_only_named_has_the_same_name_and_is_nowhere() {
    let store = Memory::default();
    let tables = Tables::new(&store);
    let before = tables
        .edit(None, &puts((0..70).map(|n| alias(n, 0))))
        .unwrap();
    write(&store, &tables);
    let few = puts([alias(7, 1), edge(0, 1)]);
    let many = puts((0..9000).map(|n| alias(n, 2)));
    for edits in [few, many] {
        let named = tables.naming(|| tables.edit(Some(before), &edits)).unwrap();
        assert_eq!(tables.staged(), 0);
        let ((table, key), _) = alias(7, 0);
        let fault = tables.row(Some(named), table, &key).unwrap_err();
        assert_eq!(fault.code, Code::ObjectMissing);
        // Afterwards all is made as ever.
        assert_eq!(tables.edit(Some(before), &edits), Ok(named));
        write(&store, &tables);
        assert!(tables.row(Some(named), table, &key).unwrap().is_some());
    }
}

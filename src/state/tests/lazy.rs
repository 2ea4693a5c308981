//! States of a chain are read row by row: what is handed out is checked all the same, and nothing is handed out that
//! a strict reader would not.

use super::store::Memory;
use super::{Rows, alias, puts, removals};
use crate::codec::rows;
use crate::model::rows::AliasTargetRow;
use crate::model::{Code, Name, Oid, Row, RowKey, Table};
use crate::state::place::{DIGITS, Place};
use crate::state::{StateFault, Tables};
use crate::store::{Kind, Objects};
use std::ops::ControlFlow;

pub(super) fn lazy(store: &Memory) -> Tables<'_, Memory> {
    let tables = Tables::new(store);
    tables.rely_on_chain();
    tables
}

/// A state whose only file is this one.
fn file(store: &Memory, name: &str, text: &str) -> Oid {
    let blob = store.put(Kind::Blob, text.as_bytes());
    let mut bytes = format!("100644 {name}\0").into_bytes();
    bytes.extend_from_slice(blob.as_bytes());
    store.put(Kind::Tree, &bytes)
}

/// Every way to walk over the rows of a state.
fn walks(tables: &Tables<'_, Memory>, root: Oid) -> [Result<(), StateFault>; 6] {
    let some = Some(root);
    let goes_on = |_: &RowKey, _: &Row| ControlFlow::<()>::Continue(());
    [
        tables.check(some).map(drop),
        tables.count(some, Table::Aliases).map(drop),
        tables.iter(some, Table::Aliases, goes_on).map(drop),
        tables.sorted(some, Table::Aliases, 100).map(drop),
        tables.diff(None, some).map(drop),
        tables.files(root, &mut |_, _| Ok(())),
    ]
}

/// Three rows, the one in the middle spelt in some way.
fn with_second(second: &str) -> String {
    let line = |n: u32| alias(n, 0).1.as_str().to_owned();
    format!("{}\n{second}\n{}\n", line(1), line(3))
}

#[test]
fn a_damaged_row_is_refused_where_it_is_asked_for_and_by_whoever_walks() {
    let store = Memory::default();
    let key = |n: u32| alias(n, 0).0.1;
    for second in [
        r#"{"alias":"name-2","target":"a b "}"#,
        r#"{"alias":"name-2","target":"\u0061"}"#,
        r#"{"alias":"name-2","target":"b","x":1}"#,
        r#"{"alias":"name-2","target":7}"#,
        r#"{"alias":"name-2","alias":"name-2","target":"b"}"#,
        r#"{"alias":"name-2", "target":"b"}"#,
        r#"{"alias":"name-2"}"#,
        r#"{"alias":"name-2","target":"b""#,
    ] {
        let root = file(&store, "aliases.jsonl", &with_second(second));
        let tables = lazy(&store);
        let row = |n| tables.row(Some(root), Table::Aliases, &key(n));
        for n in [1, 3] {
            assert_eq!(row(n), Ok(Some(alias(n, 0).1)), "{second}");
        }
        assert_eq!(row(4), Ok(None));
        let fault = row(2).unwrap_err();
        assert_eq!(fault.code, Code::TreeMalformed, "{second}");
        assert!(fault.what.starts_with("aliases.jsonl: line 2"), "{fault}");
        let of = tables.rows_of(Some(root), Table::Aliases, "name-2", 10);
        assert_eq!(of.unwrap_err().code, Code::TreeMalformed);
        // What a lazy look left in the cache is no excuse.
        for walk in walks(&tables, root) {
            assert_eq!(walk.unwrap_err().code, Code::TreeMalformed, "{second}");
        }
        // A reader of a state that nothing vouches for meets the fault in the neighbours too.
        let strict = Tables::new(&store);
        assert!(strict.row(Some(root), Table::Aliases, &key(1)).is_err());
        assert!(strict.edit(Some(root), &puts([alias(5, 0)])).is_err());
    }
}

#[test]
fn an_odd_order_or_shape_is_refused_however_a_bucket_is_read() {
    let store = Memory::default();
    let line = |n: u32| alias(n, 0).1.as_str().to_owned() + "\n";
    let key = alias(1, 0).0.1;
    for text in [
        line(2) + &line(1),
        line(1) + &line(1),
        line(1) + r#"{"alias":"name-1","target":"other"}"# + "\n",
        // The same key in another spelling hides behind nothing.
        line(1) + r#"{"alias":"\u006eame-1","target":"other"}"# + "\n",
        line(1) + "\n" + &line(2),
        line(1) + line(2).trim_end(),
        line(1) + "noise\n",
        line(1) + "{\"alias\":\"name-\u{1}\",\"target\":\"b\"}\n",
        line(1) + r#"{"target":"b"}"# + "\n",
        line(1) + r#"{"target":["x"],"alias":"name-2"}"# + "\n",
    ] {
        let root = file(&store, "aliases.jsonl", &text);
        for tables in [lazy(&store), Tables::new(&store)] {
            let said = tables.row(Some(root), Table::Aliases, &key);
            assert_eq!(said.unwrap_err().code, Code::TreeMalformed, "{text}");
            assert!(tables.edit(Some(root), &puts([alias(9, 0)])).is_err());
        }
    }
}

#[test]
fn a_row_that_lies_elsewhere_is_not_found_and_not_walked_over() {
    let store = Memory::default();
    let key = alias(0, 0).0.1;
    let digit = Place::of(Table::Aliases, &key).digit(0);
    let wrong = char::from(DIGITS[(digit + 1) % 16]);
    let blob = store.put(
        Kind::Blob,
        format!("{}\n", alias(0, 0).1.as_str()).as_bytes(),
    );
    let tree = |mode: &str, name: &str, id: Oid| {
        let mut bytes = format!("{mode} {name}\0").into_bytes();
        bytes.extend_from_slice(id.as_bytes());
        store.put(Kind::Tree, &bytes)
    };
    let root = tree(
        "40000",
        "aliases",
        tree("100644", &format!("{wrong}.jsonl"), blob),
    );
    let tables = lazy(&store);
    assert_eq!(tables.row(Some(root), Table::Aliases, &key), Ok(None));
    // A key that belongs there reads that bucket.
    let there = (1..)
        .map(|n| alias(n, 0))
        .find(|(place, _)| Place::of(Table::Aliases, &place.1).digit(0) == (digit + 1) % 16);
    let ((_, other), _) = there.unwrap();
    assert_eq!(tables.row(Some(root), Table::Aliases, &other), Ok(None));
    for walk in walks(&tables, root) {
        assert_eq!(walk.unwrap_err().code, Code::TreeMalformed);
    }
    let strict = Tables::new(&store);
    assert!(strict.row(Some(root), Table::Aliases, &other).is_err());
}

#[test]
fn lazy_and_strict_readers_make_the_same_trees() {
    let store = Memory::default();
    // Names that are spelt with escapes, and longer ones that begin alike.
    let odd = |n: u32| {
        let alias = Name::new(format!("\"{}\\{n}", n % 7)).unwrap();
        let target = Name::new(format!("t{}\"", n % 3)).unwrap();
        let key = RowKey::pair(target.as_str(), alias.as_str());
        let row = rows::encode(&AliasTargetRow { alias, target });
        ((Table::AliasesByTarget, key), row)
    };
    let all = |range: std::ops::Range<u32>| range.flat_map(|n| [alias(n, n), odd(n)]);
    let (strict, lazy) = (Tables::new(&store), lazy(&store));
    let mut rows = Rows::new();
    let mut root = None;
    for round in 0..12 {
        let new = all(round * 60..(round + 1) * 60);
        let old = all(round * 25..round * 25 + 40).filter(|_| round > 5);
        let mut edits = puts(new.clone());
        edits.extend(
            removals(old.clone())
                .iter()
                .map(|((t, k), row)| ((t, k.clone()), row.clone())),
        );
        rows.extend(new);
        for (key, _) in old {
            rows.remove(&key);
        }
        let next = strict.edit(root, &edits).unwrap();
        assert_eq!(lazy.edit(root, &edits), Ok(next), "round {round}");
        store.write_all(&strict.take()).unwrap();
        let _written = lazy.take();
        root = Some(next);
        let fresh = self::lazy(&store);
        for (key, row) in rows.iter().step_by(7) {
            assert_eq!(
                fresh.row(root, key.0, &key.1).as_ref(),
                Ok(&Some(row.clone()))
            );
        }
        let subject = fresh.rows_of(root, Table::AliasesByTarget, "t1\"", 10_000);
        let mine = rows
            .keys()
            .filter(|(t, k)| *t == Table::AliasesByTarget && k.subject() == "t1\"");
        assert_eq!(subject.unwrap().len(), mine.count());
    }
    assert_eq!(Tables::new(&store).check(root), Ok(rows.len() as u64));
}

#[test]
fn what_one_thread_read_another_need_not_and_what_is_staged_is_not_lent() {
    let store = Memory::default();
    let first = Tables::new(&store);
    let root = Some(
        first
            .edit(None, &puts((0..500).map(|n| alias(n, 0))))
            .unwrap(),
    );
    store.write_all(&first.take()).unwrap();
    let ((table, key), row) = alias(7, 0);
    let (one, other) = (lazy(&store), lazy(&store));
    let (next, lent) = one.lending(|| {
        assert_eq!(one.row(root, table, &key), Ok(Some(row.clone())));
        one.edit(root, &puts([alias(7, 1)])).unwrap()
    });
    other.row(root, Table::Pins, &key).unwrap();
    other.borrow(lent);
    store.reads.set(0);
    assert_eq!(other.row(root, table, &key), Ok(Some(row)));
    assert_eq!(store.reads.get(), 0);
    assert_eq!(other.edit(root, &puts([alias(7, 1)])), Ok(next));
    assert_eq!(
        other.staged(),
        one.staged(),
        "all that is new is staged by each"
    );
}

#[test]
fn a_row_that_was_never_asked_for_is_no_better_for_a_change_beside_it() {
    let store = Memory::default();
    let key = |n: u32| alias(n, 0).0.1;
    let root = file(
        &store,
        "aliases.jsonl",
        &with_second(r#"{"alias":"name-2","target":7}"#),
    );
    let tables = lazy(&store);
    // Rows come before it and after it, are replaced, and go: it stands at another place each time.
    let mut at = root;
    for edits in [
        puts([alias(0, 9), alias(25, 9)]),
        puts([alias(1, 9), alias(3, 9)]),
        removals([alias(0, 9)]),
        removals([alias(1, 9), alias(25, 9)]),
    ] {
        at = tables.edit(Some(at), &edits).unwrap();
        let row = |n| tables.row(Some(at), Table::Aliases, &key(n));
        assert!(row(3).unwrap().is_some());
        assert_eq!(row(2).unwrap_err().code, Code::TreeMalformed);
        for walk in walks(&tables, at) {
            assert_eq!(walk.unwrap_err().code, Code::TreeMalformed);
        }
    }
    assert_eq!(
        tables.row(Some(at), Table::Aliases, &key(3)),
        Ok(Some(alias(3, 9).1))
    );
}

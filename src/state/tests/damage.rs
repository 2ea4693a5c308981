//! Trees that somebody else wrote: each must be refused with words that name the place.

use super::store::Memory;
use super::{alias, puts, write};
use crate::model::{Code, Oid, RowKey, Table};
use crate::state::place::{DIGITS, Place};
use crate::state::{StateFault, Tables};
use crate::store::{Kind, Objects};
use proptest::prelude::*;

/// A tree of entries in the given order.
fn tree(store: &Memory, entries: &[(&str, Oid)]) -> Oid {
    let mut bytes = Vec::new();
    for (name, id) in entries {
        let mode = if name.ends_with(".jsonl") {
            "100644"
        } else {
            "40000"
        };
        bytes.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        bytes.extend_from_slice(id.as_bytes());
    }
    store.put(Kind::Tree, &bytes)
}

fn lines(numbers: impl IntoIterator<Item = u32>) -> String {
    let mut rows: Vec<_> = numbers.into_iter().map(|n| alias(n, 0)).collect();
    rows.sort();
    rows.iter()
        .map(|(_, row)| row.as_str().to_owned() + "\n")
        .collect()
}

fn checked(store: &Memory, bucket: &str) -> Result<u64, StateFault> {
    let blob = store.put(Kind::Blob, bucket.as_bytes());
    let root = tree(store, &[("aliases.jsonl", blob)]);
    Tables::new(store).check(Some(root))
}

#[test]
fn buckets_are_sorted_canonical_and_of_1_to_64_rows() {
    let store = Memory::default();
    assert_eq!(checked(&store, &lines(0..64)), Ok(64));
    let (one, two) = (lines([1]), lines([2]));
    for bad in [
        String::new(),
        lines(0..65),
        format!("{two}{one}"),
        format!("{one}{one}"),
        format!("{one}\n{two}"),
        one.trim_end().to_owned(),
        format!("\u{feff}{one}"),
        one.replace(':', ": "),
        one.replace('\n', "\r\n"),
        "{}\n".to_owned(),
        "x".repeat(2 << 20),
    ] {
        let fault = checked(&store, &bad).unwrap_err();
        let large = bad.len() > 1 << 20;
        let code = if large {
            Code::TooLarge
        } else {
            Code::TreeMalformed
        };
        assert_eq!(fault.code, code, "{fault}");
        assert!(fault.what.starts_with("aliases.jsonl: "), "{fault}");
    }
}

#[test]
fn a_directory_of_few_rows_is_refused_by_check() {
    let store = Memory::default();
    let digit = |n: u32| Place::of(Table::Aliases, &alias(n, 0).0.1).digit(0);
    let (first, other) = (0, (1..).find(|n| digit(*n) > digit(0)).unwrap());
    let name = |n: u32| format!("{}.jsonl", char::from(DIGITS[digit(n)]));
    let blob = |n| store.put(Kind::Blob, lines([n]).as_bytes());
    let entries = [(&*name(first), blob(first)), (&*name(other), blob(other))];
    let root = tree(&store, &[("aliases", tree(&store, &entries))]);
    let fault = Tables::new(&store).check(Some(root)).unwrap_err();
    assert_eq!(fault.code, Code::TreeMalformed);
    assert_eq!(
        fault.what,
        "aliases: a directory of 2 rows, which belong in one file"
    );
}

#[test]
fn rows_under_another_digit_are_refused_also_when_the_bucket_is_cached() {
    let store = Memory::default();
    let key = alias(0, 0).0.1;
    let digit = Place::of(Table::Aliases, &key).digit(0);
    let blob = store.put(Kind::Blob, lines([0]).as_bytes());
    let right = tree(&store, &[("aliases.jsonl", blob)]);
    let wrong = format!("{:x}.jsonl", (digit + 1) % 16);
    let astray = tree(&store, &[("aliases", tree(&store, &[(&*wrong, blob)]))]);
    let fine = format!("{digit:x}.jsonl");
    let deeper = tree(&store, &[("aliases", tree(&store, &[(&*fine, blob)]))]);
    let tables = Tables::new(&store);
    for _ in 0..2 {
        assert_eq!(tables.check(Some(right)), Ok(1));
        assert!(matches!(
            tables.row(Some(deeper), Table::Aliases, &key),
            Ok(Some(_))
        ));
        let fault = tables.count(Some(astray), Table::Aliases).unwrap_err();
        assert_eq!(
            fault.what,
            format!("aliases/{wrong}: line 1 belongs elsewhere")
        );
    }
}

#[test]
fn a_few_objects_that_describe_endless_paths_end_quickly() {
    let store = Memory::default();
    let blob = store.put(Kind::Blob, lines([0]).as_bytes());
    for leaf in [
        ("0.jsonl", blob),
        ("1", store.put(Kind::Tree, b"")),
        ("2", blob),
    ] {
        let mut dir = tree(&store, &[leaf]);
        for _ in 0..80 {
            let names: Vec<_> = DIGITS.iter().map(|d| char::from(*d).to_string()).collect();
            let entries: Vec<_> = names.iter().map(|name| (&**name, dir)).collect();
            dir = tree(&store, &entries);
        }
        let root = tree(&store, &[("aliases", dir)]);
        let tables = Tables::new(&store);
        store.reads.set(0);
        assert!(tables.check(Some(root)).is_err());
        assert!(tables.count(Some(root), Table::Aliases).is_err());
        assert!(
            tables
                .row(Some(root), Table::Aliases, &RowKey::of("name-0"))
                .is_err()
        );
        assert!(tables.diff(None, Some(root)).is_err());
        assert!(tables.edit(Some(root), &puts([alias(0, 0)])).is_err());
        assert!(store.reads.get() < 400, "{}", store.reads.get());
    }
}

#[test]
fn another_kind_of_object_and_a_missing_one_are_faults_that_name_the_path() {
    let store = Memory::default();
    let blob = store.put(Kind::Blob, lines([0]).as_bytes());
    let inner = tree(&store, &[("aliases.jsonl", blob)]);
    let missing = store.id_of(Kind::Blob, b"never written");
    let tables = Tables::new(&store);
    for (name, id, code) in [
        ("aliases", blob, Code::ObjectDamaged),
        ("aliases.jsonl", inner, Code::ObjectDamaged),
        ("aliases.jsonl", missing, Code::ObjectMissing),
    ] {
        let fault = tables.check(Some(tree(&store, &[(name, id)]))).unwrap_err();
        assert_eq!(fault.code, code);
        assert!(fault.what.starts_with(&format!("{name}: ")), "{fault}");
    }
    assert_eq!(
        tables.check(Some(blob)).unwrap_err().code,
        Code::ObjectDamaged
    );
    // Staged objects are checked for their kind as well, when the cache has forgotten them.
    let small = Tables::with_cache(&store, 0);
    let root = small.edit(None, &puts([alias(5, 0)])).unwrap();
    let staged = small.take();
    assert_eq!(
        staged.last().map(|(id, kind, _)| (*id, *kind)),
        Some((root, Kind::Tree))
    );
    write(&store, &small);
}

proptest! {
    #[test]
    fn noise_never_panics(
        noise in prop::collection::vec(any::<u8>(), 0..300),
        cut in 0..10_000usize,
        at in 0..10_000usize,
        byte in any::<u8>(),
    ) {
        let store = Memory::default();
        let text = lines(0..20).into_bytes();
        let mut bent = text[..text.len() - cut % text.len()].to_vec();
        let at = at % bent.len();
        bent[at] = byte;
        for bytes in [&noise, &bent] {
            let blob = store.put(Kind::Blob, bytes);
            let dir = store.put(Kind::Tree, bytes);
            for root in [
                dir,
                tree(&store, &[("aliases.jsonl", blob)]),
                tree(&store, &[("aliases", dir)]),
            ] {
                let tables = Tables::new(&store);
                let checked = tables.check(Some(root));
                let edited = tables.edit(Some(root), &puts([alias(0, 1)]));
                let diff = tables.diff(None, Some(root));
                if let Ok(rows) = checked {
                    // What passes is exactly what its rows would be written as.
                    let rows: Result<usize, _> = Ok(usize::try_from(rows).unwrap());
                    prop_assert_eq!(diff.as_ref().map(Vec::len), rows.as_ref().map(|n| *n));
                    let again = diff.unwrap().into_iter();
                    let again = puts(again.map(|c| ((c.table, c.key), c.after.unwrap())));
                    prop_assert_eq!(tables.edit(None, &again), Ok(root));
                    prop_assert!(edited.is_ok());
                }
            }
        }
    }
}

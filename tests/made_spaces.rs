//! The generator of spaces that tests and benches use: what it makes is what everybody else makes.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::TestSpace;
use common::made::{Made, Shape, make};
use common::repo::{fsck, git};
use folio::model::{Number, ObjectFormat};
use folio::store::{GitStore, MemoryStore};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const SHAPE: Shape = Shape {
    seed: 1,
    rows: 500,
    pages: 150,
    authors: 7,
    queue: 10,
    waiting: 20,
};

fn in_memory(shape: &Shape) -> (MemoryStore, Made) {
    let store = MemoryStore::new(ObjectFormat::Sha1);
    let made = make(&store, shape);
    (store, made)
}

#[test]
fn a_made_space_is_verified_by_folio_and_by_git() {
    let dir = tempfile::tempdir().unwrap();
    let store = GitStore::init(dir.path(), true, ObjectFormat::Sha1, &[]).unwrap();
    let made = make(&store, &SHAPE);
    fsck(dir.path());
    let folio = |args: &[&str]| {
        let mut folio = Command::new(env!("CARGO_BIN_EXE_folio"));
        let output = folio.args(args).current_dir(dir.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    };
    folio(&["verify"]);
    let (alias, target) = made.alias.unwrap();
    let resolved = folio(&["resolve", alias.as_str()]);
    assert_eq!(resolved, format!("{target}\n"));
}

#[test]
fn the_seed_decides_about_every_byte() {
    let (store, made) = in_memory(&SHAPE);
    let (_, again) = in_memory(&SHAPE);
    assert_eq!(made.tip, again.tip);
    let (_, other) = in_memory(&Shape { seed: 2, ..SHAPE });
    assert_ne!(made.tip, other.tip);
    assert_eq!(TestSpace::reopen(store).verify().unwrap(), Number(152));
}

#[test]
fn nothing_is_older_than_what_it_stands_on_and_proposals_have_seconds_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let store = GitStore::init(dir.path(), true, ObjectFormat::Sha1, &[]).unwrap();
    make(&store, &SHAPE);
    let log = git(dir.path(), &["log", "--all", "--format=%ct %H %P"], b"");
    let mut dates = BTreeMap::new();
    for line in log.lines() {
        let (date, ids) = line.split_once(' ').unwrap();
        let id = ids.split(' ').next().unwrap();
        dates.insert(id, date.parse::<u64>().unwrap());
    }
    for line in log.lines() {
        let mut ids = line.split_whitespace().skip(1);
        let own = dates[ids.next().unwrap()];
        assert!(ids.all(|parent| dates[parent] <= own), "{line}");
    }
    // The pages of a batch have the second of its last proposal.
    let seconds: BTreeSet<&u64> = dates.values().collect();
    let (first, rows) = (1, 1);
    assert_eq!(seconds.len(), first + rows + SHAPE.pages + SHAPE.waiting);
}

#[test]
fn everything_that_waits_is_acceptable() {
    let (store, _) = in_memory(&SHAPE);
    let mut space = TestSpace::reopen(store);
    let report = space.accept_all().unwrap();
    assert_eq!(report.numbered.len(), SHAPE.waiting);
    assert_eq!((report.refused.len(), report.invalid.len()), (0, 0));
}

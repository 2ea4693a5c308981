//! What daily work reads does not grow with the length of the log, nor with the queue where one proposal is named.

mod common;

use common::TestSpace;
use common::recorder::Recorder;
use folio::journal::Space;
use folio::journal::accept::{self, Choice, Pick, Witness};
use folio::journal::fault::Fault;
use folio::journal::history::History;
use folio::journal::pages::{MemoryIndex, PageIndex as _};
use folio::model::{Code, Number, ObjectFormat};
use folio::store::{MemoryStore, Refs as _};
use std::collections::BTreeSet;

type Counted = Recorder<MemoryStore>;

/// A space of so many pages, each of which sets the same alias again, so that no state is larger than the others.
fn space_of(pages: usize) -> TestSpace<Counted> {
    let store = Recorder::new(MemoryStore::new(ObjectFormat::Sha1));
    let mut space = TestSpace::found(store).unwrap();
    for page in 1..pages {
        propose(&space, page);
        space.accept_all().unwrap();
    }
    assert_eq!(space.tip().number(), Number(pages as u64));
    space.store.take_reads();
    space
}

fn propose(space: &TestSpace<Counted>, nth: usize) {
    let line = format!(r#"{{"op":"alias.set","alias":"a","target":"t{nth:03}"}}"#);
    space
        .propose(&space.alice, &format!("change-{nth:03}"), &[&line])
        .unwrap();
}

/// The whole history, brought up to date in an index that is looked at afterwards.
fn open<'i>(
    space: &TestSpace<Counted>,
    opened: &Space<'_, Counted>,
    index: &'i mut MemoryIndex,
) -> History<'i> {
    let tip = Some(opened.tip().unwrap());
    History::open(&opened.tables, &space.store, tip, index, &mut |_, _| {}).unwrap()
}

fn reads(space: &TestSpace<Counted>) -> (u64, u64) {
    space.store.take_reads()
}

#[test]
fn accepting_reads_as_much_on_a_long_log_as_on_a_short_one() {
    let counts = [6, 96].map(|pages| {
        let mut space = space_of(pages);
        propose(&space, 500);
        let proposing = reads(&space).0;
        let report = space.accept_all().unwrap();
        assert_eq!(report.numbered.len(), 1);
        (proposing, reads(&space).0)
    });
    assert!(counts[0].1 > 0);
    assert_eq!(counts[0], counts[1]);
}

#[test]
fn numbers_commits_and_ancestry_are_looked_up_without_the_log() {
    let counts = [5, 80].map(|pages| {
        let mut space = space_of(pages);
        let mut index = std::mem::take(&mut space.index);
        let opened = space.space();
        reads(&space);
        let history = open(&space, &opened, &mut index);
        for number in (1..=pages as u64).map(Number) {
            let commit = history.commit_of(number).unwrap();
            assert!(history.contains(number, &commit));
            assert!(!history.contains(number, &folio::model::Oid::from_bytes(&[7; 20]).unwrap()));
        }
        reads(&space).0
    });
    assert!(counts[0] <= 2, "{counts:?}");
    assert_eq!(counts[0], counts[1]);
}

/// What each page changed is found out for whoever asks for it, and for nobody else.
#[test]
fn a_history_is_opened_with_one_read_for_each_page_and_its_changes_follow() {
    let space = space_of(40);
    let opened = space.space();
    reads(&space);
    let mut index = MemoryIndex::default();
    let mut history = open(&space, &opened, &mut index);
    assert!(reads(&space).0 <= 41);
    history.know_changes(&space.store, &mut |_, _| {}).unwrap();
    drop(history);
    assert_eq!((index.len(), index.changes_len()), (40, 40));
    let key = folio::model::RowKey::of("a");
    let key = folio::journal::pages::change_key(folio::model::Table::Aliases, &key);
    let found = index.changes(&key, Number(40)).unwrap();
    let all = (2..=40).rev().map(Number);
    assert_eq!(found, all.collect::<Vec<_>>());
    // The witness knew it all along: accepting says what changes.
    assert_eq!(space.index.changes(&key, Number(40)).unwrap(), found);
}

#[test]
fn a_proposal_that_is_named_is_accepted_without_a_look_at_the_queue() {
    let counts = [2, 50].map(|waiting| {
        let mut space = space_of(3);
        for nth in 0..waiting {
            propose(&space, nth);
        }
        let mut index = std::mem::take(&mut space.index);
        let names = space.store.list("refs/heads/proposals/").unwrap();
        assert_eq!(names.len(), waiting);
        let branches = BTreeSet::from([names[0].0.clone()]);
        let opened = space.space();
        reads(&space);
        let witness = Witness {
            signer: &space.wanda.key,
            when: common::when(),
            memory: &*space.memory,
        };
        let pick = Pick {
            branches: Some(&branches),
            choose: &|_| Choice::TakeAnyway,
        };
        let ready = &|_: &_| Ok(());
        let before = &mut |_, _| Ok(());
        let report =
            accept::accept_chosen(&opened, &mut index, &witness, pick, ready, before).unwrap();
        assert_eq!(report.numbered.len(), 1);
        assert_eq!(
            space.store.list("refs/heads/proposals/").unwrap().len(),
            waiting - 1
        );
        reads(&space).0
    });
    assert_eq!(counts[0], counts[1]);
}

/// Else the next run on the same tables would write them a second time.
#[test]
fn what_was_written_is_staged_no_more_whoever_says_no_to_publishing_it() {
    for (no, numbered) in [(true, 0), (false, 1)] {
        let mut space = space_of(3);
        propose(&space, 3);
        let mut index = std::mem::take(&mut space.index);
        let opened = space.space();
        let witness = Witness {
            signer: &space.wanda.key,
            when: common::when(),
            memory: &*space.memory,
        };
        let staged = std::cell::Cell::new(None);
        let before = &mut |_, _| {
            staged.set(Some(opened.tables.staged()));
            match no {
                true => Err(Fault::new(Code::Busy, "asked for")),
                false => Ok(()),
            }
        };
        let report = accept::accept(&opened, &mut index, &witness, &|_| true, before);
        assert_eq!(report.is_err(), no);
        assert_eq!(report.map_or(0, |report| report.numbered.len()), numbered);
        // It was asked at all, and nothing came afterwards.
        assert_eq!(staged.get(), Some(0));
        assert_eq!(opened.tables.staged(), 0);
    }
}

//! The pipeline from founding to replay, on stores in memory and on disk.

mod common;

use common::TestSpace;
use folio::journal::history::History;
use folio::journal::pages::{MemoryIndex, PageIndex as _};
use folio::model::{Number, ObjectFormat};
use folio::store::{GitStore, MemoryStore, Store};

fn life<S: Store + Clone + Send>(store: S) {
    let mut space = TestSpace::found(store).unwrap();
    assert_eq!(space.verify().unwrap(), Number(1));
    let base = space.tip();
    for i in 0..150 {
        let line = format!(
            r#"{{"op":"alias.set","alias":"a{i}","target":"t{}"}}"#,
            i % 7
        );
        let author = if i % 2 == 0 { &space.alice } else { &space.bob };
        space
            .propose_on(&base, author, &format!("p{i}"), &[&line])
            .unwrap();
    }
    let report = space.accept_all().unwrap();
    assert_eq!(report.numbered.len(), 150);
    assert!(report.refused.is_empty() && report.invalid.is_empty());
    assert_eq!(space.verify().unwrap(), Number(151));
    assert!(
        space
            .store
            .list("refs/heads/proposals/")
            .unwrap()
            .is_empty()
    );

    assert_eq!(space.tip().number(), Number(151));
    assert_eq!(space.replayed().unwrap(), space.tip().tree());
}

#[test]
fn a_space_lives_in_memory() {
    life(MemoryStore::new(ObjectFormat::Sha1));
    life(MemoryStore::new(ObjectFormat::Sha256));
}

#[test]
fn a_space_lives_on_disk() {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        let dir = tempfile::tempdir().unwrap();
        let store = GitStore::init(dir.path(), true, format, &[]).unwrap();
        life(store);
    }
}

#[test]
fn whoever_reads_an_older_tip_leaves_the_index_of_the_newer_one_alone() {
    let mut space = TestSpace::found(MemoryStore::new(ObjectFormat::Sha1)).unwrap();
    let older = space.tip().id;
    let line = r#"{"op":"alias.set","alias":"a","target":"b"}"#;
    let (_, digest) = space.propose(&space.alice, "p", &[line]).unwrap();
    space.accept_all().unwrap();
    let opened = space.space();
    let mut index = MemoryIndex::default();
    let newer = Some(opened.tip().unwrap());
    for tip in [newer, Some(older), newer] {
        History::open(
            &opened.tables,
            &space.store,
            tip,
            &mut index,
            &mut |_, _| {},
        )
        .unwrap();
        let found = index.find_proposal(&digest, Number(0), Number(2));
        assert_eq!(found.unwrap(), Some(Number(2)));
    }
}

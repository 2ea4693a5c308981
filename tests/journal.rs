//! The pipeline from founding to replay, on stores in memory and on disk.

mod common;

use common::TestSpace;
use folio::journal::history::History;
use folio::journal::pages::MemoryIndex;
use folio::journal::replay;
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

    let opened = space.space();
    let mut index = MemoryIndex::default();
    let tip = Some(opened.tip().unwrap());
    let history = History::open(
        &opened.tables,
        &space.store,
        tip,
        &mut index,
        &mut |_, _| {},
    )
    .unwrap();
    let view = replay::replay(&opened, &history, Number(151), &mut |_, _| {}).unwrap();
    assert_eq!(
        replay::tree_of(&opened.tables, &view).unwrap(),
        space.tip().tree()
    );
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

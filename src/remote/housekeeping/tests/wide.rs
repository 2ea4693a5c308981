//! A state with so many directories that they get a pack of their own.

use super::*;
use crate::store::testing::wide_commit;

const DIRECTORIES: usize = 1100;

/// One more page on `main`, in a pack of its own.
fn page(dir: &Path, parent: Option<Oid>, nth: usize) -> Oid {
    page_at(dir, parent, nth, "refs/heads/main")
}

fn page_at(dir: &Path, parent: Option<Oid>, nth: usize, name: &str) -> Oid {
    let store = GitStore::open(dir).unwrap();
    let row = |n: usize| format!("row {n} of {}\n", nth * usize::from(n.is_multiple_of(100)));
    let texts: Vec<String> = (0..DIRECTORIES).map(row).collect();
    let objects = wide_commit(&store, parent, &texts);
    store.write_all(&objects).unwrap();
    let id = objects.last().unwrap().0;
    set(dir, name, Some(id));
    id
}

/// How many objects each pack has, the fewest first.
fn held(dir: &Path) -> Vec<(u32, String)> {
    let pack = |pack: &PackFile| {
        let index = PackIndex::open(&pack.path, ObjectFormat::Sha1).unwrap();
        (index.len(), pack.name())
    };
    let found = packs(&dir.join("objects/pack")).unwrap();
    let mut held: Vec<(u32, String)> = found.iter().map(pack).collect();
    held.sort();
    held
}

#[test]
fn its_directories_stay_apart_from_the_rest_however_often_it_is_collected() {
    let dir = tempfile::tempdir().unwrap();
    new_store(dir.path(), true, ObjectFormat::Sha1);
    let mut tip = None;
    for nth in 1..4 {
        tip = Some(page(dir.path(), tip, nth));
    }
    assert_eq!(gc(dir.path(), 0, NOW).repacked.after, 2);
    let first = held(dir.path());
    assert_eq!(first[0].0 as usize, DIRECTORIES + 1);
    assert!(first[1].0 as usize > DIRECTORIES, "{first:?}");
    assert_eq!(gc(dir.path(), 0, NOW + DAY).repacked.after, 2);
    assert_eq!(held(dir.path()), first);
    // What is newest now takes the place of what was.
    let tip = page(dir.path(), tip, 4);
    assert_eq!(gc(dir.path(), 0, NOW + 2 * DAY).repacked.after, 2);
    let second = held(dir.path());
    assert_eq!(second[0].0, first[0].0);
    assert!(second[1].0 > first[1].0);
    assert_ne!(second[0].1, first[0].1);
    whole(dir.path(), &tip);
}

#[test]
fn what_proposals_change_of_it_lies_with_its_directories() {
    let dir = tempfile::tempdir().unwrap();
    new_store(dir.path(), true, ObjectFormat::Sha1);
    let base = page(dir.path(), None, 1);
    let tip = page(dir.path(), Some(base), 2);
    let changed = DIRECTORIES / 100;
    // Two proposals of as many new directories each, one of them made of an older page.
    page_at(dir.path(), Some(tip), 3, "refs/heads/proposals/ann/new");
    page_at(dir.path(), Some(base), 4, "refs/heads/proposals/bob/old");
    // Other branches are no proposals, and how long they are does not matter.
    page_at(dir.path(), Some(tip), 5, "refs/heads/other");
    assert_eq!(gc(dir.path(), 0, NOW).repacked.after, 2);
    // A proposal has a root of its own, which is that of no page.
    let apart = DIRECTORIES + 1 + 2 * changed;
    assert_eq!(held(dir.path())[0].0 as usize, apart);
    whole(dir.path(), &tip);
}

#[test]
fn a_collection_of_it_that_is_killed_at_any_step_loses_nothing() {
    let before = tempfile::tempdir().unwrap();
    new_store(before.path(), true, ObjectFormat::Sha1);
    let tip = page(before.path(), None, 1);
    gc(before.path(), 0, NOW);
    let tip = page(before.path(), Some(tip), 2);
    let mut steps = 0;
    for n in 1.. {
        let dir = copy_of(before.path());
        let script = Script::new();
        script.fail_at(n);
        let ended = try_gc(dir.path(), &terms(DAY, NOW + DAY, &script));
        assert_eq!(ended.is_err(), script.is_dead(), "step {n}: {ended:?}");
        whole(dir.path(), &tip);
        assert_eq!(gc(dir.path(), DAY, NOW + DAY).repacked.after, 2, "step {n}");
        assert_eq!(held(dir.path())[0].0 as usize, DIRECTORIES + 1, "step {n}");
        whole(dir.path(), &tip);
        if ended.is_ok() {
            steps = n;
            break;
        }
    }
    assert!(steps > 30, "only {steps} steps");
}

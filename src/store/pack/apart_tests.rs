use super::super::tests::assert_whole;
use super::*;
use crate::model::Oid;
use crate::store::git::packs::{PackIndex, packs};
use crate::store::pack::{Newest, tighten};
use crate::store::testing::{FORMATS, git, new_store, wide_commit};
use crate::store::{GitStore, Kind, Objects as _};
use std::fs;

type Object = (Oid, Kind, Vec<u8>);

/// Three pages of so many directories in one pack, each of which changes a few; the objects of each. It is tightened, and what
/// was made of it is all that is there.
fn tightened(
    store: &GitStore,
    dir: &Path,
    directories: usize,
    coming: &[Object],
) -> ([Vec<Object>; 3], Vec<PathBuf>) {
    let mut texts: Vec<String> = (0..directories).map(|n| format!("row {n}\n")).collect();
    let mut parent = None;
    let pages = [2, 3, 5].map(|each| {
        for text in texts.iter_mut().step_by(each * 50) {
            text.push_str("one more row\n");
        }
        let made = wide_commit(store, parent, &texts);
        parent = made.last().map(|commit| commit.0);
        made
    });
    store
        .write_all(&[&pages.concat(), coming].concat())
        .unwrap();
    git(
        dir,
        &["update-ref", "refs/heads/main", &parent.unwrap().to_hex()],
    );
    let found = packs(&store.pack_dir()).unwrap();
    let [old] = &found[..] else {
        panic!("{found:?}")
    };
    let (at, format) = (store.pack_dir(), store.object_format());
    let walk = |_: &mut dyn FnMut(super::super::Met<'_>)| Ok(());
    let newest = Newest {
        state: ids(&walked(&pages[2])),
        coming: ids(coming),
    };
    let made = tighten(&at, format, &old.path, &newest, &walk, store.steps());
    for end in ["idx", "pack"] {
        fs::remove_file(old.path.with_extension(end)).unwrap();
    }
    (pages, made.unwrap())
}

/// What a page has in its tree, in the order in which git walks it.
fn walked(page: &[Object]) -> Vec<Object> {
    let (root, parts) = page.split_last().unwrap().1.split_last().unwrap();
    let leaves = parts
        .chunks(2)
        .flat_map(|pair| [pair[1].clone(), pair[0].clone()]);
    std::iter::once(root.clone()).chain(leaves).collect()
}

fn ids(objects: &[Object]) -> Vec<Oid> {
    objects.iter().map(|object| object.0).collect()
}

#[test]
fn many_directories_of_the_newest_state_lie_in_a_pack_of_their_own_as_they_are() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, format);
        let (pages, made) = tightened(&store, dir.path(), WORTH, &[]);
        let [first, second] = &made[..] else {
            panic!("{made:?}")
        };
        let mut newest = walked(&pages[2]);
        newest.retain(|(_, kind, _)| *kind == Kind::Tree);
        assert_eq!(newest.len(), WORTH + 1);
        // In the order of the walk, all of them, nothing else, and in no other pack.
        let index = PackIndex::open(first, format).unwrap();
        let mut lying: Vec<(u64, Oid)> = index
            .ids()
            .map(|id| (index.offset(&id).unwrap(), id))
            .collect();
        lying.sort_unstable();
        let lying: Vec<Oid> = lying.into_iter().map(|(_, id)| id).collect();
        assert_eq!(lying, ids(&newest));
        let others = PackIndex::open(second, format).unwrap();
        assert!(lying.iter().all(|id| !others.has(id)));
        // Their very bytes: neither deltas nor compressed, but for the root, which is larger than what is worth it.
        let bytes = fs::read(first).unwrap();
        for (id, _, contents) in newest.iter().skip(1) {
            let at = index.offset(id).unwrap() as usize;
            let entry = &bytes[at..at + contents.len() + 16];
            assert!(
                entry.windows(contents.len()).any(|part| part == contents),
                "{id}"
            );
        }
        assert!(first.with_extension("rev").exists());
        assert_eq!(packs(&store.pack_dir()).unwrap().len(), 2);
        assert_whole(dir.path(), &pages.concat());
    }
}

/// Trees of so many directories that are in no page.
fn proposed(store: &GitStore, directories: usize) -> Vec<Object> {
    let texts: Vec<String> = (0..directories).map(|n| format!("proposed {n}")).collect();
    let mut trees = wide_commit(store, None, &texts);
    trees.retain(|(_, kind, _)| *kind == Kind::Tree);
    trees
}

#[test]
fn directories_that_may_come_lie_with_them_but_not_more_than_there_are() {
    let dir = tempfile::tempdir().unwrap();
    for (proposed_trees, apart) in [(5, WORTH + 1 + 6), (WORTH + 50, 2 * (WORTH + 1))] {
        let dir = dir.path().join(proposed_trees.to_string());
        let store = new_store(&dir, true, ObjectFormat::Sha1);
        let coming = proposed(&store, proposed_trees);
        let (pages, made) = tightened(&store, &dir, WORTH, &coming);
        let first = PackIndex::open(&made[0], ObjectFormat::Sha1).unwrap();
        assert_eq!(first.len() as usize, apart);
        let all = [pages.concat(), coming].concat();
        let all: std::collections::BTreeSet<Oid> = ids(&all).into_iter().collect();
        let second = PackIndex::open(&made[1], ObjectFormat::Sha1).unwrap();
        assert_eq!((first.len() + second.len()) as usize, all.len());
    }
}

#[test]
fn few_directories_get_no_pack_whatever_may_come() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let coming = proposed(&store, WORTH);
    let (_, made) = tightened(&store, dir.path(), WORTH - 2, &coming);
    assert_eq!(made.len(), 1, "{} directories", WORTH - 1);
}

#[test]
fn a_pack_of_nothing_else_becomes_one_and_then_itself() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let trees = proposed(&store, WORTH);
    store.write_all(&trees).unwrap();
    let newest = Newest {
        state: ids(&trees),
        coming: Vec::new(),
    };
    let mut pack = packs(&store.pack_dir()).unwrap()[0].path.clone();
    let walk = |_: &mut dyn FnMut(super::super::Met<'_>)| Ok(());
    let mut made = Vec::new();
    for _ in 0..2 {
        let (dir, format) = (store.pack_dir(), store.object_format());
        made = tighten(&dir, format, &pack, &newest, &walk, store.steps()).unwrap();
        assert_eq!(made.len(), 1);
        std::mem::swap(&mut pack, &mut made[0]);
    }
    assert_eq!(made[0], pack);
}

#[test]
fn a_directory_that_is_too_large_lies_with_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    // Its root has 32 bytes for each.
    let (pages, made) = tightened(&store, dir.path(), 2100, &[]);
    let root = walked(&pages[2])[0].clone();
    assert!(root.2.len() > likeness::LARGEST);
    let first = PackIndex::open(&made[0], ObjectFormat::Sha1).unwrap();
    assert_eq!((first.len(), first.has(&root.0)), (2100, false));
    assert_whole(dir.path(), &pages.concat());
}

use super::super::tests::assert_whole;
use super::*;
use crate::model::Oid;
use crate::store::git::packs::{PackIndex, packs};
use crate::store::pack::tighten;
use crate::store::testing::{FORMATS, git, new_store, wide_commit};
use crate::store::{GitStore, Kind, Objects as _};
use std::fs;

type Object = (Oid, Kind, Vec<u8>);

/// Three pages of so many directories in one pack, each of which changes a few; the objects of each. It is tightened, and what
/// was made of it is all that is there.
fn tightened(store: &GitStore, dir: &Path, directories: usize) -> ([Vec<Object>; 3], Vec<PathBuf>) {
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
    store.write_all(&pages.concat()).unwrap();
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
    let made = tighten(
        &at,
        format,
        &old.path,
        &ids(&walked(&pages[2])),
        &walk,
        store.steps(),
    );
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
        let (pages, made) = tightened(&store, dir.path(), WORTH);
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
        // Their very bytes: neither deltas nor compressed.
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

#[test]
fn few_directories_get_no_pack_and_neither_do_those_that_are_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let (pages, made) = tightened(&store, dir.path(), WORTH - 2);
    assert_eq!(made.len(), 1, "{} directories", WORTH - 1);
    assert_whole(dir.path(), &pages.concat());
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let texts: Vec<String> = (0..WORTH).map(|n| n.to_string()).collect();
    let trees = wide_commit(&store, None, &texts).into_iter();
    let trees: Vec<Object> = trees.filter(|(_, kind, _)| *kind == Kind::Tree).collect();
    store.write_all(&trees).unwrap();
    let old = &packs(&store.pack_dir()).unwrap()[0].path;
    let walk = |_: &mut dyn FnMut(super::super::Met<'_>)| Ok(());
    let made = tighten(
        &store.pack_dir(),
        ObjectFormat::Sha1,
        old,
        &ids(&trees),
        &walk,
        store.steps(),
    );
    assert_eq!(made.unwrap().len(), 1);
}

use super::*;
use crate::store::testing::{FORMATS, git, new_store};
use crate::store::{GitStore, Objects, Script, unnamed};
use std::fs;
use std::sync::Arc;

/// Versions of a bucket, of the tree that names it, and of a commit of that, each object once more at the end.
fn versions(store: &GitStore) -> Vec<Shared> {
    let mut all: Vec<Shared> = Vec::new();
    let shared = |kind, bytes: Vec<u8>| (store.id_of(kind, &bytes), kind, Bytes::from(bytes));
    for n in 0..40 {
        let rows: String = (0..n)
            .map(|row| format!("a row of number {row}\n"))
            .collect();
        let blob = shared(Kind::Blob, rows.into_bytes());
        let mut tree = b"100644 rows\0".to_vec();
        tree.extend_from_slice(blob.0.as_bytes());
        let tree = shared(Kind::Tree, tree);
        let who = "a <a@example.org> 0 +0000";
        let commit = format!("tree {}\nauthor {who}\ncommitter {who}\n\nx\n", tree.0);
        all.extend([blob, tree, shared(Kind::Commit, commit.into_bytes())]);
    }
    all.extend(all.clone());
    all
}

fn parcel_of(store: &GitStore, objects: &[Shared], at_once: usize) -> Parcel {
    let mut parcel = Parcel::new(store.format(), 40);
    for some in objects.chunks(at_once) {
        parcel.add(some.iter().cloned()).unwrap();
    }
    parcel
}

fn files(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir.join("objects/pack")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_pack_does_not_depend_on_the_parts_in_which_its_objects_came() {
    for format in FORMATS {
        let mut made = Vec::new();
        for at_once in [1, 7, 1000] {
            let dir = tempfile::tempdir().unwrap();
            let store = new_store(dir.path(), true, format);
            let objects = versions(&store);
            let parcel = parcel_of(&store, &objects, at_once);
            unnamed::settle(vec![store.prepare(parcel).unwrap()]).unwrap();
            let names = files(dir.path());
            assert_eq!(names.len(), 2, "{names:?}");
            git(dir.path(), &["fsck", "--strict", "--full"]);
            let listed = git(
                dir.path(),
                &["verify-pack", "-v", &format!("objects/pack/{}", names[0])],
            );
            // Versions are deltas of each other.
            assert!(listed.contains("chain length = 2"), "{listed}");
            let again = GitStore::open(dir.path()).unwrap();
            for (id, kind, bytes) in &objects {
                assert_eq!(again.read(id, *kind, 1 << 20).unwrap(), **bytes);
            }
            made.push(names);
        }
        assert!(made.iter().all(|names| *names == made[0]), "{made:?}");
    }
}

/// One thread signs commits, and another makes the rest.
#[test]
fn a_pack_does_not_depend_on_when_each_kind_came() {
    let mut made = Vec::new();
    for (some, others) in [(1, 1), (3, 50), (50, 2)] {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, ObjectFormat::Sha1);
        let is_commit = |object: &Shared| object.1 == Kind::Commit;
        let (commits, rest): (Vec<_>, Vec<_>) = versions(&store).into_iter().partition(is_commit);
        let mut parcel = Parcel::new(store.format(), 10);
        let (mut commits, mut rest) = (commits.chunks(some), rest.chunks(others));
        loop {
            let next = [rest.next(), commits.next()];
            for part in next.iter().flatten() {
                parcel.add(part.iter().cloned()).unwrap();
            }
            if next.iter().all(Option::is_none) {
                break;
            }
        }
        unnamed::settle(vec![store.prepare(parcel).unwrap()]).unwrap();
        git(dir.path(), &["fsck", "--strict", "--full"]);
        made.push(files(dir.path()));
    }
    assert_eq!([&made[0]; 2], [&made[1], &made[2]]);
}

#[test]
fn nothing_of_a_parcel_is_there_before_it_has_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let objects = versions(&store);
    let prepared = store.prepare(parcel_of(&store, &objects, 5)).unwrap();
    let names = files(dir.path());
    assert!(
        names.len() == 2 && names.iter().all(|name| name.starts_with("tmp_")),
        "{names:?}"
    );
    let here = |dir: &Path| {
        let reader = GitStore::open(dir).unwrap();
        objects
            .iter()
            .filter(|object| reader.header(&object.0).unwrap().is_some())
            .count()
    };
    assert_eq!(here(dir.path()), 0);
    // Who gives it up takes it away.
    drop(prepared);
    assert!(files(dir.path()).is_empty());
    unnamed::settle(vec![store.prepare(parcel_of(&store, &objects, 5)).unwrap()]).unwrap();
    assert_eq!(here(dir.path()), objects.len());
    // An empty one is no pack.
    let before = files(dir.path());
    let empty = store.prepare(parcel_of(&store, &[], 1)).unwrap();
    unnamed::settle(vec![empty]).unwrap();
    assert_eq!(files(dir.path()), before);
}

#[test]
fn a_parcel_that_is_killed_at_any_step_can_be_written_again() {
    for n in 1.. {
        let dir = tempfile::tempdir().unwrap();
        let script = Script::new();
        let store = new_store(dir.path(), true, ObjectFormat::Sha1);
        let store = store.with_steps(Arc::new(script.clone()));
        let objects = versions(&store);
        script.fail_at(n);
        let prepared = store.prepare(parcel_of(&store, &objects, 9));
        let done = prepared.and_then(|prepared| unnamed::settle(vec![prepared]));
        git(dir.path(), &["fsck", "--strict"]);
        script.revive();
        let again = GitStore::open(dir.path()).unwrap();
        let parcel = parcel_of(&again, &objects, 9);
        unnamed::settle(vec![again.prepare(parcel).unwrap()]).unwrap();
        let (id, kind, bytes) = &objects[60];
        assert_eq!(again.read(id, *kind, 1 << 20).unwrap(), **bytes);
        if done.is_ok() {
            assert_eq!(n, 6, "all five steps were failed once");
            break;
        }
    }
}

#[test]
fn a_parcel_of_another_object_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let parcel = Parcel::new(ObjectFormat::Sha256, 1);
    let refused = store.prepare(parcel).err().unwrap();
    assert_eq!(refused.code, crate::model::Code::BadRequest);
}

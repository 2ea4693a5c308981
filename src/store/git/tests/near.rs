//! Reading many objects.

use super::*;

/// A packed repository with deltas, and every object in it.
fn packed(dir: &Path, format: ObjectFormat) -> (GitStore, Vec<(Oid, Kind, u64)>) {
    let store = new_store(dir, false, format);
    let mut text: String = (0..400).map(|n| format!("line {n}\n")).collect();
    for n in 0..30 {
        text.push_str(&format!("more {n}\n"));
        fs::write(dir.join("f"), &text).unwrap();
        git(dir, &["add", "f"]);
        git(dir, &["commit", "-qm", "x"]);
    }
    git(dir, &["repack", "-adfq"]);
    let all = "--batch-check=%(objectname) %(objecttype) %(objectsize)";
    let all = git(dir, &["cat-file", "--batch-all-objects", all]);
    let object = |line: &str| {
        let parts: Vec<&str> = line.split(' ').collect();
        let kind = match parts[1] {
            "commit" => Kind::Commit,
            "tree" => Kind::Tree,
            _ => Kind::Blob,
        };
        (parts[0].parse().unwrap(), kind, parts[2].parse().unwrap())
    };
    (store, all.lines().map(object).collect())
}

#[test]
fn many_objects_are_read_out_of_packs_deltas_too() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let (store, all) = packed(dir.path(), format);
        assert_eq!(all.len(), 90);
        let near = |id: &Oid, kind, max| store.read_near(id, kind, max);
        let other = |kind| match kind {
            Kind::Blob => Kind::Tree,
            _ => Kind::Blob,
        };
        for store in [&store, &store.for_thread()] {
            for (id, kind, size) in all.iter().chain(all.iter().rev()) {
                let bytes = store.read_near(id, *kind, *size).expect("it lies there");
                assert_eq!(store.id_of(*kind, &bytes), *id);
                assert_eq!(near(id, *kind, size - 1), None);
                assert_eq!(near(id, other(*kind), *size), None);
                let fault = store.read(id, *kind, size - 1).unwrap_err();
                assert_eq!(fault.code, Code::TooLarge);
            }
        }
    }
}

#[test]
fn what_comes_and_goes_is_read_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (store, all) = packed(dir.path(), ObjectFormat::Sha1);
    let store = store.for_thread();
    let read_all = |all: &[(Oid, Kind, u64)]| {
        for (id, kind, size) in all {
            assert_eq!(store.read(id, *kind, *size).unwrap().len() as u64, *size);
        }
    };
    read_all(&all);
    let new: Vec<_> = (0..200)
        .map(|n| object(&store, Kind::Blob, format!("new {n}").as_bytes()))
        .collect();
    store.write_all(&new).unwrap();
    git(dir.path(), &["repack", "-adfq", "--keep-unreachable"]);
    let new: Vec<_> = new
        .iter()
        .map(|(id, kind, b)| (*id, *kind, b.len() as u64))
        .collect();
    read_all(&[all, new].concat());
}

#[test]
fn damage_in_a_pack_is_never_believed() {
    let dir = tempfile::tempdir().unwrap();
    let (_, all) = packed(dir.path(), ObjectFormat::Sha1);
    let packs = super::packs::packs(&dir.path().join(".git/objects/pack")).unwrap();
    let path = &packs[0].path;
    let good = fs::read(path).unwrap();
    fs::remove_file(path).unwrap();
    let mut seen = 0;
    for at in (12..good.len() - 20).step_by(good.len() / 40) {
        let mut bad = good.clone();
        bad[at] ^= 0x41;
        fs::write(path, &bad).unwrap();
        // A clone reads near from its first object on.
        let store = GitStore::open(dir.path()).unwrap().for_thread();
        for (id, kind, size) in &all {
            match store.read(id, *kind, *size) {
                Ok(bytes) => assert_eq!(store.id_of(*kind, &bytes), *id),
                Err(_) => seen += 1,
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn the_index_of_a_pack_is_mapped_once_for_all_who_look_into_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, all) = packed(dir.path(), ObjectFormat::Sha1);
    let handles = [store.for_thread(), store.for_thread()];
    for store in &handles {
        // So often that the index is worth mapping.
        for (id, kind, size) in all.iter().chain(&all) {
            assert!(store.read_near(id, *kind, *size).is_some());
            assert!(store.is_known(id));
        }
    }
    let found = packs::packs(&dir.path().join(".git/objects/pack")).unwrap();
    let open = |store: &GitStore| store.indexes.open(&found[0].path, store.format).unwrap();
    let index = open(&store);
    // Two that read, two that ask what is there, and this one.
    assert_eq!((found.len(), Arc::strong_count(&index)), (1, 5));
    drop(handles);
    assert_eq!(Arc::strong_count(&index), 1);
    let other = GitStore::open(dir.path()).unwrap();
    assert!(!Arc::ptr_eq(&index, &open(&other)), "another repository's");
    let weak = Arc::downgrade(&index);
    drop(index);
    assert!(weak.upgrade().is_none(), "nobody keeps what nobody needs");
    assert_eq!(open(&store).len() as usize, all.len());
}

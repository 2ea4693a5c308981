//! What `packed-refs` says, whoever wrote it and however soon after something else.

use super::packing::{put, shown};
use super::*;
use std::os::unix::fs::MetadataExt as _;

/// What was read before is not taken for what is there now, however alike the two are, and however soon one follows the
/// other: as git does it, by another file in its place, and as somebody with an editor may.
#[test]
fn what_takes_the_place_of_packed_refs_is_seen_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let ids = two_commits(&store);
    let (packed, aside) = (dir.path().join("packed-refs"), dir.path().join("aside"));
    let other = store.for_thread();
    let find = || store.get("refs/heads/x").unwrap();
    assert_eq!(find(), None);
    for turn in 0..100 {
        let now = ids[turn % 2];
        let text = format!("{now} refs/heads/x\n");
        match turn % 5 {
            4 => fs::write(&packed, format!("{text}{now} refs/heads/y\n")).unwrap(),
            _ => {
                fs::write(&aside, text).unwrap();
                fs::rename(&aside, &packed).unwrap();
            }
        }
        assert_eq!(find(), Some(now), "{turn}");
        // All handles know the same, and nothing is read twice.
        let (one, same) = (store.packed().unwrap(), other.packed().unwrap());
        assert!(Arc::ptr_eq(&one, &same), "{turn}");
        if turn % 10 == 9 {
            let held = fs::metadata(&packed).unwrap().ino();
            fs::remove_file(&packed).unwrap();
            assert_eq!(find(), None, "{turn}");
            let now = ids[(turn + 1) % 2];
            fs::write(&packed, format!("{now} refs/heads/x\n{now} refs/heads/y\n")).unwrap();
            assert_ne!(
                fs::metadata(&packed).unwrap().ino(),
                held,
                "it is held open"
            );
            assert_eq!(find(), Some(now), "{turn}");
        }
    }
}

/// Of one length, and with the old time put back: when it was changed tells all the same.
#[test]
fn what_is_written_into_packed_refs_is_seen_though_it_looks_old() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let [a, b] = two_commits(&store);
    let path = dir.path().join("packed-refs");
    let find = || store.get("refs/heads/x").unwrap();
    fs::write(&path, format!("{a} refs/heads/x\n")).unwrap();
    assert_eq!(find(), Some(a));
    let before = fs::metadata(&path).unwrap();
    let changed = |meta: &fs::Metadata| (meta.ctime(), meta.ctime_nsec());
    // Until its clock has moved on.
    while changed(&fs::metadata(&path).unwrap()) == changed(&before) {
        fs::write(&path, format!("{b} refs/heads/x\n")).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(before.modified().unwrap()).unwrap();
    }
    assert_eq!(find(), Some(b));
}

/// git does not write such files, and refuses to read some of them.
#[test]
fn odd_files_are_read_in_one_way_and_made_right() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let [a, b] = two_commits(&store);
    let (x, y) = ("refs/heads/x", "refs/heads/y");
    let write = |text: &str| fs::write(dir.path().join("packed-refs"), text).unwrap();
    let agrees = |name: &str, at: Oid| {
        let find = |many| store.packed().unwrap().index_for(many).get(name);
        assert_eq!(store.get(name).unwrap(), Some(at));
        assert_eq!((find(1), find(100)), (Some(at), Some(at)));
        assert!(
            store
                .list("refs/heads/")
                .unwrap()
                .contains(&(name.into(), at))
        );
    };
    // Ends of lines as in other systems; the same name twice; no end at all.
    write(&format!("{a} {x}\r\n{b} {y}\r\n"));
    agrees(x, a);
    agrees(y, b);
    write(&format!("{a} {x}\n{b} {x}\n{b} {y}"));
    agrees(x, a);
    agrees(y, b);
    put(dir.path(), "refs/heads/new", &b.to_hex());
    assert_eq!(store.pack_refs().unwrap(), 1);
    agrees(x, a);
    assert_eq!(
        git(dir.path(), &["rev-parse", y, "refs/heads/new"]),
        format!("{b}\n{b}")
    );
    // Neither of the two shows again.
    store.clear(&[(x.into(), a)]);
    assert_eq!(store.get(x).unwrap(), None);
    assert_eq!(shown(dir.path()), format!("{b} refs/heads/new\n{b} {y}"));
    // Nothing but a header is left, and built upon.
    store.clear(&[("refs/heads/new".into(), b), (y.into(), b)]);
    assert_eq!(git(dir.path(), &["for-each-ref"]), "");
    put(dir.path(), x, &a.to_hex());
    assert_eq!(store.pack_refs().unwrap(), 1);
    assert_eq!(shown(dir.path()), format!("{a} {x}"));
}

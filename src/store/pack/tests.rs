use super::*;
use crate::store::git::packs::PackIndex;
use crate::store::testing::{FORMATS, commit_of, git, git_output, new_store, object};
use crate::store::{GitStore, Objects, Script};
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

pub(super) fn packs(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir.join("objects/pack")).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn git_accepts_our_packs_and_finds_nothing_to_complain_about() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, format);
        let large = "0123456789abcdef".repeat(5000);
        let mut objects = commit_of(&store, None, &[("a.txt", &large), ("b.txt", "")]);
        let commit = objects.last().unwrap().0;
        // Once more: every object lies in the pack once.
        objects.extend(objects.clone());
        store.write_all(&objects).unwrap();
        let names = packs(dir.path());
        assert_eq!(names.len(), 2, "{names:?}");
        let index = format!("objects/pack/{}", names[0]);
        assert!(names[0].ends_with(".idx"));
        let mode = fs::metadata(dir.path().join(&index)).unwrap().permissions();
        assert!(mode.readonly());
        let listed = git(dir.path(), &["verify-pack", "-v", &index]);
        assert!(listed.contains("non delta: 4 objects"), "{listed}");
        git(
            dir.path(),
            &["update-ref", "refs/heads/main", &commit.to_hex()],
        );
        let output = git_output(dir.path(), &["fsck", "--strict", "--full"]);
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{output:?}"
        );
        assert_eq!(git(dir.path(), &["show", "main:a.txt"]), large);
        let counted = git(dir.path(), &["count-objects", "-v"]);
        assert!(counted.contains("garbage: 0"), "{counted}");
    }
}

#[test]
fn objects_that_are_there_are_left_out_and_an_empty_list_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    store.write_all(&[]).unwrap();
    assert!(packs(dir.path()).is_empty());
    let one = object(&store, Kind::Blob, b"one");
    store.write_all(std::slice::from_ref(&one)).unwrap();
    assert_eq!(packs(dir.path()).len(), 2);
    store.write_all(std::slice::from_ref(&one)).unwrap();
    store.write_all(&[one.clone(), one]).unwrap();
    assert_eq!(packs(dir.path()).len(), 2);
}

#[test]
fn a_write_that_is_killed_at_any_step_can_be_run_again() {
    for format in FORMATS {
        for n in 1.. {
            let dir = tempfile::tempdir().unwrap();
            let script = Script::new();
            let store = new_store(dir.path(), true, format).with_steps(Arc::new(script.clone()));
            let objects = commit_of(&store, None, &[("a", "text\n")]);
            script.fail_at(n);
            let done = store.write_all(&objects).is_ok();
            // Whatever is there is sound to a process that comes afterwards.
            git(dir.path(), &["fsck", "--strict"]);
            script.revive();
            let again = GitStore::open(dir.path()).unwrap();
            again.write_all(&objects).unwrap();
            let commit = objects.last().unwrap().0.to_hex();
            assert_eq!(git(dir.path(), &["show", &format!("{commit}:a")]), "text");
            if done {
                assert_eq!(n, 7, "all six steps were failed once");
                break;
            }
        }
    }
}

/// Writes `count` packs of one blob each; returns all ids.
pub(super) fn many_packs(store: &GitStore, from: u32, count: u32) -> Vec<Oid> {
    let text = |n: u32| format!("blob number {n}\n").repeat(1 + n as usize % 7);
    (from..from + count)
        .map(|n| {
            let blob = object(store, Kind::Blob, text(n).as_bytes());
            store.write_all(std::slice::from_ref(&blob)).unwrap();
            blob.0
        })
        .collect()
}

#[test]
fn versions_are_deltas_of_each_other_and_git_reads_them() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, format);
        let (objects, tip) = versions(&store, 60);
        let (first, second) = objects.split_at(objects.len() / 2);
        store.write_all(first).unwrap();
        store.write_all(second).unwrap();
        git(dir.path(), &["update-ref", "refs/heads/main", &tip]);
        let (deltas, deepest) = chains(dir.path());
        assert!(deltas > objects.len() / 2, "{deltas} of {}", objects.len());
        assert_eq!(deepest, usize::from(BATCH_DEPTH));
        assert_whole(dir.path(), &objects);
        // Merging carries deltas over, whoever wrote them.
        many_packs(&store, 0, 17);
        assert_eq!(store.consolidate().unwrap(), 19);
        assert_eq!(chains(dir.path()).0, deltas);
        assert_whole(dir.path(), &objects);
    }
}

#[test]
fn a_tightened_pack_has_the_same_objects_in_less_space() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, format);
        let (mut objects, tip) = versions(&store, 120);
        objects.push(object(
            &store,
            Kind::Blob,
            &vec![b'x'; likeness::LARGEST + 1],
        ));
        objects.push(object(&store, Kind::Blob, b""));
        store.write_all(&objects).unwrap();
        git(dir.path(), &["update-ref", "refs/heads/main", &tip]);
        let packs = store.pack_dir();
        let pack = || {
            let found = super::super::git::packs::packs(&packs).unwrap();
            (found[0].path.clone(), found[0].bytes)
        };
        let (old, before) = pack();
        let newest = Newest {
            state: objects.iter().rev().take(5).map(|o| o.0).collect(),
            coming: Vec::new(),
        };
        let walk: &Walk<'_> = &|each| {
            objects
                .iter()
                .for_each(|(id, ..)| each(Met::Part(*id, b"path")));
            Ok(())
        };
        let new = tighten(&packs, format, &old, &newest, walk, store.steps()).unwrap();
        let [new] = &new[..] else { panic!("{new:?}") };
        assert_ne!(*new, old);
        for end in ["idx", "pack"] {
            fs::remove_file(old.with_extension(end)).unwrap();
        }
        let rev = fs::read(new.with_extension("rev")).unwrap();
        let shown = new.to_str().unwrap();
        git(
            dir.path(),
            &["index-pack", "--rev-index", "-o", "again.idx", shown],
        );
        assert_eq!(fs::read(dir.path().join("again.rev")).unwrap(), rev);
        let (_, after) = pack();
        assert!(after < before, "{after} of {before}");
        assert!(chains(dir.path()).1 <= 50);
        assert_whole(dir.path(), &objects);
        // Once more: nothing is lost, and hardly anything gained.
        let nothing: &Walk<'_> = &|_| Ok(());
        let again = tighten(&packs, format, new, &newest, nothing, store.steps()).unwrap();
        let bytes = fs::metadata(&again[0]).unwrap().len();
        assert!(bytes * 10 > after * 8, "{bytes} of {after}");
        assert_whole(dir.path(), &objects);
    }
}

#[test]
fn versions_of_one_directory_lie_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let format = ObjectFormat::Sha1;
    let store = new_store(dir.path(), true, format);
    let (objects, tip) = versions(&store, 40);
    store.write_all(&objects).unwrap();
    git(dir.path(), &["update-ref", "refs/heads/main", &tip]);
    let of = |wanted: Kind| objects.iter().filter(move |(_, kind, _)| *kind == wanted);
    let mut trees: Vec<Oid> = of(Kind::Tree).map(|tree| tree.0).collect();
    let odd: BTreeSet<Oid> = trees.iter().copied().skip(1).step_by(2).collect();
    let walk: &Walk<'_> = &|each| {
        for (id, kind, _) in &objects {
            each(match kind {
                Kind::Commit => Met::Commit(*id, None),
                Kind::Tree if odd.contains(id) => Met::Part(*id, b"odd"),
                Kind::Tree => Met::Part(*id, b"even"),
                _ => Met::Part(*id, b"rows"),
            });
        }
        Ok(())
    };
    let packs = store.pack_dir();
    let old = super::super::git::packs::packs(&packs).unwrap();
    let old = old[0].path.clone();
    let new = tighten(
        &packs,
        format,
        &old,
        &Newest::default(),
        walk,
        store.steps(),
    )
    .unwrap();
    let index = PackIndex::open(&new[0], format).unwrap();
    trees.sort_by_key(|id| index.offset(id).unwrap());
    let changes = trees
        .windows(2)
        .filter(|two| odd.contains(&two[0]) != odd.contains(&two[1]));
    assert_eq!(changes.count(), 1);
    assert_whole(dir.path(), &objects);
}

#[test]
fn a_filtered_pack_needs_nothing_of_what_went() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let (objects, _) = versions(&store, 30);
    store.write_all(&objects).unwrap();
    let dir = store.pack_dir();
    let old = super::super::git::packs::packs(&dir).unwrap()[0]
        .path
        .clone();
    let stay: BTreeSet<Oid> = objects.iter().skip(1).step_by(2).map(|o| o.0).collect();
    let stays = |id: &Oid| stay.contains(id);
    let new = filter::filter(&dir, ObjectFormat::Sha1, &old, &stays, store.steps());
    assert!(new.unwrap().is_some());
    for end in ["idx", "pack"] {
        fs::remove_file(old.with_extension(end)).unwrap();
    }
    let after = GitStore::open(store.git_dir()).unwrap();
    for (id, kind, bytes) in &objects {
        match stay.contains(id) {
            true => assert_eq!(after.read(id, *kind, 1 << 20).unwrap(), *bytes),
            false => assert!(after.header(id).unwrap().is_none()),
        }
    }
}

/// So many commits, each with one row changed in one of three tables; and the last one's id.
pub(super) fn versions(store: &GitStore, count: usize) -> (Vec<(Oid, Kind, Vec<u8>)>, String) {
    let (mut objects, mut parent) = (Vec::new(), None);
    let mut tables = [const { [0usize; 30] }; 3];
    for n in 0..count {
        tables[n % 3][n * 7 % 30] = n;
        let text = |table: &[usize; 30]| -> String {
            let row = |(at, n)| format!("a name with the number {at} leads to {n}\n");
            table.iter().enumerate().map(row).collect()
        };
        let texts = tables.each_ref().map(text);
        let names = ["a.jsonl", "b.jsonl", "c.jsonl"];
        let files: Vec<(&str, &str)> = names
            .into_iter()
            .zip(texts.iter().map(|t| &t[..]))
            .collect();
        let made = commit_of(store, parent, &files);
        parent = made.last().map(|last| last.0);
        objects.extend(made);
    }
    let mut seen = BTreeSet::new();
    objects.retain(|(id, ..)| seen.insert(*id));
    (objects, parent.unwrap().to_hex())
}

/// How many deltas there are, and the length of the longest chain.
pub(super) fn chains(dir: &Path) -> (usize, usize) {
    let (mut deltas, mut deepest) = (0, 0);
    for index in packs(dir).into_iter().filter(|name| name.ends_with(".idx")) {
        let index = format!("objects/pack/{index}");
        for line in git(dir, &["verify-pack", "-v", &index]).lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if words.len() == 7 && words[0].len() >= 40 {
                deltas += 1;
                deepest = deepest.max(words[5].parse().unwrap());
            }
        }
    }
    (deltas, deepest)
}

/// Both git and we read all that was written, and git finds nothing to complain about.
pub(super) fn assert_whole(dir: &Path, objects: &[(Oid, Kind, Vec<u8>)]) {
    let store = GitStore::open(dir).unwrap();
    for (id, kind, bytes) in objects {
        assert_eq!(store.read(id, *kind, 1 << 20).unwrap(), *bytes);
    }
    for name in packs(dir).iter().filter(|name| name.ends_with(".pack")) {
        let pack = format!("objects/pack/{name}");
        git(dir, &["index-pack", "--strict", "-o", "again.idx", &pack]);
        let index = dir.join("objects/pack").join(name).with_extension("idx");
        assert_eq!(
            fs::read(dir.join("again.idx")).unwrap(),
            fs::read(index).unwrap()
        );
        fs::remove_file(dir.join("again.idx")).unwrap();
    }
    let output = git_output(dir, &["fsck", "--strict", "--full"]);
    assert!(output.status.success(), "{output:?}");
}

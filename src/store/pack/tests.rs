use super::*;
use crate::store::testing::{FORMATS, commit_of, git, git_output, new_store, object};
use crate::store::{GitStore, Objects, Script};
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

fn packs(dir: &Path) -> Vec<String> {
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
fn many_packs(store: &GitStore, from: u32, count: u32) -> Vec<Oid> {
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
fn many_packs_become_few_while_readers_go_on_reading() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, format);
        let mut ids = many_packs(&store, 0, 10);
        assert_eq!(store.consolidate().unwrap(), 0, "10 are tolerated");
        // This reader knows the indexes of now, and not all packs are open yet.
        let reader = GitStore::open(dir.path()).unwrap();
        reader.read(&ids[0], Kind::Blob, 1000).unwrap();
        ids.extend(many_packs(&store, 10, 30));
        assert_eq!(store.consolidate().unwrap(), 40);
        assert_eq!(packs(dir.path()).len(), 2);
        for id in &ids {
            reader.read(id, Kind::Blob, 1000).unwrap();
            store.read(id, Kind::Blob, 1000).unwrap();
            git(dir.path(), &["cat-file", "-e", &id.to_hex()]);
        }
        let output = git_output(dir.path(), &["fsck", "--strict", "--full"]);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(store.consolidate().unwrap(), 0);
    }
}

#[test]
fn packs_with_a_meaning_are_left_alone_and_those_of_git_are_merged() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let base: String = (0..400)
        .map(|n| format!("a line with the number {n}\n"))
        .collect();
    let first = commit_of(&store, None, &[("a", &base)]);
    let parent = first.last().unwrap().0;
    let second = commit_of(&store, Some(parent), &[("a", &format!("{base}one more\n"))]);
    store.write_all(&[first, second.clone()].concat()).unwrap();
    let tip = second.last().unwrap().0.to_hex();
    git(dir.path(), &["update-ref", "refs/heads/main", &tip]);
    git(
        dir.path(),
        &["-c", "repack.writeBitmaps=false", "repack", "-adfq"],
    );
    let of_git: BTreeSet<String> = packs(dir.path()).into_iter().collect();
    assert_eq!(chains(dir.path()), (1, 1));
    many_packs(&store, 0, 18);
    let kept = packs(dir.path())
        .into_iter()
        .find(|n| n.ends_with(".pack") && !of_git.contains(n));
    let kept = kept.unwrap();
    let keep = dir
        .path()
        .join("objects/pack")
        .join(&kept)
        .with_extension("keep");
    fs::write(keep, "").unwrap();
    assert_eq!(store.consolidate().unwrap(), 18);
    let left: BTreeSet<String> = packs(dir.path()).into_iter().collect();
    assert!(left.contains(&kept), "{left:?}");
    assert!(of_git.is_disjoint(&left), "{left:?}");
    assert_eq!(chains(dir.path()), (1, 1));
    git(dir.path(), &["fsck", "--strict", "--full"]);
    // git's own collection takes them all.
    fs::remove_file(
        dir.path()
            .join("objects/pack")
            .join(kept)
            .with_extension("keep"),
    )
    .unwrap();
    git(dir.path(), &["gc", "-q", "--prune=now"]);
    store
        .read(&second.last().unwrap().0, Kind::Commit, 10_000)
        .unwrap();
}

#[test]
fn packs_in_a_multi_pack_index_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    many_packs(&store, 0, 20);
    git(dir.path(), &["multi-pack-index", "write"]);
    assert_eq!(store.consolidate().unwrap(), 0);
}

/// As [`LARGE`], where nothing need be large.
const LARGE_HERE: Class = Class {
    above: 1000,
    largest: 100_000,
    tolerated: 6,
    at_once: 200_000,
};

#[test]
fn a_merge_that_is_killed_at_any_step_loses_nothing() {
    for class in [SMALL, LARGE_HERE] {
        for n in 1.. {
            let dir = tempfile::tempdir().unwrap();
            let script = Script::new();
            let store = new_store(dir.path(), true, ObjectFormat::Sha1);
            let mut ids = many_packs(&store, 0, 12);
            ids.extend(large_packs(&store, 8));
            script.fail_at(n);
            let (packs, format) = (store.pack_dir(), store.object_format());
            let done = consolidate(&packs, format, &class, &script, &|| true).is_ok();
            script.revive();
            let again = GitStore::open(dir.path()).unwrap();
            for id in &ids {
                again.read(id, Kind::Blob, 10_000).unwrap();
            }
            git(dir.path(), &["fsck", "--strict", "--full"]);
            if done {
                assert!(n > 20, "{n} steps are too few");
                break;
            }
        }
    }
}

/// Writes packs of some 2,000 bytes each.
fn large_packs(store: &GitStore, count: u8) -> Vec<Oid> {
    let noise = |n: u8| {
        let mut bytes = vec![0; 2000];
        blake3::Hasher::new()
            .update(&[n])
            .finalize_xof()
            .fill(&mut bytes);
        bytes
    };
    let ids = (0..count).map(|n| {
        let blob = object(store, Kind::Blob, &noise(n));
        store.write_all(std::slice::from_ref(&blob)).unwrap();
        blob.0
    });
    ids.collect()
}

#[test]
fn each_class_has_packs_of_its_own_and_gives_way_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    many_packs(&store, 0, 12);
    large_packs(&store, 8);
    let count = || packs(dir.path()).len() / 2;
    let before = packs(dir.path());
    let format = store.object_format();
    let merge = |class, go_on: bool| {
        consolidate(&store.pack_dir(), format, class, store.steps(), &|| go_on).unwrap()
    };
    assert_eq!(merge(&LARGE_HERE, false), 0);
    assert_eq!(packs(dir.path()), before, "nothing is left of it");
    assert_eq!(merge(&LARGE_HERE, true), 8);
    assert_eq!(count(), 13);
    assert_eq!(merge(&LARGE_HERE, true), 0);
    assert_eq!(
        store.consolidate().unwrap(),
        12,
        "the large one is twice as large"
    );
    git(dir.path(), &["fsck", "--strict", "--full"]);
}

#[test]
fn a_damaged_pack_is_not_copied() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    many_packs(&store, 0, 17);
    let before = packs(dir.path());
    let victim = before.iter().find(|name| name.ends_with(".pack")).unwrap();
    let victim = dir.path().join("objects/pack").join(victim);
    let mut bytes = fs::read(&victim).unwrap();
    bytes[16] ^= 1;
    fs::remove_file(&victim).unwrap();
    fs::write(&victim, bytes).unwrap();
    assert_eq!(store.consolidate().unwrap_err().code, Code::ObjectDamaged);
    assert_eq!(packs(dir.path()), before);
}

#[test]
fn merging_is_geometric_and_bounded() {
    let mib = 1 << 20;
    let choose = |sizes: &[u64]| merge::choose(sizes, &SMALL);
    // Beside so many that something has to be done, and that are themselves a progression.
    let chosen = |first: &[u64]| {
        let last = first.last().unwrap();
        let others = (1..=7).map(|n| last << (2 * n + 1));
        choose(&first.iter().copied().chain(others).collect::<Vec<u64>>())
    };
    assert_eq!(chosen(&[1, 1, 1, 1]), 4);
    assert_eq!(chosen(&[1, 2, 4, 8]), 2, "a progression that is too long");
    assert_eq!(chosen(&[1, 2, 4]), 0, "a progression stays");
    assert_eq!(chosen(&[1, 1, 1, 100]), 3);
    assert_eq!(chosen(&[10, 10, 30, 1000]), 3);
    assert_eq!(choose(&[1; 10]), 0, "few are left alone");
    let large = [[mib; 4].as_slice(), &[7 * mib; 16]].concat();
    assert_eq!(choose(&large), 5, "no more than 16 MiB");
}

#[test]
fn packs_never_become_many_however_long_nobody_collects() {
    let mib = 1 << 20;
    let mut sizes: Vec<u64> = Vec::new();
    let (mut written, mut copied, mut most) = (0, 0, 0);
    for page in 0..100_000 {
        // Ten pages of one decision.
        let size = 30_000 + page * 7919 % 40_000;
        written += size;
        sizes.push(size);
        for class in [&SMALL, &LARGE] {
            let (mut ours, others): (Vec<u64>, Vec<u64>) =
                sizes.iter().partition(|size| class.has(**size));
            ours.sort();
            let count = merge::choose(&ours, class);
            if count > 0 {
                let merged: u64 = ours.drain(..count).sum();
                copied += merged;
                sizes = [others, ours, vec![merged]].concat();
            }
        }
        most = most.max(sizes.len());
    }
    assert!(written > 4000 * mib, "{written}");
    assert!(most <= 20, "{most} packs");
    assert!(copied < 16 * written, "{} times", copied / written);
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
fn what_git_completed_after_a_transfer_is_merged_too() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let (objects, tip) = versions(&store, 30);
    store.write_all(&objects).unwrap();
    git(dir.path(), &["update-ref", "refs/heads/main", &tip]);
    let there = dir.path().join("there");
    let there = there.to_str().unwrap();
    git(dir.path(), &["init", "-q", "--bare", there]);
    let to = |commit: &str| {
        git(
            dir.path(),
            &["push", "-q", there, &format!("{commit}:refs/heads/main")],
        );
    };
    git(Path::new(there), &["config", "receive.unpackLimit", "1"]);
    to("main~15");
    to("main");
    let other = GitStore::open(Path::new(there)).unwrap();
    many_packs(&other, 0, 17);
    // The second push was thin: its pack names bases by their ids and has them at its end.
    assert_eq!(other.consolidate().unwrap(), 19);
    assert_whole(Path::new(there), &objects);
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
        let newest = objects.iter().rev().take(5).map(|o| o.0).collect();
        let walk: &Walk<'_> = &|each| {
            objects
                .iter()
                .for_each(|(id, ..)| each(Met::Part(*id, b"path")));
            Ok(())
        };
        let new = tighten(&packs, format, &old, &newest, walk, store.steps()).unwrap();
        assert_ne!(new, old);
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
        let again = tighten(&packs, format, &new, &newest, nothing, store.steps()).unwrap();
        let bytes = fs::metadata(&again).unwrap().len();
        assert!(bytes * 10 > after * 8, "{bytes} of {after}");
        assert_whole(dir.path(), &objects);
    }
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
fn versions(store: &GitStore, count: usize) -> (Vec<(Oid, Kind, Vec<u8>)>, String) {
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
fn chains(dir: &Path) -> (usize, usize) {
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
fn assert_whole(dir: &Path, objects: &[(Oid, Kind, Vec<u8>)]) {
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

//! Merging packs, with git as the referee.

use super::super::tests::{assert_whole, chains, many_packs, packs, versions};
use super::*;
use crate::model::Code;
use crate::store::testing::{FORMATS, commit_of, git, git_output, new_store, object};
use crate::store::{GitStore, Kind, Objects, Script};
use std::collections::BTreeSet;

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
    let small = |sizes: &[u64]| choose(sizes, &SMALL);
    // Beside so many that something has to be done, and that are themselves a progression.
    let chosen = |first: &[u64]| {
        let last = first.last().unwrap();
        let others = (1..=7).map(|n| last << (2 * n + 1));
        small(&first.iter().copied().chain(others).collect::<Vec<u64>>())
    };
    assert_eq!(chosen(&[1, 1, 1, 1]), 4);
    assert_eq!(chosen(&[1, 2, 4, 8]), 2, "a progression that is too long");
    assert_eq!(chosen(&[1, 2, 4]), 0, "a progression stays");
    assert_eq!(chosen(&[1, 1, 1, 100]), 3);
    assert_eq!(chosen(&[10, 10, 30, 1000]), 3);
    assert_eq!(small(&[1; 10]), 0, "few are left alone");
    let large = [[mib; 4].as_slice(), &[7 * mib; 16]].concat();
    assert_eq!(small(&large), 5, "no more than 16 MiB");
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
            let count = choose(&ours, class);
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

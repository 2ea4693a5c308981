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
                assert_eq!(n, 8, "all seven steps were failed once");
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
        let mut ids = many_packs(&store, 0, 16);
        assert_eq!(store.consolidate().unwrap(), 0, "16 are tolerated");
        // This reader knows the indexes of now, and not all packs are open yet.
        let reader = GitStore::open(dir.path()).unwrap();
        reader.read(&ids[0], Kind::Blob, 1000).unwrap();
        ids.extend(many_packs(&store, 16, 24));
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
fn packs_of_git_with_deltas_or_a_meaning_are_left_alone() {
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
    git(dir.path(), &["repack", "-adfq"]);
    let of_git: BTreeSet<String> = packs(dir.path()).into_iter().collect();
    let index = of_git.iter().find(|name| name.ends_with(".idx")).unwrap();
    let listed = git(
        dir.path(),
        &["verify-pack", "-v", &format!("objects/pack/{index}")],
    );
    assert!(listed.contains("chain length = 1"), "{listed}");
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
    assert_eq!(store.consolidate().unwrap(), 17);
    let left: BTreeSet<String> = packs(dir.path()).into_iter().collect();
    assert!(of_git.is_subset(&left) && left.contains(&kept), "{left:?}");
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

#[test]
fn a_merge_that_is_killed_at_any_step_loses_nothing() {
    for n in 1.. {
        let dir = tempfile::tempdir().unwrap();
        let script = Script::new();
        let store = new_store(dir.path(), true, ObjectFormat::Sha1);
        let ids = many_packs(&store, 0, 17);
        let store = store.with_steps(Arc::new(script.clone()));
        script.fail_at(n);
        let done = store.consolidate().is_ok();
        script.revive();
        let again = GitStore::open(dir.path()).unwrap();
        for id in &ids {
            again.read(id, Kind::Blob, 1000).unwrap();
        }
        git(dir.path(), &["fsck", "--strict", "--full"]);
        if done {
            assert!(n > 30, "{n} steps are too few");
            break;
        }
    }
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
    let pack = |size| merge::test_pack(size);
    let sizes = |sizes: &[u64]| sizes.iter().map(|size| pack(*size)).collect::<Vec<_>>();
    assert_eq!(merge::choose(&sizes(&[1, 1, 1, 1])), 4);
    assert_eq!(
        merge::choose(&sizes(&[1, 2, 4, 8])),
        0,
        "a progression stays"
    );
    assert_eq!(merge::choose(&sizes(&[1, 1, 1, 100])), 3);
    assert_eq!(merge::choose(&sizes(&[10, 10, 30, 1000])), 3);
    let mib = 1 << 20;
    assert_eq!(
        merge::choose(&sizes(&[mib, 30 * mib, 30 * mib, 30 * mib])),
        3
    );
}

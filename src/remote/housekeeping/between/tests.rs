use super::*;
use crate::model::{ObjectFormat, Oid};
use crate::store::collector::Collecting;
use crate::store::testing::{commit_of, git, new_store};
use crate::store::{EveryStep, Expect, Objects as _, RefEdit, Refs as _, Script};
use std::path::Path;

const NOW: u64 = 4_000_000_000;

/// Writes so many commits on top of main, with a file of so many bytes.
fn commits(store: &GitStore, count: usize, bytes: usize) {
    let mut parent: Option<Oid> = store.get("refs/heads/main").unwrap();
    for n in 0..count {
        let mut noise = vec![0; bytes / 2];
        let seed = format!("{n} {parent:?}");
        blake3::Hasher::new()
            .update(seed.as_bytes())
            .finalize_xof()
            .fill(&mut noise);
        let text: String = noise.iter().map(|byte| format!("{byte:02x}")).collect();
        let objects = commit_of(store, parent, &[("file", &text)]);
        store.write_all(&objects).unwrap();
        parent = objects.last().map(|last| last.0);
    }
    let edit = RefEdit {
        name: "refs/heads/main".into(),
        expect: Expect::Any,
        new: parent,
        message: "x".into(),
    };
    store.apply(&[edit]).unwrap();
}

fn graphs(dir: &Path) -> Vec<String> {
    let chain = dir.join("objects/info/commit-graphs/commit-graph-chain");
    let chain = fs::read_to_string(chain).unwrap_or_default();
    chain.lines().map(str::to_owned).collect()
}

fn keep_house(store: &GitStore) -> Done {
    run(store, &begin(store.common_dir()), NOW, &EveryStep).unwrap()
}

/// A program that another test is starting has a copy of every handle for a moment, so a lock that was given back may
/// seem to be held a little longer.
fn begin(root: &Path) -> Merging {
    loop {
        match Merging::begin(root).unwrap() {
            Some(turn) => return turn,
            None => std::thread::yield_now(),
        }
    }
}

#[test]
fn the_graph_learns_of_new_commits_beside_what_it_knows() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    commits(&store, 9, 10);
    assert!(keep_house(&store).graph);
    let first = graphs(dir.path());
    assert_eq!(first.len(), 1);
    commits(&store, 2, 10);
    assert!(keep_house(&store).graph);
    let second = graphs(dir.path());
    assert_eq!(second.len(), 2);
    assert_eq!(first[0], second[0], "what was there stays");
    git(dir.path(), &["commit-graph", "verify"]);
    assert!(keep_house(&store).graph);
    assert_eq!(graphs(dir.path()), second);
}

#[test]
fn it_is_time_when_so_much_has_come() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    commits(&store, 3, 10);
    assert!(!is_due(&store).unwrap());
    commits(&store, 1, DUE as usize * 3);
    assert!(is_due(&store).unwrap());
    keep_house(&store);
    assert!(!is_due(&store).unwrap());
}

#[test]
fn one_keeps_house_at_a_time_and_gives_way_to_who_collects() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    commits(&store, 3, 10);
    let root = store.common_dir();
    let turn = begin(root);
    assert!(Merging::begin(root).unwrap().is_none());
    std::thread::scope(|scope| {
        let collecting = scope.spawn(|| Collecting::begin(root).map(drop));
        while turn.may_go_on() {
            std::thread::yield_now();
        }
        let done = run(&store, &turn, NOW, &EveryStep).unwrap();
        assert!(done.gave_way && !done.graph);
        drop(turn);
        collecting.join().unwrap().expect("it waited");
    });
    let collecting = Collecting::begin(root).unwrap();
    assert!(Merging::begin(root).unwrap().is_none());
    drop(collecting);
    begin(root);
}

#[test]
fn what_a_killed_run_leaves_is_cleared_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    commits(&store, 3, 10);
    assert!(keep_house(&store).graph);
    commits(&store, 1, 10);
    let info = dir.path().join("objects/info/commit-graphs");
    fs::write(info.join("commit-graph-chain.lock"), "").unwrap();
    assert!(!keep_house(&store).graph, "another git's");
    fs::write(store.common_dir().join("folio/gc.graph"), "").unwrap();
    assert!(keep_house(&store).graph);
    git(dir.path(), &["commit-graph", "verify"]);
}

/// Makes so many refs with files of their own, each at that object.
fn loose_refs(store: &GitStore, kind: &str, count: usize, id: &Oid) {
    let dir = store.common_dir().join("refs").join(kind);
    fs::create_dir_all(&dir).unwrap();
    for n in 0..count {
        fs::write(dir.join(format!("ref-{n}")), format!("{id}\n")).unwrap();
    }
}

fn with_a_commit() -> (tempfile::TempDir, GitStore, Oid) {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    commits(&store, 1, 10);
    let id = store.get("refs/heads/main").unwrap().unwrap();
    (dir, store, id)
}

#[test]
fn it_is_time_when_many_refs_are_loose_and_then_they_are_packed() {
    let (dir, store, id) = with_a_commit();
    for kind in ["heads/first", "remotes/second"] {
        loose_refs(&store, kind, LOOSE - 1, &id);
        assert!(!is_due(&store).unwrap(), "{kind}");
        assert_eq!(keep_house(&store).refs, 0, "too few to be worth it");
        loose_refs(&store, kind, LOOSE, &id);
        assert!(is_due(&store).unwrap(), "{kind}");
        let before = git(dir.path(), &["for-each-ref"]);
        assert_eq!(keep_house(&store).refs, LOOSE);
        assert_eq!(git(dir.path(), &["for-each-ref"]), before);
        assert_eq!(store.unpacked().unwrap(), 0);
        assert!(!is_due(&store).unwrap(), "{kind}");
    }
}

#[test]
fn a_partial_clone_is_packed_as_soon_again() {
    let (dir, _, id) = with_a_commit();
    git(dir.path(), &["config", "remote.origin.url", "/nowhere"]);
    git(dir.path(), &["config", "remote.origin.promisor", "true"]);
    let store = GitStore::open(dir.path()).unwrap();
    assert!(partial::is_partial(&store));
    for kind in ["heads/first", "remotes/second"] {
        loose_refs(&store, kind, LOOSE, &id);
        assert!(is_due(&store).unwrap(), "{kind}");
        assert_eq!(keep_house(&store).refs, LOOSE);
        assert!(!is_due(&store).unwrap(), "{kind}");
    }
}

#[test]
fn refs_that_could_not_be_packed_are_not_tried_with_each_command() {
    let (_dir, store, id) = with_a_commit();
    // Somebody holds the file where they are to go.
    let lock = store.common_dir().join("packed-refs.lock");
    fs::write(&lock, "").unwrap();
    loose_refs(&store, "heads/first", LOOSE + 10, &id);
    assert!(is_due(&store).unwrap());
    assert_eq!(keep_house(&store).refs, 0);
    assert!(!is_due(&store).unwrap());
    loose_refs(&store, "heads/second", LOOSE - 1, &id);
    assert!(!is_due(&store).unwrap(), "some more are not enough");
    loose_refs(&store, "heads/second", LOOSE, &id);
    assert!(is_due(&store).unwrap());
    fs::remove_file(&lock).unwrap();
    assert_eq!(keep_house(&store).refs, 2 * LOOSE + 10);
    // Those that are no refs to commits stay for ever, and the others are counted from there on.
    let blob = store.id_of(crate::store::Kind::Blob, b"x");
    let object = (blob, crate::store::Kind::Blob, b"x".to_vec());
    store.write_all(&[object]).unwrap();
    loose_refs(&store, "folio/blobs", LOOSE, &blob);
    assert!(is_due(&store).unwrap());
    assert_eq!(keep_house(&store).refs, 0);
    assert!(!is_due(&store).unwrap());
    loose_refs(&store, "heads/third", LOOSE, &id);
    assert!(is_due(&store).unwrap());
    assert_eq!(keep_house(&store).refs, LOOSE);
    assert_eq!(store.unpacked().unwrap(), LOOSE);
}

#[test]
fn a_collection_packs_refs_too() {
    for partial in [false, true] {
        let (dir, _, id) = with_a_commit();
        if partial {
            git(dir.path(), &["config", "remote.origin.url", "/nowhere"]);
            git(dir.path(), &["config", "remote.origin.promisor", "true"]);
        }
        let store = GitStore::open(dir.path()).unwrap().for_collecting();
        let terms = super::super::Terms {
            grace: 0,
            now: NOW,
            steps: &EveryStep,
            git: crate::remote::require_git().unwrap(),
            tell: &|_| {},
        };
        let collect = || {
            let turn = Collecting::begin(store.common_dir()).unwrap();
            super::super::run(&store, &turn, &terms).unwrap();
        };
        loose_refs(&store, "heads/some", LOOSE - 1, &id);
        collect();
        assert_eq!(store.unpacked().unwrap(), LOOSE - 1);
        loose_refs(&store, "heads/some", LOOSE, &id);
        let before = git(dir.path(), &["for-each-ref"]);
        collect();
        assert_eq!(store.unpacked().unwrap(), 0);
        assert_eq!(git(dir.path(), &["for-each-ref"]), before);
        git(dir.path(), &["fsck", "--strict"]);
    }
}

#[test]
fn refs_that_were_packed_are_not_counted_though_the_run_failed_later() {
    let (_dir, store, id) = with_a_commit();
    loose_refs(&store, "heads/first", LOOSE, &id);
    let script = Script::new();
    script.fail_at(1);
    run(&store, &begin(store.common_dir()), NOW, &script).unwrap_err();
    assert_eq!(store.unpacked().unwrap(), 0);
    assert!(!is_due(&store).unwrap());
    loose_refs(&store, "heads/second", LOOSE, &id);
    assert!(is_due(&store).unwrap());
}

#[test]
fn it_is_never_time_where_nothing_may_be_touched() {
    let (dir, store, id) = with_a_commit();
    loose_refs(&store, "heads/first", LOOSE, &id);
    assert!(is_due(&store).unwrap());
    git(dir.path(), &["config", "core.repositoryFormatVersion", "1"]);
    git(
        dir.path(),
        &["config", "extensions.preciousObjects", "true"],
    );
    assert!(!is_due(&GitStore::open(dir.path()).unwrap()).unwrap());
}

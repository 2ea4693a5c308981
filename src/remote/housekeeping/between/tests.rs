use super::*;
use crate::model::{ObjectFormat, Oid};
use crate::store::collector::Collecting;
use crate::store::testing::{commit_of, git, new_store};
use crate::store::{EveryStep, Expect, Objects as _, RefEdit, Refs as _};
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

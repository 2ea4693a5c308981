//! Who packs, who deletes and who clears away at the same time, stopped where it matters; and all of them, as it comes.

use super::*;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// Does something before the first step that has one of these names.
struct Before {
    steps: &'static [&'static str],
    act: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Steps for Before {
    fn step(&self, name: &'static str) -> Result<(), StoreFault> {
        if self.steps.contains(&name) {
            let act = self.act.lock().unwrap().take();
            act.into_iter().for_each(|act| act());
        }
        Ok(())
    }
}

fn stopped_before(
    store: &GitStore,
    steps: &'static [&'static str],
    act: impl FnOnce() + Send + 'static,
) -> GitStore {
    let act = Mutex::new(Some(Box::new(act) as Box<dyn FnOnce() + Send>));
    store.clone().with_steps(Arc::new(Before { steps, act }))
}

/// Somebody who stands before a step and is told to go on.
struct Waiting {
    stands: Sender<()>,
    may_go_on: Receiver<()>,
}

impl Waiting {
    /// And how to see that, and to tell it.
    fn new() -> (Self, Receiver<()>, Sender<()>) {
        let (stands, seen) = channel();
        let (tell, may_go_on) = channel();
        (Self { stands, may_go_on }, seen, tell)
    }

    fn wait(self) {
        self.stands.send(()).unwrap();
        // Who goes away without a word lets it go on, too.
        self.may_go_on.recv().ok();
    }
}

const SLUG: &str = "refs/heads/proposals/alice/kyiv";

fn repository() -> (tempfile::TempDir, GitStore, [Oid; 2]) {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let [a, b] = two_commits(&store);
    store.apply(&[edit(SLUG, Expect::Absent, Some(a))]).unwrap();
    (dir, store, [a, b])
}

/// Packs, and does something between two of its steps.
fn while_packing(store: &GitStore, step: &'static [&'static str], act: impl FnOnce()) -> usize {
    let (waiting, seen, tell) = Waiting::new();
    let packer = stopped_before(store, step, || waiting.wait());
    std::thread::scope(|scope| {
        let packing = scope.spawn(move || packer.pack_refs().unwrap());
        seen.recv().unwrap();
        act();
        drop(tell);
        packing.join().unwrap()
    })
}

/// What its contents were read for is not written yet.
const READ: &[&str] = &["packed-refs-write"];
/// It is written, and the files of the refs are there still.
const WRITTEN: &[&str] = &["refs-prune"];

#[test]
fn what_moves_while_it_is_packed_stays_where_it_moved_to() {
    for step in [READ, WRITTEN] {
        let (dir, store, [a, b]) = repository();
        let packed = while_packing(&store, step, || {
            store.apply(&[edit(SLUG, Expect::At(a), Some(b))]).unwrap();
        });
        assert_eq!((packed, store.get(SLUG).unwrap()), (0, Some(b)));
        assert_eq!(git(dir.path(), &["rev-parse", SLUG]), b.to_hex());
        // The old value is in the file, and nobody is to see it.
        let packed = fs::read_to_string(dir.path().join("packed-refs")).unwrap();
        assert!(packed.contains(&format!("{a} {SLUG}")));
        store.apply(&[edit(SLUG, Expect::At(b), None)]).unwrap();
        assert_eq!(store.get(SLUG).unwrap(), None);
        assert_eq!(git(dir.path(), &["for-each-ref"]), "");
    }
}

#[test]
fn a_ref_that_was_deleted_while_others_are_packed_does_not_come_back() {
    let (dir, store, [a, _]) = repository();
    while_packing(&store, READ, || {
        let refused = store.apply(&[edit(SLUG, Expect::At(a), None)]);
        assert_eq!(refused.unwrap_err().code, Code::Busy);
        let refused = git_output(dir.path(), &["update-ref", "-d", SLUG]);
        assert!(!refused.status.success(), "git does not, either");
    });
    assert_eq!(store.get(SLUG).unwrap(), Some(a));
    store.apply(&[edit(SLUG, Expect::At(a), None)]).unwrap();
    assert_eq!(git(dir.path(), &["for-each-ref"]), "");
    // The other way round: who deletes keeps others from packing.
    store.apply(&[edit(SLUG, Expect::Absent, Some(a))]).unwrap();
    let (waiting, seen, tell) = Waiting::new();
    let deleter = stopped_before(&store, &["ref-delete"], || waiting.wait());
    std::thread::scope(|scope| {
        let deleting = scope.spawn(move || deleter.apply(&[edit(SLUG, Expect::At(a), None)]));
        seen.recv().unwrap();
        assert_eq!(store.pack_refs().unwrap_err().code, Code::Busy);
        drop(tell);
        deleting.join().unwrap().unwrap();
    });
    assert_eq!(store.get(SLUG).unwrap(), None);
}

#[test]
fn one_that_was_deleted_and_made_again_keeps_its_file() {
    let (dir, store, [a, _]) = repository();
    let packed = while_packing(&store, WRITTEN, || {
        store.apply(&[edit(SLUG, Expect::At(a), None)]).unwrap();
        store.apply(&[edit(SLUG, Expect::Absent, Some(a))]).unwrap();
    });
    assert_eq!((packed, store.get(SLUG).unwrap()), (0, Some(a)));
    assert_eq!(git(dir.path(), &["rev-parse", SLUG]), a.to_hex());
}

#[test]
fn one_that_somebody_holds_is_packed_and_keeps_its_file() {
    let (dir, store, [a, _]) = repository();
    let held = lock::Lock::take(dir.path(), &dir.path().join(SLUG), &EveryStep).unwrap();
    let begun = Instant::now();
    assert_eq!(store.pack_refs().unwrap(), 0);
    assert!(
        begun.elapsed() < Duration::from_millis(900),
        "it waits for nobody"
    );
    drop(held);
    assert!(dir.path().join(SLUG).exists());
    assert_eq!(
        (store.pack_refs().unwrap(), store.get(SLUG).unwrap()),
        (1, Some(a))
    );
}

/// git removes the directories that are empty when it has packed.
#[test]
fn what_git_packs_before_its_directory_is_synced_was_moved_all_the_same() {
    let (dir, store, [a, b]) = repository();
    let path = dir.path().to_owned();
    let mover = stopped_before(&store, &["refs-sync"], move || {
        git(&path, &["pack-refs", "--all", "--prune"]);
        assert!(!path.join(SLUG).parent().unwrap().exists());
    });
    mover.apply(&[edit(SLUG, Expect::At(a), Some(b))]).unwrap();
    assert_eq!(store.get(SLUG).unwrap(), Some(b));
    assert_eq!(git(dir.path(), &["rev-parse", SLUG]), b.to_hex());
}

/// Somebody packs who read the ref's first value. It is replaced, and the new value cleared away.
#[test]
fn what_is_cleared_while_others_are_packed_shows_no_older_value() {
    let (dir, store, [a, b]) = repository();
    let (waiting, seen, tell) = Waiting::new();
    let packer = stopped_before(&store, READ, || waiting.wait());
    let (ended, end) = channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            packer.pack_refs().unwrap();
            // Who cleared away may have given up before.
            ended.send(()).ok();
        });
        seen.recv().unwrap();
        store.apply(&[edit(SLUG, Expect::At(a), Some(b))]).unwrap();
        // Whoever removes the file has looked at everything when the packing goes on.
        let clearer = stopped_before(&store, &["refs-write", "ref-delete"], move || {
            tell.send(()).unwrap();
            end.recv().unwrap();
        });
        clearer.clear(&[(SLUG.into(), b)]);
    });
    assert_ne!(store.get(SLUG).unwrap(), Some(a));
    store.clear(&[(SLUG.into(), b)]);
    assert_eq!(store.get(SLUG).unwrap(), None);
    assert_eq!(git(dir.path(), &["for-each-ref"]), "");
}

/// Whoever clears has seen its file, and finds neither that nor its directory.
#[test]
fn what_was_packed_while_it_is_cleared_goes_all_the_same() {
    let (dir, store, [a, b]) = repository();
    let other = "refs/heads/proposals/bert/moved";
    store
        .apply(&[edit(other, Expect::Absent, Some(b))])
        .unwrap();
    let log = dir.path().join("logs").join(SLUG);
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    fs::write(&log, "").unwrap();
    let packer = store.clone();
    let clearer = stopped_before(&store, &["refs-clear"], move || {
        assert_eq!(packer.pack_refs().unwrap(), 2);
    });
    clearer.clear(&[(SLUG.into(), a), (other.into(), a)]);
    assert_eq!(store.get(SLUG).unwrap(), None);
    assert!(!log.exists());
    assert_eq!(store.get(other).unwrap(), Some(b), "it points elsewhere");
    assert_eq!(
        git(dir.path(), &["for-each-ref", "--format=%(refname)"]),
        other
    );
}

#[test]
fn a_lock_that_a_git_left_is_waited_for_once_and_nothing_is_lost() {
    let (dir, store, [a, b]) = repository();
    let names: Vec<String> = (0..12).map(|n| format!("refs/heads/q/{n}")).collect();
    let make = |id: Oid, names: &[String]| {
        let edits: Vec<_> = names
            .iter()
            .map(|name| edit(name, Expect::Any, Some(id)))
            .collect();
        store.apply(&edits).unwrap();
    };
    make(a, &names);
    store.pack_refs().unwrap();
    make(b, &names[4..]);
    let lock = dir.path().join("packed-refs.lock");
    fs::write(&lock, "").unwrap();
    let before = git(dir.path(), &["for-each-ref"]);
    let mut gone: Vec<_> = names.iter().map(|name| (name.clone(), a)).collect();
    gone[4..].iter_mut().for_each(|one| one.1 = b);
    let begun = Instant::now();
    store.clear(&gone);
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(git(dir.path(), &["for-each-ref"]), before);
    assert_eq!(store.pack_refs().unwrap_err().code, Code::Busy);
    assert!(lock.exists(), "it may be somebody's");
    fs::remove_file(&lock).unwrap();
    store.clear(&gone);
    assert_eq!(
        git(dir.path(), &["for-each-ref", "--format=%(refname)"]),
        SLUG
    );
}

/// Changes refs that nobody else changes, and knows where each is.
struct Writer {
    store: GitStore,
    /// Never two of the same value for one ref: git itself cannot tell a ref that was deleted and made again while it packs.
    ids: Vec<Oid>,
    refs: Vec<(String, Option<Oid>)>,
    made: usize,
}

impl Writer {
    fn new(store: &GitStore, who: &str, ids: &[Oid]) -> Self {
        let refs = (0..3).map(|n| (format!("refs/heads/w/{who}/{n}"), None));
        Self {
            store: store.for_thread(),
            ids: ids.to_vec(),
            refs: refs.collect(),
            made: 0,
        }
    }

    /// Each ref is made, moved and made to go, in one way or the other.
    fn run(mut self, change: impl Fn(&GitStore, &str, Option<Oid>, Option<Oid>) -> bool) -> Self {
        for round in 0.. {
            for at in 0..self.refs.len() {
                let (name, now) = self.refs[at].clone();
                assert_eq!(self.store.get(&name).unwrap(), now, "{name}, round {round}");
                let new = match (round + at) % 3 {
                    2 if now.is_some() => None,
                    _ => match self.ids.pop() {
                        Some(id) => Some(id),
                        None => return self,
                    },
                };
                if change(&self.store, &name, now, new) {
                    self.refs[at].1 = new;
                    self.made += 1;
                }
            }
        }
        self
    }
}

fn by_apply(store: &GitStore, name: &str, now: Option<Oid>, new: Option<Oid>) -> bool {
    let expect = now.map_or(Expect::Absent, Expect::At);
    match store.apply(&[edit(name, expect, new)]) {
        Ok(()) => true,
        Err(fault) => {
            assert_eq!(fault.code, Code::Busy, "{fault}");
            false
        }
    }
}

fn by_clear(store: &GitStore, name: &str, now: Option<Oid>, new: Option<Oid>) -> bool {
    let (Some(now), None) = (now, new) else {
        return by_apply(store, name, now, new);
    };
    store.clear(&[(name.to_owned(), now)]);
    // It may stay for now, but not go and come back.
    store.get(name).unwrap().is_none()
}

fn by_git(dir: &Path, name: &str, now: Option<Oid>, new: Option<Oid>) -> bool {
    let zeros = "0".repeat(40);
    let now = now.map_or(zeros, |id| id.to_hex());
    let output = match new {
        Some(new) => git_output(dir, &["update-ref", name, &new.to_hex(), &now]),
        None => git_output(dir, &["update-ref", "-d", name, &now]),
    };
    output.status.success()
}

#[test]
fn what_the_dead_hold_is_cleared_by_whoever_was_at_work_before_they_died() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let [a, _] = two_commits(&store);
    let name = "refs/heads/some";
    store.apply(&[edit(name, Expect::Absent, Some(a))]).unwrap();
    let script = Script::new();
    let dead = lock::Lock::take(dir.path(), &dir.path().join(name), &script).unwrap();
    store.clear(&[(name.into(), a)]);
    assert_eq!(
        store.get(name).unwrap(),
        Some(a),
        "the living are respected"
    );
    script.fail_at(1);
    script.step("dying").unwrap_err();
    drop(dead);
    assert!(dir.path().join(name).with_extension("lock").exists());
    store.clear(&[(name.into(), a)]);
    assert_eq!(store.get(name).unwrap(), None);
    assert_eq!(git(dir.path(), &["for-each-ref"]), "");
}

#[test]
fn of_many_who_move_delete_clear_and_pack_nobody_loses_a_change() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let mut parent = None;
    let mut commits: Vec<Oid> = Vec::new();
    for n in 0..160 {
        let objects = commit_of(&store, parent, &[("n", &format!("{n}\n"))]);
        parent = objects.last().map(|last| last.0);
        commits.extend(parent);
        store.write_all(&objects).unwrap();
    }
    let mut share = commits.chunks(40);
    let mut writer = |who: &str| Writer::new(&store, who, share.next().unwrap());
    let (one, two, three, four) = (writer("a"), writer("b"), writer("c"), writer("d"));
    let writers: Vec<Writer> = std::thread::scope(|scope| {
        let path = dir.path();
        let git_too = |store: &GitStore, name: &str, now, new| {
            let _ = store;
            by_git(path, name, now, new)
        };
        let both = |store: &GitStore, name: &str, now: Option<Oid>, new: Option<Oid>| match new {
            None => by_git(path, name, now, new),
            Some(_) => by_apply(store, name, now, new),
        };
        let running = [
            scope.spawn(move || one.run(by_apply)),
            scope.spawn(move || two.run(by_clear)),
            scope.spawn(move || three.run(git_too)),
            scope.spawn(move || four.run(both)),
        ];
        let packer = store.for_thread();
        scope.spawn(move || {
            for _ in 0..40 {
                match packer.pack_refs() {
                    Ok(_) => {}
                    Err(fault) => assert_eq!(fault.code, Code::Busy, "{fault}"),
                }
            }
        });
        for _ in 0..20 {
            git_output(dir.path(), &["pack-refs", "--all", "--prune"]);
        }
        running.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let mut expected = Vec::new();
    for writer in writers {
        assert!(writer.made > 10, "only {} changes", writer.made);
        expected.extend(
            writer
                .refs
                .into_iter()
                .filter_map(|(name, at)| Some((name, at?))),
        );
    }
    expected.sort();
    assert_eq!(store.list("refs/").unwrap(), expected);
    let lines: Vec<String> = expected
        .iter()
        .map(|(name, id)| format!("{id} {name}"))
        .collect();
    let listed = git(
        dir.path(),
        &["for-each-ref", "--format=%(objectname) %(refname)"],
    );
    assert_eq!(listed.lines().collect::<Vec<_>>(), lines);
    git(dir.path(), &["fsck", "--strict"]);
    assert!(!dir.path().join("packed-refs.lock").exists());
    assert_eq!(
        fs::read_dir(dir.path().join("folio/locks"))
            .unwrap()
            .count(),
        0
    );
}

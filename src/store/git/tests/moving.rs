//! Refs that others move too, and those who die while they move them.

use super::*;
use crate::store::unnamed;

#[test]
fn a_lock_of_git_is_busy_and_a_lock_of_a_dead_folio_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let script = Script::new();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let [a, b] = two_commits(&store);
    let lock = dir.path().join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    let fault = store
        .apply(&[edit(MAIN, Expect::Absent, Some(a))])
        .unwrap_err();
    assert_eq!(fault.code, Code::Busy);
    assert!(lock.exists(), "it may be somebody's");
    fs::remove_file(&lock).unwrap();
    // A live Folio's lock is respected too.
    let held = lock::Lock::take(dir.path(), &dir.path().join(MAIN), &EveryStep).unwrap();
    assert_eq!(
        store
            .apply(&[edit(MAIN, Expect::Absent, Some(a))])
            .unwrap_err()
            .code,
        Code::Busy
    );
    drop(held);
    let dying = store.clone().with_steps(Arc::new(script.clone()));
    script.fail_at(2);
    dying
        .apply(&[edit(MAIN, Expect::Absent, Some(a))])
        .unwrap_err();
    assert!(lock.exists(), "the dead tidy nothing up");
    store.apply(&[edit(MAIN, Expect::Absent, Some(b))]).unwrap();
    assert_eq!(git(dir.path(), &["rev-parse", MAIN]), b.to_hex());
    let left = fs::read_dir(dir.path().join("folio/locks"))
        .unwrap()
        .count();
    assert_eq!(left, 0);
}

#[test]
fn whoever_begins_to_write_releases_what_the_dead_hold_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let [a, _] = two_commits(&store);
    let lock_of = |name: &str, steps| lock::Lock::take(dir.path(), &dir.path().join(name), steps);
    let script = Script::new();
    let dead = ["packed-refs", MAIN, "refs/heads/deep/er"];
    let dead = dead.map(|name| lock_of(name, &script).unwrap());
    script.fail_at(1);
    script.step("dying").unwrap_err();
    drop(dead);
    let held = lock_of("refs/heads/held", &EveryStep).unwrap();
    fs::write(dir.path().join("refs/heads/gits.lock"), "").unwrap();
    let update = |name: &str| {
        git_output(dir.path(), &["update-ref", name, &a.to_hex()])
            .status
            .success()
    };
    assert!(!update(MAIN));
    // The same process has begun already; another one begins.
    GitStore::open(dir.path()).unwrap().begin_writing().unwrap();
    assert!(update(MAIN) && update("refs/heads/deep/er"));
    git(dir.path(), &["pack-refs", "--all"]);
    assert!(!update("refs/heads/held") && !update("refs/heads/gits"));
    drop(held);
    assert!(update("refs/heads/held"));
    let left = fs::read_dir(dir.path().join("folio/locks"));
    assert_eq!(left.unwrap().count(), 0);
}

#[test]
fn an_apply_that_is_killed_at_any_step_leaves_whole_refs_and_can_be_run_again() {
    for packed in [false, true] {
        for n in 1.. {
            let dir = tempfile::tempdir().unwrap();
            let script = Script::new();
            let store = new_store(dir.path(), true, ObjectFormat::Sha256);
            let [a, b] = two_commits(&store);
            let gone = "refs/heads/gone";
            store
                .apply(&[
                    edit(MAIN, Expect::Absent, Some(a)),
                    edit(gone, Expect::Any, Some(a)),
                ])
                .unwrap();
            if packed {
                git(dir.path(), &["pack-refs", "--all", "--prune"]);
            }
            let dying = store.clone().with_steps(Arc::new(script.clone()));
            script.fail_at(n);
            let new = "refs/heads/new/one";
            let edits = [
                edit(new, Expect::Absent, Some(b)),
                edit(MAIN, Expect::At(a), Some(b)),
                edit(gone, Expect::At(a), None),
            ];
            let done = dying.apply(&edits).is_ok();
            script.revive();
            let state = (
                store.get(new).unwrap(),
                store.get(MAIN).unwrap(),
                store.get(gone).unwrap(),
            );
            let listed = git(dir.path(), &["for-each-ref", "--format=%(refname)"]);
            let orders = [
                (None, Some(a), Some(a)),
                (Some(b), Some(a), Some(a)),
                (Some(b), Some(b), Some(a)),
                (Some(b), Some(b), None),
            ];
            assert!(orders.contains(&state), "{n}: {state:?}");
            assert_eq!(listed.lines().count(), store.list("refs/").unwrap().len());
            // Again, from what is there now.
            let expect = |name: &str| store.get(name).unwrap().map_or(Expect::Absent, Expect::At);
            let again: Vec<RefEdit> = edits
                .iter()
                .map(|e| edit(&e.name, expect(&e.name), e.new))
                .collect();
            store.apply(&again).unwrap();
            assert_eq!(
                store.list("refs/").unwrap(),
                [(MAIN.to_owned(), b), (new.to_owned(), b)]
            );
            if done {
                assert!(n > 8, "{n} steps are too few");
                break;
            }
        }
    }
}

#[test]
fn of_many_writers_one_wins_each_round_and_git_is_one_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let objects: Vec<_> = (0..40).map(|n| object(&store, Kind::Blob, &[n])).collect();
    store.write_all(&objects).unwrap();
    let counter = "refs/counter/of-wins";
    store
        .apply(&[edit(counter, Expect::Absent, Some(objects[0].0))])
        .unwrap();
    let ids: Vec<Oid> = objects.iter().map(|(id, ..)| *id).collect();
    let wins: usize = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3)
            .map(|_| {
                let (store, ids) = (store.for_thread(), ids.clone());
                scope.spawn(move || {
                    let mut wins = 0;
                    loop {
                        let now = store.get(counter).unwrap().unwrap();
                        let at = ids.iter().position(|id| *id == now).unwrap();
                        let Some(next) = ids.get(at + 1) else {
                            return wins;
                        };
                        match store.apply(&[edit(counter, Expect::At(now), Some(*next))]) {
                            Ok(()) => wins += 1,
                            Err(fault) => assert!(
                                matches!(fault.code, Code::RaceLost | Code::Busy),
                                "{fault}"
                            ),
                        }
                    }
                })
            })
            .collect();
        for _ in 0..10 {
            git_output(dir.path(), &["pack-refs", "--all", "--prune"]);
        }
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    });
    assert_eq!(wins, 39);
}

#[test]
fn what_was_foretold_is_taken_where_it_fits_and_goes_where_it_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let [a, b] = two_commits(&store);
    let left = || fs::read_dir(dir.path().join("folio/locks")).map_or(0, Iterator::count);
    let foretell = |id| unnamed::settle(vec![store.foretell(MAIN, id).unwrap()]).unwrap();
    let main = || store.get(MAIN).unwrap();
    foretell(a);
    assert_eq!((main(), left()), (None, 1), "nothing comes of it by itself");
    let first = edit(MAIN, Expect::Absent, Some(a));
    store.apply(&[first]).unwrap();
    assert_eq!((main(), left()), (Some(a), 0));
    // Another value than was foretold, and another than was expected.
    foretell(a);
    store.apply(&[edit(MAIN, Expect::At(a), Some(b))]).unwrap();
    assert_eq!(main(), Some(b));
    foretell(a);
    let refused = store.apply(&[edit(MAIN, Expect::At(a), Some(a))]);
    assert_eq!(refused.unwrap_err().code, Code::RaceLost);
    assert_eq!((main(), left()), (Some(b), 0));
    // A lock of git's is waited for, and one of the dead is taken, as ever.
    foretell(a);
    let lock = dir.path().join(MAIN).with_extension("lock");
    fs::write(&lock, "").unwrap();
    let refused = store.apply(&[edit(MAIN, Expect::At(b), Some(a))]);
    assert_eq!(refused.unwrap_err().code, Code::Busy);
    fs::remove_file(&lock).unwrap();
    foretell(a);
    let script = Script::new();
    script.fail_at(1);
    script.step("dying").unwrap_err();
    drop(lock::Lock::take(dir.path(), &dir.path().join(MAIN), &script).unwrap());
    assert!(lock.exists());
    store.apply(&[edit(MAIN, Expect::At(b), Some(a))]).unwrap();
    assert_eq!(
        (git(dir.path(), &["rev-parse", MAIN]), left()),
        (a.to_hex(), 0)
    );
    foretell(b);
    drop(store);
    assert_eq!(
        fs::read_dir(dir.path().join("folio/locks"))
            .unwrap()
            .count(),
        0
    );
}

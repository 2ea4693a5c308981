//! Killed at every step of founding, proposing and accepting: what was acknowledged is there, what was
//! not can be done again, and git finds nothing wrong.

mod common;

use common::disk::{self, accept, accept_later, copy, mortal, sound, space_in};
use common::{TestSpace, payloads, repo};
use folio::journal::Fault;
use folio::journal::refs::MAIN;
use folio::model::{Code, Number, ObjectFormat, Oid, ProposalDigest, SpaceId};
use folio::store::{Faulty, GitStore, MemoryStore, Refs, Script};
use std::path::Path;

const FORMAT: ObjectFormat = ObjectFormat::Sha1;
/// More steps than any operation here has: the loops below end by success, not by this.
const ENDLESS: u64 = 200;

type Made = (Oid, ProposalDigest);

/// A founded space on disk, with three proposals on one base of which the second finds the first in its
/// place.
struct Queue {
    dir: tempfile::TempDir,
    id: SpaceId,
    made: Vec<Made>,
}

fn new_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    GitStore::init(dir.path(), true, FORMAT, &[]).unwrap();
    dir
}

fn propose(
    space: &TestSpace<impl folio::store::Store + Clone + Send>,
    which: usize,
) -> Result<Made, Fault> {
    let (author, slug, line) = [
        (
            &space.alice,
            "one",
            r#"{"op":"alias.set","alias":"x","target":"a"}"#,
        ),
        (
            &space.bob,
            "two",
            r#"{"op":"alias.set","alias":"x","target":"b"}"#,
        ),
        (
            &space.bob,
            "three",
            r#"{"op":"alias.set","alias":"y","target":"c"}"#,
        ),
    ][which];
    space.propose(author, slug, &[line])
}

fn queue(waiting: usize) -> Queue {
    let dir = new_dir();
    let space = TestSpace::found(GitStore::open(dir.path()).unwrap()).unwrap();
    let made = (0..waiting)
        .map(|which| propose(&space, which).unwrap())
        .collect();
    Queue {
        id: space.id,
        dir,
        made,
    }
}

/// Every acknowledged proposal is on a branch or numbered; how many are numbered.
fn kept(dir: &Path, id: SpaceId, made: &[Made]) -> usize {
    let space = sound(dir, id);
    let branches = space.store.list("refs/heads/proposals/").unwrap();
    let mut numbered = 0;
    let tip = space.tip();
    let mut pages = vec![tip];
    while let Some(previous) = pages.last().unwrap().previous() {
        pages.push(folio::journal::Page::read(&space.store, previous).unwrap());
    }
    for (commit, digest) in made {
        let found = pages
            .iter()
            .filter(|page| page.message.proposal == *digest)
            .count();
        let waits = branches.iter().any(|(_, at)| at == commit);
        assert!(
            found == 1 || (found == 0 && waits),
            "{digest} is numbered {found} times, waits: {waits}"
        );
        numbered += found;
    }
    numbered
}

#[test]
fn founding_may_be_killed_anywhere() {
    for n in 1..ENDLESS {
        let dir = new_dir();
        let script = Script::new();
        let store = mortal(dir.path(), &script);
        script.fail_at(n);
        let founded = TestSpace::found(store);
        let died = script.is_dead();
        assert_eq!(founded.is_err(), died, "step {n}");
        script.revive();
        repo::fsck(dir.path());
        let store = mortal(dir.path(), &script);
        if store.get(MAIN).unwrap().is_none() {
            assert!(died);
            TestSpace::found(store).unwrap();
        }
        let space = Space::id(dir.path());
        assert_eq!(sound(dir.path(), space).verify().unwrap(), Number(1));
        if !died {
            assert!(n > 8, "only {n} steps");
            return;
        }
    }
    panic!("founding never passes");
}

/// Reads the id that `main` names.
struct Space;

impl Space {
    fn id(dir: &Path) -> SpaceId {
        let store = GitStore::open(dir).unwrap();
        folio::journal::Space::open(&store).unwrap().id
    }
}

#[test]
fn proposing_may_be_killed_anywhere() {
    let before = queue(1);
    for n in 1..ENDLESS {
        let dir = tempfile::tempdir().unwrap();
        copy(before.dir.path(), dir.path());
        let script = Script::new();
        let space = space_in(mortal(dir.path(), &script), before.id);
        script.fail_at(n);
        let said = propose(&space, 2);
        let died = script.is_dead();
        assert_eq!(said.is_err(), died, "step {n}");
        script.revive();
        let mut made = before.made.clone();
        made.extend(said.ok());
        assert_eq!(kept(dir.path(), before.id, &made), 0);
        // The same words again make the same proposal, whether or not it was made before.
        let again = propose(&space_in(mortal(dir.path(), &script), before.id), 2).unwrap();
        made.push(again);
        assert_eq!(kept(dir.path(), before.id, &made), 0);
        if !died {
            assert_eq!(made[1], made[2]);
            assert!(n > 8, "only {n} steps");
            return;
        }
    }
    panic!("proposing never passes");
}

#[test]
fn accepting_may_be_killed_anywhere() {
    accepting_is_killed(&queue(3));
}

#[test]
fn accepting_what_is_packed_may_be_killed_anywhere() {
    let before = queue(3);
    let store = GitStore::open(before.dir.path()).unwrap();
    assert_eq!(store.pack_refs().unwrap(), 3);
    accepting_is_killed(&before);
}

fn accepting_is_killed(before: &Queue) {
    let mut ends = [0; 3];
    for n in 1..ENDLESS {
        let dir = tempfile::tempdir().unwrap();
        copy(before.dir.path(), dir.path());
        let script = Script::new();
        let store = mortal(dir.path(), &script);
        script.fail_at(n);
        let said = accept(&store, FORMAT);
        let died = script.is_dead();
        // Once the pages are published, what cannot be tidied up is left to the next run.
        assert!(said.is_ok() || died, "step {n}: {said:?}");
        script.revive();
        let numbered = kept(dir.path(), before.id, &before.made);
        assert!(numbered == 0 || numbered == 2, "both or none: {numbered}");
        if let Ok(report) = &said {
            assert_eq!(report.numbered.len(), numbered, "step {n}");
        }
        let memory = dir.path().join("folio/signed");
        payloads::never_two(dir.path(), &memory);
        // At another time other bytes would be signed.
        let report = accept_later(&mortal(dir.path(), &script), FORMAT, n).unwrap();
        assert_eq!(payloads::never_two(dir.path(), &memory), 3, "step {n}");
        assert_eq!(report.numbered.len(), 2 - numbered, "step {n}");
        assert_eq!(report.refused.len(), 1);
        assert_eq!(report.refused[0].1.code, Code::Stale);
        assert!(report.invalid.is_empty());
        let space = sound(dir.path(), before.id);
        assert_eq!(space.tip().number(), Number(3));
        let left = space.store.list("refs/heads/proposals/").unwrap();
        assert_eq!(left.len(), 1, "step {n}: only the stale one waits");
        ends[match (died, numbered) {
            (true, 0) => 0,
            (true, _) => 1,
            _ => 2,
        }] += 1;
        if !died {
            assert!(
                ends[0] > 5 && ends[1] > 2,
                "killed before and after publishing: {ends:?}"
            );
            return;
        }
    }
    panic!("accepting never passes");
}

/// The change is made and the answer lost: the caller is told of a failure, and finds it done.
#[test]
fn an_answer_may_be_lost() {
    let queue = queue(3);
    let script = Script::new();
    let store = mortal(queue.dir.path(), &script);
    let last = |script: &Script, name: &str| {
        let at = script.taken().iter().position(|step| *step == name);
        at.unwrap_or_else(|| panic!("no step {name} in {:?}", script.taken())) as u64 + 1
    };
    // Where that step is, found out on a copy.
    let dir = tempfile::tempdir().unwrap();
    copy(queue.dir.path(), dir.path());
    let watched = Script::new();
    accept(&mortal(dir.path(), &watched), FORMAT).unwrap();
    script.fail_at(last(&watched, "refs-applied"));
    let lost = accept(&store, FORMAT).unwrap_err();
    assert_eq!(lost.code, Code::Io);
    script.revive();
    assert_eq!(kept(queue.dir.path(), queue.id, &queue.made), 2);
    let report = accept(&mortal(queue.dir.path(), &script), FORMAT).unwrap();
    assert_eq!(
        (
            report.numbered.len(),
            report.already.len(),
            report.refused.len()
        ),
        (0, 2, 1)
    );
    let numbers: Vec<_> = report.already.iter().map(|(_, number)| number.0).collect();
    assert_eq!(numbers, [2, 3]);
}

#[test]
fn in_memory_too() {
    let store = MemoryStore::new(FORMAT);
    let script = Script::new();
    let mut done = false;
    for n in 1..ENDLESS {
        let mortal = Faulty::new(store.clone(), script.clone());
        script.fail_at(n);
        let founded = TestSpace::found(mortal.clone());
        let died = script.is_dead();
        script.revive();
        done = mortal.get(MAIN).unwrap().is_some();
        assert_eq!(founded.is_ok(), !died);
        if done {
            break;
        }
    }
    assert!(done);
    let id = folio::journal::Space::open(&store).unwrap().id;
    let whole = space_in(store.clone(), id);
    for which in 0..3 {
        propose(&whole, which).unwrap();
    }
    for n in 1..ENDLESS {
        let mut space = space_in(Faulty::new(store.clone(), script.clone()), id);
        script.fail_at(n);
        let said = space.accept_all();
        let died = script.is_dead();
        script.revive();
        let space = disk::space_in(store.clone(), id);
        let tip = space.verify().unwrap();
        assert!(tip == Number(1) || tip == Number(3), "{tip}");
        if !died {
            assert!(said.is_ok() && tip == Number(3));
            return;
        }
    }
    panic!("accepting never passes");
}

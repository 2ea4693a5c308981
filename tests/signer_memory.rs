//! What a key signed is remembered before it goes anywhere: the same bytes may be published later, others
//! never, and a repository that was put back to an older state is told so.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::disk::{copy, mortal};
use common::payloads::never_two;
use common::{DATE, TestSpace, when};
use folio::crypto::Sign as _;
use folio::journal::accept::{self, Report, Witness};
use folio::journal::memory::{Hand, Mark, SignerMemory as _, compare_shown};
use folio::journal::propose::When;
use folio::journal::refs::MAIN;
use folio::journal::{Fault, Page, Space};
use folio::model::{Code, Number, ObjectFormat, Oid};
use folio::store::{
    Expect, GitStore, Index, Objects as _, RefEdit, Refs as _, Script, SignedPages,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A space on disk with the memory of its witness, and a place outside of it.
struct Desk {
    home: tempfile::TempDir,
    /// Seconds since everything began: nothing is ever signed twice in the same bytes by chance.
    now: std::cell::Cell<u64>,
}

impl Desk {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let now = std::cell::Cell::new(0);
        let this = Self { home, now };
        let store = GitStore::init(&this.repo(), true, ObjectFormat::Sha1, &[]).unwrap();
        TestSpace::found(store).unwrap();
        this
    }

    fn repo(&self) -> PathBuf {
        self.home.path().join("repo")
    }

    fn outside(&self) -> PathBuf {
        self.home.path().join("outside")
    }

    fn space(&self) -> TestSpace<GitStore> {
        TestSpace::reopen(GitStore::open(&self.repo()).unwrap())
    }

    /// Puts so many proposals on branches.
    fn propose(&self, names: &[&str]) {
        let space = self.space();
        for name in names {
            let line = format!(r#"{{"op":"alias.set","alias":"{name}","target":"t"}}"#);
            space.propose(&space.alice, name, &[&line]).unwrap();
        }
    }

    fn memory(&self) -> SignedPages {
        SignedPages::new(&self.repo().join("folio"), Some(self.outside()))
    }

    fn hand(&self) -> Hand {
        let space = self.space();
        Hand {
            space: space.id,
            key: space.wanda.key.public_key(),
        }
    }

    fn highest(&self) -> Option<Mark> {
        self.memory().recall(&self.hand()).unwrap().highest
    }

    /// Numbers everything, in a process that dies where the script says.
    fn accept_by(&self, script: &Script) -> Result<Report, Fault> {
        self.now.set(self.now.get() + 1);
        let store = mortal(&self.repo(), script);
        let mut index = Index::open(&self.repo().join("folio"), ObjectFormat::Sha1)?;
        let space = Space::open(&store)?;
        let wanda = common::Actor::new("wanda");
        let memory = self.memory().with_steps(Arc::new(script.clone()));
        let witness = Witness {
            signer: &wanda.key,
            when: When {
                seconds: DATE + self.now.get(),
                ..when()
            },
            memory: &memory,
        };
        accept::accept(&space, &mut index, &witness, &|_| true, &mut |_, _| Ok(()))
    }

    fn accept(&self) -> Result<Report, Fault> {
        self.accept_by(&Script::new())
    }

    /// Accepts and dies before the n-th step of that name.
    fn die_at(&self, step: &str, nth: usize) {
        let copy_of = tempfile::tempdir().unwrap();
        copy(self.home.path(), copy_of.path());
        let watched = Script::new();
        let twin = Self {
            home: copy_of,
            now: self.now.clone(),
        };
        twin.accept_by(&watched).unwrap();
        let taken = watched.taken();
        let mut at = taken.iter().enumerate().filter(|(_, name)| **name == step);
        let (at, _) = at.nth(nth).unwrap_or_else(|| panic!("{step} in {taken:?}"));
        let script = Script::new();
        script.fail_at(at as u64 + 1);
        self.accept_by(&script).unwrap_err();
    }

    fn tip(&self) -> Page {
        self.space().tip()
    }

    /// Moves `main` as an administrator can.
    fn move_main(&self, to: Oid) {
        let edit = RefEdit {
            name: MAIN.into(),
            expect: Expect::Any,
            new: Some(to),
            message: "by hand".into(),
        };
        self.space().store.apply(&[edit]).unwrap();
    }

    fn sound(&self) -> usize {
        common::repo::fsck(&self.repo());
        self.space().verify().unwrap();
        never_two(&self.repo(), &self.repo().join("folio/signed"))
    }
}

fn numbers(report: &Report) -> Vec<u64> {
    report.numbered.iter().map(|page| page.number.0).collect()
}

/// The first two writes are what is learned from `main` and its copy; the batch is the third.
const BATCH_WRITTEN: (&str, usize) = ("memory-written", 2);

#[test]
fn a_crash_between_memory_and_objects_publishes_the_same_bytes() {
    let desk = Desk::new();
    desk.propose(&["x", "y"]);
    desk.die_at(BATCH_WRITTEN.0, BATCH_WRITTEN.1);
    assert_eq!(desk.tip().number(), Number(1));
    let signed = desk.highest().unwrap();
    assert_eq!(signed.number, Number(3));
    assert!(desk.space().store.header(&signed.commit).unwrap().is_none());
    // The batch is published whole and reported, with what came meanwhile behind it.
    desk.propose(&["z"]);
    let report = desk.accept().unwrap();
    assert_eq!(numbers(&report), [2, 3, 4]);
    assert!(report.already.is_empty());
    assert_eq!(report.numbered[1].commit, signed.commit);
    let mut branches: Vec<_> = report.numbered.iter().map(|page| &page.branch).collect();
    branches.sort();
    assert_eq!(branches[0], "refs/heads/proposals/alice/x");
    assert!(
        desk.space()
            .store
            .list("refs/heads/proposals/")
            .unwrap()
            .is_empty()
    );
    assert_eq!(desk.sound(), 4);
}

#[test]
fn a_crash_between_objects_and_publishing_publishes_the_same_bytes() {
    let desk = Desk::new();
    desk.propose(&["x", "y"]);
    desk.die_at("refs-apply", 0);
    let signed = desk.highest().unwrap();
    assert!(desk.space().store.header(&signed.commit).unwrap().is_some());
    assert_eq!(desk.tip().number(), Number(1));
    assert_eq!(numbers(&desk.accept().unwrap()), [2, 3]);
    assert_eq!(desk.tip().id, signed.commit);
    assert_eq!(desk.sound(), 3);
}

#[test]
fn a_crash_after_publishing_leaves_nothing_to_publish() {
    let desk = Desk::new();
    desk.propose(&["x", "y"]);
    desk.die_at("refs-applied", 0);
    let tip = desk.tip();
    assert_eq!(tip.number(), Number(3));
    let report = desk.accept().unwrap();
    assert_eq!((report.numbered.len(), report.already.len()), (0, 2));
    assert_eq!(desk.tip().id, tip.id);
    assert_eq!(desk.sound(), 3);
}

#[test]
fn pages_are_published_although_their_branches_are_gone_and_named_when_their_objects_are() {
    let desk = Desk::new();
    desk.propose(&["x"]);
    desk.die_at(BATCH_WRITTEN.0, BATCH_WRITTEN.1);
    let backup = tempfile::tempdir().unwrap();
    copy(desk.home.path(), backup.path());
    let store = desk.space().store;
    let (name, commit) = store.list("refs/heads/proposals/").unwrap().remove(0);
    let edit = RefEdit {
        name,
        expect: Expect::At(commit),
        new: None,
        message: String::new(),
    };
    store.apply(&[edit]).unwrap();
    drop(store);
    // The author took the branch back, the objects are here still.
    let twin = Desk {
        home: tempfile::tempdir().unwrap(),
        now: desk.now.clone(),
    };
    copy(desk.home.path(), twin.home.path());
    let report = twin.accept().unwrap();
    assert_eq!(numbers(&report), [2]);
    assert_eq!(report.numbered[0].branch, commit.to_hex());
    assert_eq!(twin.sound(), 2);
    // Collected: it is said what is missing, and nothing else is numbered in its place.
    common::repo::git(&desk.repo(), &["repack", "-adq"], b"");
    common::repo::git(&desk.repo(), &["prune", "--expire=now"], b"");
    desk.propose(&["z"]);
    let fault = desk.accept().unwrap_err();
    assert_eq!(fault.code, Code::ObjectMissing);
    assert_eq!(fault.number, Some(Number(2)));
    assert!(fault.what.contains("signed before"), "{fault}");
    assert_eq!(desk.tip().number(), Number(1));
    assert_eq!(desk.sound(), 2);
}

#[test]
fn the_rest_of_a_batch_is_published_where_main_has_its_beginning() {
    let desk = Desk::new();
    desk.propose(&["x", "y", "z"]);
    desk.accept().unwrap();
    let last = desk.tip();
    let store = desk.space().store;
    let middle = Page::read(&store, last.previous().unwrap()).unwrap();
    desk.move_main(middle.id);
    assert_eq!(numbers(&desk.accept().unwrap()), [4]);
    assert_eq!(desk.tip().id, last.id);
    assert_eq!(desk.sound(), 4);
}

/// `main` got another page in the place of the one that was signed: as when somebody else holds the same key.
#[test]
fn a_batch_that_main_went_past_is_kept_as_lost_and_its_numbers_stay_refused() {
    let desk = Desk::new();
    desk.propose(&["x", "y"]);
    desk.die_at(BATCH_WRITTEN.0, BATCH_WRITTEN.1);
    let signed = desk.highest().unwrap();
    // Another machine with the same key, which knows nothing.
    let mut other = desk.space();
    let space = Space::open(&other.store).unwrap();
    let witness = Witness {
        signer: &other.wanda.key,
        when: when(),
        memory: &*other.memory,
    };
    let only_x = &|entry: &folio::journal::queue::Entry| match entry {
        folio::journal::queue::Entry::Authentic(candidate) => candidate.branch.name.ends_with("/x"),
        folio::journal::queue::Entry::Invalid { .. } => false,
    };
    accept::accept(&space, &mut other.index, &witness, only_x, &mut |_, _| {
        Ok(())
    })
    .unwrap();
    drop(other);
    let tip = desk.tip();
    assert_eq!(tip.number(), Number(2));
    for _ in 0..2 {
        let fault = desk.accept().unwrap_err();
        assert_eq!(fault.code, Code::AlreadySigned, "{fault}");
        assert!(fault.what.contains(&signed.commit.to_hex()), "{fault}");
        assert_eq!(desk.tip().id, tip.id);
        let recalled = desk.memory().recall(&desk.hand()).unwrap();
        assert_eq!(recalled.lost, [signed.commit]);
        assert!(recalled.batches.is_empty());
        assert_eq!(recalled.highest, Some(signed));
    }
}

/// The whole machine was put back but for what lies outside of the repository.
#[test]
fn a_restored_backup_is_caught_by_the_memory_outside() {
    let desk = Desk::new();
    desk.propose(&["x"]);
    desk.accept().unwrap();
    let backup = tempfile::tempdir().unwrap();
    copy(&desk.repo(), backup.path());
    desk.propose(&["y"]);
    desk.accept().unwrap();
    let newest = tempfile::tempdir().unwrap();
    copy(&desk.repo(), newest.path());
    std::fs::remove_dir_all(desk.repo()).unwrap();
    copy(backup.path(), &desk.repo());
    desk.propose(&["z"]);
    let fault = desk.accept().unwrap_err();
    assert_eq!(fault.code, Code::RestoredBackup);
    assert!(fault.what.contains("common@3"), "{fault}");
    assert!(fault.what.contains("ends at common@2"), "{fault}");
    assert_eq!(
        never_two(&desk.repo(), &desk.repo().join("folio/signed")),
        2
    );
    // Somebody else has what is missing: then it goes on.
    let from = newest.path().to_str().unwrap();
    common::repo::git(&desk.repo(), &["fetch", "-q", from, "main:main"], b"");
    assert_eq!(numbers(&desk.accept().unwrap()), [4]);
    assert_eq!(desk.sound(), 4);
}

/// Only git's part was put back: the memory in the repository publishes what it has, or says what it lacks.
#[test]
fn a_rewound_main_is_caught_by_the_memory_inside() {
    let desk = Desk::new();
    let first = desk.tip();
    for name in ["x", "y"] {
        desk.propose(&[name]);
        desk.accept().unwrap();
    }
    let last = desk.tip();
    std::fs::remove_dir_all(desk.outside()).unwrap();
    desk.move_main(first.id);
    desk.propose(&["z"]);
    assert_eq!(desk.accept().unwrap_err().code, Code::RestoredBackup);
    desk.move_main(last.previous().unwrap());
    // The page that was signed last is here: it comes back as it was, and z behind it.
    assert_eq!(numbers(&desk.accept().unwrap()), [3, 4]);
    assert_eq!(desk.tip().previous(), Some(last.id));
    assert_eq!(desk.sound(), 4);
}

#[test]
fn a_page_that_somebody_shows_is_compared_with_the_memory() {
    let desk = Desk::new();
    desk.propose(&["x"]);
    desk.accept().unwrap();
    let (hand, known) = (desk.hand(), desk.highest());
    desk.propose(&["y"]);
    desk.accept().unwrap();
    let newest = desk.tip();
    assert_eq!(
        compare_shown(&hand, desk.highest().as_ref(), &newest),
        Ok(())
    );
    // A memory from before it was signed, or none at all.
    for old in [known.as_ref(), None] {
        let fault = compare_shown(&hand, old, &newest).unwrap_err();
        assert_eq!(fault.code, Code::RestoredBackup);
        assert_eq!(fault.number, Some(Number(3)));
    }
    // Pages of other keys are none of its business.
    let alice = Hand {
        key: desk.space().alice.key.public_key(),
        ..hand
    };
    assert_eq!(compare_shown(&alice, None, &newest), Ok(()));
    // Another page of this key with the same number.
    let mut own = desk.highest().unwrap();
    own.commit = newest.previous().unwrap();
    let fault = compare_shown(&hand, Some(&own), &newest).unwrap_err();
    assert_eq!(fault.code, Code::AlreadySigned);
}

/// A new machine, or the folder deleted: what `main` shows is where it begins.
#[test]
fn without_a_memory_it_begins_from_main() {
    let desk = Desk::new();
    desk.propose(&["x"]);
    desk.accept().unwrap();
    std::fs::remove_dir_all(desk.repo().join("folio")).unwrap();
    std::fs::remove_dir_all(desk.outside()).unwrap();
    assert_eq!(desk.highest(), None);
    desk.accept().unwrap();
    assert_eq!(desk.highest().map(|mark| mark.commit), Some(desk.tip().id));
    desk.propose(&["y"]);
    assert_eq!(numbers(&desk.accept().unwrap()), [3]);
    assert_eq!(desk.sound(), 3);
}

/// Two copies of one repository number on, and a program that copies files puts the memory of the second
/// into that of the first: files with names of their own come over, others under such a name as those programs
/// make.
fn merged_copies(in_the_second: &[&str]) -> (Desk, Mark) {
    let desk = Desk::new();
    desk.propose(&["x"]);
    desk.accept().unwrap();
    let other = Desk {
        home: tempfile::tempdir().unwrap(),
        now: std::cell::Cell::new(1000),
    };
    copy(desk.home.path(), other.home.path());
    desk.propose(&["y"]);
    desk.accept().unwrap();
    for name in in_the_second {
        other.propose(&[name]);
        other.accept().unwrap();
    }
    let place = |desk: &Desk| {
        let dirs = std::fs::read_dir(desk.repo().join("folio/signed")).unwrap();
        let mut dirs = dirs.map(|entry| entry.unwrap().path());
        dirs.find(|path| path.is_dir()).unwrap()
    };
    for entry in std::fs::read_dir(place(&other)).unwrap() {
        let from = entry.unwrap().path();
        let mut to = place(&desk).join(from.file_name().unwrap());
        if to.exists() {
            to.set_extension("sync-conflict-1");
        }
        std::fs::copy(from, to).unwrap();
    }
    let highest = other.highest().unwrap();
    (desk, highest)
}

#[test]
fn merged_copies_have_the_height_of_the_higher_one() {
    let (desk, higher) = merged_copies(&["u", "v"]);
    assert_eq!(higher.number, Number(4));
    assert_eq!(desk.highest(), Some(higher));
    desk.propose(&["z"]);
    for _ in 0..2 {
        let fault = desk.accept().unwrap_err();
        assert_eq!(fault.code, Code::AlreadySigned);
        assert_eq!(desk.tip().number(), Number(3));
        assert_eq!(desk.highest(), Some(higher));
    }
}

#[test]
fn of_two_pages_with_one_number_in_merged_copies_neither_is_published() {
    let (desk, other) = merged_copies(&["u"]);
    let tip = desk.tip();
    assert_eq!(other.number, tip.number());
    assert_ne!(other.commit, tip.id);
    let before = tip.previous().unwrap();
    desk.move_main(before);
    let fault = desk.accept().unwrap_err();
    assert_eq!(fault.code, Code::AlreadySigned);
    assert!(fault.what.contains(&other.commit.to_hex()), "{fault}");
    assert!(fault.what.contains(&tip.id.to_hex()), "{fault}");
    assert_eq!(desk.tip().id, before);
}

#[test]
fn a_damaged_memory_is_not_taken_for_an_empty_one() {
    let desk = Desk::new();
    desk.propose(&["x"]);
    desk.accept().unwrap();
    fn every_highest(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                every_highest(&path, found);
            } else if path.ends_with("highest") {
                found.push(path);
            }
        }
    }
    let mut files = Vec::new();
    every_highest(&desk.home.path().join("repo/folio"), &mut files);
    every_highest(&desk.outside(), &mut files);
    assert_eq!(files.len(), 2);
    for file in files {
        let whole = std::fs::read(&file).unwrap();
        for bytes in [&b""[..], &whole[..20], &whole[..whole.len() - 9], b"0 0"] {
            std::fs::remove_file(&file).unwrap();
            std::fs::write(&file, bytes).unwrap();
            assert_eq!(desk.accept().unwrap_err().code, Code::ObjectDamaged);
        }
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, &whole).unwrap();
        desk.accept().unwrap();
    }
}

#[test]
fn what_a_crash_left_half_written_is_cleared_away() {
    let desk = Desk::new();
    desk.propose(&["x"]);
    // Before the batch gets its name: nobody has seen what was signed.
    desk.die_at("memory-rename", 2);
    assert_eq!(desk.highest().unwrap().number, Number(1));
    // The batch, its height outside, and the pack with its index: all were written, and none has its name.
    let left = half_written(desk.home.path());
    assert_eq!(left.len(), 4, "{left:?}");
    assert_eq!(numbers(&desk.accept().unwrap()), [2]);
    assert_eq!(desk.sound(), 2);
    let left = half_written(desk.home.path());
    let packs = |path: &PathBuf| path.parent().unwrap().ends_with("objects/pack");
    assert!(left.len() == 2 && left.iter().all(packs), "{left:?}");
}

/// Files that a dead process was about to give a name.
fn half_written(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(half_written(&entry.path()));
        } else if entry.file_name().to_string_lossy().starts_with("tmp_") {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn a_crash_between_the_batch_and_its_height_outside_publishes_the_same_bytes() {
    let desk = Desk::new();
    desk.propose(&["x", "y"]);
    desk.die_at("memory-rename", 3);
    let signed = desk.highest().unwrap();
    assert_eq!(signed.number, Number(3));
    assert!(desk.space().store.header(&signed.commit).unwrap().is_none());
    assert_eq!(numbers(&desk.accept().unwrap()), [2, 3]);
    assert_eq!(desk.tip().id, signed.commit);
    assert_eq!(desk.sound(), 3);
}

/// Where nobody has the missing pages any more: a new epoch is above everything of the one before.
#[test]
fn a_new_epoch_goes_on_where_the_pages_of_the_old_one_are_gone() {
    let desk = Desk::new();
    let space = desk.space();
    let allow = r#"{"op":"policy.set","approvals":[],"prefix":"","roles":["witness"],"scope":"pen.take","self_approval":false,"tier":"witness"}"#;
    space.propose(&space.alice, "allow", &[allow]).unwrap();
    desk.accept().unwrap();
    let backup = tempfile::tempdir().unwrap();
    copy(&desk.repo(), backup.path());
    for name in ["x", "y"] {
        desk.propose(&[name]);
        desk.accept().unwrap();
    }
    std::fs::remove_dir_all(desk.repo()).unwrap();
    copy(backup.path(), &desk.repo());
    desk.propose(&["z"]);
    assert_eq!(desk.accept().unwrap_err().code, Code::RestoredBackup);
    let space = desk.space();
    let take = format!(
        r#"{{"op":"pen.take","after":"{}","epoch":2,"from":"held","key":"{}","member":"wanda"}}"#,
        space.tip().message.chain.to_hex(),
        space.wanda.key.public_key()
    );
    space.propose(&space.wanda, "take", &[&take]).unwrap();
    assert_eq!(numbers(&desk.accept().unwrap()), [3, 4]);
    let highest = desk.highest().unwrap();
    assert_eq!((highest.epoch.0, highest.number.0), (2, 4));
    assert_eq!(highest.commit, desk.tip().id);
    desk.sound();
}

mod left;
mod wide;

use super::*;
use crate::model::{Code, ObjectFormat};
use crate::store::disk::sync_dir;
use crate::store::git::packs::{PackFile, PackIndex, packs};
use crate::store::testing::{FORMATS, commit_of, git, git_output, new_store, object};
use crate::store::{EveryStep, Expect, Kind, Objects as _, RefEdit, Refs as _, Script};
use std::fs;

/// Later than every file of these tests.
const NOW: u64 = 4_000_000_000;
const DAY: u64 = 86_400;

fn terms<'a>(grace: u64, now: u64, steps: &'a dyn Steps) -> Terms<'a> {
    Terms {
        grace,
        now,
        steps,
        git: crate::remote::require_git().unwrap(),
        tell: &|_| {},
    }
}

fn gc(dir: &Path, grace: u64, now: u64) -> Report {
    try_gc(dir, &terms(grace, now, &EveryStep)).unwrap()
}

fn try_gc(dir: &Path, terms: &Terms<'_>) -> Result<Report, StoreFault> {
    let store = GitStore::open(dir)?.for_collecting();
    let turn = Collecting::begin(store.common_dir())?;
    run(&store, &turn, terms)
}

/// Writes a commit with one file on top of another; a ref names it, if asked for.
fn commit(dir: &Path, parent: Option<Oid>, words: &str, name: Option<&str>) -> Oid {
    let store = GitStore::open(dir).unwrap();
    let objects = commit_of(&store, parent, &[("file", words)]);
    store.write_all(&objects).unwrap();
    let id = objects.last().unwrap().0;
    if let Some(name) = name {
        set(dir, name, Some(id));
    }
    id
}

fn set(dir: &Path, name: &str, new: Option<Oid>) {
    let edit = RefEdit {
        name: name.to_owned(),
        expect: Expect::Any,
        new,
        message: "x".into(),
    };
    GitStore::open(dir).unwrap().apply(&[edit]).unwrap();
}

fn has(dir: &Path, id: &Oid) -> bool {
    GitStore::open(dir).unwrap().header(id).unwrap().is_some()
}

/// Every object of a commit can be read, and git finds nothing wrong.
#[track_caller]
fn whole(dir: &Path, id: &Oid) {
    let listed = git(dir, &["rev-list", "--objects", &id.to_hex()]);
    let store = GitStore::open(dir).unwrap();
    for line in listed.lines() {
        let id: Oid = line.split(' ').next().unwrap().parse().unwrap();
        assert!(store.header(&id).unwrap().is_some(), "{id} is gone");
    }
    fsck(dir);
}

#[track_caller]
fn fsck(dir: &Path) {
    let output = git_output(dir, &["fsck", "--full", "--strict", "--no-dangling"]);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    for word in ["error", "missing", "broken", "corrupt"] {
        assert!(!said.contains(word), "{said}");
    }
}

/// A copy with the times of its files.
fn copy_of(before: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut cp = std::process::Command::new("cp");
    cp.arg("-rp").arg(before.join(".")).arg(dir.path());
    assert!(cp.status().unwrap().success());
    dir
}

/// A repository with three commits on main in packs of their own, and one that nothing refers to.
fn repository(bare: bool, format: ObjectFormat) -> (tempfile::TempDir, Oid, Oid) {
    let dir = tempfile::tempdir().unwrap();
    new_store(dir.path(), bare, format);
    let mut tip = None;
    for words in ["one", "two", "three"] {
        tip = Some(commit(dir.path(), tip, words, Some("refs/heads/main")));
    }
    let stray = commit(dir.path(), tip, "stray", None);
    (dir, tip.unwrap(), stray)
}

#[test]
fn what_nothing_refers_to_is_put_aside_and_goes_in_a_later_run_after_the_grace() {
    for format in FORMATS {
        let (dir, tip, stray) = repository(true, format);
        let first = gc(dir.path(), 0, NOW);
        assert_eq!(
            first.expired.objects, 0,
            "nothing goes in the run that finds it"
        );
        assert_eq!(first.repacked.aside, 3);
        assert_eq!((first.repacked.before, first.repacked.after), (4, 2));
        assert!(has(dir.path(), &stray));
        let early = gc(dir.path(), DAY, NOW + DAY - 1);
        assert_eq!((early.expired.objects, early.repacked.aside), (0, 3));
        let late = gc(dir.path(), DAY, NOW + DAY);
        assert_eq!((late.expired.objects, late.repacked.aside), (3, 0));
        assert!(late.expired.bytes > 0);
        assert!(!has(dir.path(), &stray));
        whole(dir.path(), &tip);
        assert_eq!(packs(&dir.path().join("objects/pack")).unwrap().len(), 1);
        let log = fs::read_to_string(dir.path().join("folio/gc.log")).unwrap();
        assert!(log.contains(&format!(" object {stray}\n")), "{log}");
        git(dir.path(), &["commit-graph", "verify"]);
    }
}

#[test]
fn only_a_part_of_what_lies_aside_may_be_old_enough() {
    let (dir, tip, stray) = repository(true, ObjectFormat::Sha1);
    gc(dir.path(), DAY, NOW);
    let second = commit(dir.path(), Some(tip), "another", None);
    let both = gc(dir.path(), 2 * DAY, NOW + DAY);
    assert_eq!(both.repacked.aside, 6);
    let half = gc(dir.path(), 2 * DAY, NOW + 2 * DAY);
    assert_eq!((half.expired.objects, half.repacked.aside), (3, 3));
    assert!(!has(dir.path(), &stray));
    whole(dir.path(), &second);
    let rest = gc(dir.path(), 2 * DAY, NOW + 3 * DAY);
    assert_eq!((rest.expired.objects, rest.repacked.aside), (3, 0));
    whole(dir.path(), &tip);
}

#[test]
fn everything_that_names_objects_keeps_them() {
    let (dir, tip, stray) = repository(false, ObjectFormat::Sha1);
    let at = dir.path();
    git(at, &["read-tree", "main"]);
    // Only in a reflog.
    let logged = commit(at, Some(tip), "logged", Some("refs/heads/main"));
    set(at, "refs/heads/main", Some(tip));
    // Only in an index.
    fs::write(at.join("staged"), "staged").unwrap();
    git(at, &["add", "staged"]);
    let staged: Oid = git(at, &["rev-parse", ":staged"]).parse().unwrap();
    // Only at the HEAD and in the index of a linked work tree.
    let linked = tempfile::tempdir().unwrap();
    let tree = linked.path().join("tree");
    let detached = commit(at, Some(tip), "detached", None);
    let path = tree.to_str().unwrap();
    git(
        at,
        &[
            "worktree",
            "add",
            "-q",
            "--detach",
            path,
            &detached.to_hex(),
        ],
    );
    fs::write(tree.join("there"), "there").unwrap();
    git(&tree, &["add", "there"]);
    let there: Oid = git(&tree, &["rev-parse", ":there"]).parse().unwrap();
    // Only below refs of Folio, and where a work tree followed to.
    let mut kept = vec![logged, detached];
    for name in [
        "lost/abc",
        "other/abc",
        "replaced/abc",
        "pin",
        "incoming/x/main",
    ] {
        kept.push(commit(
            at,
            Some(tip),
            name,
            Some(&format!("refs/folio/{name}")),
        ));
    }
    let followed = commit(at, Some(tip), "followed", None);
    fs::write(at.join(".git/folio/worktree"), format!("{followed}\n")).unwrap();
    kept.push(followed);
    for day in 0..3 {
        gc(at, 0, NOW + day * DAY);
    }
    assert!(!has(at, &stray));
    for id in kept {
        whole(at, &id);
    }
    assert!(has(at, &staged) && has(at, &there));
}

#[test]
fn packs_that_somebody_wants_kept_stay_as_they_are() {
    let (dir, _, stray) = repository(true, ObjectFormat::Sha1);
    let all = packs(&dir.path().join("objects/pack")).unwrap();
    let holds = |pack: &&crate::store::git::packs::PackFile| {
        let index = crate::store::git::packs::PackIndex::open(&pack.path, ObjectFormat::Sha1);
        index.unwrap().has(&stray)
    };
    let kept = all.iter().find(holds).unwrap();
    fs::write(kept.beside("keep"), "").unwrap();
    for day in 0..3 {
        gc(dir.path(), 0, NOW + day * DAY);
    }
    assert!(kept.path.exists() && has(dir.path(), &stray));
    fsck(dir.path());
}

#[test]
fn what_comes_to_be_needed_while_it_lies_aside_stays() {
    let (dir, _, stray) = repository(true, ObjectFormat::Sha1);
    gc(dir.path(), 0, NOW);
    set(dir.path(), "refs/heads/again", Some(stray));
    let later = gc(dir.path(), 0, NOW + DAY);
    assert_eq!((later.expired.objects, later.repacked.aside), (0, 0));
    whole(dir.path(), &stray);
}

/// Does something when a step is reached.
struct At<F: Fn() + Send + Sync>(&'static str, F);

impl<F: Fn() + Send + Sync> Steps for At<F> {
    fn step(&self, name: &'static str) -> Result<(), StoreFault> {
        if name == self.0 {
            (self.1)();
        }
        Ok(())
    }
}

#[test]
fn what_comes_to_be_needed_after_the_walk_stays_too() {
    let (dir, _, stray) = repository(true, ObjectFormat::Sha1);
    gc(dir.path(), 0, NOW);
    let at = dir.path().to_owned();
    let revive = At("gc-expire-alone", move || {
        set(&at, "refs/heads/again", Some(stray));
    });
    let report = try_gc(dir.path(), &terms(0, NOW + DAY, &revive)).unwrap();
    assert_eq!(report.expired.objects, 0);
    whole(dir.path(), &stray);
    let log = fs::read_to_string(dir.path().join("folio/gc.log")).unwrap();
    assert!(
        log.contains("not removed: something came to need it"),
        "{log}"
    );
}

#[test]
fn what_lies_aside_is_written_again_by_who_needs_it() {
    let (dir, tip, stray) = repository(true, ObjectFormat::Sha1);
    gc(dir.path(), 0, NOW);
    let store = GitStore::open(dir.path()).unwrap();
    assert!(store.is_known(&tip));
    assert!(!store.is_known(&stray));
    drop(store);
    // Between the walk and the end: the writer finds the objects aside, and writes them again. That may make
    // the very pack in which they lie aside.
    let at = dir.path().to_owned();
    let write = At("gc-expire-alone", move || {
        commit(&at, Some(tip), "stray", None);
    });
    let report = try_gc(dir.path(), &terms(0, NOW + DAY, &write)).unwrap();
    assert_eq!(report.expired.objects, 0);
    assert_eq!(report.repacked.aside, 3, "put aside once more, from now on");
    set(dir.path(), "refs/heads/again", Some(stray));
    whole(dir.path(), &stray);
}

#[test]
fn nothing_goes_while_a_writer_is_between_its_question_and_its_ref() {
    let (dir, tip, stray) = repository(true, ObjectFormat::Sha1);
    // It asks before the objects are put aside, and so relies on them.
    let writer = GitStore::open(dir.path()).unwrap();
    assert!(writer.is_known(&stray));
    gc(dir.path(), 0, NOW);
    let (tell, told) = std::sync::mpsc::channel();
    let waits = At("gc-expire-alone", move || tell.send(()).unwrap());
    std::thread::scope(|scope| {
        let path = dir.path();
        let collector = scope.spawn(move || try_gc(path, &terms(0, NOW + DAY, &waits)).unwrap());
        told.recv().unwrap();
        let edit = RefEdit {
            name: "refs/heads/late".into(),
            expect: Expect::Absent,
            new: Some(stray),
            message: String::new(),
        };
        writer.apply(&[edit]).unwrap();
        drop(writer);
        assert_eq!(collector.join().unwrap().expired.objects, 0);
    });
    whole(dir.path(), &stray);
    whole(dir.path(), &tip);
}

#[test]
fn a_run_that_is_killed_at_any_step_loses_nothing_and_the_next_one_goes_on() {
    // Three kinds lie there: needed, put aside and old enough, put aside and not.
    let build = || {
        let (dir, tip, stray) = repository(true, ObjectFormat::Sha1);
        gc(dir.path(), DAY, NOW);
        let young = commit(dir.path(), Some(tip), "young", None);
        gc(dir.path(), DAY, NOW + DAY - 1);
        commit(dir.path(), Some(tip), "next", Some("refs/heads/next"));
        fs::write(
            dir.path().join("objects/pack/tmp_pack_0123456789abcdef"),
            "x",
        )
        .unwrap();
        (dir, tip, stray, young)
    };
    let (before, tip, stray, young) = build();
    let mut steps = 0;
    for n in 1.. {
        let dir = copy_of(before.path());
        let script = Script::new();
        script.fail_at(n);
        let ended = try_gc(dir.path(), &terms(DAY, NOW + DAY, &script));
        assert_eq!(ended.is_err(), script.is_dead(), "step {n}: {ended:?}");
        assert!(has(dir.path(), &young), "step {n}");
        whole(dir.path(), &tip);
        let again = gc(dir.path(), DAY, NOW + DAY);
        assert_eq!(again.repacked.after, 2, "step {n}");
        assert_eq!(again.repacked.aside, 3, "step {n}");
        assert!(!has(dir.path(), &stray), "step {n}");
        whole(dir.path(), &young);
        if ended.is_ok() {
            steps = n;
            break;
        }
    }
    assert!(steps > 20, "only {steps} steps");
}

#[test]
fn where_it_cannot_be_told_what_is_needed_nothing_goes() {
    let (dir, tip, stray) = repository(true, ObjectFormat::Sha1);
    gc(dir.path(), 0, NOW);
    // A branch whose commit names a tree that is not here.
    let store = GitStore::open(dir.path()).unwrap();
    let text = format!(
        "tree {}\nparent {tip}\nauthor a <a@e> 1 +0000\ncommitter a <a@e> 1 +0000\n\nx\n",
        "1".repeat(40)
    );
    let broken = object(&store, Kind::Commit, text.as_bytes());
    let id = broken.0;
    store.write_all(&[broken]).unwrap();
    drop(store);
    set(dir.path(), "refs/heads/broken", Some(id));
    let fault = try_gc(dir.path(), &terms(0, NOW + DAY, &EveryStep)).unwrap_err();
    assert_eq!(fault.code, Code::CannotMark, "{fault}");
    assert!(fault.what.contains(&"1".repeat(40)), "{fault}");
    assert!(has(dir.path(), &stray));
}

#[test]
fn an_older_git_packs_what_is_needed_and_removes_nothing() {
    let (dir, tip, stray) = repository(true, ObjectFormat::Sha1);
    for day in 0..2 {
        let mut terms = terms(0, NOW + day * DAY, &EveryStep);
        terms.git = (2, 34);
        let report = try_gc(dir.path(), &terms).unwrap();
        assert_eq!(report.notes.len(), 1);
        assert_eq!(
            report.repacked.after, 2,
            "the pack of what nothing refers to stays"
        );
    }
    whole(dir.path(), &tip);
    assert!(has(dir.path(), &stray));
}

#[test]
fn a_turn_lasts_as_long_as_the_programs_that_it_started() {
    let (dir, ..) = repository(true, ObjectFormat::Sha1);
    let turn = Collecting::begin(dir.path()).unwrap();
    let git = Git::new(dir.path()).holding(turn.handle().unwrap());
    drop(turn);
    assert_eq!(Collecting::begin(dir.path()).unwrap_err().code, Code::Busy);
    drop(git);
    Collecting::begin(dir.path()).unwrap();
}

#[test]
fn one_collects_at_a_time_and_precious_objects_stay() {
    let (dir, ..) = repository(true, ObjectFormat::Sha1);
    let turn = Collecting::begin(dir.path()).unwrap();
    let fault = try_gc(dir.path(), &terms(0, NOW, &EveryStep)).unwrap_err();
    assert_eq!(fault.code, Code::Busy);
    drop(turn);
    git(dir.path(), &["config", "core.repositoryFormatVersion", "1"]);
    git(
        dir.path(),
        &["config", "extensions.preciousObjects", "true"],
    );
    let fault = try_gc(dir.path(), &terms(0, NOW, &EveryStep)).unwrap_err();
    assert_eq!(fault.code, Code::Unsupported);
}

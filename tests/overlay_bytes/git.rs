//! git as referee: `git apply` and `git merge-file` on the same inputs.

use super::texts::{distinct, edited, edits};
use folio::model::Code;
use folio::overlay::{Labels, Merged, Patch, make, merge};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;
use std::path::Path;
use std::process::{Command, Output};

fn git(dir: &Path, args: &[&str]) -> Output {
    let mut git = Command::new("git");
    git.current_dir(dir).args(args).env_clear();
    git.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    git.env("HOME", dir).env("LC_ALL", "C");
    git.env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    git.env("GIT_CEILING_DIRECTORIES", dir.parent().unwrap());
    git.output().unwrap()
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

fn tally(cases: &Cell<usize>, one: bool) {
    cases.set(cases.get() + usize::from(one));
}

/// The bytes of lines; the last line sometimes lacks its line feed.
fn text(lines: Vec<String>, cut: bool) -> Vec<u8> {
    let mut bytes = lines.concat().into_bytes();
    if cut {
        bytes.pop();
    }
    bytes
}

/// What `git apply` makes of a base; `None` where it refuses.
fn git_apply(dir: &Path, base: &[u8], diff: &[u8]) -> Option<Vec<u8>> {
    std::fs::write(dir.join("t"), base).unwrap();
    std::fs::write(dir.join("diff"), diff).unwrap();
    let ran = git(dir, &["apply", "--whitespace=nowarn", "diff"]);
    let result = std::fs::read(dir.join("t"));
    // A file of which nothing is left stays, since the diff does not say that it goes.
    ran.status.success().then(|| result.unwrap())
}

/// Whether git may take the last line of `old`, which has no line feed, for a line of `base` that has one.
fn glues(old: &[String], base: &[String]) -> bool {
    let (Some(last), Some((_, before))) = (old.last(), base.split_last()) else {
        return false;
    };
    before.contains(last)
}

#[test]
fn lines_that_git_glues_together_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let diff = make(b"a\nb", b"a\nnew\nb", "t").unwrap().unwrap();
    let base = b"a\nb\nc";
    // git 2.47 loses the line feed behind "b", which the diff does not have and the base does.
    let theirs = git_apply(dir.path(), base, &diff);
    assert!(theirs.is_none_or(|bytes| bytes == b"a\nnew\nbc"));
    let fault = Patch::parse(&diff).unwrap().apply(base).unwrap_err();
    assert_eq!((fault.code, fault.hunk), (Code::PatchFails, Some(1)));
}

#[test]
fn what_applies_and_where_is_as_with_git() {
    let dir = tempfile::tempdir().unwrap();
    let (applied, moved, refused) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let cases = (8..40usize, edits(5), edits(4), any::<[bool; 2]>());
    let outcome = runner(150).run(&cases, |(lines, change, drift, cut)| {
        let old = distinct(lines);
        let new = text(edited(&old, &change), cut[0]);
        let base = edited(&old, &drift);
        if cut[1] && glues(&old, &base) {
            return Ok(());
        }
        let base = text(base, cut[1]);
        let Some(diff) = make(&text(old, cut[1]), &new, "t").unwrap() else {
            return Ok(());
        };
        let expected = git_apply(dir.path(), &base, &diff);
        let found = Patch::parse(&diff).unwrap().apply(&base);
        match (&expected, &found) {
            (Some(bytes), Ok(ours)) => {
                prop_assert_eq!(bytes, &ours.bytes);
                tally(&applied, true);
                tally(&moved, !ours.moved.is_empty());
            }
            (None, Err(fault)) => {
                prop_assert_eq!(fault.code, Code::PatchFails);
                prop_assert!(fault.hunk.is_some());
                tally(&refused, true);
            }
            _ => prop_assert!(false, "git: {:?}, ours: {:?}", expected, found),
        }
        Ok(())
    });
    outcome.unwrap();
    let (applied, moved, refused) = (applied.get(), moved.get(), refused.get());
    assert!(
        applied > 25 && moved > 5 && refused > 25,
        "{applied} {moved} {refused}"
    );
}

#[test]
fn diffs_of_git_and_of_folio_are_read_by_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let cases = (0..30usize, edits(8), any::<[bool; 2]>(), 1..5u8);
    let outcome = runner(50).run(&cases, |(lines, change, cut, context)| {
        let old = text(distinct(lines), cut[0]);
        let new = text(edited(&distinct(lines), &change), cut[1]);
        if old == new || old.is_empty() || new.is_empty() {
            return Ok(());
        }
        std::fs::write(dir.path().join("old"), &old).unwrap();
        std::fs::write(dir.path().join("new"), &new).unwrap();
        let context = format!("-U{context}");
        let ran = git(dir.path(), &["diff", "--no-index", &context, "old", "new"]);
        let applied = Patch::parse(&ran.stdout).unwrap().apply(&old).unwrap();
        prop_assert_eq!(&applied.bytes, &new);
        prop_assert!(applied.moved.is_empty());
        let ours = make(&old, &new, "t").unwrap().unwrap();
        prop_assert_eq!(git_apply(dir.path(), &old, &ours), Some(new));
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn merges_are_those_of_git() {
    let dir = tempfile::tempdir().unwrap();
    let labels = Labels {
        ours: "layer 1a2b".into(),
        theirs: "3.0.14".into(),
    };
    let (clean, conflicts, same) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let cases = (0..30usize, edits(5), edits(5), any::<[bool; 3]>());
    let outcome = runner(150).run(&cases, |(lines, ours, theirs, cut)| {
        let base = distinct(lines);
        let ours = text(edited(&base, &ours), cut[0]);
        let theirs = text(edited(&base, &theirs), cut[1]);
        let base = text(base, cut[2]);
        for (name, bytes) in [("base", &base), ("ours", &ours), ("theirs", &theirs)] {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        let words = [
            "merge-file",
            "-p",
            "-L",
            "layer 1a2b",
            "-L",
            "x",
            "-L",
            "3.0.14",
            "ours",
            "base",
            "theirs",
        ];
        let ran = git(dir.path(), &words);
        match merge(&base, &ours, &theirs, &labels).unwrap() {
            Merged::Clean(bytes) => {
                prop_assert_eq!(ran.status.code(), Some(0), "git has a conflict");
                prop_assert_eq!(bytes, ran.stdout);
                tally(&clean, true);
            }
            Merged::Conflicts { bytes, count } => {
                // Where conflicts begin and end is a matter of taste: git moves equal lines out of them.
                prop_assert!(ran.status.code() > Some(0), "git has no conflict");
                tally(&conflicts, true);
                tally(
                    &same,
                    bytes == ran.stdout && Some(count as i32) == ran.status.code(),
                );
            }
        }
        Ok(())
    });
    outcome.unwrap();
    let (clean, conflicts, same) = (clean.get(), conflicts.get(), same.get());
    assert!(
        clean > 30 && conflicts > 30 && same > conflicts / 4,
        "{clean} {conflicts} {same}"
    );
}

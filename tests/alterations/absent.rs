//! A repository that lacks something: `folio verify` vouches for what is there, not only for a history.

use crate::bench::{Bench, git};
use crate::cli::{Fixture, finish};
use folio::model::Oid;
use std::fs;
use std::path::{Path, PathBuf};

/// Makes every object of a bare repository a file of its own.
fn loosen(dir: &Path) {
    let packs = dir.join("objects/pack");
    let files = fs::read_dir(&packs).unwrap();
    let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    let mut held = Vec::new();
    for file in files {
        if file.extension().is_some_and(|end| end == "pack") {
            held.push(fs::read(&file).unwrap());
        }
        fs::remove_file(file).unwrap();
    }
    for pack in held {
        git(dir, &["unpack-objects", "-q"], &pack);
    }
}

fn file_of(dir: &Path, id: &Oid) -> PathBuf {
    let hex = id.to_hex();
    dir.join("objects").join(&hex[..2]).join(&hex[2..])
}

/// A bare clone, in which there is only what can be reached, of a space where the second of two proposals on one base
/// was numbered on the page of the first.
fn cloned(into: &Path) -> PathBuf {
    let mut bench = Bench::new();
    let line = r#"{"op":"alias.set","alias":"bombay","target":"mumbai"}"#;
    bench
        .space
        .propose(&bench.space.alice, "other", &[line])
        .unwrap();
    assert_eq!(bench.space.accept_all().unwrap().numbered.len(), 2);
    let from = format!("file://{}", bench.path().display());
    git(into, &["clone", "-q", "--bare", &from, "clone.git"], b"");
    into.join("clone.git")
}

#[test]
fn no_object_of_a_history_is_missing_unnoticed() {
    let (fixture, dir) = (Fixture::home(), tempfile::tempdir().unwrap());
    let dir = &cloned(dir.path());
    loosen(dir);
    let verify = || {
        fs::remove_dir_all(dir.join("folio")).ok();
        finish(fixture.command(dir, None).arg("verify"), b"")
    };
    verify().ok();
    let listed = git(dir, &["rev-list", "--objects", "main"], b"");
    let ids = listed.lines().filter_map(|line| line.split(' ').next());
    let ids: Vec<Oid> = ids.map(|id| id.parse().unwrap()).collect();
    assert!(ids.len() > 30, "{listed}");
    for id in ids {
        let (file, aside) = (file_of(dir, &id), dir.join("aside"));
        fs::rename(&file, &aside).unwrap();
        let said = verify().refused("object-missing", 6);
        assert!(
            said.contains(&id.to_hex()),
            "without {id}: {said}\n{listed}"
        );
        fs::rename(&aside, &file).unwrap();
    }
    verify().ok();
}

#[test]
fn the_command_names_what_is_missing_and_remembers_nothing() {
    let bench = Bench::new();
    let dir = bench.path();
    loosen(dir);
    let id: Oid = git(dir, &["rev-parse", "main:aliases.jsonl"], b"")
        .parse()
        .unwrap();
    fs::remove_file(file_of(dir, &id)).unwrap();
    let fixture = Fixture::home();
    let said = finish(fixture.command(dir, None).arg("verify"), b"").refused("object-missing", 6);
    assert!(
        said.contains(&format!("common@2: object {id} is missing")),
        "{said}"
    );
    assert!(said.contains("git fsck --full"), "{said}");
    assert!(!dir.join("folio/verified").exists());
}

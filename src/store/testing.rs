//! What the tests of stores share: real repositories, and real git as referee.

use super::{GitStore, Kind, Objects};
use crate::model::{ObjectFormat, Oid};
use std::path::Path;
use std::process::{Command, Output};

/// Both object formats.
pub(crate) const FORMATS: [ObjectFormat; 2] = [ObjectFormat::Sha1, ObjectFormat::Sha256];

/// Runs git in a directory with nobody's configuration.
pub(crate) fn git_output(dir: &Path, args: &[&str]) -> Output {
    Command::new("git")
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .envs([
            ("GIT_AUTHOR_NAME", "a"),
            ("GIT_AUTHOR_EMAIL", "a@example.org"),
        ])
        .envs([
            ("GIT_COMMITTER_NAME", "a"),
            ("GIT_COMMITTER_EMAIL", "a@example.org"),
        ])
        .output()
        .expect("git can be started")
}

/// Runs git, which must succeed without a complaint about damage; returns what it printed.
pub(crate) fn git(dir: &Path, args: &[&str]) -> String {
    let output = git_output(dir, args);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {args:?}: {errors}");
    String::from_utf8(output.stdout)
        .expect("git prints UTF-8 here")
        .trim_end()
        .to_owned()
}

/// A new repository below a temporary directory.
pub(crate) fn new_store(dir: &Path, bare: bool, format: ObjectFormat) -> GitStore {
    GitStore::init(dir, bare, format, &[]).expect("a repository can be made")
}

/// An object with its id.
pub(crate) fn object(store: &impl Objects, kind: Kind, bytes: &[u8]) -> (Oid, Kind, Vec<u8>) {
    (store.id_of(kind, bytes), kind, bytes.to_vec())
}

/// Objects of one commit with one file; the commit comes last.
pub(crate) fn commit_of(
    store: &impl Objects,
    parent: Option<Oid>,
    files: &[(&str, &str)],
) -> Vec<(Oid, Kind, Vec<u8>)> {
    let mut objects = Vec::new();
    let mut tree = Vec::new();
    for (name, text) in files {
        let blob = object(store, Kind::Blob, text.as_bytes());
        tree.extend_from_slice(format!("100644 {name}\0").as_bytes());
        tree.extend_from_slice(blob.0.as_bytes());
        objects.push(blob);
    }
    let tree = object(store, Kind::Tree, &tree);
    let commit = commit_at(store, parent, &tree.0);
    objects.extend([tree, commit]);
    objects
}

/// Objects of one commit with a directory for each of these texts, a file in each; the commit comes last, its tree before it.
pub(crate) fn wide_commit(
    store: &impl Objects,
    parent: Option<Oid>,
    texts: &[String],
) -> Vec<(Oid, Kind, Vec<u8>)> {
    let mut objects = Vec::new();
    let mut root = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let blob = object(store, Kind::Blob, text.as_bytes());
        let leaf = [b"100644 rows\0", blob.0.as_bytes()].concat();
        let leaf = object(store, Kind::Tree, &leaf);
        root.extend_from_slice(format!("40000 {at:05}\0").as_bytes());
        root.extend_from_slice(leaf.0.as_bytes());
        objects.extend([blob, leaf]);
    }
    let root = object(store, Kind::Tree, &root);
    let commit = commit_at(store, parent, &root.0);
    objects.extend([root, commit]);
    objects
}

fn commit_at(store: &impl Objects, parent: Option<Oid>, tree: &Oid) -> (Oid, Kind, Vec<u8>) {
    let parent = parent.map_or(String::new(), |id| format!("parent {id}\n"));
    let who = "a <a@example.org> 1700000000 +0000";
    let text = format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\nword\n");
    object(store, Kind::Commit, text.as_bytes())
}

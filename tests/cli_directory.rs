//! Directories from the command line: added, listed, checked, made again.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;

use cli::{Fixture, Ran};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

fn artifact(fixture: &Fixture, args: &[&str]) -> Ran {
    fixture.run("alice", &[&["artifact"], args].concat())
}

/// A small tree beside the space.
fn example(fixture: &Fixture) -> String {
    let tree = fixture.path("tree");
    fs::create_dir_all(tree.join("d/none")).unwrap();
    fs::write(tree.join("d/a"), b"first").unwrap();
    fs::write(tree.join("b"), b"second").unwrap();
    fs::set_permissions(tree.join("d/a"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(tree.join("b"), fs::Permissions::from_mode(0o644)).unwrap();
    symlink("../b", tree.join("d/link")).unwrap();
    tree.to_str().unwrap().to_owned()
}

/// Adds it; its key.
#[track_caller]
fn add(fixture: &Fixture, path: &str) -> String {
    let out = artifact(fixture, &["add", path]).ok();
    let (key, name) = out.trim_end().split_once("  ").unwrap();
    assert_eq!(name, path);
    key.to_owned()
}

fn key(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

#[track_caller]
fn same(a: &Path, b: &Path) {
    let mut diff = std::process::Command::new("diff");
    let ran = diff
        .args(["-r", "--no-dereference"])
        .args([a, b])
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stdout)
    );
}

#[test]
fn a_directory_is_added_listed_and_made_again() {
    let fixture = Fixture::bare();
    let tree = example(&fixture);
    let name = add(&fixture, &tree);
    let (first, second) = (key(b"first"), key(b"second"));
    let listed = artifact(&fixture, &["ls", &name[..12]]).ok();
    let dash = format!("{:>10} {:64}", "-", "-");
    let expected = format!(
        "100644 {:>10} {second} b\n100755 {:>10} {first} d/a\n120000 {dash} d/link -> ../b\n040000 {dash} d/none\n",
        6, 5
    );
    assert_eq!(listed, expected);
    let to = fixture.path("to");
    let words = artifact(&fixture, &["get", &name, "-o", to.to_str().unwrap()]);
    assert!(words.err.contains("2 files of 11 bytes"), "{}", words.err);
    same(Path::new(&tree), &to);
    let mode = fs::metadata(to.join("d/a")).unwrap().permissions().mode();
    assert_eq!(mode & 0o100, 0o100);
    assert_eq!(add(&fixture, to.to_str().unwrap()), name);
    // Its own bytes.
    let raw = artifact(&fixture, &["cat", &name]).ok();
    assert_eq!(key(raw.as_bytes()), name);
    assert!(raw.starts_with("{\"folio\":\"manifest\",\"version\":1}\n"));
    let file = fixture.path("manifest");
    artifact(
        &fixture,
        &["get", "--raw", &name, "-o", file.to_str().unwrap()],
    )
    .ok();
    assert_eq!(fs::read_to_string(file).unwrap(), raw);
    let verified = artifact(&fixture, &["verify", &name]);
    let bytes = raw.len() + b"first".len() + b"second".len();
    let words = format!("3 artifacts of {bytes} bytes");
    assert!(verified.err.contains(&words), "{}", verified.err);
    artifact(&fixture, &["ls", &first]).refused("bad-request", 2);
}

#[test]
fn files_streams_and_directories_in_one_go() {
    let fixture = Fixture::bare();
    let tree = example(&fixture);
    let b = format!("{tree}/b");
    let args = ["artifact", "add", &b, &tree, "-", &b];
    let out = fixture.run_with("alice", &args, "stream").ok();
    let names: Vec<&str> = out
        .lines()
        .map(|line| line.split_once("  ").unwrap().1)
        .collect();
    assert_eq!(names, [&b, &tree, "-", &b]);
    assert!(out.contains(&key(b"stream")) && out.contains(&key(b"second")));
}

#[test]
fn what_cannot_be_kept_is_refused_and_nothing_is_added() {
    let fixture = Fixture::bare();
    let tree = example(&fixture);
    let inside = |name: &str| Path::new(&tree).join(name);
    let refused = |code| {
        let words = artifact(&fixture, &["add", &tree]).refused(code, 3);
        assert_eq!(artifact(&fixture, &["ls"]).ok(), "");
        words
    };
    fs::create_dir(inside(".git")).unwrap();
    fs::write(inside(".git/config"), b"").unwrap();
    assert!(refused("path-unsafe").contains(".git"));
    fs::remove_dir_all(inside(".git")).unwrap();
    fs::write(inside("B"), b"").unwrap();
    refused("path-collision");
    fs::remove_file(inside("B")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(inside("s\u{1b}")).unwrap();
    refused("path-unsafe");
    fs::rename(inside("s\u{1b}"), inside("s")).unwrap();
    assert!(refused("special-file").contains("`s` is a socket"));
    drop(socket);
    fs::remove_file(inside("s")).unwrap();
    symlink("../../outside", inside("d/out")).unwrap();
    refused("path-unsafe");
}

#[test]
fn a_destination_that_is_taken_and_a_hostile_manifest() {
    let fixture = Fixture::bare();
    let name = add(&fixture, &example(&fixture));
    let to = fixture.path("to");
    fs::create_dir(&to).unwrap();
    fs::write(to.join("mine"), b"").unwrap();
    let out = to.to_str().unwrap();
    artifact(&fixture, &["get", &name, "-o", out]).refused("not-empty", 6);
    assert_eq!(fs::read_dir(&to).unwrap().count(), 1);
    fs::remove_file(to.join("mine")).unwrap();
    let header = "{\"folio\":\"manifest\",\"version\":1}\n";
    let file = |path: &str| {
        let key = key(b"first");
        format!("{{\"artifact\":\"{key}\",\"mode\":\"100644\",\"path\":\"{path}\",\"size\":5}}\n")
    };
    let link =
        |target: &str| format!("{{\"mode\":\"120000\",\"path\":\"l\",\"target\":\"{target}\"}}\n");
    for (lines, code, exit) in [
        (file("../x"), "path-unsafe", 3),
        (file("/tmp/x"), "path-unsafe", 3),
        (file(".git/hooks/post-checkout"), "path-unsafe", 3),
        (file("GIT~1/x"), "path-unsafe", 3),
        (file(".g\u{200c}it/x"), "path-unsafe", 3),
        (link(".."), "path-unsafe", 3),
        (link("a") + &file("l/x"), "path-collision", 3),
        (file("A") + &file("a"), "path-collision", 3),
        (file("SS") + &file("\u{df}"), "path-collision", 3),
        (file("b") + &file("a"), "manifest-malformed", 4),
        (file("a") + &file("a"), "manifest-malformed", 4),
        (file("a").replace(":5", ": 5"), "manifest-malformed", 4),
    ] {
        let text = format!("{header}{lines}");
        fixture
            .run_with("alice", &["artifact", "add", "-"], &text)
            .ok();
        let bad = key(text.as_bytes());
        artifact(&fixture, &["get", &bad, "-o", out]).refused(code, exit);
        artifact(&fixture, &["verify", &bad]).refused(code, exit);
        assert_eq!(fs::read_dir(&to).unwrap().count(), 0, "{lines}");
        // As bytes it can still be looked at.
        assert_eq!(artifact(&fixture, &["cat", &bad]).ok(), text);
    }
}

#[test]
fn files_that_are_missing_are_named() {
    let fixture = Fixture::bare();
    let tree = example(&fixture);
    let name = add(&fixture, &tree);
    let text = artifact(&fixture, &["cat", &name]).ok();
    let text = text.replace(&key(b"first"), &key(b"never added"));
    fixture
        .run_with("alice", &["artifact", "add", "-"], &text)
        .ok();
    let name = key(text.as_bytes());
    let ran = artifact(&fixture, &["--json", "verify", &name]);
    assert_eq!(ran.code, 4);
    assert!(ran.err.contains("error: not-found: `d/a`: "), "{}", ran.err);
    let answer: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(answer["unreadable"][0]["path"], "d/a");
    assert_eq!(answer["unreadable"][0]["manifest"], name);
    let to = fixture.path("to");
    artifact(&fixture, &["get", &name, "-o", to.to_str().unwrap()]).refused("not-found", 1);
    assert!(!to.exists());
}

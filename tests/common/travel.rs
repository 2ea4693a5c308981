//! Several repositories of one space, and sticks that people carry between them.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use super::cli::{Fixture, Ran, finish};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The ids of every one of these commands are 64 digits long.
pub fn space_id(fixture: &Fixture) -> String {
    let status = fixture.run("alice", &["--json", "status"]).json();
    status["space"].as_str().expect("an id").to_owned()
}

/// A line that sets an alias.
pub fn set(alias: &str) -> String {
    format!("{{\"op\":\"alias.set\",\"alias\":\"{alias}\",\"target\":\"t\"}}\n")
}

/// The binary in a directory, as somebody.
pub fn folio(fixture: &Fixture, dir: &Path, who: &str, args: &[&str]) -> Ran {
    finish(fixture.command(dir, Some(who)).args(args), b"")
}

/// git in a directory.
#[track_caller]
pub fn git(fixture: &Fixture, dir: &Path, args: &[&str]) -> String {
    let ran = finish(fixture.bare_command("git", dir).args(args), b"");
    ran.ok().trim().to_owned()
}

/// Proposes an alias of that name in a directory.
#[track_caller]
pub fn propose(fixture: &Fixture, dir: &Path, who: &str, slug: &str) {
    let args = ["propose", "-m", slug, "--slug", slug, "-f", "-"];
    let mut run = fixture.command(dir, Some(who));
    finish(run.args(args), set(slug).as_bytes()).ok();
}

/// Proposes and numbers.
#[track_caller]
pub fn page(fixture: &Fixture, dir: &Path, slug: &str) {
    propose(fixture, dir, "alice", slug);
    folio(fixture, dir, "wanda", &["accept", "--all"]).ok();
}

/// A new, empty stick.
pub fn stick(fixture: &Fixture, name: &str) -> PathBuf {
    let path = fixture.path(name);
    std::fs::create_dir(&path).expect("a new directory");
    path
}

fn on(stick: &Path) -> &str {
    stick.to_str().expect("UTF-8")
}

/// `bundle create`; its JSON answer.
#[track_caller]
pub fn create(fixture: &Fixture, dir: &Path, stick: &Path) -> Value {
    folio(
        fixture,
        dir,
        "bob",
        &["--json", "bundle", "create", on(stick)],
    )
    .json()
}

/// `bundle create`, whatever comes of it.
pub fn try_create(fixture: &Fixture, dir: &Path, stick: &Path, more: &[&str]) -> Ran {
    let args = [&["bundle", "create", on(stick)][..], more].concat();
    folio(fixture, dir, "bob", &args)
}

/// `bundle apply`; its JSON answer.
#[track_caller]
pub fn apply(fixture: &Fixture, dir: &Path, stick: &Path) -> Value {
    folio(
        fixture,
        dir,
        "bob",
        &["--json", "bundle", "apply", on(stick)],
    )
    .json()
}

/// `bundle apply`, whatever comes of it.
pub fn try_apply(fixture: &Fixture, dir: &Path, stick: &Path) -> Ran {
    folio(fixture, dir, "bob", &["bundle", "apply", on(stick)])
}

/// `clone` of a stick or a directory.
#[track_caller]
pub fn clone(fixture: &Fixture, from: &Path, name: &str) -> PathBuf {
    let place = fixture.path(name);
    let id = space_id(fixture);
    let args = ["clone", on(from), on(&place), "--space", &id, "--bare"];
    folio(fixture, fixture.home.path(), "bob", &args).ok();
    place
}

/// The directory of the space on a stick.
pub fn part(fixture: &Fixture, stick: &Path) -> PathBuf {
    stick.join("folio").join(&space_id(fixture)[..12])
}

/// The files of the space on a stick with an ending.
pub fn files(fixture: &Fixture, stick: &Path, ending: &str) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(part(fixture, stick)).expect("a stick");
    let mut paths: Vec<PathBuf> = listed
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_str().expect("UTF-8").ends_with(ending))
        .collect();
    paths.sort();
    paths
}

/// The description of one repository's bundle on a stick.
pub fn manifest(fixture: &Fixture, dir: &Path, stick: &Path) -> PathBuf {
    part(fixture, stick).join(format!("{}.json", name_of(fixture, dir)))
}

/// What a repository is called on sticks.
pub fn name_of(fixture: &Fixture, dir: &Path) -> String {
    let git_dir = git(fixture, dir, &["rev-parse", "--absolute-git-dir"]);
    let text = std::fs::read_to_string(Path::new(&git_dir).join("folio/instance"));
    text.expect("it has a name").trim().to_owned()
}

/// Reads a description.
pub fn read(path: &Path) -> Value {
    let text = std::fs::read(path).expect("a description");
    serde_json::from_slice(&text).expect("JSON")
}

/// Changes a description.
pub fn alter(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = read(path);
    change(&mut value);
    std::fs::write(path, value.to_string()).expect("writing");
}

/// Every ref that counts: what a refused part must not change.
pub fn refs(fixture: &Fixture, dir: &Path) -> String {
    git(
        fixture,
        dir,
        &["for-each-ref", "--format=%(refname) %(objectname)"],
    )
}

/// The number of the newest page.
pub fn newest(fixture: &Fixture, dir: &Path) -> u64 {
    let count = git(
        fixture,
        dir,
        &["rev-list", "--first-parent", "--count", "main"],
    );
    // The charter's proposal is the root.
    count.parse::<u64>().expect("a number") - 1
}

/// The short names of the proposals in the queue.
pub fn queue(fixture: &Fixture, dir: &Path) -> Vec<String> {
    let listed = git(
        fixture,
        dir,
        &[
            "for-each-ref",
            "--format=%(refname:lstrip=3)",
            "refs/heads/proposals",
        ],
    );
    listed.lines().map(str::to_owned).collect()
}

/// git and Folio find nothing wrong.
#[track_caller]
pub fn sound(fixture: &Fixture, dir: &Path) {
    let fsck = ["fsck", "--strict", "--no-dangling"];
    let ran = finish(fixture.bare_command("git", dir).args(fsck), b"");
    assert_eq!(ran.code, 0, "{ran:?}");
    folio(fixture, dir, "wanda", &["verify"]).ok();
}

/// Runs a command and kills it after so long; whether it was still alive.
#[cfg(unix)]
#[allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the moments are measured; nothing depends on them"
)]
pub fn kill(command: &mut Command, after: std::time::Duration) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Stdio;
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("starting");
    let start = std::time::Instant::now();
    while start.elapsed() < after {
        std::hint::spin_loop();
    }
    child.kill().expect("killing");
    child.wait().expect("waiting").signal() == Some(9)
}

/// A repository as it was, put where it was.
pub fn copy(from: &Path, to: &Path) {
    if to.exists() {
        std::fs::remove_dir_all(to).expect("removing");
    }
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a kind").is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).expect("copying")),
        }
    }
}

//! Every snapshot that was ever signed on a disk, wherever it lies: no two of them may differ for one space,
//! number and epoch.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use folio::codec::commit::Commit;
use folio::codec::message::Message;
use folio::model::ObjectFormat;
use folio::store::{GitStore, Kind, Objects as _};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// What was signed for a space, epoch and number.
pub type Signed = BTreeMap<(String, u64, u64), BTreeSet<Vec<u8>>>;

/// All snapshots in a repository, unreachable ones too, and in the files of the signer's memory.
pub fn signed(repository: &Path, memory: &Path) -> Signed {
    signed_in(repository, memory, true)
}

fn signed_in(repository: &Path, memory: &Path, unfinished: bool) -> Signed {
    let mut found = Signed::new();
    let mut git = Command::new("git");
    git.env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    git.env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    git.args(["cat-file", "--batch-all-objects", "--batch-check"]);
    let ran = git.current_dir(repository).output().unwrap();
    assert!(ran.status.success());
    let all = ran.stdout;
    let all = String::from_utf8(all).unwrap();
    let commits = all.lines().filter_map(|line| line.split_once(" commit "));
    let store = GitStore::open(repository).unwrap();
    for (id, _) in commits {
        let id = id.parse().unwrap();
        note(&mut found, &store.read(&id, Kind::Commit, 1 << 20).unwrap());
    }
    files(memory, unfinished, &mut found);
    found
}

/// Requires that nothing was signed twice; how much was signed.
#[track_caller]
pub fn never_two(repository: &Path, memory: &Path) -> usize {
    one_each(&signed(repository, memory))
}

/// As [`never_two`], and with what was there when it was looked at before, though the memory forgot it meanwhile.
/// What died in a temporary file of the memory is left out of that: it never came to be a page that anybody could
/// see, and the next who signs removes it.
#[track_caller]
pub fn never_two_since(seen: &mut Signed, repository: &Path, memory: &Path) -> usize {
    never_two(repository, memory);
    for (place, mut payloads) in signed_in(repository, memory, false) {
        seen.entry(place).or_default().append(&mut payloads);
    }
    one_each(seen)
}

#[track_caller]
fn one_each(found: &Signed) -> usize {
    for ((_, epoch, number), payloads) in found {
        let count = payloads.len();
        assert_eq!(
            count, 1,
            "common@{number} of epoch {epoch} in {count} forms"
        );
    }
    found.len()
}

fn files(dir: &Path, unfinished: bool, found: &mut Signed) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, unfinished, found);
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy();
        if !unfinished && name.starts_with("tmp_") {
            continue;
        }
        // Wherever a commit begins in the file, whole or torn: its length is in the line before.
        let bytes = std::fs::read(&path).unwrap();
        let mut rest = bytes.as_slice();
        while let Some(at) = rest.iter().position(|b| *b == b'\n') {
            let (line, after) = (&rest[..at], &rest[at + 1..]);
            let length = std::str::from_utf8(line).ok().and_then(|l| l.parse().ok());
            match length.and_then(|length: usize| after.get(..length)) {
                Some(commit) => {
                    note(found, commit);
                    rest = &after[commit.len()..];
                }
                None => rest = after,
            }
        }
    }
}

fn note(found: &mut Signed, bytes: &[u8]) {
    let parsed = Commit::parse(bytes, ObjectFormat::Sha1);
    let Ok(commit) = parsed else {
        return;
    };
    if let Ok(Message::Snapshot(page)) = Message::parse(&commit.message) {
        let place = (page.space.to_hex(), page.epoch.0, page.number.0);
        found.entry(place).or_default().insert(commit.payload());
    }
}

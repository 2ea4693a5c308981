//! Bytes follow what the state publishes, whatever breaks on the way.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;
mod common;
#[path = "common/travel.rs"]
mod travel;

use cli::{Fixture, finish, pair};
use common::bytes::{self, key, publish};
use common::disk;
use folio::artifact::settle::{Settled, Wanted, is_signed, settle};
use folio::artifact::{ArtifactFault, Imprint, Shelves};
use folio::crypto::Sign as _;
use folio::journal::Space;
use folio::model::Code;
use folio::store::{GitStore, Script};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn wanted(bytes: &[u8]) -> Wanted {
    let size = bytes.len() as u64;
    Wanted {
        key: key(bytes),
        size,
    }
}

fn run(store: &GitStore, wanted: &[Wanted]) -> Result<Settled, ArtifactFault> {
    let wanda = pair("wanda");
    let imprint: Imprint<'_> = bytes::imprint(store, "wanda", Some(&wanda));
    settle(&Shelves::open(store)?, store, wanted, &imprint)
}

/// Both refs are there and fit each other, or neither is.
fn whole(dir: &Path, artifacts: &[&[u8]]) {
    let store = GitStore::open(dir).unwrap();
    let shelves = Shelves::open(&store).unwrap();
    let space = Space::open(&store).unwrap().id;
    assert!(is_signed(&shelves, &store, &space, &pair("wanda").public_key()).unwrap());
    for artifact in artifacts {
        let found = bytes::published(dir, &key(artifact));
        assert!(found.is_none_or(|found| found == *artifact));
    }
}

#[test]
fn a_crash_at_any_step_is_made_up_for_by_the_next_run() {
    let fixture = Fixture::bare();
    let large: Vec<u8> = (0..400_000u32)
        .flat_map(|n| n.wrapping_mul(n).to_be_bytes())
        .collect();
    let artifacts: [&[u8]; 3] = [b"one", b"two", &large];
    bytes::add(&fixture.space, &artifacts);
    let all = artifacts.map(wanted);
    let mut steps = 0;
    loop {
        steps += 1;
        let dir = fixture.path(&format!("copy-{steps}"));
        disk::copy(&fixture.space, &dir);
        let script = Script::new();
        script.fail_at(steps);
        let mortal = GitStore::open(&dir)
            .unwrap()
            .with_steps(Arc::new(script.clone()));
        let ended = run(&mortal, &all);
        drop(mortal);
        whole(&dir, &artifacts);
        if !script.is_dead() {
            assert_eq!(ended.unwrap().copied, 3);
            break;
        }
        let settled = run(&GitStore::open(&dir).unwrap(), &all).unwrap();
        assert!(settled.left.is_empty(), "step {steps}");
        for artifact in artifacts {
            assert!(bytes::published(&dir, &key(artifact)).is_some());
        }
        whole(&dir, &artifacts);
        let mut fsck = fixture.bare_command("git", &dir);
        let ran = finish(fsck.args(["fsck", "--strict", "--no-dangling"]), b"");
        assert_eq!(ran.code, 0, "step {steps}: {}", ran.err);
        std::fs::remove_dir_all(&dir).unwrap();
    }
    assert!(steps > 10, "{steps} steps");
}

/// Changes the first object of every pack of the internal shelf, which is a block.
fn damage_packs(dir: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let packs = dir.join("folio/internal.git/objects/pack");
    for entry in std::fs::read_dir(packs).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "pack") {
            let mut bytes = std::fs::read(&path).unwrap();
            for byte in &mut bytes[14..19] {
                *byte ^= 0x55;
            }
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            std::fs::write(&path, bytes).unwrap();
        }
    }
}

#[test]
fn what_is_damaged_is_named_and_everything_else_is_copied() {
    let fixture = Fixture::bare();
    let dir = &fixture.space;
    // Both on the internal shelf and offered; then the internal copies break.
    bytes::add(dir, &[b"twice"]);
    bytes::offer(dir, "alice", "p", &[b"twice"], &pair("alice"));
    bytes::add(dir, &[b"once"]);
    // The sheets as files survive, so both are still found there.
    let store = GitStore::open(dir).unwrap();
    let shelves = Shelves::open(&store).unwrap();
    assert!(shelves.internal().find(&key(b"once")).unwrap().is_some());
    damage_packs(dir);
    let other = b"other".as_slice();
    bytes::put(
        &shelves
            .offered(
                &bytes::name("bob", "q").author,
                &bytes::name("bob", "q").slug,
            )
            .unwrap(),
        &bytes::imprint(&store, "bob", Some(&pair("bob"))),
        &[other],
    )
    .unwrap();
    let all = [b"twice".as_slice(), b"once", other, b"nowhere"].map(wanted);
    let settled = run(&GitStore::open(dir).unwrap(), &all).unwrap();
    let left: Vec<(Wanted, Code)> = settled
        .left
        .into_iter()
        .map(|(one, f)| (one, f.code))
        .collect();
    let expected = [
        (wanted(b"once"), Code::ArtifactDamaged),
        (wanted(b"nowhere"), Code::ArtifactMissing),
    ];
    assert_eq!(left, expected);
    for there in [b"twice".as_slice(), other] {
        assert_eq!(bytes::published(dir, &key(there)).unwrap(), there);
    }
}

#[test]
fn a_killed_accept_leaves_bytes_to_the_next_one() {
    let fixture = Fixture::bare();
    let artifact: Vec<u8> = (0..500_000u32)
        .flat_map(|n| (n ^ 77).to_be_bytes())
        .collect();
    bytes::add(&fixture.space, &[&artifact]);
    fixture.propose("alice", "p", &publish(&artifact));
    let before = fixture.path("before");
    disk::copy(&fixture.space, &before);
    let home = fixture.path(".local");
    let outside = fixture.path("outside-before");
    if home.exists() {
        disk::copy(&home, &outside);
    }
    let mut killed = 0;
    for round in 0..8 {
        travel::copy(&before, &fixture.space);
        std::fs::remove_dir_all(&home).ok();
        if outside.exists() {
            disk::copy(&outside, &home);
        }
        let mut accept = fixture.command(&fixture.space, Some("wanda"));
        accept.args(["accept", "--all"]);
        killed += usize::from(travel::kill(
            &mut accept,
            Duration::from_millis(15 * round + 5),
        ));
        fixture.run("wanda", &["accept", "--all"]).ok();
        let found = bytes::published(&fixture.space, &key(&artifact));
        assert!(
            found.is_some_and(|found| found == artifact),
            "round {round}"
        );
        whole(&fixture.space, &[&artifact]);
    }
    assert!(killed > 0);
}

#[test]
fn what_is_withdrawn_is_not_copied_and_what_was_missing_is_looked_for_again() {
    let fixture = Fixture::bare();
    bytes::add(&fixture.space, &[b"one", b"two"]);
    fixture.propose("alice", "p", &(publish(b"one") + &publish(b"two")));
    fixture.accept_all();
    let gone = |name: &str| fixture.git(&["update-ref", "-d", name]);
    // Somebody took the shelf away, and withdrew one meanwhile.
    gone("refs/artifacts/catalog");
    gone("refs/artifacts/published");
    let withdraw = format!(
        "{{\"op\":\"artifact.tombstone\",\"artifact\":\"{}\",\"reason\":\"a mistake\"}}\n",
        key(b"one")
    );
    fixture.propose("alice", "w", &withdraw);
    fixture.accept_all();
    assert_eq!(bytes::published(&fixture.space, &key(b"one")), None);
    assert!(bytes::published(&fixture.space, &key(b"two")).is_some());
    // Numbered without its bytes, as after a lost machine: said each time, until they are there.
    let internal = fixture.space.join("folio/internal.git");
    let aside = fixture.path("aside");
    std::fs::rename(&internal, &aside).unwrap();
    std::fs::remove_dir_all(fixture.space.join("folio/artifacts")).unwrap();
    gone("refs/artifacts/catalog");
    gone("refs/artifacts/published");
    for _ in 0..2 {
        let ran = fixture.run("wanda", &["accept", "--all"]);
        assert!(
            ran.err.contains("warning: artifact-missing: "),
            "{}",
            ran.err
        );
    }
    std::fs::rename(&aside, &internal).unwrap();
    fixture.run("wanda", &["gc", "--dry-run"]).ok();
    assert_eq!(bytes::published(&fixture.space, &key(b"two")), None);
    fixture.run("wanda", &["gc"]).ok();
    assert!(bytes::published(&fixture.space, &key(b"two")).is_some());
}

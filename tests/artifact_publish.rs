//! Publishing, from the proposal to the bytes: what is asked before a number is given, and what follows.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;
mod common;

use cli::{Fixture, finish, pair};
use common::Actor;
use common::bytes::{self, key, publish, publish_as};
use common::shelves::Hand;
use folio::codec::sheet::Record;
use folio::crypto::Sign as _;
use folio::journal::gate::{self, Update};
use folio::journal::pages::MemoryIndex;
use folio::journal::refs::{CATALOG, PUBLISHED};
use folio::journal::{Space, shelf};
use folio::store::{Expect, GitStore, Objects as _, RefEdit, Refs as _};

const OFFER: &str = "refs/artifacts/offered/alice/p";

fn store(fixture: &Fixture) -> GitStore {
    GitStore::open(&fixture.space).unwrap()
}

fn at(fixture: &Fixture, name: &str) -> Option<folio::model::Oid> {
    store(fixture).get(name).unwrap()
}

/// What a server says of the published refs as they are here.
fn gate_of(fixture: &Fixture) -> Vec<Option<String>> {
    // A server that has the pages and nothing of the shelf yet.
    let copy = fixture.path("judged.git");
    std::fs::remove_dir_all(&copy).ok();
    common::disk::copy(&fixture.space, &copy);
    let there = GitStore::open(&copy).unwrap();
    let gone = |name: &str| RefEdit {
        name: name.to_owned(),
        expect: Expect::Any,
        new: None,
        message: String::new(),
    };
    there.apply(&[CATALOG, PUBLISHED].map(gone)).unwrap();
    let update = |name: &str| Update {
        name: name.to_owned(),
        old: None,
        new: at(fixture, name),
    };
    let updates = [CATALOG, PUBLISHED].map(update);
    let verdicts = gate::judge(&there, &mut MemoryIndex::default(), None, &updates).unwrap();
    let words = |verdict: gate::Verdict| verdict.refused.map(|fault| fault.to_string());
    verdicts.into_iter().map(words).collect()
}

#[test]
fn what_is_numbered_is_published_and_nothing_beside_it() {
    let fixture = Fixture::bare();
    let (large, secret) = (vec![7; 3 << 20], b"a secret".as_slice());
    bytes::add(&fixture.space, &[b"small", secret, &large]);
    fixture.propose("alice", "p", &(publish(b"small") + &publish(&large)));
    let queue = fixture.run("alice", &["queue"]).ok();
    assert!(queue.contains("    bytes: 2 here"), "{queue}");
    assert_eq!(at(&fixture, PUBLISHED), None);
    let ran = fixture.run("wanda", &["accept", "--all"]);
    assert!(!ran.err.contains("warning"), "{}", ran.err);
    ran.ok();
    for artifact in [b"small".as_slice(), &large] {
        let found = bytes::published(&fixture.space, &key(artifact));
        assert_eq!(found.as_deref(), Some(artifact));
    }
    // The small ones share a block on the internal shelf: the secret is in nothing that travels.
    assert_eq!(bytes::published(&fixture.space, &key(secret)), None);
    let listed = fixture.git(&["rev-list", "--objects", "--all"]);
    for line in listed.lines() {
        let id = line.split(' ').next().unwrap();
        let raw = finish(
            fixture
                .bare_command("git", &fixture.space)
                .args(["cat-file", "--batch"]),
            format!("{id}\n").as_bytes(),
        );
        assert!(!raw.out.contains("a secret"), "{line}");
    }
    assert_eq!(gate_of(&fixture), [None, None]);
    fixture.git(&["fsck", "--strict", "--no-dangling"]);
    // Another page: the shelf grows, and passes the gate again.
    let before = at(&fixture, PUBLISHED);
    bytes::add(&fixture.space, &[b"later"]);
    fixture.propose("alice", "q", &publish(b"later"));
    fixture.accept_all();
    assert_ne!(at(&fixture, PUBLISHED), before);
    assert_eq!(gate_of(&fixture), [None, None]);
}

#[test]
fn a_proposal_waits_for_its_bytes_without_a_signed_refusal() {
    let fixture = Fixture::bare();
    fixture.propose("alice", "p", &publish(b"not here"));
    fixture.propose("alice", "q", &server_line());
    let ran = fixture.run("wanda", &["accept", "--all"]);
    assert!(
        ran.err.contains("refused alice/p: artifact-missing: "),
        "{}",
        ran.err
    );
    assert!(ran.out.contains("alice/q"), "{}", ran.out);
    assert!(
        fixture
            .git(&["for-each-ref", "refs/heads/reviews"])
            .is_empty()
    );
    let review = fixture.run("bob", &["review", "alice/p"]).ok();
    assert!(review.contains("(8 bytes): missing"), "{review}");
    fixture
        .run("wanda", &["accept", "alice/p"])
        .refused("artifact-missing", 6);
    bytes::add(&fixture.space, &[b"not here"]);
    fixture.accept_all();
    let found = bytes::published(&fixture.space, &key(b"not here"));
    assert_eq!(found.unwrap(), b"not here");
}

fn server_line() -> String {
    "{\"op\":\"alias.set\",\"alias\":\"a\",\"target\":\"x\"}\n".to_owned()
}

#[test]
fn another_size_than_the_bytes_have_is_refused_with_a_signed_reason() {
    let fixture = Fixture::bare();
    bytes::add(&fixture.space, &[b"five!"]);
    fixture.propose("alice", "p", &publish_as(&key(b"five!"), 6));
    let ran = fixture.run("wanda", &["accept", "--all", "--json"]).json();
    assert_eq!(ran["refused"][0]["code"], "artifact-mismatch", "{ran}");
    assert_eq!(ran["refused"][0]["signed"], true, "{ran}");
    assert_eq!(at(&fixture, CATALOG), None);
}

/// A clone with bytes of its own, which alice offers from there with her proposal `p`.
fn offered(fixture: &Fixture, artifacts: &[&[u8]]) {
    let clone = fixture.path("alices.git");
    common::disk::copy(&fixture.space, &clone);
    bytes::add(&clone, artifacts);
    bytes::offer(&clone, "alice", "p", artifacts, &pair("alice"));
    let lines: String = artifacts.iter().map(|bytes| publish(bytes)).collect();
    let mut propose = fixture.command(&clone, Some("alice"));
    propose.args(["propose", "-m", "p", "--slug", "p", "-f", "-"]);
    finish(&mut propose, lines.as_bytes()).ok();
    let from = clone.to_str().unwrap().to_owned();
    let both = ["refs/artifacts/offered/*", "refs/heads/proposals/*"];
    let both = both.map(|name| format!("{name}:{name}"));
    fixture.git(&["fetch", "-q", &from, &both[0], &both[1]]);
}

#[test]
fn offered_bytes_are_taken_over_and_the_offer_goes() {
    let fixture = Fixture::bare();
    let large: Vec<u8> = (0..2_000_000u32)
        .flat_map(|n| (n % 251).to_be_bytes())
        .collect();
    offered(&fixture, &[b"small", &large]);
    let queue = fixture.run("bob", &["queue", "--json"]).json();
    assert_eq!(
        queue["proposals"][0]["bytes"][0]["bytes"], "offered",
        "{queue}"
    );
    assert!(at(&fixture, OFFER).is_some());
    fixture.accept_all();
    let found = bytes::published(&fixture.space, &key(&large));
    assert!(found.is_some_and(|found| found == large));
    assert_eq!(at(&fixture, OFFER), None);
    assert_eq!(gate_of(&fixture), [None, None]);
}

/// Puts a record of somebody's making under the offer of alice's proposal.
fn offer_record(fixture: &Fixture, change: impl FnOnce(&Hand<'_, GitStore>, &mut Record)) {
    let store = store(fixture);
    let alice = Actor {
        handle: "alice",
        key: pair("alice"),
    };
    let hand = Hand {
        store: &store,
        space: Space::open(&store).unwrap().id,
        signer: Some(&alice),
    };
    let mut records = hand.records(&[b"honest"]);
    hand.write(folio::store::Kind::Blob, b"honest".to_vec());
    change(&hand, &mut records[0]);
    let (_, placement) = hand.shelf(&[hand.sheet_of(records)]);
    let edit = RefEdit {
        name: OFFER.into(),
        expect: Expect::Any,
        new: Some(placement),
        message: String::new(),
    };
    store.apply(&[edit]).unwrap();
}

#[test]
fn offered_bytes_that_are_others_are_refused_with_a_signed_reason() {
    let fixture = Fixture::bare();
    fixture.propose("alice", "p", &publish_as(&key(b"wanted"), 6));
    offer_record(&fixture, |_, record| record.key = key(b"wanted"));
    let ran = fixture.run("wanda", &["accept", "--all", "--json"]).json();
    assert_eq!(ran["refused"][0]["code"], "artifact-mismatch", "{ran}");
    assert_eq!(ran["refused"][0]["signed"], true, "{ran}");
    // An honest offer in its place is taken, by name.
    offer_record(&fixture, |hand, record| {
        let block = hand.write(folio::store::Kind::Blob, b"wanted".to_vec());
        record.key = key(b"wanted");
        record.extents[0].block = block;
    });
    fixture.accept_all();
    assert!(bytes::published(&fixture.space, &key(b"wanted")).is_some());
}

#[test]
fn an_offer_that_came_in_part_is_waited_for() {
    let fixture = Fixture::bare();
    fixture.propose("alice", "p", &publish_as(&key(b"wanted"), 6));
    offer_record(&fixture, |hand, record| {
        record.key = key(b"wanted");
        record.extents[0].block = hand.store.id_of(folio::store::Kind::Blob, b"wanted");
    });
    let ran = fixture.run("wanda", &["accept", "--all", "--json"]).json();
    assert_eq!(ran["refused"][0]["code"], "artifact-missing", "{ran}");
    assert_eq!(ran["refused"][0]["signed"], false, "{ran}");
}

#[test]
fn what_was_signed_by_another_key_is_signed_again_by_the_pen() {
    let fixture = Fixture::bare();
    bytes::add(&fixture.space, &[b"one"]);
    fixture.propose("alice", "p", &publish(b"one"));
    fixture.accept_all();
    let store = store(&fixture);
    let space = Space::open(&store).unwrap().id;
    let shelves = folio::artifact::Shelves::open(&store).unwrap();
    let published = shelves.published();
    let old = published.catalog().unwrap();
    published
        .replace(&old, &old.sheets, &bytes::imprint(&store, "folio", None))
        .unwrap();
    let signer = || {
        let commit = at(&fixture, CATALOG).unwrap();
        shelf::Catalog::read(&store, &space, commit).unwrap().key
    };
    assert_eq!(signer(), None);
    fixture.accept_all();
    assert_eq!(signer(), Some(pair("wanda").public_key()));
    assert_eq!(gate_of(&fixture), [None, None]);
}

//! What goes along with one's own proposals, and what does not.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;
mod common;

use clap::Parser as _;
use cli::{Fixture, finish};
use common::bytes::{self, key, publish};
use folio::artifact::Shelves;
use folio::cli::args::Cli;
use folio::cli::context::Context;
use folio::cli::offers::{self, Offer};
use folio::cli::ui::Ui;
use folio::journal::gate::{self, Update};
use folio::journal::pages::MemoryIndex;
use folio::model::ContentDigest;
use folio::store::{GitStore, Refs as _};

const BRANCH: &str = "refs/heads/proposals/alice/p";
const OFFER: &str = "refs/artifacts/offered/alice/p";

/// What `who` would send along with these proposals.
fn prepare(fixture: &Fixture, who: &str, proposals: &[&str]) -> Vec<Offer> {
    let key = fixture.path(&format!("{who}.key"));
    let (dir, key) = (fixture.space.to_str().unwrap(), key.to_str().unwrap());
    let date = "1767225600 +0000";
    let line = ["folio", "-C", dir, "--key", key, "--date", date, "push"];
    let cli = Cli::try_parse_from(line).unwrap();
    let context = Context::open(&cli.global).unwrap();
    let proposals: Vec<String> = proposals.iter().map(ToString::to_string).collect();
    offers::prepare(&context, &cli.global, &Ui::new(&cli.global), &proposals).unwrap()
}

fn keys(fixture: &Fixture) -> Vec<ContentDigest> {
    let store = GitStore::open(&fixture.space).unwrap();
    let shelves = Shelves::open(&store).unwrap();
    let name = bytes::name("alice", "p");
    let shelf = shelves.offered(&name.author, &name.slug).unwrap();
    shelf.keys().unwrap().map(|one| one.unwrap().key).collect()
}

fn passes_the_gate(fixture: &Fixture, offer: &Offer) -> bool {
    let store = GitStore::open(&fixture.space).unwrap();
    let update = Update {
        name: offer.name.clone(),
        old: None,
        new: Some(offer.commit),
    };
    let verdicts = gate::judge(&store, &mut MemoryIndex::default(), None, &[update]).unwrap();
    verdicts[0].refused.is_none()
}

#[test]
fn bytes_are_offered_when_their_proposal_is_sent_and_not_before() {
    let fixture = Fixture::bare();
    let large = vec![3; 2 << 20];
    bytes::add(&fixture.space, &[b"one", b"secret", &large]);
    fixture.propose("alice", "p", &(publish(b"one") + &publish(&large)));
    let store = GitStore::open(&fixture.space).unwrap();
    assert_eq!(store.get(OFFER).unwrap(), None);
    // It is not bob's to offer.
    assert_eq!(prepare(&fixture, "bob", &[BRANCH]), []);
    assert_eq!(store.get(OFFER).unwrap(), None);
    let offers = prepare(&fixture, "alice", &[BRANCH]);
    let [offer] = &offers[..] else {
        panic!("{offers:?}");
    };
    assert_eq!(
        (offer.name.as_str(), offer.proposal.as_str()),
        (OFFER, BRANCH)
    );
    assert_eq!(store.get(OFFER).unwrap(), Some(offer.commit));
    assert!(passes_the_gate(&fixture, offer));
    let mut expected = [key(b"one"), key(&large)];
    expected.sort();
    assert_eq!(keys(&fixture), expected);
    // What stands is not made again, and whoever sends her proposal sends it along.
    assert_eq!(prepare(&fixture, "alice", &[BRANCH]), offers);
    assert_eq!(prepare(&fixture, "bob", &[BRANCH]), offers);
}

#[test]
fn an_offer_follows_its_proposal() {
    let fixture = Fixture::bare();
    bytes::add(&fixture.space, &[b"one", b"two"]);
    fixture.propose("alice", "p", &publish(b"one"));
    let first = prepare(&fixture, "alice", &[BRANCH]);
    let replace = ["propose", "-m", "p", "--slug", "p", "--replace", "-f", "-"];
    fixture.run_with("alice", &replace, &publish(b"two")).ok();
    let second = prepare(&fixture, "alice", &[BRANCH]);
    assert_ne!(first, second);
    assert_eq!(keys(&fixture), [key(b"two")]);
    // What everybody can have is not offered; what nobody has here cannot be.
    fixture.accept_all();
    let store = GitStore::open(&fixture.space).unwrap();
    assert_eq!(store.get(OFFER).unwrap(), None);
    let again = publish(b"two").replace("\"size\"", "\"media\":\"text/plain\",\"size\"");
    fixture.propose("alice", "p", &(again + &publish(b"nowhere")));
    assert_eq!(prepare(&fixture, "alice", &[BRANCH]), []);
    let without = "{\"op\":\"alias.set\",\"alias\":\"a\",\"target\":\"x\"}\n";
    fixture.propose("alice", "q", without);
    let other = "refs/heads/proposals/alice/q";
    assert_eq!(prepare(&fixture, "alice", &[other, "refs/heads/main"]), []);
    let fsck = ["fsck", "--strict", "--no-dangling"];
    let mut git = fixture.bare_command("git", &fixture.space);
    assert_eq!(finish(git.args(fsck), b"").code, 0);
}

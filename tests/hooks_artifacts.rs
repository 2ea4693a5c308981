//! Artifacts on a server with hooks, through real git: what it takes, what it refuses, and what plain git gets.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;
mod common;
#[path = "common/server.rs"]
mod server;

use cli::finish;
use common::Actor;
use common::shelves::Hand;
use folio::codec::sheet::Extent;
use folio::journal::Space;
use folio::journal::refs::{CATALOG, PUBLISHED};
use folio::model::{Oid, limits};
use folio::store::{Expect, GitStore, Kind, Objects as _, RefEdit, Refs as _};
use server::{Served, refused, set};

const OFFER: &str = "refs/artifacts/offered/bob/a";

fn store(served: &Served) -> GitStore {
    GitStore::open(&served.fixture.space).unwrap()
}

/// A shelf in the space, signed by somebody; nothing refers to it yet.
fn shelf(served: &Served, who: &str, artifacts: &[&[u8]]) -> (Oid, Oid) {
    with_hand(served, who, |hand| hand.of(artifacts))
}

fn with_hand<T>(served: &Served, who: &str, make: impl FnOnce(&Hand<'_, GitStore>) -> T) -> T {
    let store = store(served);
    let signer = Actor {
        handle: "",
        key: cli::pair(who),
    };
    let signer = Actor {
        handle: Box::leak(who.to_owned().into_boxed_str()),
        ..signer
    };
    make(&Hand {
        store: &store,
        space: Space::open(&store).unwrap().id,
        signer: Some(&signer),
    })
}

/// Refspecs for both refs of what is published.
fn both((catalog, published): (Oid, Oid)) -> [String; 2] {
    [
        format!("{catalog}:{CATALOG}"),
        format!("{published}:{PUBLISHED}"),
    ]
}

#[test]
fn what_the_pen_publishes_comes_with_a_plain_fetch() {
    let served = Served::new();
    let pushed = both(shelf(&served, "wanda", &[b"published bytes", b"more"]));
    served.push(&pushed.each_ref().map(String::as_str)).ok();
    let mut git = served
        .fixture
        .bare_command("git", served.fixture.home.path());
    finish(git.args(["init", "-q", "--bare", "plain.git"]), b"").ok();
    let plain = served.fixture.path("plain.git");
    let git = |args: &[&str]| finish(served.fixture.bare_command("git", &plain).args(args), b"");
    let url = format!("file://{}", served.server.display());
    git(&["fetch", "-q", &url, "refs/artifacts/*:refs/artifacts/*"]).ok();
    git(&["fsck", "--strict", "--full"]).ok();
    let listed = git(&["ls-tree", "-r", "--name-only", PUBLISHED]).ok();
    assert_eq!(listed.lines().count(), 2, "{listed}");
    let id = store(&served).id_of(Kind::Blob, b"published bytes");
    assert_eq!(
        git(&["cat-file", "blob", &id.to_hex()]).ok(),
        "published bytes"
    );
}

#[test]
fn strangers_publish_nothing_and_take_nothing_away() {
    let served = Served::new();
    let good = both(shelf(&served, "wanda", &[b"x"]));
    served.push(&good.each_ref().map(String::as_str)).ok();
    let before = served.refs();
    let bad = both(shelf(&served, "bob", &[b"y"])).map(|spec| format!("+{spec}"));
    let ran = served.push(&bad.each_ref().map(String::as_str));
    refused(ran, "signer-wrong", PUBLISHED);
    assert_eq!(served.refs(), before);
    served.refuses(&format!(":{PUBLISHED}"), PUBLISHED, "ref-protected");
    let other = both(shelf(&served, "wanda", &[b"z"]));
    served.refuses(&other[0], CATALOG, "catalog-invalid");
    served.refuses(&other[1], PUBLISHED, "catalog-invalid");
    for name in ["refs/artifacts/internal", "refs/artifacts/offered/bob"] {
        served.refuses(&format!("main:{name}"), name, "ref-invalid");
    }
}

#[test]
fn offers_come_with_their_proposal_and_go_with_it() {
    let served = Served::new();
    let (_, offered) = shelf(&served, "bob", &[b"x"]);
    let (_, alices) = shelf(&served, "alice", &[b"x"]);
    served.refuses(&format!("{alices}:{OFFER}"), OFFER, "ref-invalid");
    served.fixture.propose("bob", "a", &set("a", "x"));
    let branch = "refs/heads/proposals/bob/a";
    let offer = format!("{offered}:{OFFER}");
    let refspecs = ["--atomic", "origin", &offer, branch];
    served
        .push_from(&served.fixture.space, &[refspecs[0]], &refspecs[2..])
        .ok();
    served.refuses(&format!(":{OFFER}"), OFFER, "ref-protected");
    served.fixture.accept_all();
    served
        .push(&["main", &format!(":{branch}"), &format!(":{OFFER}")])
        .ok();
    assert_eq!((served.at(branch), served.at(OFFER)), (None, None));
}

#[test]
fn objects_that_are_missing_or_huge_are_refused() {
    let served = Served::new();
    served.behind(&["config", "receive.unpackLimit", "1"]);
    // Zeros pack to nothing, above the limit of a sheet too: their size is looked at, and no more of them.
    let zeros = served.fixture.path("zeros");
    let file = std::fs::File::create(&zeros).unwrap();
    file.set_len(limits::SHEET_BYTES + 1).unwrap();
    let big = ["-c", "core.bigFileThreshold=1m", "hash-object", "-w"];
    let huge = served.git_with(&[&big[..], &[zeros.to_str().unwrap()]].concat(), b"");
    let huge: Oid = huge.parse().unwrap();
    let (sheet, list) = with_hand(&served, "bob", |bob| bob.sheet(&[b"x"]));
    let (_, as_sheet) = with_hand(&served, "bob", |bob| bob.shelf(&[(huge, list)]));
    let (_, as_block) = with_hand(&served, "bob", |bob| {
        let mut records = bob.records(&[b"x"]);
        records[0].extents[0] = Extent {
            block: huge,
            ..records[0].extents[0]
        };
        bob.shelf(&[bob.sheet_of(records)])
    });
    let before = served.refs();
    let other = "refs/artifacts/offered/bob/b";
    let ran = served.push(&[
        &format!("{as_sheet}:{OFFER}"),
        &format!("{as_block}:{other}"),
    ]);
    let said = refused(ran, "too-large", OFFER);
    assert!(said.contains(&format!("too-large: {other}: ")), "{said}");
    let bound = format!("expected at most {}", limits::BLOCK);
    assert!(said.contains(&bound), "{said}");
    // A block that nobody has: git does not even let the list of it in.
    let missing = with_hand(&served, "bob", |bob| {
        let mut records = bob.records(&[b"x"]);
        records[0].extents[0].block = "1".repeat(40).parse().unwrap();
        bob.shelf(&[bob.sheet_of(records)]).1
    });
    let ran = served.push(&[&format!("{missing}:{OFFER}")]);
    assert_ne!(ran.code, 0, "{}", ran.err);
    assert_eq!(served.refs(), before);
    // An honest one is taken all the same.
    let (_, good) = with_hand(&served, "bob", |bob| bob.shelf(&[(sheet, list)]));
    served.push(&[&format!("{good}:{OFFER}")]).ok();
}

#[test]
fn a_work_trees_own_refs_are_judged_before_they_are_sent() {
    let served = Served::new();
    let (catalog, published) = shelf(&served, "bob", &[b"x"]);
    let store = store(&served);
    for (name, id) in [(CATALOG, catalog), (PUBLISHED, published)] {
        let edit = RefEdit {
            name: name.into(),
            expect: Expect::Absent,
            new: Some(id),
            message: String::new(),
        };
        store.apply(&[edit]).unwrap();
    }
    let pushed = served.push(&["refs/artifacts/*:refs/artifacts/*"]);
    refused(pushed, "signer-wrong", CATALOG);
}

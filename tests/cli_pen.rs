//! The pen from the command line: looking at it, taking it, laying it down, and being polite.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;

use cli::{Fixture, pair};
use folio::codec::commit::Zone;
use folio::codec::message::Verdict;
use folio::crypto::Sign as _;
use folio::journal::proposal::Proposal;
use folio::journal::propose::When;
use folio::journal::review::{Opinion, write_review};
use folio::journal::{Page, Space, judge, refs};
use folio::state::TreeView;
use folio::store::{Expect, GitStore, Kind, Objects as _, RefEdit, Refs as _};
use serde_json::Value;

/// With bob as a second witness.
fn with_bob() -> Fixture {
    let fixture = Fixture::bare();
    fixture.run("alice", &["witness", "appoint", "bob"]).ok();
    let recovery = ["member", "add", "alice", "--add-role", "recovery"];
    fixture.run("alice", &recovery).ok();
    fixture
        .run("alice", &["propose", "-m", "A second witness"])
        .ok();
    fixture.accept_all();
    fixture
}

fn status(fixture: &Fixture) -> Value {
    fixture.run("bob", &["--json", "pen", "status"]).json()
}

/// Somebody approves a proposal.
fn approve(fixture: &Fixture, who: &str, branch: &str) {
    let store = GitStore::open(&fixture.space).unwrap();
    let space = Space::open(&store).unwrap();
    let id = store.get(&format!("{}{branch}", refs::PROPOSALS)).unwrap();
    let of = Some(&space.id);
    let proposal = Proposal::authenticate(&space.tables, &store, of, id.unwrap()).unwrap();
    let page = Page::read(&store, space.tip().unwrap()).unwrap();
    let view = TreeView::new(&space.tables, Some(page.tree()));
    let key = pair(who);
    let member = judge::member_of(&view, &key.public_key()).unwrap();
    let opinion = Opinion {
        verdict: Verdict::Approve,
        reason: None,
        text: "Yes\n".into(),
    };
    let when = When {
        seconds: 1,
        zone: Zone::UTC,
    };
    let made = write_review(&store, &proposal, opinion, &member, &key, &when);
    let (id, bytes) = made.unwrap();
    store.write_all(&[(id, Kind::Commit, bytes)]).unwrap();
    store
        .apply(&[RefEdit {
            name: refs::review(&member.handle, &proposal.digest()),
            expect: Expect::Any,
            new: Some(id),
            message: String::new(),
        }])
        .unwrap();
}

#[test]
fn a_take_waits_for_its_approvals_and_is_numbered_by_running_it_again() {
    let fixture = with_bob();
    let before = status(&fixture);
    assert_eq!(
        (&before["holder"], &before["epoch"]),
        (&"wanda".into(), &1.into())
    );
    assert_eq!(before["taking"]["approvals"][0]["role"], "recovery");
    assert_eq!(before["witnesses"], serde_json::json!(["bob", "wanda"]));
    let ran = fixture.run("bob", &["pen", "take", "--instance", "laptop"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let needs = "Proposed bob/pen-take, which needs 1 approval of role `recovery`";
    assert!(ran.out.contains(needs), "{}", ran.out);
    assert!(
        ran.err.contains("folio approve bob/pen-take"),
        "{}",
        ran.err
    );
    let first = fixture.git(&["rev-parse", "proposals/bob/pen-take"]);
    // Again without an approval: the same signed proposal stands there.
    let again = ["--json", "pen", "take", "--instance", "laptop"];
    let ran = fixture.run("bob", &again);
    assert_eq!(ran.code, 1);
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(answer["number"], Value::Null);
    assert_eq!(fixture.git(&["rev-parse", "proposals/bob/pen-take"]), first);
    approve(&fixture, "alice", "bob/pen-take");
    let answer = fixture.run("bob", &again).json();
    assert_eq!(
        (&answer["number"], &answer["epoch"]),
        (&3.into(), &2.into())
    );
    let after = status(&fixture);
    assert_eq!(
        (&after["holder"], &after["instance"]),
        (&"bob".into(), &"laptop".into())
    );
    // Now bob numbers, and wanda does not.
    fixture.propose("alice", "pin", "{\"op\":\"pin\",\"name\":\"kyiv\"}\n");
    fixture
        .run("wanda", &["accept", "--all"])
        .refused("signer-wrong", 4);
    assert!(
        fixture
            .run("bob", &["accept", "--all"])
            .ok()
            .contains("common@4")
    );
    fixture.run("alice", &["verify"]).ok();
    fixture.run("alice", &["replay"]).ok();
}

#[test]
fn released_and_taken() {
    let fixture = with_bob();
    let mistake = fixture.run("bob", &["pen", "release"]);
    mistake.refused("not-allowed", 3);
    let said = fixture.run("wanda", &["pen", "release"]).ok();
    assert!(said.contains("common@3 the pen is released"), "{said}");
    assert!(fixture.run("wanda", &["pen", "release"]).ok().is_empty());
    assert_eq!(status(&fixture)["released"], true);
    fixture.propose("alice", "pin", "{\"op\":\"pin\",\"name\":\"kyiv\"}\n");
    let waits = fixture.run("wanda", &["accept", "alice/pin"]);
    waits.refused("pen-released", 3);
    fixture
        .run("alice", &["pen", "take"])
        .refused("not-a-witness", 3);
    let said = fixture.run("bob", &["pen", "take"]).ok();
    assert!(
        said.contains("common@4 you hold the pen, in epoch 2"),
        "{said}"
    );
    let held = fixture.run("bob", &["pen", "take"]);
    assert!(
        held.err.contains("you hold the pen already"),
        "{}",
        held.err
    );
    let listed = fixture.run("bob", &["witness", "list"]).ok();
    assert_eq!(listed, "bob (holds the pen)\nwanda\n");
    fixture.run("alice", &["witness", "retire", "wanda"]).ok();
    fixture
        .run("alice", &["witness", "retire", "bob"])
        .refused("is-holder", 3);
    fixture.run("alice", &["propose", "-m", "One witness"]).ok();
    let numbered = fixture.run("bob", &["accept", "--all"]).ok();
    assert_eq!(numbered.lines().count(), 2, "{numbered}");
    fixture.run("alice", &["verify"]).ok();
}

#[test]
fn the_three_policies_from_the_command_line() {
    let fixture = with_bob();
    let set = |terms: &str| {
        fixture.run("alice", &["policy", "pen", terms]).ok();
        fixture.run("alice", &["propose", "-m", "Terms"]).ok();
        let store = GitStore::open(&fixture.space).unwrap();
        let space = Space::open(&store).unwrap();
        let page = Page::read(&store, space.tip().unwrap()).unwrap();
        let view = TreeView::new(&space.tables, Some(page.tree()));
        let pen = folio::journal::check::pen_of(&view).unwrap();
        let holder = if pen.member.as_str() == "bob" {
            "bob"
        } else {
            "wanda"
        };
        fixture.run(holder, &["accept", "--all"]).ok();
        let shown = fixture.run("alice", &["policy", "show", "pen.take", "held"]);
        shown.ok()
    };
    assert!(set("released").contains("nobody"));
    fixture
        .run("bob", &["pen", "take"])
        .refused("not-allowed", 3);
    assert!(set("approvals:1:recovery").contains("approvals 1:recovery"));
    assert_eq!(fixture.run("bob", &["pen", "take"]).code, 1);
    assert!(set("appointed").contains("witness"));
    fixture.run("bob", &["pen", "take"]).ok();
    let wrong = fixture.run("alice", &["policy", "pen", "whoever"]);
    wrong.refused("bad-request", 2);
}

#[test]
fn one_appoints_oneself_where_the_policy_lets_one() {
    let fixture = Fixture::bare();
    fixture.run("alice", &["policy", "pen", "appointed"]).ok();
    fixture.run("alice", &["propose", "-m", "Terms"]).ok();
    fixture.accept_all();
    fixture
        .run("alice", &["pen", "take"])
        .refused("not-a-witness", 3);
    fixture
        .run("bob", &["pen", "take", "--appoint"])
        .refused("not-allowed", 3);
    let said = fixture.run("alice", &["pen", "take", "--appoint"]).ok();
    assert!(said.contains("you hold the pen"), "{said}");
    fixture.run("bob", &["verify"]).ok();
}

#[test]
fn takers_are_polite_and_nothing_depends_on_it() {
    let fixture = with_bob();
    let terms = [
        "policy",
        "pen",
        "appointed",
        "--ttl",
        "5",
        "--lock-delay",
        "3",
    ];
    fixture.run("alice", &terms).ok();
    fixture.run("alice", &["propose", "-m", "Terms"]).ok();
    fixture.accept_all();
    // What is seen for the first time was never silent.
    let refused = |who: &str| fixture.run(who, &["pen", "take"]).refused("pen-in-use", 5);
    let words = refused("bob");
    assert!(
        words.contains("for 5 s more") && words.contains("--now"),
        "{words}"
    );
    assert_eq!(status(&fixture)["taking"]["ttl"], 5);
    // As if everything had been seen when this machine was started.
    let long_ago = || {
        for name in ["main", "heartbeat", "pen"] {
            let path = fixture.space.join("folio/observed").join(name);
            let mut seen: Value =
                serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            seen["since"] = 0.into();
            std::fs::write(&path, seen.to_string()).unwrap();
        }
    };
    long_ago();
    // A heartbeat of the holder starts the waiting again.
    fixture.run("wanda", &["pen", "beat"]).ok();
    assert!(refused("bob").contains("for 5 s more"));
    assert_eq!(status(&fixture)["heartbeat"]["beat"], 1);
    long_ago();
    fixture.run("bob", &["pen", "take"]).ok();
    // The other way round with `--now`, which everybody accepts.
    refused("wanda");
    fixture.run("wanda", &["pen", "take", "--now"]).ok();
    fixture.run("alice", &["verify"]).ok();
}

#[test]
fn a_rotated_holder_goes_on_without_a_gap() {
    let fixture = with_bob();
    let new = pair("eve");
    let key = new.public_key().to_string();
    let rotate = ["member", "rotate", "wanda", "--public-key", &key];
    fixture.run("wanda", &rotate).ok();
    fixture.run("wanda", &["propose", "-m", "A new key"]).ok();
    assert!(fixture.accept_all().contains("common@3"));
    // The new key releases, and says whose key numbers that.
    let ran = fixture.run("eve", &["pen", "release"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("folio accept wanda/pen-release"),
        "{}",
        ran.err
    );
    let numbered = fixture.run("wanda", &["accept", "wanda/pen-release"]).ok();
    assert!(numbered.contains("common@4"), "{numbered}");
    let said = fixture.run("eve", &["pen", "take"]).ok();
    assert!(
        said.contains("common@5 you hold the pen, in epoch 2"),
        "{said}"
    );
    fixture.run("alice", &["verify"]).ok();
}

#[test]
fn a_safe_quorum_from_the_command_line() {
    let fixture = with_bob();
    let set = |count: &str, safe: &str| {
        let row = [
            "policy",
            "set",
            "pin",
            "--role",
            "member",
            "--approvals",
            count,
        ];
        fixture.run("alice", &[&row[..], &["--safe", safe]].concat())
    };
    set("1:member", "1").refused("quorum-unsafe", 3);
    set("2:member", "1").ok();
    fixture.run("alice", &["propose", "-m", "Safe"]).ok();
    fixture.accept_all();
    let shown = fixture.run("alice", &["policy", "show", "pin"]).ok();
    assert!(
        shown.contains("approvals 2:member") && shown.contains("safe 1"),
        "{shown}"
    );
}

#[test]
fn who_approves_a_take_is_told_who_numbers_it() {
    let fixture = with_bob();
    assert_eq!(fixture.run("bob", &["pen", "take"]).code, 1);
    let ran = fixture.run("alice", &["approve", "bob/pen-take"]);
    assert!(
        ran.err.contains("its author can take the pen now"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("folio accept"), "{}", ran.err);
}

#[test]
fn policy_show_tells_the_built_in_terms_of_the_pen() {
    let fixture = with_bob();
    let shown = fixture.run("bob", &["policy", "show", "pen.take"]).ok();
    assert!(shown.contains("pen.take `released`"), "{shown}");
    assert!(shown.contains("approvals 1:recovery"), "{shown}");
}

#[test]
fn status_says_what_is_provisional_and_that_the_pen_is_released() {
    let fixture = Fixture::bare();
    let status = || fixture.run("wanda", &["--json", "status"]).json();
    assert_eq!(status()["provisional"], Value::Null, "this is the home");
    let home = fixture.path("home.git");
    fixture.git(&["init", "-q", "--bare", home.to_str().unwrap()]);
    fixture.git(&["remote", "add", "origin", home.to_str().unwrap()]);
    fixture.run("wanda", &["push"]).ok();
    assert_eq!(status()["provisional"], Value::Null);
    fixture.run("wanda", &["pen", "release"]).ok();
    let after = status();
    assert_eq!(
        after["provisional"],
        serde_json::json!({ "home": 1, "newest": 2 })
    );
    assert_eq!(after["pen"]["released"], true);
    let words = fixture.run("wanda", &["status"]).ok();
    assert!(words.contains("home is known to have common@1"), "{words}");
}

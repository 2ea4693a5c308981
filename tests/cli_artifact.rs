//! Artifacts from the command line, as far as decisions go: published, withdrawn, restored; who may.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;

use cli::Fixture;
use serde_json::{Value, json};

/// BLAKE3 of `abc`.
const KEY: &str = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
/// BLAKE3 of `xyz`.
const OTHER: &str = "f006b5ee4890b66656cf6c23998e25196a163644665dc9d4b47da1fca3037023";

/// Signs the draft and numbers it.
#[track_caller]
fn settle(fixture: &Fixture, who: &str, message: &str) {
    fixture.run(who, &["propose", "-m", message]).ok();
    let numbered = fixture.accept_all();
    assert!(numbered.contains(message), "{numbered}");
}

/// Adds the bytes of `KEY`.
fn add(fixture: &Fixture) {
    let added = fixture
        .run_with("alice", &["artifact", "add", "-"], "abc")
        .ok();
    assert!(added.starts_with(KEY), "{added}");
}

fn rows(fixture: &Fixture) -> Value {
    fixture.run("bob", &["--json", "state", "artifacts"]).json()["rows"].clone()
}

#[test]
fn published_withdrawn_and_restored() {
    let fixture = Fixture::bare();
    let artifact = |args: &[&str]| fixture.run("alice", &[&["artifact"], args].concat());
    artifact(&["publish", KEY]).refused("artifact-missing", 6);
    artifact(&["publish", "03"]).refused("bad-request", 2);
    artifact(&["publish", KEY, OTHER, "--size", "3"]).refused("bad-request", 2);
    artifact(&["publish", KEY, "--size", "3", "--media", "text"]).refused("text-invalid", 3);
    add(&fixture);
    artifact(&["publish", KEY, "--media", "Text/Plain"]).ok();
    let shown = fixture.run("alice", &["draft", "show"]).ok();
    assert!(
        shown.contains(&format!("+ artifacts {{\"artifact\":\"{KEY}\"")),
        "{shown}"
    );
    settle(&fixture, "alice", "publish");
    let published = json!({"artifact": KEY, "media": "text/plain", "size": 3});
    assert_eq!(rows(&fixture), json!([published]));
    // What is left out stays as it is, and a key has one size.
    let again = artifact(&["publish", KEY, KEY]);
    assert!(
        again.err.contains("1 decision true already"),
        "{}",
        again.err
    );
    artifact(&["publish", KEY, "--size", "4"]).refused("artifact-mismatch", 3);

    artifact(&["tombstone", KEY, OTHER, "-m", "wrong release"]).ok();
    artifact(&["publish", KEY]).refused("artifact-tombstoned", 3);
    settle(&fixture, "alice", "withdraw");
    let mut withdrawn = published.clone();
    withdrawn["tombstone"] = "wrong release".into();
    let bare = json!({"artifact": OTHER, "tombstone": "wrong release"});
    assert_eq!(rows(&fixture), json!([withdrawn, bare]));
    let words = artifact(&["publish", KEY]).refused("artifact-tombstoned", 3);
    assert!(words.contains("wrong release"), "{words}");

    artifact(&["restore", KEY, OTHER]).ok();
    settle(&fixture, "alice", "restore");
    assert_eq!(rows(&fixture), json!([published]));
    let ran = artifact(&["restore", KEY, OTHER]);
    assert!(ran.err.contains("2 decisions true already"), "{}", ran.err);
    let answer = fixture.run("bob", &["--json", "verify"]).json();
    assert_eq!(answer["to"], 4);
    assert_eq!(
        fixture.run("bob", &["--json", "replay"]).json()["equal"],
        true
    );
}

#[test]
fn what_is_withdrawn_is_told_by_those_who_ask() {
    let fixture = Fixture::bare();
    let alice = |args: &[&str]| fixture.run("alice", args);
    add(&fixture);
    alice(&["artifact", "publish", KEY]).ok();
    alice(&["overlay", "add", "pkg", "--base", "1", "--patch", KEY]).ok();
    settle(&fixture, "alice", "layer");
    alice(&["overlay", "add", "other", "--base", "1", "--patch", KEY]).ok();
    // A layer that is numbered and one that is drafted.
    let ran = alice(&["artifact", "tombstone", KEY, "-m", "leaks"]);
    for target in ["pkg", "other"] {
        let words = format!("{KEY} is the patch of layer ");
        let named = ran
            .err
            .lines()
            .any(|line| line.starts_with(&words) && line.ends_with(&format!(" on `{target}`")));
        assert!(named, "{target}: {}", ran.err);
    }
    let answer = alice(&["--json", "artifact", "tombstone", KEY, "-m", "leaks"]).json();
    assert_eq!(
        (&answer["added"], &answer["already"]),
        (&json!(0), &json!(1))
    );
    let dependents = answer["dependents"].as_array().unwrap();
    let targets: Vec<&str> = dependents
        .iter()
        .map(|one| one["target"].as_str().unwrap())
        .collect();
    assert_eq!(targets, ["other", "pkg"]);
    settle(&fixture, "alice", "withdraw it");

    let layers = |at: &str| {
        let answer = fixture.run("bob", &["--json", "overlays", "pkg", "--at", at]);
        answer.json()["layers"].clone()
    };
    assert_eq!(layers("2")[0]["withdrawn"], Value::Null);
    assert_eq!(layers("3")[0]["withdrawn"], "leaks");
    let human = fixture.run("bob", &["overlays", "pkg"]).ok();
    assert!(
        human.ends_with(&format!("{KEY} withdrawn: leaks\n")),
        "{human}"
    );
    let add = ["overlay", "add", "third", "--base", "1", "--patch", KEY];
    alice(&add).refused("artifact-tombstoned", 3);
    let id = layers("3")[0]["id"].as_str().unwrap()[..8].to_owned();
    let rebase = [
        "overlay", "rebase", "pkg", &id, "--base", "2", "--patch", KEY,
    ];
    alice(&rebase).refused("artifact-tombstoned", 3);

    let blamed = fixture.run("bob", &["blame", KEY]).ok();
    assert!(
        blamed.contains("withdraw it") && blamed.contains("artifact.tombstone 6437b3ac3846: leaks"),
        "{blamed}"
    );
    let facts = fixture.run("bob", &["--json", "explain", KEY]).json()["facts"].clone();
    assert_eq!(
        (&facts[0]["kind"], &facts[0]["names"]),
        (&json!("published"), &json!([]))
    );
    assert_eq!(
        (
            &facts[1]["kind"],
            &facts[1]["names"],
            &facts[1]["decided"]["number"]
        ),
        (&json!("withdrawn"), &json!(["leaks"]), &json!(3))
    );
    let shown = fixture.run("bob", &["show", "--at", "3"]).ok();
    assert!(shown.contains("\"tombstone\":\"leaks\""), "{shown}");
    let diff = fixture.run("bob", &["diff", "2", "3"]).ok();
    assert!(diff.contains("artifact.tombstone"), "{diff}");
}

#[test]
fn some_may_publish_and_not_withdraw() {
    let fixture = Fixture::bare();
    let run = |who: &str, args: &[&str]| fixture.run(who, args);
    add(&fixture);
    let publish = ["artifact", "publish", KEY];
    let policy = [
        "policy",
        "set",
        "artifact.publish",
        "--prefix",
        "f0",
        "--role",
        "admin",
    ];
    run("alice", &policy).ok();
    settle(&fixture, "alice", "members publish some");
    run("bob", &publish).ok();
    let other = ["artifact", "publish", OTHER, "--size", "3"];
    run("bob", &other).refused("not-allowed", 3);
    settle(&fixture, "bob", "publish");
    let tombstone = ["artifact", "tombstone", KEY, "-m", "no"];
    run("bob", &tombstone).refused("not-allowed", 3);
    run("alice", &tombstone).ok();
    settle(&fixture, "alice", "withdraw");
    run("bob", &["artifact", "restore", KEY]).refused("not-allowed", 3);
    let shown = run("bob", &["policy", "show", "artifact.tombstone", KEY]).ok();
    assert!(shown.starts_with("*: admin"), "{shown}");
    let family = ["policy", "set", "artifacts", "--role", "member"];
    run("alice", &family).ok();
    settle(&fixture, "alice", "the family");
    run("bob", &["artifact", "restore", KEY]).ok();
    settle(&fixture, "bob", "restore");
    assert_eq!(rows(&fixture)[0].get("tombstone"), None);
}

#[test]
fn a_restore_lifts_no_tombstone_that_its_author_did_not_see() {
    let fixture = Fixture::bare();
    let lines = |slug: &str, rest: &str| {
        let line = format!(r#"{{"artifact":"{KEY}",{rest}}}"#);
        fixture.propose("alice", slug, &line);
    };
    lines("first", r#""op":"artifact.tombstone","reason":"wrong""#);
    fixture.accept_all();
    lines("lift", r#""op":"artifact.restore""#);
    lines("worse", r#""op":"artifact.tombstone","reason":"leaks""#);
    fixture.run("wanda", &["accept", "alice/worse"]).ok();
    let ran = fixture.run("wanda", &["--json", "accept", "--all"]);
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(answer["refused"][0]["code"], "stale", "{}", ran.out);
    assert_eq!(
        rows(&fixture),
        json!([{"artifact": KEY, "tombstone": "leaks"}])
    );
    fixture.run("alice", &["rebase", "alice/lift"]).ok();
    fixture.run("wanda", &["accept", "alice/lift"]).ok();
    assert_eq!(rows(&fixture), json!([]));
}

#[test]
fn what_is_here_says_how_much_it_is_and_a_directory_brings_its_files() {
    let fixture = Fixture::bare();
    let tree = fixture.path("tree");
    std::fs::create_dir_all(tree.join("in")).unwrap();
    std::fs::write(tree.join("a"), b"alpha").unwrap();
    std::fs::write(tree.join("in").join("b"), b"beta").unwrap();
    let added = fixture
        .run("alice", &["artifact", "add", tree.to_str().unwrap()])
        .ok();
    let directory = added.split_whitespace().next().unwrap().to_owned();
    let (alpha, beta) = (
        blake3::hash(b"alpha").to_hex(),
        blake3::hash(b"beta").to_hex(),
    );
    // The beginning of a key is enough, and the files come before what names them.
    fixture
        .run(
            "alice",
            &["artifact", "publish", &alpha[..8], "--media", "text/plain"],
        )
        .ok();
    let ran = fixture.run("alice", &["artifact", "publish", &directory[..8]]);
    assert!(ran.err.contains("2 decisions drafted"), "{}", ran.err);
    let draft = fixture.run("alice", &["--json", "draft", "show"]).json();
    let drafted: Vec<(&str, u64, &str)> = draft["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["decision"]["artifact"].as_str().unwrap(),
                one["decision"]["size"].as_u64().unwrap(),
                one["decision"]["media"].as_str().unwrap(),
            )
        })
        .collect();
    let binary = "application/octet-stream";
    assert_eq!(
        drafted[..2],
        [
            (alpha.as_str(), 5, "text/plain"),
            (beta.as_str(), 4, binary)
        ]
    );
    assert_eq!(
        (drafted[2].0, drafted[2].2),
        (directory.as_str(), "application/vnd.folio.manifest")
    );
}

#[test]
fn what_is_withdrawn_stays_listed_and_is_not_handed_out_by_the_way() {
    let fixture = Fixture::bare();
    let artifact = |args: &[&str]| fixture.run("alice", &[&["artifact"], args].concat());
    add(&fixture);
    artifact(&["publish", KEY]).ok();
    settle(&fixture, "alice", "publish");
    artifact(&["tombstone", KEY, OTHER, "-m", "wrong release"]).ok();
    settle(&fixture, "alice", "withdraw");
    artifact(&["cat", KEY]).refused("artifact-tombstoned", 3);
    artifact(&["get", KEY, "-o", "-"]).refused("artifact-tombstoned", 3);
    assert_eq!(artifact(&["cat", "--withdrawn", KEY]).ok(), "abc");
    let listed = artifact(&["ls", "--published"]).ok();
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(
        lines,
        [
            format!("{KEY}  published  file      3  withdrawn: wrong release"),
            format!("{OTHER}  none       ?         ?  withdrawn: wrong release"),
        ]
    );
    let answer = fixture
        .run("alice", &["--json", "artifact", "ls", "--published"])
        .json();
    assert_eq!(answer["artifacts"][1]["withdrawn"], "wrong release");
    assert_eq!(answer["artifacts"][1]["size"], Value::Null);
    assert!(
        artifact(&["stat", KEY])
            .ok()
            .contains("withdrawn: wrong release")
    );
    artifact(&["restore", KEY]).ok();
    settle(&fixture, "alice", "restore");
    assert_eq!(artifact(&["cat", KEY]).ok(), "abc");
}

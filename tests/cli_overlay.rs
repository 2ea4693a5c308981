//! Overlays that carry bytes, from the command line: added, shown, made again.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;

use cli::{Fixture, Ran};
use serde_json::{Value, json};

const OLD: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";
/// What the layer makes of it.
const LAYERED: &str = "one\nTWO\nthree\nfour\nfive\nsix\nseven\neight\n";
const DIFF: &str = "--- a/t\n+++ b/t\n@@ -1,5 +1,5 @@\n one\n-two\n+TWO\n three\n four\n five\n";

fn key_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// Signs alice's draft and numbers it.
#[track_caller]
fn settle(fixture: &Fixture, slug: &str) {
    fixture
        .run("alice", &["propose", "-m", slug, "--slug", slug])
        .ok();
    let numbered = fixture.accept_all();
    assert!(numbered.contains(slug), "{numbered}");
}

/// `folio overlay ...` as alice, with file names in her home.
fn overlay(fixture: &Fixture, words: &[&str]) -> Ran {
    let mut args = vec!["overlay".to_owned()];
    args.extend(words.iter().map(|word| match word.strip_prefix("./") {
        Some(name) => fixture.path(name).to_str().unwrap().to_owned(),
        None => (*word).to_owned(),
    }));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    fixture.run("alice", &args)
}

/// The ids of the layers on `t`, the lowest first.
fn ids(fixture: &Fixture) -> Vec<String> {
    let stack = fixture.run("bob", &["--json", "overlays", "t"]).json();
    let layers = stack["layers"].as_array().unwrap();
    layers
        .iter()
        .map(|layer| layer["id"].as_str().unwrap().to_owned())
        .collect()
}

fn artifacts(fixture: &Fixture) -> Value {
    fixture.run("bob", &["--json", "state", "artifacts"]).json()["rows"].clone()
}

/// A space with one layer on `t`, a diff for version 1.
fn with_layer() -> Fixture {
    let fixture = Fixture::bare();
    fixture.write("old", OLD);
    fixture.write("diff", DIFF);
    overlay(&fixture, &["add", "t", "--base", "1", "--patch", "./diff"]).ok();
    settle(&fixture, "layer");
    fixture
}

#[test]
fn a_patch_becomes_an_artifact_that_the_same_proposal_publishes() {
    let fixture = with_layer();
    let published = json!({"artifact": key_of(DIFF), "media": "text/x-diff", "size": DIFF.len()});
    assert_eq!(artifacts(&fixture), json!([published]));
    let stack = fixture.run("bob", &["--json", "overlays", "t"]).json();
    assert_eq!(stack["layers"][0]["patch"], key_of(DIFF));

    // The same bytes by the beginning of their key: nothing is published twice. Standard input is a file too.
    let start = &key_of(DIFF)[..8];
    overlay(&fixture, &["add", "u", "--base", "1", "--patch", start]).ok();
    let args = ["overlay", "add", "v", "--base", "1", "--patch", "-"];
    fixture.run_with("alice", &args, "whole\n").ok();
    let draft = fixture.run("alice", &["--json", "draft", "show"]).json();
    let ops: Vec<_> = draft["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| &d["decision"]["op"])
        .collect();
    assert_eq!(ops, ["overlay.add", "artifact.publish", "overlay.add"]);
    settle(&fixture, "more");
    assert_eq!(artifacts(&fixture).as_array().unwrap().len(), 2);
    let shown = fixture.run("bob", &["overlay", "show", "v"]).ok();
    assert_eq!(shown, "whole\n");
}

#[test]
fn what_is_no_patch_is_refused_and_keeps_nothing() {
    let fixture = Fixture::bare();
    let add = |words: &[&str]| {
        overlay(
            &fixture,
            &[&["add", "t", "--base", "1", "--patch"], words].concat(),
        )
    };
    fixture.write("torn", &DIFF[..DIFF.len() - 8]);
    fixture.write("text", "just words\n");
    add(&["./torn"]).refused("patch-malformed", 3);
    add(&["./text", "--diff"]).refused("patch-malformed", 3);
    add(&["./nowhere"]).refused("not-found", 1);
    add(&["abcdef"]).refused("not-found", 1);
    assert_eq!(add(&["./text", "--diff", "--whole"]).code, 2);
    assert!(!fixture.space.join("folio/internal.git").exists());
    let draft = fixture.run("alice", &["--json", "draft", "show"]).json();
    assert_eq!(draft["decisions"], json!([]));
    // Said to be a whole file it may be torn.
    add(&["./torn", "--whole"]).ok();
    settle(&fixture, "whole");
    assert_eq!(artifacts(&fixture)[0]["media"], "text/plain");
    assert_eq!(
        overlay(&fixture, &["show", "t"]).ok(),
        DIFF[..DIFF.len() - 8]
    );
    // It stays what it was published as.
    let words = overlay(
        &fixture,
        &["add", "u", "--base", "1", "--patch", "./torn", "--diff"],
    );
    assert!(words.refused("bad-request", 2).contains("text/plain"));
}

#[test]
fn who_may_not_publish_is_told_and_can_leave_it_out() {
    let fixture = Fixture::bare();
    let policy = ["policy", "set", "artifact.publish", "--role", "admin"];
    fixture.run("alice", &policy).ok();
    settle(&fixture, "policy");
    let diff = fixture.write("diff", DIFF);
    let args = [
        "overlay",
        "add",
        "t",
        "--base",
        "1",
        "--patch",
        diff.to_str().unwrap(),
    ];
    let words = fixture.run("bob", &args).refused("not-allowed", 3);
    assert!(words.contains("--no-publish"), "{words}");
    fixture
        .run("bob", &[&args[..], &["--no-publish"]].concat())
        .ok();
    fixture.run("bob", &["propose", "-m", "layer"]).ok();
    fixture.accept_all();
    assert_eq!(artifacts(&fixture), json!([]));
    fixture.write("old", OLD);
    // Nothing says what it is, so it is what it looks like.
    assert_eq!(
        overlay(&fixture, &["show", "t", "--base-file", "./old"]).ok(),
        LAYERED
    );
}

#[test]
fn layers_are_laid_on_a_base_and_marked() {
    let fixture = with_layer();
    let show = |words: &[&str]| overlay(&fixture, &[&["show", "t"], words].concat());
    assert_eq!(show(&["--base-file", "./old"]).ok(), LAYERED);
    let listed = show(&[]).ok();
    assert_eq!(listed, format!("{} 1 {}\n", ids(&fixture)[0], key_of(DIFF)));
    show(&["-o", "./out"]).refused("bad-request", 2);

    // A second layer, for another version; the base has moved below both.
    fixture.write(
        "second",
        "--- a\n+++ b\n@@ -6,3 +6,3 @@\n six\n seven\n-eight\n+EIGHT\n",
    );
    overlay(
        &fixture,
        &["add", "t", "--base", "2", "--patch", "./second"],
    )
    .ok();
    settle(&fixture, "second");
    let ran = show(&["--base-file", "./old"]);
    assert!(ran.err.contains("base moved"), "{}", ran.err);
    assert_eq!(ran.ok(), LAYERED.replace("eight", "EIGHT"));
    fixture.write("grown", &OLD.replace("six", "5.5\nsix"));
    let ran = show(&["--base-file", "./grown", "--base-version", "2"]);
    assert!(
        ran.err.contains("hunk 1 applies at line 7, not 6"),
        "{}",
        ran.err
    );
    assert!(
        ran.err
            .contains(&format!("layer {}: base moved", &ids(&fixture)[0][..12])),
        "{}",
        ran.err
    );
    assert_eq!(
        ran.ok(),
        LAYERED.replace("six", "5.5\nsix").replace("eight", "EIGHT")
    );
    let below = show(&["--base-file", "./old", "--below", &ids(&fixture)[1]]).ok();
    assert_eq!(below, LAYERED);
    let old = show(&["--base-file", "./old", "--at", "2"]).ok();
    assert_eq!(old, LAYERED);

    // What does not apply is named, and left out if asked.
    fixture.write("other", &OLD.replace("two", "2"));
    let args = ["--base-file", "./other", "-o", "./out"];
    let words = show(&args).refused("patch-fails", 3);
    assert!(
        words.contains("hunk 1 of 1 (line 1) does not apply"),
        "{words}"
    );
    assert!(!fixture.path("out").exists());
    show(&[&args[..], &["--skip"]].concat()).ok();
    let out = std::fs::read_to_string(fixture.path("out")).unwrap();
    assert_eq!(out, OLD.replace("two", "2").replace("eight", "EIGHT"));
    let json = fixture.path("other");
    let args = [
        "--json",
        "overlay",
        "show",
        "t",
        "--skip",
        "--base-file",
        json.to_str().unwrap(),
    ];
    let answer = fixture.run("bob", &args).json();
    assert_eq!(answer["layers"][0]["state"], "fails");
    assert_eq!(answer["layers"][0]["code"], "patch-fails");
    assert_eq!(answer["layers"][1]["moved"], true);
    assert_eq!(answer["result"]["key"], key_of(&out));
}

#[test]
fn withdrawn_and_missing_layers_are_marked() {
    let fixture = with_layer();
    fixture
        .run(
            "alice",
            &[
                "artifact",
                "tombstone",
                &key_of(DIFF),
                "-m",
                "wrong release",
            ],
        )
        .ok();
    settle(&fixture, "withdraw");
    let show = |words: &[&str]| {
        overlay(
            &fixture,
            &[&["show", "t", "--base-file", "./old"], words].concat(),
        )
    };
    let words = show(&[]).refused("artifact-tombstoned", 3);
    assert!(words.contains("wrong release"), "{words}");
    assert_eq!(show(&["--skip"]).ok(), OLD);
    assert_eq!(show(&["--at", "2"]).ok(), LAYERED);
    overlay(&fixture, &["add", "u", "--base", "1", "--patch", "./diff"])
        .refused("artifact-tombstoned", 3);

    let nowhere = "0303030303030303030303030303030303030303030303030303030303030303";
    let ran = overlay(&fixture, &["add", "w", "--base", "1", "--patch", nowhere]);
    assert!(ran.err.contains("are not here"), "{}", ran.err);
    settle(&fixture, "missing");
    let words =
        overlay(&fixture, &["show", "w", "--base-file", "./old"]).refused("artifact-missing", 6);
    assert!(words.contains("--skip"), "{words}");
}

#[test]
fn a_base_that_is_an_artifact_is_found_by_the_version() {
    let fixture = Fixture::bare();
    fixture.write("old", OLD);
    fixture.write("diff", DIFF);
    let base = format!("blake3:{}", key_of(OLD));
    overlay(&fixture, &["add", "x", "--base", "1", "--patch", "./old"]).ok();
    overlay(
        &fixture,
        &["add", "t", "--base", &base, "--patch", "./diff"],
    )
    .ok();
    settle(&fixture, "both");
    let ran = overlay(&fixture, &["show", "t"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), (LAYERED, ""));
    let ran = overlay(&fixture, &["show", "t", "--base", &key_of(OLD)[..6]]);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), (LAYERED, ""));
    // Other bytes are another version.
    fixture.write("newer", &OLD.replace("eight", "8"));
    let ran = overlay(&fixture, &["show", "t", "--base-file", "./newer"]);
    assert!(ran.err.contains("base moved"), "{}", ran.err);
}

#[test]
fn a_layer_is_made_again_by_a_merge() {
    let fixture = with_layer();
    let id = ids(&fixture)[0].clone();
    fixture.write("new", &OLD.replace("eight", "8\nnine"));
    let rebase = |words: &[&str]| {
        overlay(
            &fixture,
            &[&["rebase", "t", &id[..6], "--base", "2"], words].concat(),
        )
    };
    rebase(&[]).refused("bad-request", 2);
    rebase(&["--old-base", "./new", "--new-base", "./old"]).ok();
    fixture.run("alice", &["draft", "clear"]).ok();
    rebase(&["--old-base", "./diff", "--new-base", "./new"]).refused("patch-fails", 3);
    rebase(&["--old-base", "./old", "--new-base", "./new"]).ok();
    settle(&fixture, "rebased");
    let ran = overlay(
        &fixture,
        &["show", "t", "--base-file", "./new", "--base-version", "2"],
    );
    assert_eq!(
        (ran.out.as_str(), ran.err.as_str()),
        (LAYERED.replace("eight", "8\nnine").as_str(), "")
    );

    // The next version has the change itself.
    fixture.write("taken", &LAYERED.replace("eight", "8\nnine"));
    let ran = overlay(
        &fixture,
        &[
            "rebase",
            "t",
            &id[..6],
            "--base",
            "3",
            "--old-base",
            "./new",
            "--new-base",
            "./taken",
        ],
    );
    assert!(
        ran.err.contains("--as applied") && ran.code == 0,
        "{}",
        ran.err
    );
    let draft = fixture.run("alice", &["--json", "draft", "show"]).json();
    assert_eq!(draft["decisions"], json!([]));
}

#[test]
fn conflicts_are_shown_as_git_shows_them_and_decided_in_the_file() {
    let fixture = with_layer();
    let id = ids(&fixture)[0].clone();
    fixture.write("new", &OLD.replace("two", "2"));
    let rebase = |words: &[&str]| {
        overlay(
            &fixture,
            &[
                &[
                    "rebase",
                    "t",
                    &id[..6],
                    "--base",
                    "2",
                    "--new-base",
                    "./new",
                ],
                words,
            ]
            .concat(),
        )
    };
    let ran = rebase(&["--old-base", "./old"]);
    let expected = format!(
        "one\n<<<<<<< layer {}\nTWO\n=======\n2\n>>>>>>> 2\nthree\nfour\nfive\nsix\nseven\neight\n",
        &id[..12]
    );
    assert_eq!(ran.out, expected);
    ran.refused("merge-conflict", 1);
    let words = rebase(&["--old-base", "./old", "-o", "./merged"]).refused("merge-conflict", 1);
    assert!(words.contains("--merged"), "{words}");
    assert_eq!(
        std::fs::read_to_string(fixture.path("merged")).unwrap(),
        expected
    );
    rebase(&["--merged", "./merged"]).refused("merge-conflict", 1);
    let draft = fixture.run("alice", &["--json", "draft", "show"]).json();
    assert_eq!(draft["decisions"], json!([]));

    fixture.write("merged", &OLD.replace("two", "ZWEI"));
    rebase(&["--merged", "./merged"]).ok();
    settle(&fixture, "decided");
    let shown = overlay(&fixture, &["show", "t", "--base-file", "./new"]).ok();
    assert_eq!(shown, OLD.replace("two", "ZWEI"));
    let rows = artifacts(&fixture);
    assert!(
        rows.as_array()
            .unwrap()
            .iter()
            .all(|row| row["media"] == "text/x-diff"),
        "{rows}"
    );
}

#[test]
fn a_whole_file_stays_one() {
    let fixture = Fixture::bare();
    fixture.write("old", OLD);
    fixture.write("mine", LAYERED);
    fixture.write("new", &OLD.replace("eight", "8"));
    overlay(&fixture, &["add", "t", "--base", "1", "--patch", "./mine"]).ok();
    settle(&fixture, "whole");
    let id = ids(&fixture)[0].clone();
    overlay(
        &fixture,
        &[
            "rebase",
            "t",
            &id,
            "--base",
            "2",
            "--old-base",
            "./old",
            "--new-base",
            "./new",
        ],
    )
    .ok();
    settle(&fixture, "rebased");
    let answer = fixture
        .run("bob", &["--json", "overlay", "show", "t"])
        .json();
    assert_eq!(answer["layers"][0]["kind"], "whole");
    assert_eq!(
        overlay(&fixture, &["show", "t"]).ok(),
        LAYERED.replace("eight", "8")
    );
}

#[test]
fn whoever_has_the_published_bytes_lays_them_too() {
    let fixture = with_layer();
    let status = fixture.run("bob", &["--json", "status"]).json();
    let space = status["space"].as_str().unwrap();
    let mut clone = fixture.command(fixture.home.path(), Some("bob"));
    clone.args([
        "clone",
        "space",
        "copy",
        "--space",
        space,
        "--artifacts",
        "none",
    ]);
    cli::finish(&mut clone, b"").ok();
    let mut fetch = fixture.bare_command("git", &fixture.path("copy"));
    fetch.args([
        "fetch",
        "-q",
        "../space",
        "refs/artifacts/*:refs/artifacts/*",
    ]);
    cli::finish(&mut fetch, b"").ok();
    let mut show = fixture.command(&fixture.path("copy"), Some("bob"));
    show.args(["overlay", "show", "t", "--base-file", "../old"]);
    assert_eq!(cli::finish(&mut show, b"").ok(), LAYERED);
}

//! The commands: `gc`, `gc status`, `artifact why`, `keep`, `unkeep`, `purge`.

use super::cli::Fixture;
use super::tree;
use super::world::{key_of, noise};
use folio::store::collector::Collecting;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Adds bytes; their key.
fn add(fixture: &Fixture, bytes: &[u8]) -> String {
    let file = fixture.path("file");
    fs::write(&file, bytes).unwrap();
    let added = fixture.run("alice", &["artifact", "add", file.to_str().unwrap()]);
    let key = added.ok().split_whitespace().next().unwrap().to_owned();
    assert_eq!(key, key_of(bytes).to_hex());
    key
}

fn why(fixture: &Fixture, key: &str) -> Value {
    fixture
        .run("alice", &["--json", "artifact", "why", key])
        .json()
}

fn reasons(fixture: &Fixture, key: &str) -> Vec<String> {
    let answer = why(fixture, key);
    let reasons = answer["reasons"].as_array().unwrap().clone();
    assert_eq!(answer["kept"].as_bool().unwrap(), !reasons.is_empty());
    let words = reasons
        .iter()
        .map(|reason| reason["reason"].as_str().unwrap());
    words.map(str::to_owned).collect()
}

/// Collects at a day counted from 2030.
fn gc(fixture: &Fixture, day: u64, more: &[&str]) -> Value {
    let date = format!("{} +0000", 1_893_456_000 + day * 86_400);
    let args = [&["--json", "--date", &date, "gc"], more].concat();
    fixture.run("alice", &args).json()
}

#[test]
fn what_a_decision_names_is_kept_from_the_draft_to_the_state() {
    let fixture = Fixture::with_work_tree();
    let bytes = noise(1, 5000);
    let key = add(&fixture, &bytes);
    assert_eq!(reasons(&fixture, &key), [""; 0]);
    let publish = ["artifact", "publish", &key, "--media", "text/plain"];
    fixture.run("alice", &publish).ok();
    assert_eq!(reasons(&fixture, &key), ["draft"]);
    gc(&fixture, 0, &["--grace", "0"]);
    fixture.run("alice", &["propose", "-m", "publish it"]).ok();
    assert_eq!(reasons(&fixture, &key), ["proposal"]);
    gc(&fixture, 1, &["--grace", "0"]);
    fixture.accept_all();
    assert_eq!(reasons(&fixture, &key), ["row"]);
    gc(&fixture, 2, &["--grace", "0"]);
    gc(&fixture, 3, &["--grace", "0"]);
    let into = fixture.path("got");
    let get = ["artifact", "get", &key, "-o", into.to_str().unwrap()];
    fixture.run("alice", &get).ok();
    assert_eq!(fs::read(into).unwrap(), bytes);
    fixture.run("alice", &["artifact", "verify"]).ok();
    fixture.run("alice", &["verify"]).ok();
    fixture.git(&["fsck", "--strict"]);
}

#[test]
fn keeping_by_hand_and_what_is_said_of_it() {
    let fixture = Fixture::bare();
    let key = add(&fixture, &noise(1, 5000));
    let said = fixture.run("bob", &["artifact", "why", &key]).ok();
    assert_eq!(
        said,
        "nothing refers to it; the next `folio gc` condemns it\n"
    );
    let run = gc(&fixture, 0, &[]);
    assert_eq!(run["artifacts"]["condemned"], 1);
    let said = fixture.run("bob", &["artifact", "why", &key[..8]]).ok();
    assert_eq!(
        said,
        "nothing refers to it; it may be collected after 2030-01-15\n"
    );
    fixture.run("bob", &["artifact", "keep", &key]).ok();
    assert_eq!(reasons(&fixture, &key), ["kept"]);
    assert_eq!(gc(&fixture, 20, &[])["artifacts"]["removed"], 0);
    fixture.run("bob", &["artifact", "unkeep", &key]).ok();
    assert_eq!(gc(&fixture, 20, &[])["artifacts"]["condemned"], 1);
    let status = fixture.run("bob", &["--json", "gc", "status"]).json();
    assert_eq!(status["artifacts"]["condemned"], 1);
    assert_eq!(status["running"], false);
    assert_eq!(status["last"], 1_893_456_000 + 20 * 86_400);
    let said = fixture.run("bob", &["gc", "status"]).ok();
    assert!(
        said.contains("internal shelf: 0 artifacts kept, 1 condemned"),
        "{said}"
    );
    assert_eq!(gc(&fixture, 34, &[])["artifacts"]["removed"], 1);
    fixture
        .run("bob", &["artifact", "why", &key])
        .refused("not-found", 1);
    fixture
        .run("bob", &["artifact", "keep", &key])
        .refused("not-found", 1);
}

#[test]
fn a_dry_run_changes_no_byte_of_the_repository() {
    let fixture = Fixture::with_work_tree();
    add(&fixture, &noise(1, 5000));
    fixture.propose(
        "bob",
        "one",
        r#"{"op":"alias.set","alias":"x","target":"a"}"#,
    );
    fixture.git(&["update-ref", "-d", "refs/heads/proposals/bob/one"]);
    for day in [0, 20] {
        let before = tree(&fixture.space);
        let said = gc(&fixture, day, &["--dry-run"]);
        assert!(before == tree(&fixture.space), "day {day}");
        assert_eq!(said["dry_run"], true);
        let aside = said["objects"]["aside"].as_u64().unwrap();
        let removed = said["objects"]["removed"].as_u64().unwrap();
        assert!(aside + removed > 0, "{said}");
        let did = gc(&fixture, day, &[]);
        assert_eq!(did["objects"]["aside"], aside, "{said} {did}");
        assert_eq!(did["objects"]["removed"], removed);
        for field in ["removed", "condemned"] {
            assert_eq!(
                did["artifacts"][field], said["artifacts"][field],
                "{said} {did}"
            );
        }
    }
}

#[test]
fn what_is_remembered_of_signatures_stays_as_it_is() {
    let fixture = Fixture::with_work_tree();
    fixture.propose(
        "bob",
        "one",
        r#"{"op":"alias.set","alias":"x","target":"a"}"#,
    );
    fixture.accept_all();
    let kept = |name: &str| tree(&fixture.space.join(".git/folio").join(name));
    let before = kept("signed");
    assert!(!before.is_empty());
    for day in 0..3 {
        gc(&fixture, day, &["--grace", "0"]);
    }
    assert!(before == kept("signed"));
    fixture.propose(
        "bob",
        "two",
        r#"{"op":"alias.set","alias":"y","target":"a"}"#,
    );
    fixture.accept_all();
    fixture.run("bob", &["verify"]).ok();
}

#[test]
fn packs_are_merged_without_collecting_and_fetching_merges_them_too() {
    let fixture = Fixture::bare();
    let reader = fixture.path("reader");
    fixture.git(&["clone", "-q", "--bare", ".", reader.to_str().unwrap()]);
    let count = |dir: &Path| {
        let names = fs::read_dir(dir.join("objects/pack")).unwrap();
        let names = names.map(|entry| entry.unwrap().path());
        names
            .filter(|path| path.extension().is_some_and(|e| e == "pack"))
            .count()
    };
    let reader_at = reader.to_str().unwrap();
    for n in 0..12 {
        let row = format!(r#"{{"op":"alias.set","alias":"x{n}","target":"a"}}"#);
        fixture.propose("bob", &format!("p{n}"), &row);
        fixture.accept_all();
        fixture
            .run("bob", &["-C", reader_at, "fetch", "origin"])
            .ok();
        assert!(count(&reader) <= 11, "{}", count(&reader));
        assert!(count(&fixture.space) <= 11, "{}", count(&fixture.space));
    }
    let did = fixture.run("bob", &["--json", "gc", "packs"]).json();
    assert_eq!((&did["graph"], &did["busy"]), (&true.into(), &false.into()));
    fixture.git(&["commit-graph", "verify"]);
    let turn = Collecting::begin(&fixture.space).unwrap();
    let did = fixture.run("bob", &["--json", "gc", "packs"]).json();
    assert_eq!(did["busy"], true);
    drop(turn);
    fixture.run("bob", &["verify"]).ok();
    fixture.git(&["fsck", "--strict"]);
}

#[test]
fn a_second_collection_and_newer_rules_are_refused() {
    let fixture = Fixture::bare();
    let turn = Collecting::begin(&fixture.space).unwrap();
    fixture.run("alice", &["gc"]).refused("busy", 5);
    fixture
        .run("alice", &["gc", "--dry-run"])
        .refused("busy", 5);
    let status = fixture.run("bob", &["--json", "gc", "status"]).json();
    assert_eq!(status["running"], true);
    drop(turn);
    assert_eq!(fixture.git(&["config", "folio.collector"]), "1\n");
    fixture.git(&["config", "folio.collector", "2"]);
    let before = tree(&fixture.space);
    fixture.run("alice", &["gc"]).refused("unsupported", 6);
    fixture
        .run("alice", &["gc", "status"])
        .refused("unsupported", 6);
    let key = "0".repeat(64);
    let purge = ["artifact", "purge", &key, "--yes"];
    fixture.run("alice", &purge).refused("unsupported", 6);
    assert!(before == tree(&fixture.space));
    fixture
        .run("alice", &["gc", "--grace", "soon"])
        .code
        .eq(&2)
        .then_some(())
        .unwrap();
}

#[test]
fn purging_asks_says_what_will_be_missed_and_erases_what_was_published_too() {
    let fixture = Fixture::bare();
    let (bytes, other) = (noise(1, 300_000), noise(2, 5000));
    let key = add(&fixture, &bytes);
    let spared = add(&fixture, &other);
    for key in [&key, &spared] {
        let publish = ["artifact", "publish", key, "--media", "text/plain"];
        fixture.run("alice", &publish).ok();
    }
    fixture
        .run("alice", &["propose", "-m", "publish them"])
        .ok();
    fixture.accept_all();
    assert_eq!(
        why(&fixture, &key)["shelves"],
        serde_json::json!(["internal", "published"])
    );
    let asked = fixture.run("alice", &["artifact", "purge", &key]);
    let said = asked.refused("bad-request", 2);
    assert!(
        said.contains("a row of the table artifacts names it"),
        "{said}"
    );
    assert!(said.contains("--yes"), "{said}");
    let purge = ["--json", "artifact", "purge", &key, "--yes"];
    let purged = fixture.run("alice", &purge).json();
    assert_eq!(
        purged["shelves"],
        serde_json::json!(["internal", "published"])
    );
    fixture
        .run("alice", &["artifact", "get", &key])
        .refused("not-found", 1);
    // No pack of either repository has a byte of it any more.
    let part = &bytes[100_000..100_032];
    for (path, found) in tree(&fixture.space) {
        assert!(!found.windows(32).any(|window| window == part), "{path:?}");
    }
    let into = fixture.path("got");
    let get = ["artifact", "get", &spared, "-o", into.to_str().unwrap()];
    fixture.run("alice", &get).ok();
    assert_eq!(fs::read(into).unwrap(), other);
    fixture.accept_all();
    gc(&fixture, 0, &["--grace", "0"]);
    gc(&fixture, 1, &["--grace", "0"]);
    fixture.run("alice", &["artifact", "verify"]).ok();
    fixture.run("alice", &["verify"]).ok();
    fixture.git(&["fsck", "--strict"]);
    // Added again it is an artifact like any other.
    assert_eq!(add(&fixture, &bytes), key);
    assert_eq!(reasons(&fixture, &key), ["row"]);
}

#[test]
fn a_command_has_packs_merged_in_the_background_when_much_has_come_unless_it_is_told_not_to() {
    let fixture = Fixture::bare();
    let file = fixture.path("much");
    fs::write(&file, noise(1, 9 << 20)).unwrap();
    let id = fixture.git(&["hash-object", "-w", file.to_str().unwrap()]);
    let pack = fixture.space.join("objects/pack/pack");
    let mut git = fixture.bare_command("git", &fixture.space);
    git.args(["pack-objects", "-q", pack.to_str().unwrap()]);
    super::cli::finish(&mut git, id.as_bytes()).ok();
    let graph = fixture
        .space
        .join("objects/info/commit-graphs/commit-graph-chain");
    let row = r#"{"op":"alias.set","alias":"x","target":"a"}"#;
    // All tests say `false`.
    fixture.propose("bob", "p0", row);
    assert!(!fixture.space.join("folio/house.time").exists());
    let mut run = fixture.command(&fixture.space, Some("bob"));
    run.env("GIT_CONFIG_VALUE_0", "true");
    let args = ["propose", "-m", "p1", "--slug", "p1", "-f", "-"];
    super::cli::finish(run.args(args), row.as_bytes()).ok();
    let started = std::time::Instant::now();
    while !graph.exists() {
        assert!(started.elapsed().as_secs() < 60, "nothing was started");
        std::thread::yield_now();
    }
    // Whoever collects waits for it, and finds everything in order.
    gc(&fixture, 0, &[]);
    fixture.git(&["fsck", "--strict"]);
}

/// Makes so many branches below `proposals/bob/`, all of them at `main`.
fn branches(fixture: &Fixture, kind: &str, count: usize) {
    let main = fixture.git(&["rev-parse", "main"]);
    let line = |n| format!("create refs/heads/proposals/bob/{kind}{n} {main}");
    let lines: String = (0..count).map(line).collect();
    let mut git = fixture.bare_command("git", &fixture.space);
    super::cli::finish(git.args(["update-ref", "--stdin"]), lines.as_bytes()).ok();
}

#[test]
fn branches_are_packed_when_there_are_many_and_a_command_has_that_done_in_the_background() {
    let fixture = Fixture::bare();
    branches(&fixture, "a", 256);
    let before = fixture.git(&["for-each-ref"]);
    let did = fixture.run("bob", &["--json", "gc", "packs"]).json();
    assert_eq!(did["refs"], 256);
    assert_eq!(fixture.git(&["for-each-ref"]), before);
    let again = fixture.run("bob", &["gc", "packs"]).ok();
    assert!(!again.contains("packed"), "{again}");
    branches(&fixture, "b", 255);
    let packed = || fs::read_to_string(fixture.space.join("packed-refs")).unwrap();
    let lines = || packed().matches("refs/heads/proposals/").count();
    assert_eq!(lines(), 256);
    let row = r#"{"op":"alias.set","alias":"x","target":"a"}"#;
    let mut run = fixture.command(&fixture.space, Some("bob"));
    run.env("GIT_CONFIG_VALUE_0", "true");
    let args = ["propose", "-m", "p1", "--slug", "p1", "-f", "-"];
    super::cli::finish(run.args(args), row.as_bytes()).ok();
    let started = std::time::Instant::now();
    while lines() < 512 {
        assert!(started.elapsed().as_secs() < 60, "nothing was started");
        std::thread::yield_now();
    }
    // Whoever collects waits for it. What is packed is numbered, and what is no proposal stays.
    gc(&fixture, 0, &[]);
    let numbered = fixture.run("wanda", &["accept", "bob/p1"]).ok();
    assert!(numbered.contains("bob/p1"), "{numbered}");
    assert_eq!(lines(), 511);
    fixture.git(&["fsck", "--strict"]);
}

//! `folio alias sync` on real files.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;

use cli::{Fixture, Ran};

fn sync(fixture: &Fixture, text: &str, more: &[&str]) -> Ran {
    let args = [&["--json", "alias", "sync", "-"], more].concat();
    fixture.run_with("bob", &args, text)
}

/// Counts: set, changed, dropped, merged, unmerged, unchanged.
fn counts(fixture: &Fixture, text: &str, more: &[&str]) -> [u64; 6] {
    let answer = sync(fixture, text, more).json();
    [
        "set",
        "changed",
        "dropped",
        "merged",
        "unmerged",
        "unchanged",
    ]
    .map(|field| answer[field].as_u64().unwrap())
}

fn settle(fixture: &Fixture) {
    fixture.run("bob", &["propose", "-m", "sync"]).ok();
    assert!(fixture.accept_all().contains("sync"));
}

fn resolve(fixture: &Fixture, name: &str) -> String {
    fixture
        .run("bob", &["resolve", name])
        .ok()
        .trim()
        .to_owned()
}

#[test]
fn the_draft_is_the_difference_and_running_again_drafts_nothing() {
    let fixture = Fixture::bare();
    let first = "alias\ttarget\n# zones\nUS/Eastern\tAmerica/New_York\nEST5EDT\tUS/Eastern\nKiev\tEurope/Kiev\n";
    assert_eq!(counts(&fixture, first, &[]), [3, 0, 0, 0, 0, 0]);
    assert_eq!(counts(&fixture, first, &[]), [0, 0, 0, 0, 0, 3]);
    settle(&fixture);
    assert_eq!(resolve(&fixture, "EST5EDT"), "America/New_York");
    // `Europe/Kiev` is an entity, for `Kiev` points at it: it becomes another name by a merge.
    let second = "US/Eastern\tAmerica/New_York\nKiev\tEurope/Kiev\nEurope/Kiev\tEurope/Kyiv\n";
    assert_eq!(counts(&fixture, second, &[]), [0, 0, 1, 1, 0, 2]);
    settle(&fixture);
    assert_eq!(resolve(&fixture, "Kiev"), "Europe/Kyiv");
    assert_eq!(counts(&fixture, second, &[]), [0, 0, 0, 0, 0, 3]);
    // Where what points at it is moved in the same file, no merge is needed.
    let third = "US/Eastern\tAmerica/New_York\nKiev\tEurope/Kyiv\nAmerica/New_York\tNYC\n";
    assert_eq!(counts(&fixture, third, &[]), [0, 1, 0, 1, 1, 1]);
    settle(&fixture);
    assert_eq!(counts(&fixture, third, &[]), [0, 0, 0, 0, 0, 3]);
    let fourth =
        "US/Eastern\tNYC\nAmerica/New_York\tNYC\nNYC\tNew York\nKiev\tKyiv\nEurope/Kyiv\tKyiv\n";
    let [set, changed, _, merged, _, _] = counts(&fixture, fourth, &[]);
    assert_eq!(
        (set, changed, merged),
        (0, 0, 2),
        "NYC and Europe/Kyiv are entities: what points at them follows"
    );
    settle(&fixture);
    for name in ["US/Eastern", "America/New_York", "NYC"] {
        assert_eq!(resolve(&fixture, name), "New York");
    }
    assert_eq!(resolve(&fixture, "Europe/Kyiv"), "Kyiv");
    assert_eq!(counts(&fixture, fourth, &[])[..5], [0; 5]);
}

#[test]
fn a_scope_leaves_the_rest_alone() {
    let fixture = Fixture::bare();
    assert_eq!(
        counts(&fixture, "US/a,x\nEU/b,y\n", &["--format", "csv"])[0],
        2
    );
    settle(&fixture);
    let lines = "{\"alias\":\"US/c\",\"target\":\"z\"}\n";
    let scoped = ["--format", "jsonl", "--scope", "US/"];
    assert_eq!(counts(&fixture, lines, &scoped), [1, 0, 1, 0, 0, 0]);
    settle(&fixture);
    assert_eq!(resolve(&fixture, "EU/b"), "y");
    sync(&fixture, "EU/b\ty\n", &["--scope", "US/"]).refused("bad-request", 2);
}

#[test]
fn what_is_wrong_is_named_and_nothing_is_drafted() {
    let fixture = Fixture::bare();
    let clean = |fixture: &Fixture| {
        let shown = fixture.run("bob", &["--json", "draft", "show"]).json();
        assert_eq!(shown["decisions"].as_array().unwrap().len(), 0);
    };
    let words = sync(&fixture, "a\tb\nb\tc\nc\ta\n", &[]).refused("alias-cycle", 3);
    assert!(
        words.contains("`a` (line 1) -> `b` (line 2) -> `c` (line 3) -> `a`"),
        "{words}"
    );
    let words = sync(&fixture, "a\tb\nwrong\na\tc\n", &[]).refused("bad-request", 2);
    assert!(words.contains("line 2: expected two columns"), "{words}");
    assert!(words.contains("in line 1"), "{words}");
    let chain: String = (0..20)
        .map(|i| format!("n{i:02}\tn{:02}\n", i + 1))
        .collect();
    let words = sync(&fixture, &chain, &[]).refused("chain-too-long", 3);
    assert!(words.contains("line "), "{words}");
    clean(&fixture);
    fixture.propose(
        "alice",
        "apart",
        r#"{"op":"distinct","a":"a","b":"b","cut":[]}"#,
    );
    fixture.accept_all();
    sync(&fixture, "c\td\na\tb\n", &[]).refused("distinct", 3);
    clean(&fixture);
    fixture
        .run("bob", &["alias", "sync", "no-such-file"])
        .refused("io", 6);
}

#[test]
fn long_files_are_quick() {
    let fixture = Fixture::bare();
    // Chains of two, and a thousand names that become merges.
    let mut text = String::new();
    for i in 0..5_000 {
        text.push_str(&format!("a{i}\tb{}\nb{i}\tc{}\n", i, i % 100));
    }
    let start = std::time::Instant::now();
    assert_eq!(counts(&fixture, &text, &[]), [10_000, 0, 0, 0, 0, 0]);
    settle(&fixture);
    let mut text = String::new();
    for i in 0..5_000 {
        text.push_str(&format!("a{i}\tb{}\nb{i}\tc{}\n", i, i % 100));
    }
    for i in 0..100 {
        text.push_str(&format!("c{i}\td{i}\n"));
    }
    assert_eq!(counts(&fixture, &text, &[]), [0, 0, 0, 100, 0, 10_000]);
    assert!(start.elapsed().as_secs() < 120, "{:?}", start.elapsed());
}

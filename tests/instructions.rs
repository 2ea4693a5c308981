//! Instructions of the hot paths, counted by valgrind and compared with `tests/bench/instructions.txt`: a loss of
//! speed shows on a noisy machine too. `FOLIO_UPDATE_INSTRUCTIONS=1 cargo test --test instructions` writes the file
//! anew, which is to be done with a change that is worth it, and said in its commit.
//!
//! The binary is the one of the tests, less optimised than a released one: what is compared is growth.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;
mod common;

use cli::{Fixture, Ran, finish};
use common::made::{Shape, make};
use folio::model::ObjectFormat;
use folio::store::GitStore;
use std::fmt::Write as _;
use std::process::Command;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/instructions.txt");
const UPDATE: &str = "FOLIO_UPDATE_INSTRUCTIONS";
/// What a count may grow by before the test fails.
const TOLERATED: f64 = 1.10;

const HEADER: &str = "\
# Instructions of the hot paths, as tests/instructions.rs counts them.
# A count that grows by more than a tenth fails that test; FOLIO_UPDATE_INSTRUCTIONS=1 writes this file anew.
";

/// Small enough for one thread, so that the number of cores makes no difference.
const SHAPE: Shape = Shape {
    seed: 1,
    rows: 200,
    pages: 40,
    authors: 5,
    queue: 10,
    waiting: 25,
};

/// Runs the binary in the space under valgrind: how many instructions it took.
fn count(home: &Fixture, who: Option<&str>, args: &[&str], input: &str) -> u64 {
    let mut run = home.bare_command("valgrind", &home.space);
    run.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    run.arg(env!("CARGO_BIN_EXE_folio"));
    if let Some(who) = who {
        run.arg("--key").arg(home.path(&format!("{who}.key")));
    }
    let Ran { code, out, err } = finish(run.args(args), input.as_bytes());
    assert_eq!(code, 0, "{args:?}: {out}{err}");
    let line = err.lines().find_map(|line| line.split_once("refs:"));
    let (_, digits) = line.unwrap_or_else(|| panic!("valgrind counts: {err}"));
    digits.trim().replace(',', "").parse().unwrap()
}

/// Every hot path with its count, in the order of the file.
fn counts() -> Vec<(&'static str, u64)> {
    let home = Fixture::home();
    let store = GitStore::init(&home.space, true, ObjectFormat::Sha1, &[]).unwrap();
    let made = make(&store, &SHAPE);
    let (alias, _) = made.alias.unwrap();
    // The index is there, and what was verified is remembered, as in daily use.
    home.run("wanda", &["verify"]).ok();
    let line = |n: usize| {
        format!(
            "{{\"op\":\"alias.set\",\"alias\":\"another/{n:06}\",\"target\":\"work/{}\"}}\n",
            n / 8
        )
    };
    let many: String = (0..200).map(line).collect();
    let propose = ["propose", "-m", "Many", "--slug", "many", "-f", "-"];
    let ask = |args: &[&str]| count(&home, None, args, "");
    vec![
        ("resolve", ask(&["resolve", alias.as_str()])),
        ("log", ask(&["log", "-n", "1"])),
        ("verify-42-pages", ask(&["verify"])),
        ("replay-42-pages", ask(&["replay"])),
        (
            "accept-25-proposals",
            count(&home, Some("wanda"), &["accept", "--all"], ""),
        ),
        (
            "propose-200-decisions",
            count(&home, Some("alice"), &propose, &many),
        ),
        (
            "accept-200-decisions",
            count(&home, Some("wanda"), &["accept", "--all"], ""),
        ),
    ]
}

#[test]
fn no_hot_path_takes_a_tenth_more_than_it_did() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("skipped: there is no valgrind here, which counts the instructions");
        return;
    }
    let counts = counts();
    if std::env::var_os(UPDATE).is_some() {
        let mut text = HEADER.to_owned();
        for (name, count) in &counts {
            writeln!(text, "{name} {count}").unwrap();
        }
        std::fs::write(KEPT, text).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(KEPT).unwrap();
    let mut grown = String::new();
    for (name, count) in &counts {
        let line = kept
            .lines()
            .find_map(|line| line.split_once(' ').filter(|(n, _)| n == name));
        let (_, before) = line.unwrap_or_else(|| panic!("{KEPT} does not know {name}"));
        let before: u64 = before.parse().unwrap();
        let ratio = *count as f64 / before as f64;
        eprintln!("{name}: {count}, {ratio:.3} of what it was");
        if ratio > TOLERATED {
            writeln!(grown, "{name}: {before} before, {count} now").unwrap();
        }
    }
    assert!(
        grown.is_empty(),
        "\n{grown}(if it is worth it: {UPDATE}=1 cargo test --test instructions)"
    );
}

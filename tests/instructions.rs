//! Instructions of the hot paths, counted by valgrind and compared with `tests/bench/instructions.txt`: a loss of
//! speed shows on a noisy machine too. `FOLIO_UPDATE_INSTRUCTIONS=1 cargo test --test instructions` writes the counts
//! anew, which is to be done with a change that is worth it, and said in its commit.
//!
//! The binary is the one of the tests, less optimised than a released one: what is compared is growth. How many
//! instructions the same source takes depends on the compiler, on the profile and on what the processor can do. So
//! a fixed piece of work that has nothing of Folio in it is counted first, and tells which counts of the file these
//! are to be compared with. Where it has none, nothing is compared, which is said; the file takes more of them.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;
mod common;

use cli::{Fixture, Ran, finish};
use common::made::{Shape, make};
use ed25519_dalek::{Signer as _, SigningKey, Verifier as _};
use folio::model::ObjectFormat;
use folio::store::GitStore;
use sha1::Digest as _;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::process::Command;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/instructions.txt");
const UPDATE: &str = "FOLIO_UPDATE_INSTRUCTIONS";
/// What a count may grow by before the test fails.
const TOLERATED: f64 = 1.10;
/// What the fixed work may differ by, and be the same machine all the same.
const ALIKE: f64 = 0.02;

const HEADER: &str = "\
# Instructions of the hot paths, as tests/instructions.rs counts them. A count that grows by more than a tenth fails
# that test; FOLIO_UPDATE_INSTRUCTIONS=1 cargo test --test instructions writes those of this machine anew.
# `machine` starts the counts of one compiler, profile and processor, by what a fixed piece of work takes there.
";

/// Small enough for one thread, so that the number of cores makes no difference.
const SHAPE: Shape = Shape {
    seed: 1,
    rows: 100,
    pages: 20,
    authors: 5,
    queue: 10,
    waiting: 15,
};

/// The counts that one kind of machine comes to, by name.
#[derive(Debug, Clone, Default, PartialEq)]
struct Counts {
    /// What the fixed work takes there.
    calibration: u64,
    /// Compiler and valgrind, for people.
    words: String,
    of: Vec<(String, u64)>,
}

impl Counts {
    /// Whether the fixed work says that this is the same kind of machine.
    fn is_of(&self, calibration: u64) -> bool {
        (calibration as f64 / self.calibration as f64 - 1.0).abs() <= ALIKE
    }

    /// A line for each count that is more than a tenth above the kept one, or that is not kept at all.
    fn grown_from(&self, kept: &Self) -> String {
        let mut grown = String::new();
        for (name, count) in &self.of {
            match kept.of.iter().find(|(kept, _)| kept == name) {
                Some((_, before)) if *count as f64 <= *before as f64 * TOLERATED => {}
                Some((_, before)) => {
                    writeln!(grown, "{name}: {before} before, {count} now").unwrap()
                }
                None => writeln!(grown, "{name}: not in the file, {count} now").unwrap(),
            }
        }
        grown
    }
}

fn parse(text: &str) -> Vec<Counts> {
    let mut machines: Vec<Counts> = Vec::new();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, rest) = line.split_once(' ').unwrap();
        if name == "machine" {
            let (calibration, words) = rest.split_once(' ').unwrap();
            machines.push(Counts {
                calibration: calibration.parse().unwrap(),
                words: words.to_owned(),
                of: Vec::new(),
            });
        } else {
            let machine = machines.last_mut().expect("a machine comes first");
            machine.of.push((name.to_owned(), rest.parse().unwrap()));
        }
    }
    machines
}

fn print(machines: &[Counts]) -> String {
    let mut text = HEADER.to_owned();
    for machine in machines {
        writeln!(text, "\nmachine {} {}", machine.calibration, machine.words).unwrap();
        for (name, count) in &machine.of {
            writeln!(text, "{name} {count}").unwrap();
        }
    }
    text
}

/// Runs a program in the space under valgrind: how many instructions it took, or what it said.
fn count(home: &Fixture, program: &str, args: &[&str], input: &str) -> Result<u64, String> {
    let mut run = home.bare_command("valgrind", home.home.path());
    run.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    let Ran { code, out, err } = finish(run.arg(program).args(args), input.as_bytes());
    let line = err.lines().find_map(|line| line.split_once("refs:"));
    match line {
        Some((_, digits)) if code == 0 => Ok(digits.trim().replace(',', "").parse().unwrap()),
        _ => Err(format!("{program} {args:?}: {code}\n{out}{err}")),
    }
}

/// What the fixed work takes here, counted in this very binary.
fn calibration(home: &Fixture) -> Result<u64, String> {
    let this = std::env::current_exe().unwrap();
    let args = ["--exact", "the_fixed_work", "--ignored", "--test-threads=1"];
    count(home, this.to_str().unwrap(), &args, "")
}

/// Every hot path with its count, in the order of the file.
fn counts(home: &Fixture) -> Vec<(String, u64)> {
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
    let many: String = (0..100).map(line).collect();
    let space = home.space.to_str().unwrap();
    let run = |name: &str, who: &str, args: &[&str], input: &str| {
        let key = home.path(&format!("{who}.key"));
        let args = [&["-C", space, "--key", key.to_str().unwrap()], args].concat();
        let count = count(home, env!("CARGO_BIN_EXE_folio"), &args, input);
        (name.to_owned(), count.unwrap())
    };
    let propose = ["propose", "-m", "Many", "--slug", "many", "-f", "-"];
    vec![
        run("resolve", "bob", &["resolve", alias.as_str()], ""),
        run("log", "bob", &["log", "-n", "1"], ""),
        run("verify-22-pages", "bob", &["verify"], ""),
        run("replay-22-pages", "bob", &["replay"], ""),
        run("accept-15-proposals", "wanda", &["accept", "--all"], ""),
        run("propose-100-decisions", "alice", &propose, &many),
        run("accept-100-decisions", "wanda", &["accept", "--all"], ""),
    ]
}

#[test]
fn no_hot_path_takes_a_tenth_more_than_it_did() {
    let Ok(valgrind) = Command::new("valgrind").arg("--version").output() else {
        eprintln!("skipped: there is no valgrind here, which counts the instructions");
        return;
    };
    let home = Fixture::home();
    let calibration = match calibration(&home) {
        Ok(count) => count,
        Err(said) => return eprintln!("skipped: valgrind cannot run what was built here: {said}"),
    };
    let mut machines = parse(&std::fs::read_to_string(KEPT).unwrap());
    let kept = machines.iter().position(|kept| kept.is_of(calibration));
    let update = std::env::var_os(UPDATE).is_some();
    let Some(kept) = kept.or(update.then_some(machines.len())) else {
        return eprintln!(
            "skipped: {KEPT} has no counts of this compiler, profile and processor, where the fixed work takes \
             {calibration}; {UPDATE}=1 adds them"
        );
    };
    let now = Counts {
        calibration,
        words: words(&valgrind.stdout),
        of: counts(&home),
    };
    if update {
        match machines.get_mut(kept) {
            Some(machine) => *machine = now,
            None => machines.push(now),
        }
        return std::fs::write(KEPT, print(&machines)).unwrap();
    }
    eprintln!("{}", print(std::slice::from_ref(&now)));
    let grown = now.grown_from(&machines[kept]);
    assert!(
        grown.is_empty(),
        "\n{grown}(if it is worth it: {UPDATE}=1 cargo test --test instructions)"
    );
}

/// What runs here, for people who read the file.
fn words(valgrind: &[u8]) -> String {
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    let valgrind = String::from_utf8_lossy(valgrind).trim().to_owned();
    let rustc = rustc.unwrap_or_default();
    format!("({rustc}, {valgrind}, {})", std::env::consts::ARCH)
}

#[test]
fn the_check_fails_on_growth() {
    let of = |count: u64| Counts {
        of: vec![("resolve".into(), count), ("log".into(), 7)],
        ..Counts::default()
    };
    let kept = of(1_000_000);
    for good in [1, 1_000_000, 1_100_000] {
        assert_eq!(of(good).grown_from(&kept), "", "{good}");
    }
    let grown = of(1_100_001).grown_from(&kept);
    assert_eq!(grown, "resolve: 1000000 before, 1100001 now\n");
    let nothing = Counts::default();
    let unknown = of(1).grown_from(&nothing);
    assert!(unknown.contains("log: not in the file"), "{unknown}");
}

#[test]
fn counts_of_other_machines_are_told_apart_and_kept() {
    let machines = parse(&std::fs::read_to_string(KEPT).unwrap());
    assert_eq!(parse(&print(&machines)), machines);
    for machine in &machines {
        assert!(machine.is_of(machine.calibration * 101 / 100));
        assert!(!machine.is_of(machine.calibration * 103 / 100));
        assert!(!machine.is_of(machine.calibration * 97 / 100));
    }
    let hot = |machine: &Counts| -> Vec<String> {
        machine.of.iter().map(|(name, _)| name.clone()).collect()
    };
    let all: Vec<_> = machines.iter().map(hot).collect();
    assert!(all.iter().all(|names| *names == all[0]), "{all:?}");
    assert!(!all.is_empty());
}

/// As much of each: what the compiler makes of generic code, and what the libraries that Folio stands on choose for
/// this processor. A change of a fifth in any one of them is another machine.
#[test]
#[ignore = "counted under valgrind by the test above"]
fn the_fixed_work() {
    let mut words = BTreeMap::new();
    for n in 0u32..4_000 {
        let word = format!("{:x}", n.wrapping_mul(2_654_435_761));
        *words.entry(word).or_insert(0u64) += u64::from(n);
    }
    let mut sorted: Vec<(&u64, &String)> = words.iter().map(|(word, n)| (n, word)).collect();
    sorted.sort();
    black_box(&sorted);
    let block = vec![7u8; 1 << 20];
    for _ in 0..8 {
        black_box(blake3::hash(&block));
    }
    black_box(sha1::Sha1::digest(&block));
    let key = SigningKey::from_bytes(&[7; 32]);
    for n in 0u8..12 {
        let signature = key.sign(&[n; 600]);
        key.verifying_key().verify(&[n; 600], &signature).unwrap();
    }
    let text = serde_json::to_string(&words).unwrap();
    black_box(serde_json::from_str::<serde_json::Value>(&text).unwrap());
    let mut zip = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(1));
    for _ in 0..8 {
        zip.write_all(text.as_bytes()).unwrap();
    }
    black_box(zip.finish().unwrap());
}

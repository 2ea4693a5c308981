//! A large space, from making it to collecting it: built, cloned by git and by Folio, verified from a checkpoint,
//! asked, collected, and asked again. Small by default; a million of each, in a profile that is optimised:
//!
//! ```text
//! FOLIO_LARGE=rows=1000000 cargo test --release --test large_spaces -- --nocapture
//! FOLIO_LARGE=pages=1000000 cargo test --release --test large_spaces -- --nocapture
//! ```
//!
//! What each step takes is said on stderr.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;
mod common;

use cli::{Fixture, finish};
use common::made::{Made, Shape, make};
use folio::model::ObjectFormat;
use folio::store::GitStore;
use std::path::Path;
use std::time::Instant;

/// The usual shape, or what the environment asks for: `rows=R,pages=N,waiting=W`.
fn shape() -> Shape {
    let mut shape = Shape {
        seed: 3,
        rows: 400,
        pages: 120,
        authors: 5,
        queue: 40,
        waiting: 10,
    };
    let asked = std::env::var("FOLIO_LARGE").unwrap_or_default();
    for (name, value) in asked.split(',').filter_map(|part| part.split_once('=')) {
        let value = value.parse().expect("a number");
        match name {
            "rows" => shape.rows = value,
            "pages" => shape.pages = value,
            "waiting" => shape.waiting = value,
            _ => panic!("FOLIO_LARGE: {name}"),
        }
    }
    shape
}

/// Does a step and says how long it took.
fn step<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    eprintln!("{what}: {:.2} s", started.elapsed().as_secs_f64());
    done
}

/// Bytes of all files below.
fn size(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    let each = entries.map(|entry| match entry.file_type().unwrap().is_dir() {
        true => size(&entry.path()),
        false => entry.metadata().unwrap().len(),
    });
    each.sum()
}

/// What somebody who is there is told; the same before and after a collection, here and in every clone.
fn answers(home: &Fixture, space: &Path, made: &Made) -> Vec<String> {
    let (alias, target) = made.alias.clone().unwrap();
    let ask = |args: &[&str]| {
        let mut run = home.command(space, None);
        step(args[0], || finish(run.args(args), b"")).ok()
    };
    assert_eq!(ask(&["resolve", alias.as_str()]), format!("{target}\n"));
    assert!(ask(&["group", target.as_str()]).contains(target.as_str()));
    vec![
        ask(&["log", "-n", "3", "--oneline"]),
        ask(&["blame", alias.as_str()]),
        ask(&["show", "2"]),
        ask(&["state", "aliases", "--prefix", alias.as_str()]),
    ]
}

#[test]
fn a_large_space_is_built_cloned_verified_collected_and_asked() {
    let home = Fixture::home();
    let shape = shape();
    let url = format!("file://{}", home.space.display());
    let made = step("make", || {
        let store = GitStore::init(&home.space, true, ObjectFormat::Sha1, &[]).unwrap();
        make(&store, &shape)
    });
    let first = answers(&home, &home.space, &made);

    let git =
        |dir: &Path, args: &[&str]| finish(home.bare_command("git", dir).args(args), b"").ok();
    let plain = home.path("plain");
    let clone = ["clone", "-q", "--bare", &url, plain.to_str().unwrap()];
    step("git clone", || git(home.home.path(), &clone));
    assert_eq!(
        git(&plain, &["rev-parse", "main"]),
        format!("{}\n", made.tip)
    );
    assert_eq!(answers(&home, &plain, &made), first);

    let folio =
        |dir: &Path, args: &[&str]| finish(home.command(dir, Some("bob")).args(args), b"").ok();
    let space = made.id.to_string();
    let clone = ["clone", "--bare", "--space", &space, &url, "own"];
    step("folio clone", || folio(home.home.path(), &clone));
    let own = home.path("own");
    assert_eq!(answers(&home, &own, &made), first);
    let shallow = [
        "clone", "--bare", "--depth", "1", "--space", &space, &url, "new",
    ];
    step("folio clone --depth 1", || {
        folio(home.home.path(), &shallow)
    });

    let newest = shape.rows.div_ceil(100_000) + shape.pages + 1;
    let from = (newest / 2).to_string();
    let said = step("verify --from the middle", || {
        folio(&own, &["verify", "--from", &from])
    });
    let range = format!("common@{from}..common@{newest}:");
    assert!(said.contains(&range), "{said}");

    let objects = home.space.join("objects");
    let before = size(&objects);
    step("gc", || folio(&home.space, &["gc"]));
    let after = size(&objects);
    eprintln!("{before} bytes before, {after} after");
    assert!(after < before, "{before} before, {after} after");
    let counted = git(&home.space, &["count-objects", "-v"]);
    assert!(counted.contains("count: 0\n"), "{counted}");
    step("git fsck", || {
        git(&home.space, &["fsck", "--connectivity-only"])
    });
    assert_eq!(answers(&home, &home.space, &made), first);
    let numbered = step("accept", || home.run("wanda", &["accept", "--all"])).ok();
    assert_eq!(numbered.lines().count(), shape.waiting, "{numbered}");
}

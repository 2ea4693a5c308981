//! Makes spaces for `compare.sh`, and runs one operation on one at a time: under a clock, a profiler or valgrind.
//!
//! ```text
//! cargo bench --bench space -- make DIR rows=100 pages=1000 authors=10 queue=100 waiting=1000 seed=1
//! cargo bench --bench space -- accept DIR      numbers everything that waits
//! cargo bench --bench space -- verify DIR      every rule of every page
//! cargo bench --bench space -- replay DIR      the state from the decisions alone
//! cargo bench --bench space -- propose DIR n   one proposal of n decisions
//! cargo bench --bench space -- limits DIR      what this machine can do at all
//! cargo bench --bench space -- turns N A ::: B what commands take that run in turn, N times each
//! cargo bench --bench space -- plot DIR        draws DIR/figures.csv
//! ```
//!
//! A space that was made has the keys of its people in `DIR/keys/`.

#[path = "../common/mod.rs"]
mod common;
mod limits;
mod many;
mod plot;
mod turns;

use common::made::{Shape, make};
use common::{Actor, TestSpace, when};
use folio::journal::accept::{self, Witness};
use folio::journal::history::History;
use folio::journal::{Space, replay, verify};
use folio::model::{Number, ObjectFormat};
use folio::store::{GitStore, Index, SignedPages};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args[1..].iter().map(String::as_str).collect();
    let started = Instant::now();
    let done = match args.as_slice() {
        ["make", dir, sizes @ ..] => made(Path::new(dir), sizes),
        ["accept", dir] => accepted(Path::new(dir)),
        ["verify", dir] => verified(Path::new(dir)),
        ["replay", dir] => replayed(Path::new(dir)),
        ["propose", dir, count] => proposed(Path::new(dir), count.parse().expect("a number")),
        ["limits", dir] => return limits::print(Path::new(dir)),
        ["turns", times, words @ ..] => {
            return turns::print(times.parse().expect("a number"), words);
        }
        ["plot", dir] => return plot::draw(Path::new(dir)),
        _ => {
            println!(
                "space: nothing to do without `make`, `accept`, ...; see tests/bench/space.rs"
            );
            return;
        }
    };
    let wall = started.elapsed().as_secs_f64();
    let cpu = cpu_seconds();
    println!("{} {done} items {wall:.3} s wall {cpu:.2} s cpu", args[0]);
}

/// Seconds of all cores that this process has used, where the system tells.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split(' ');
    let ticks = fields.skip(12).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn made(dir: &Path, sizes: &[&str]) -> usize {
    let size = |name: &str, usual: usize| {
        let mut given = sizes.iter().filter_map(|size| size.split_once('='));
        let given = given.rfind(|(key, _)| *key == name);
        given.map_or(usual, |(_, value)| value.parse().expect("a number"))
    };
    let shape = Shape {
        seed: size("seed", 1) as u64,
        rows: size("rows", 100),
        pages: size("pages", 0),
        authors: size("authors", 10),
        queue: size("queue", 100),
        waiting: size("waiting", 0),
    };
    let store = GitStore::init(dir, true, ObjectFormat::Sha1, &[]).expect("an empty directory");
    let made = make(&store, &shape);
    store.consolidate().expect("packs");
    write_keys(&dir.join("keys")).expect("keys");
    println!("tip {}", made.tip);
    if let Some((alias, target)) = made.alias {
        println!("alias {alias} {target}");
    }
    shape.pages.max(1)
}

/// The keys of the founder and of the witness, as OpenSSH has them.
fn write_keys(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    for name in ["alice", "wanda"] {
        let path = dir.join(name);
        std::fs::write(&path, &*Actor::new(name).key.to_openssh(name))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn accepted(dir: &Path) -> usize {
    let store = GitStore::open(dir).expect("a space");
    let mut space = TestSpace::reopen(store);
    let memory = SignedPages::new(&dir.join("folio"), Some(dir.join("outside")));
    space.memory = Box::new(memory);
    let mut index = Index::open(&dir.join("folio"), ObjectFormat::Sha1).expect("an index");
    let opened = Space::open(&space.store).expect("a space");
    let witness = Witness {
        signer: &space.wanda.key,
        when: when(),
        memory: &*space.memory,
    };
    let report = accept::accept(&opened, &mut index, &witness, &|_| true, &mut |_, _| Ok(()));
    let report = report.expect("accepted");
    assert!(report.refused.is_empty() && report.invalid.is_empty());
    let count = report.numbered.len();
    // As the command leaves it.
    std::mem::forget((opened, report));
    count
}

/// Runs something on the space in a directory and its whole history.
fn with_history<T>(dir: &Path, run: impl FnOnce(&Space<'_, GitStore>, &History<'_>) -> T) -> T {
    let store = GitStore::open(dir).expect("a space");
    let space = Space::open(&store).expect("a space");
    let mut index = Index::open(&dir.join("folio"), ObjectFormat::Sha1).expect("an index");
    let tip = Some(space.tip().expect("a tip"));
    let history = History::open(&space.tables, &store, tip, &mut index, &mut |_, _| {});
    run(&space, &history.expect("a history"))
}

fn verified(dir: &Path) -> usize {
    let report = with_history(dir, |space, history| {
        verify::verify(space, history, Number(1), &mut |_, _| {})
    });
    report.expect("a good history").to.0 as usize
}

fn replayed(dir: &Path) -> usize {
    with_history(dir, |space, history| {
        // Of history that was verified before, as the command finds it.
        let tip = history.tip().map(|page| (page.number(), page.id));
        let view = replay::replay(space, history, history.len(), tip, &mut |_, _| {});
        let view = view.expect("a good history");
        let tree = space
            .tables
            .naming(|| replay::tree_of(&space.tables, &view));
        // As the command leaves it.
        std::mem::forget(view);
        let tip = history.tip().expect("a page").tree();
        assert_eq!(tree.expect("a tree"), tip);
        history.len().0 as usize
    })
}

fn proposed(dir: &Path, count: usize) -> usize {
    many::propose(&GitStore::open(dir).expect("a space"), count);
    count
}

//! `cargo bench`: the operations whose speed is promised, on real repositories, synced to the disk. Items
//! are proposals, snapshots or questions.

#[path = "../common/mod.rs"]
mod common;
mod many;

use common::TestSpace;
use common::made::{Shape, make};
use divan::Bencher;
use divan::counter::ItemsCount;
use folio::journal::history::History;
use folio::journal::pages::MemoryIndex;
use folio::journal::{replay, verify};
use folio::model::{Name, Number, ObjectFormat};
use folio::store::{GitStore, MemoryStore, SignedPages};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Decisions in one proposal.
const MANY: usize = 100_000;

fn main() {
    divan::main();
}

/// Copies a repository, so that every run starts from the same one.
fn copy(from: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let done = Command::new("cp")
        .arg("-r")
        .arg(from.join("."))
        .arg(dir.path())
        .status();
    assert!(done.expect("cp runs").success());
    dir
}

/// A space on disk of so many rows and snapshots of one decision, with so many proposals that wait.
struct Filled {
    dir: tempfile::TempDir,
    store: GitStore,
    /// An alias that is there, and what it stands for.
    alias: Option<(Name, Name)>,
}

fn filled(rows: usize, pages: usize, waiting: usize) -> Filled {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store =
        GitStore::init(dir.path(), true, ObjectFormat::Sha1, &[]).expect("an empty directory");
    let shape = Shape {
        seed: 1,
        rows,
        pages,
        authors: 10,
        queue: 100,
        waiting,
    };
    let alias = make(&store, &shape).alias;
    store.consolidate().expect("packs");
    Filled { dir, store, alias }
}

/// A copy of a space, with a memory of what was signed on disk.
fn to_accept(origin: &Filled) -> (tempfile::TempDir, TestSpace<GitStore>) {
    let dir = copy(origin.dir.path());
    let mut space = TestSpace::reopen(GitStore::open(dir.path()).expect("the copy"));
    let outside = dir.path().join("outside");
    let memory = SignedPages::new(&dir.path().join("folio"), Some(outside));
    space.memory = Box::new(memory);
    (dir, space)
}

/// Accepting a queue of 1,000 one-decision proposals, everything synced.
#[divan::bench(args = [100, 10_000], sample_count = 5, sample_size = 1)]
fn accept_1000(bencher: Bencher<'_, '_>, rows: usize) {
    let origin = filled(rows, 0, 1000);
    bencher
        .counter(ItemsCount::new(1000_usize))
        .with_inputs(|| to_accept(&origin))
        .bench_local_values(|(dir, mut space)| {
            let report = space.accept_all().expect("accepted");
            assert_eq!(report.numbered.len(), 1000);
            dir
        });
}

/// Proposing 100,000 decisions at once, everything synced.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn propose_100_000_decisions(bencher: Bencher<'_, '_>) {
    let origin = filled(100, 0, 0);
    bencher
        .counter(ItemsCount::new(MANY))
        .with_inputs(|| to_accept(&origin))
        .bench_local_values(|(dir, space)| {
            many::propose(&space.store, MANY);
            dir
        });
}

/// Accepting them.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn accept_100_000_decisions(bencher: Bencher<'_, '_>) {
    let origin = filled(100, 0, 0);
    many::propose(&origin.store, MANY);
    bencher
        .counter(ItemsCount::new(MANY))
        .with_inputs(|| to_accept(&origin))
        .bench_local_values(|(dir, mut space)| {
            assert_eq!(space.accept_all().expect("accepted").numbered.len(), 1);
            dir
        });
}

/// Verifying every rule of every snapshot, on all cores.
#[divan::bench(args = [500, 2000], sample_count = 5, sample_size = 1)]
fn verify_all(bencher: Bencher<'_, '_>, pages: usize) {
    let Filled {
        dir: _dir, store, ..
    } = filled(100, pages, 0);
    let space = folio::journal::Space::open(&store).expect("a space");
    let mut index = MemoryIndex::default();
    let tip = Some(space.tip().expect("a tip"));
    let history =
        History::open(&space.tables, &store, tip, &mut index, &mut |_, _| {}).expect("a history");
    bencher.counter(ItemsCount::new(pages + 2)).bench_local(|| {
        verify::verify(&space, &history, Number(1), &mut |_, _| {}).expect("a good history")
    });
}

/// Rebuilding the state from the decisions alone.
#[divan::bench(args = [2000], sample_count = 5, sample_size = 1)]
fn replay_all(bencher: Bencher<'_, '_>, pages: usize) {
    let Filled {
        dir: _dir, store, ..
    } = filled(100, pages, 0);
    let space = folio::journal::Space::open(&store).expect("a space");
    let mut index = MemoryIndex::default();
    let tip = Some(space.tip().expect("a tip"));
    let history =
        History::open(&space.tables, &store, tip, &mut index, &mut |_, _| {}).expect("a history");
    let to = history.len();
    bencher.counter(ItemsCount::new(pages + 2)).bench_local(|| {
        replay::replay(&space, &history, to, None, &mut |_, _| {}).expect("a good history")
    });
}

/// `folio resolve` in a cold process, to be read beside `rev_parse_cold`.
#[divan::bench(args = [100, 10_000], sample_count = 100)]
fn resolve_cold(bencher: Bencher<'_, '_>, rows: usize) {
    let Filled { dir, alias, .. } = filled(rows, 0, 0);
    let (alias, target) = alias.expect("there are rows");
    bencher.bench_local(|| {
        let output = Command::new(env!("CARGO_BIN_EXE_folio"))
            .args(["resolve", alias.as_str()])
            .current_dir(dir.path())
            .output()
            .expect("folio runs");
        assert_eq!(output.stdout, format!("{target}\n").as_bytes());
    });
}

/// `git rev-parse main` in a cold process, in the same repository.
#[divan::bench(args = [100, 10_000], sample_count = 100)]
fn rev_parse_cold(bencher: Bencher<'_, '_>, rows: usize) {
    let dir = filled(rows, 0, 0).dir;
    bencher.bench_local(|| {
        let output = Command::new("git")
            .args(["rev-parse", "main"])
            .current_dir(dir.path())
            .output()
            .expect("git runs");
        assert!(output.status.success());
    });
}

/// The same 1,000 accepted without a disk: what is left when syncing costs nothing.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn accept_1000_in_memory(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(1000_usize))
        .with_inputs(|| {
            let store = MemoryStore::new(ObjectFormat::Sha1);
            let space = TestSpace::found(store).expect("a space");
            let base = space.tip();
            for i in 0..1000 {
                let line = format!(
                    r#"{{"op":"alias.set","alias":"new{i}","target":"t{}"}}"#,
                    i % 50
                );
                space
                    .propose_on(&base, &space.alice, &format!("p{i}"), &[&line])
                    .expect("a proposal");
            }
            space
        })
        .bench_local_values(|mut space| {
            assert_eq!(space.accept_all().expect("accepted").numbered.len(), 1000);
        });
}

/// A bare space of so many rows with the hooks, the objects of one more page in it, and the line with which
/// git tells of the push that brings it.
fn offered(rows: usize) -> (tempfile::TempDir, String) {
    let Filled { dir, store, .. } = filled(rows, 0, 1);
    let mut space = TestSpace::reopen(store);
    let old = space.tip().id;
    space.accept_all().expect("accepted");
    let new = space.tip().id;
    let main = "refs/heads/main";
    std::fs::write(dir.path().join(main), format!("{old}\n")).expect("main is where it was");
    (dir, format!("{old} {new} {main}\n"))
}

/// One hook in a cold process, told of a page: what the hook adds to a push.
fn hook_cold(bencher: Bencher<'_, '_>, hook: &str, rows: usize) {
    let (dir, line) = offered(rows);
    bencher.bench_local(|| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_folio"))
            .args(["hook", hook])
            .current_dir(dir.path())
            .env("GIT_DIR", ".")
            .stdin(Stdio::piped())
            .spawn()
            .expect("folio runs");
        let mut input = child.stdin.take().expect("piped");
        input.write_all(line.as_bytes()).expect("a line");
        drop(input);
        assert!(child.wait().expect("it ends").success());
    });
}

/// `pre-receive`, which judges.
#[divan::bench(args = [100, 100_000], sample_count = 100, sample_size = 1)]
fn hook_pre_receive(bencher: Bencher<'_, '_>, rows: usize) {
    hook_cold(bencher, "pre-receive", rows);
}

/// `reference-transaction`, which guards the same move once more.
#[divan::bench(args = [100, 100_000], sample_count = 100, sample_size = 1)]
fn hook_reference_transaction(bencher: Bencher<'_, '_>, rows: usize) {
    hook_cold(bencher, "reference-transaction", rows);
}

/// A `git push` of one page on 100,000 rows over a local path, without and with the hooks.
#[divan::bench(args = [false, true], sample_count = 100, sample_size = 1)]
fn push_page(bencher: Bencher<'_, '_>, hooks: bool) {
    let (dir, line) = offered(100_000);
    let server = copy(dir.path());
    let mut parts = line.split(' ');
    let (old, new) = (parts.next().expect("old"), parts.next().expect("new"));
    let git = |dir: &Path, args: &[&str]| {
        let mut git = Command::new("git");
        let done = git.current_dir(dir).args(args).status();
        assert!(done.expect("git runs").success(), "git {args:?}");
    };
    git(server.path(), &["config", "receive.fsckObjects", "true"]);
    if hooks {
        let mut install = Command::new(env!("CARGO_BIN_EXE_folio"));
        install
            .args(["-q", "hook", "install"])
            .stdout(Stdio::null());
        let done = install.current_dir(server.path()).status();
        assert!(done.expect("folio runs").success());
    }
    let main = server.path().join("refs/heads/main");
    let refspec = format!("{new}:refs/heads/main");
    let url = server.path().to_str().expect("a plain path");
    bencher
        .with_inputs(|| std::fs::write(&main, format!("{old}\n")).expect("a ref"))
        .bench_local_values(|()| git(dir.path(), &["push", "-q", url, &refspec]));
}

//! [O2]: few objects that describe very much, and objects that are very large. Counted, not timed: what
//! is read is bounded before it is read.

mod common;

use common::recorder::Recorder;
use common::repo::{git, put};
use common::{TestSpace, when};
use folio::codec::commit::Commit;
use folio::crypto::seal;
use folio::journal::proposal::Proposal;
use folio::journal::queue::{self, Entry};
use folio::journal::{Page, history::History, pages::MemoryIndex};
use folio::model::{Code, ObjectFormat, Oid, RowKey, Table, limits};
use folio::state::Tables;
use folio::store::{GitStore, Objects};

fn open(dir: &std::path::Path) -> Recorder<GitStore> {
    Recorder::new(GitStore::open(dir).unwrap())
}

fn tree(dir: &std::path::Path, entries: &[(&str, &str, Oid)]) -> Oid {
    let mut bytes = Vec::new();
    for (mode, name, id) in entries {
        bytes.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        bytes.extend_from_slice(id.as_bytes());
    }
    put(dir, "tree", &bytes)
}

const DIGITS: [&str; 16] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f",
];

#[test]
fn twelve_objects_that_describe_endless_paths_cost_a_few_reads() {
    let dir = tempfile::tempdir().unwrap();
    GitStore::init(dir.path(), true, ObjectFormat::Sha1, &[]).unwrap();
    let blob = put(dir.path(), "blob", b"{\"alias\":\"a\",\"target\":\"b\"}\n");
    let mut below = tree(dir.path(), &[("100644", "0.jsonl", blob)]);
    for _ in 0..12 {
        let entries: Vec<_> = DIGITS
            .iter()
            .map(|digit| ("40000", *digit, below))
            .collect();
        below = tree(dir.path(), &entries);
    }
    let root = tree(dir.path(), &[("40000", "aliases", below)]);
    let store = open(dir.path());
    let tables = Tables::new(&store);
    assert_eq!(
        tables.check(Some(root)).unwrap_err().code,
        Code::TreeMalformed
    );
    assert!(tables.count(Some(root), Table::Aliases).is_err());
    assert!(tables.diff(None, Some(root)).is_err());
    let _ = tables.row(Some(root), Table::Aliases, &RowKey::of("a"));
    let (reads, bytes) = store.take_reads();
    assert!(
        reads < 100 && bytes < 100_000,
        "{reads} reads, {bytes} bytes"
    );
}

#[test]
fn large_objects_are_refused_by_their_size() {
    let dir = tempfile::tempdir().unwrap();
    let space =
        TestSpace::found(GitStore::init(dir.path(), true, ObjectFormat::Sha1, &[]).unwrap())
            .unwrap();
    let page = space.tip();
    let zeros = vec![b' '; limits::DECISIONS_BYTES as usize + 1];
    let huge = git(
        dir.path(),
        &["-c", "core.compression=1", "hash-object", "-w", "--stdin"],
        &zeros,
    );
    let huge: Oid = huge.parse().unwrap();
    let store = open(dir.path());
    let tables = Tables::new(&store);
    // As a bucket, as a tree of a state, as a page.
    let bucket = tree(dir.path(), &[("100644", "aliases.jsonl", huge)]);
    assert_eq!(tables.check(Some(bucket)).unwrap_err().code, Code::TooLarge);
    let wide = put(
        dir.path(),
        "tree",
        &vec![b'x'; limits::TREE_BYTES as usize + 1],
    );
    assert_eq!(tables.check(Some(wide)).unwrap_err().code, Code::TooLarge);
    let long = put(
        dir.path(),
        "commit",
        &vec![b'x'; limits::COMMIT as usize + 1],
    );
    assert_eq!(Page::read(&store, long).unwrap_err().code, Code::TooLarge);
    // As the decisions of a proposal that is well signed, on a branch of the queue.
    let decisions = tree(dir.path(), &[("100644", "decisions.jsonl", huge)]);
    let who = common::Actor::new("bob");
    let person = folio::codec::commit::Ident {
        name: "bob".into(),
        email: who.person().email.to_string(),
        seconds: when().seconds,
        zone: when().zone,
    };
    let commit = Commit {
        tree: decisions,
        parents: vec![page.id],
        author: person.clone(),
        committer: person,
        armor: None,
        message: "Much\n".into(),
    };
    let commit = put(
        dir.path(),
        "commit",
        &seal::seal(commit, &who.key).unwrap().encode(),
    );
    let said = Proposal::authenticate(&tables, &store, None, commit).unwrap_err();
    assert_eq!(said.code, Code::TooLarge);
    let (reads, bytes) = store.take_reads();
    assert!(reads < 20 && bytes < 10_000, "{reads} reads, {bytes} bytes");
    common::repo::update_ref(dir.path(), "refs/heads/proposals/bob/much", commit);
    let opened = folio::journal::Space::open(&store).unwrap();
    let mut index = MemoryIndex::default();
    let history = History::open(
        &opened.tables,
        &store,
        Some(page.id),
        &mut index,
        &mut |_, _| {},
    )
    .unwrap();
    let queue = queue::gather(&opened, &history).unwrap();
    assert!(matches!(&queue[..], [Entry::Invalid { fault, .. }] if fault.code == Code::TooLarge));
    assert_eq!(
        store.header(&huge).unwrap().map(|(_, size)| size),
        Some(zeros.len() as u64)
    );
}

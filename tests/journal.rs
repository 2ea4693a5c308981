//! The pipeline from founding to replay, on stores in memory and on disk.

mod common;

use common::{TestSpace, repo};
use folio::journal::history::History;
use folio::journal::pages::{MemoryIndex, PageIndex as _};
use folio::model::{Number, ObjectFormat};
use folio::store::{GitStore, MemoryStore, Refs as _, Store};

fn life<S: Store + Clone + Send>(store: S) {
    let mut space = TestSpace::found(store).unwrap();
    assert_eq!(space.verify().unwrap(), Number(1));
    let base = space.tip();
    for i in 0..150 {
        let line = format!(
            r#"{{"op":"alias.set","alias":"a{i}","target":"t{}"}}"#,
            i % 7
        );
        let author = if i % 2 == 0 { &space.alice } else { &space.bob };
        space
            .propose_on(&base, author, &format!("p{i}"), &[&line])
            .unwrap();
    }
    let report = space.accept_all().unwrap();
    assert_eq!(report.numbered.len(), 150);
    assert!(report.refused.is_empty() && report.invalid.is_empty());
    assert_eq!(space.verify().unwrap(), Number(151));
    assert!(
        space
            .store
            .list("refs/heads/proposals/")
            .unwrap()
            .is_empty()
    );

    assert_eq!(space.tip().number(), Number(151));
    assert_eq!(space.replayed().unwrap(), space.tip().tree());
}

#[test]
fn a_space_lives_in_memory() {
    life(MemoryStore::new(ObjectFormat::Sha1));
    life(MemoryStore::new(ObjectFormat::Sha256));
}

#[test]
fn a_space_lives_on_disk() {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        let dir = tempfile::tempdir().unwrap();
        let store = GitStore::init(dir.path(), true, format, &[]).unwrap();
        life(store);
    }
}

/// Some of the branches are packed, some came later, one was replaced since, and one has to stay.
#[test]
fn numbering_what_is_packed_leaves_no_branch() {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        let dir = tempfile::tempdir().unwrap();
        let store = GitStore::init(dir.path(), true, format, &[]).unwrap();
        let mut space = TestSpace::found(store).unwrap();
        let base = space.tip();
        let line = |n: usize, target: &str| {
            format!(r#"{{"op":"alias.set","alias":"a{n}","target":"{target}"}}"#)
        };
        let propose = |space: &TestSpace<GitStore>, slug: &str, line: &str| {
            let made = space.propose_on(&base, &space.alice, slug, &[line]);
            made.unwrap().0
        };
        for n in 0..12 {
            propose(&space, &format!("p{n}"), &line(n, "t"));
        }
        // Whatever comes second finds `a0` in its place.
        let stale = propose(&space, "z-stale", &line(0, "other"));
        assert_eq!(space.store.pack_refs().unwrap(), 13);
        let old = space.store.get("refs/heads/proposals/alice/p3").unwrap();
        assert_ne!(old, Some(propose(&space, "p3", &line(3, "u"))));
        propose(&space, "p12", &line(12, "t"));
        let report = space.accept_all().unwrap();
        assert_eq!((report.numbered.len(), report.refused.len()), (13, 1));
        let left = space.store.list("refs/heads/proposals/").unwrap();
        let numbered: Vec<_> = report.numbered.iter().map(|page| &page.branch).collect();
        assert_eq!(left.len(), 1, "{numbered:?}");
        let packed = std::fs::read_to_string(dir.path().join("packed-refs")).unwrap();
        match left[0].1 == stale {
            true => assert_eq!(left[0].0, "refs/heads/proposals/alice/z-stale"),
            false => assert_eq!(left[0].0, "refs/heads/proposals/alice/p0"),
        }
        assert_eq!(packed.matches("refs/heads/proposals/").count(), 1);
        let listed = repo::git(dir.path(), &["for-each-ref", "refs/heads/proposals"], b"");
        assert_eq!(listed.lines().count(), 1, "{listed}");
        repo::fsck(dir.path());
        assert_eq!(space.verify().unwrap(), Number(14));
    }
}

#[test]
fn whoever_reads_an_older_tip_leaves_the_index_of_the_newer_one_alone() {
    let mut space = TestSpace::found(MemoryStore::new(ObjectFormat::Sha1)).unwrap();
    let older = space.tip().id;
    let line = r#"{"op":"alias.set","alias":"a","target":"b"}"#;
    let (_, digest) = space.propose(&space.alice, "p", &[line]).unwrap();
    space.accept_all().unwrap();
    let opened = space.space();
    let mut index = MemoryIndex::default();
    let newer = Some(opened.tip().unwrap());
    for tip in [newer, Some(older), newer] {
        History::open(
            &opened.tables,
            &space.store,
            tip,
            &mut index,
            &mut |_, _| {},
        )
        .unwrap();
        let found = index.find_proposal(&digest, Number(0), Number(2));
        assert_eq!(found.unwrap(), Some(Number(2)));
    }
}

/// What bob may do while this is numbered between his proposals, in one run of the witness.
fn refused_after(change: impl Fn(&TestSpace<MemoryStore>) -> (bool, String)) -> Vec<String> {
    let mut space = TestSpace::found(MemoryStore::new(ObjectFormat::Sha1)).unwrap();
    let mut bases = Vec::new();
    for n in 0..3 {
        bases.push(space.tip());
        let line = format!(r#"{{"op":"alias.set","alias":"first{n}","target":"t"}}"#);
        let slug = format!("first{n}");
        space.propose(&space.alice, &slug, &[&line]).unwrap();
        space.accept_all().unwrap();
    }
    let line = |n: usize| format!(r#"{{"op":"alias.set","alias":"b{n}","target":"t"}}"#);
    // Whoever stands on an older base comes first, and then alice before bob.
    for (n, base) in [(0, 0), (1, 2)] {
        let slug = format!("b{n}");
        space
            .propose_on(&bases[base], &space.bob, &slug, &[&line(n)])
            .unwrap();
    }
    let (by_bob, change) = change(&space);
    let author = if by_bob { &space.bob } else { &space.alice };
    let harmless = r#"{"op":"alias.set","alias":"a","target":"t"}"#;
    space
        .propose_on(&bases[0], &space.alice, "a", &[harmless])
        .unwrap();
    space
        .propose_on(&bases[1], author, "change", &[&change])
        .unwrap();
    let report = space.accept_all().unwrap();
    let slugs = report.numbered.iter().map(|page| {
        let slug = page.branch.rsplit('/').next();
        slug.expect("a branch has a name").to_owned()
    });
    assert_eq!(slugs.collect::<Vec<_>>(), ["a", "b0", "change"]);
    space.verify().unwrap();
    assert_eq!(space.replayed().unwrap(), space.tip().tree());
    let refused = report.refused.iter();
    refused.map(|(_, fault)| fault.code.to_string()).collect()
}

#[test]
fn who_may_do_what_is_what_the_page_before_says() {
    let policy = r#"{"op":"policy.set","approvals":[],"prefix":"","roles":["admin"],"scope":"names","self_approval":false,"tier":"witness"}"#;
    assert_eq!(refused_after(|_| (false, policy.into())), ["not-allowed"]);
    let removed = r#"{"op":"member.remove","handle":"bob"}"#;
    assert_eq!(refused_after(|_| (false, removed.into())), ["key-retired"]);
    let rotated = refused_after(|_| {
        let new = common::Actor::new("bob2").person();
        let line = format!(
            r#"{{"op":"member.rotate","handle":"bob","key":"{}"}}"#,
            new.key
        );
        (true, line)
    });
    assert_eq!(rotated, ["key-retired"]);
}

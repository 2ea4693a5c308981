//! [S1] A mirror spells an honest page in other bytes, or puts something beside its signature, and offers
//! both as evidence. Nobody is accused: only what was signed counts, and only in its one spelling.

use crate::bench::{Bench, put};
use crate::bytes::{ALTERATIONS, Parts};
use folio::crypto::Sign;
use folio::journal::evidence::{Claim, Evidence, Part, Verdict, check};
use folio::model::{ObjectFormat, Oid};
use folio::store::{Kind, MemoryStore, Objects};

fn bytes(bench: &Bench, id: Oid) -> Vec<u8> {
    bench.space.store.read(&id, Kind::Commit, 1 << 20).unwrap()
}

/// What a stranger says of two commits under any claim that takes two.
fn accuses(bench: &Bench, one: Oid, other: Oid) -> bool {
    let mut objects = [one, other]
        .map(|id| (Part::Commit, bytes(bench, id)))
        .to_vec();
    objects.sort();
    let words = String::new();
    let claims = [
        Claim::TwoPages { number: 3 },
        Claim::WentBack { number: 3, words },
    ];
    claims.into_iter().any(|claim| {
        let objects = objects.clone();
        let format = ObjectFormat::Sha1;
        let evidence = Evidence {
            format,
            claim,
            objects,
        };
        let read = Evidence::parse(&evidence.encode()).unwrap();
        let said = check(&read, &MemoryStore::new(read.format)).unwrap();
        assert!(
            said.verdict == Verdict::Nothing || said.accused.is_some(),
            "{}",
            said.words
        );
        said.accused.is_some() || said.proves()
    })
}

#[test]
fn a_page_in_other_bytes_accuses_nobody() {
    let bench = Bench::new();
    let wanda = bench.wanda();
    let honest = bench.good().sealed(&bench, wanda);
    let page = bench.commit(honest);
    let store = &bench.space.store;
    for (name, alter, _) in ALTERATIONS {
        let altered = put(bench.path(), "commit", &alter(&page, wanda));
        assert_eq!(
            Evidence::two_pages(store, honest, altered).unwrap(),
            None,
            "{name}"
        );
        assert_eq!(
            Evidence::invalid_page(store, altered).unwrap(),
            None,
            "{name}"
        );
        assert!(!accuses(&bench, honest, altered), "{name}");
    }
}

#[test]
fn a_second_signature_over_one_payload_is_no_second_page() {
    let bench = Bench::new();
    let wanda = bench.wanda();
    let honest = bench.good().sealed(&bench, wanda);
    let page = bench.commit(honest);
    // Another nonce makes another good signature of the same bytes; only the key's owner can, and need not
    // be ashamed of it. Here somebody else signs the same payload, which is as near as a test gets.
    let other = Parts::of(&page).signed(&crate::common::Actor::new("mallory"));
    let other = put(bench.path(), "commit", &other);
    assert_ne!(honest, other);
    assert_eq!(
        Evidence::two_pages(&bench.space.store, honest, other).unwrap(),
        None
    );
    assert!(!accuses(&bench, honest, other));
}

#[test]
fn a_page_over_a_proposal_in_other_bytes_accuses_who_signed_the_page() {
    let bench = Bench::new();
    let (like, tree) = (bench.proposal(bench.next), bench.next_tree());
    for (name, alter, code) in ALTERATIONS {
        let altered = put(bench.path(), "commit", &alter(like.commit(), bench.bob()));
        let page = bench
            .page_over(altered, &like, tree, &[])
            .sealed(&bench, bench.wanda());
        let evidence = Evidence::invalid_page(&bench.space.store, page)
            .unwrap()
            .unwrap_or_else(|| panic!("{name}"));
        let said = check(&evidence, &MemoryStore::new(evidence.format)).unwrap();
        assert_eq!(
            said.accused,
            Some(bench.wanda().key.public_key()),
            "{name}: the numbering witness, and never the author"
        );
        assert!(said.words.contains(code.as_str()), "{name}: {}", said.words);
    }
}

//! The gate for `refs/artifacts/...`, on a store in memory: pushes that real git would partly not even send.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::pens::{self, Memory};
use common::shelves::Hand;
use common::{Actor, TestSpace};
use folio::codec::sheet::Extent;
use folio::codec::shelf;
use folio::fold::Decision;
use folio::journal::gate::{self, Update};
use folio::journal::pages::MemoryIndex;
use folio::journal::refs::{CATALOG, PUBLISHED};
use folio::model::{Code, ObjectFormat, Oid};
use folio::store::{Expect, Kind, MemoryStore, Objects as _, RefEdit, Refs as _};

const OFFER: &str = "refs/artifacts/offered/bob/p";

fn founded() -> Memory {
    TestSpace::found(MemoryStore::new(ObjectFormat::Sha1)).unwrap()
}

fn hand<'a>(space: &'a Memory, signer: &'a Actor) -> Hand<'a, MemoryStore> {
    Hand {
        store: &space.store,
        space: space.id,
        signer: Some(signer),
    }
}

fn update(name: &str, old: Option<Oid>, new: Option<Oid>) -> Update {
    let name = name.to_owned();
    Update { name, old, new }
}

fn both((catalog, published): (Oid, Oid)) -> [Update; 2] {
    [
        update(CATALOG, None, Some(catalog)),
        update(PUBLISHED, None, Some(published)),
    ]
}

fn offer((_, published): (Oid, Oid)) -> Update {
    update(OFFER, None, Some(published))
}

/// The code of each ref, in order.
fn codes(space: &Memory, updates: &[Update]) -> Vec<Option<Code>> {
    let mut index = MemoryIndex::default();
    let verdicts = gate::judge(&space.store, &mut index, None, updates).unwrap();
    let code = |verdict: &gate::Verdict| verdict.refused.as_ref().map(|fault| fault.code);
    verdicts.iter().map(code).collect()
}

#[track_caller]
fn refused(space: &Memory, updates: &[Update], code: Code) {
    assert_eq!(codes(space, updates).last(), Some(&Some(code)));
}

/// Moves refs past the gate.
fn set(space: &Memory, updates: &[Update]) {
    for update in updates {
        let edit = RefEdit {
            name: update.name.clone(),
            expect: Expect::Any,
            new: update.new,
            message: String::new(),
        };
        space.store.apply(&[edit]).unwrap();
    }
}

#[test]
fn the_holder_of_the_pen_publishes_and_publishes_more() {
    let space = founded();
    let wanda = hand(&space, &space.wanda);
    let one = wanda.sheet(&[b"one", b"two"]);
    let first = both(wanda.shelf(&[one]));
    assert_eq!(codes(&space, &first), [None, None]);
    set(&space, &first);
    let more = both(wanda.shelf(&[one, wanda.sheet(&[b"three"])]));
    assert_eq!(codes(&space, &more), [None, None]);
    assert_eq!(codes(&space, &both(wanda.shelf(&[]))), [None, None]);
}

#[test]
fn what_came_before_is_not_judged_again() {
    let space = founded();
    let wanda = hand(&space, &space.wanda);
    let missing = wanda.sheet_of(wanda.records(&[b"never written"]));
    let broken = both(wanda.shelf(&[missing]));
    refused(&space, &broken, Code::ObjectMissing);
    // Past the gate: what is pushed on top costs what is new, and this is not.
    set(&space, &broken);
    let more = both(wanda.shelf(&[missing, wanda.sheet(&[b"here"])]));
    assert_eq!(codes(&space, &more), [None, None]);
}

#[test]
fn a_strangers_catalog_is_refused() {
    let space = founded();
    let eve = Actor::new("eve");
    for (who, code) in [(&space.bob, Code::SignerWrong), (&eve, Code::SignerWrong)] {
        let pushed = both(hand(&space, who).of(&[b"x"]));
        assert_eq!(codes(&space, &pushed), [Some(code), Some(code)]);
    }
    let nobody = Hand {
        store: &space.store,
        space: space.id,
        signer: None,
    };
    refused(&space, &both(nobody.of(&[b"x"])), Code::SignatureMissing);
    let mut elsewhere = hand(&space, &space.wanda);
    elsewhere.space.0[0] ^= 1;
    refused(&space, &both(elsewhere.of(&[b"x"])), Code::SpaceMismatch);
}

#[test]
fn the_pen_that_was_taken_publishes_no_more() {
    let mut space = pens::with_witnesses();
    let wim = Actor::new("wim");
    let before = hand(&space, &space.wanda).of(&[b"x"]);
    assert_eq!(codes(&space, &both(before)), [None, None]);
    pens::propose_release(&space, &space.wanda).unwrap();
    space.accept_all().unwrap();
    let page = space.tip();
    let take = pens::take_on(&space, &page, &wim);
    pens::propose_exact(&space, &page, &wim, "take", &[Decision::PenTake(take)]).unwrap();
    assert_eq!(pens::accept_as(&mut space, &wim).unwrap().numbered.len(), 1);
    refused(&space, &both(before), Code::SignerWrong);
    let after = hand(&space, &wim).of(&[b"x"]);
    assert_eq!(codes(&space, &both(after)), [None, None]);
}

#[test]
fn catalog_and_blocks_move_together() {
    let space = founded();
    let wanda = hand(&space, &space.wanda);
    let first = both(wanda.of(&[b"x"]));
    for alone in &first {
        refused(&space, std::slice::from_ref(alone), Code::CatalogInvalid);
    }
    set(&space, &first);
    // Half of a push may be lost: the other half alone puts it right.
    let second = both(wanda.of(&[b"y"]));
    for half in 0..2 {
        set(&space, &first);
        refused(&space, &second[half..=half], Code::CatalogInvalid);
        set(&space, &second[half..=half]);
        assert_eq!(codes(&space, &second[1 - half..2 - half]), [None]);
    }
    let mixed = [first[0].clone(), second[1].clone()];
    let code = Some(Code::CatalogInvalid);
    assert_eq!(codes(&space, &mixed), [code, code]);
}

#[test]
fn what_is_published_is_never_deleted() {
    let space = founded();
    let first = both(hand(&space, &space.wanda).of(&[b"x"]));
    set(&space, &first);
    for Update { name, new, .. } in &first {
        let gone = update(name, *new, None);
        refused(&space, &[gone], Code::RefProtected);
    }
}

#[test]
fn other_names_and_depths_are_refused() {
    let space = founded();
    let (_, published) = hand(&space, &space.bob).of(&[b"x"]);
    for name in [
        "refs/artifacts/internal",
        "refs/artifacts/catalog/bob",
        "refs/artifacts/Published",
        "refs/artifacts/offered",
        "refs/artifacts/offered/bob",
        "refs/artifacts/offered/bob/p/q",
        "refs/artifacts/offered/Bob/p",
        "refs/artifacts/offered/bob/-p",
    ] {
        for new in [Some(published), None] {
            refused(&space, &[update(name, None, new)], Code::RefInvalid);
        }
    }
}

#[test]
fn an_offer_is_its_authors_alone() {
    let space = founded();
    let bobs = hand(&space, &space.bob).of(&[b"x"]);
    assert_eq!(codes(&space, &[offer(bobs)]), [None]);
    for other in [&space.alice, &space.wanda] {
        let theirs = offer(hand(&space, other).of(&[b"x"]));
        refused(&space, &[theirs], Code::RefInvalid);
    }
    let eve = Actor::new("eve");
    refused(
        &space,
        &[offer(hand(&space, &eve).of(&[b"x"]))],
        Code::NotAMember,
    );
    // Bob's blocks on a catalog of alice's.
    let alice = hand(&space, &space.alice);
    let bob = hand(&space, &space.bob);
    let lists = [alice.sheet(&[b"x"])];
    let (catalog, _) = alice.shelf(&lists);
    let tree = bob.write(Kind::Tree, shelf::published_tree(&lists));
    let mixed = bob.commit(tree, vec![catalog]);
    refused(&space, &[offer((catalog, mixed))], Code::RefInvalid);
}

#[test]
fn an_offer_goes_when_its_proposal_has_gone() {
    let mut space = founded();
    let offered = hand(&space, &space.bob).of(&[b"x"]);
    set(&space, &[offer(offered)]);
    let line = r#"{"op":"alias.set","alias":"a","target":"x"}"#;
    let (proposal, _) = space.propose(&space.bob, "p", &[line]).unwrap();
    let gone = update(OFFER, Some(offered.1), None);
    refused(&space, std::slice::from_ref(&gone), Code::RefProtected);
    let branch = "refs/heads/proposals/bob/p";
    space.accept_all().unwrap();
    // It is numbered, and its branch still there over here.
    set(&space, &[update(branch, None, Some(proposal))]);
    refused(&space, std::slice::from_ref(&gone), Code::RefProtected);
    let with_it = [update(branch, Some(proposal), None), gone.clone()];
    assert_eq!(codes(&space, &with_it), [None, None]);
    set(&space, &[update(branch, None, None)]);
    assert_eq!(codes(&space, std::slice::from_ref(&gone)), [None]);
    // A proposal that comes with the push keeps it.
    let comes = [update(branch, None, Some(proposal)), gone];
    refused(&space, &comes, Code::RefProtected);
}

#[test]
fn sheets_that_lie_are_refused() {
    let space = founded();
    let wanda = hand(&space, &space.wanda);
    let judge = |lists: &[(Oid, Oid)], code| refused(&space, &both(wanda.shelf(lists)), code);
    let (sheet, list) = wanda.sheet(&[b"x"]);
    // A sheet in no form; a list of another sheet; a list that is not there; a block that is a tree.
    let noise = wanda.write(Kind::Blob, b"folio sheet 1".to_vec());
    judge(&[(noise, list)], Code::SheetMalformed);
    judge(&[(list, list)], Code::ObjectDamaged);
    let (other, others) = wanda.sheet(&[b"y"]);
    judge(&[(sheet, others), (other, list)], Code::CatalogInvalid);
    let mut records = wanda.records(&[b"x"]);
    records[0].extents[0].block = list;
    judge(&[wanda.sheet_of(records)], Code::CatalogInvalid);
    let mut records = wanda.records(&[b"x"]);
    let large = wanda.write(Kind::Blob, vec![0; (1 << 20) + 1]);
    records[0].extents[0] = Extent {
        block: large,
        ..records[0].extents[0]
    };
    judge(&[wanda.sheet_of(records)], Code::TooLarge);
    // Lists for other sheets than the catalog names.
    let (catalog, _) = wanda.shelf(&[(sheet, list)]);
    let tree = wanda.write(Kind::Tree, shelf::published_tree(&[(other, others)]));
    let apart = (catalog, wanda.commit(tree, vec![catalog]));
    refused(&space, &both(apart), Code::CatalogInvalid);
}

#[test]
fn trees_with_anything_else_in_them_are_refused_and_not_walked() {
    let space = founded();
    let wanda = hand(&space, &space.wanda);
    let (sheet, list) = wanda.sheet(&[b"x"]);
    let (catalog, published) = wanda.shelf(&[(sheet, list)]);
    // 10 trees of 16 times the one before: 2^40 paths, in ten objects.
    let mut deep = list;
    for _ in 0..10 {
        let entry = |n: u32| [format!("40000 {n:x}\0").as_bytes(), deep.as_bytes()].concat();
        deep = wanda.write(Kind::Tree, (0..16).flat_map(entry).collect());
    }
    let tree = |of: Oid| {
        let commit = folio::journal::page::read_commit(&space.store, &of).unwrap();
        space.store.read(&commit.tree, Kind::Tree, 1 << 20).unwrap()
    };
    for (mode, id) in [
        ("100644", sheet),
        ("120000", sheet),
        ("160000", catalog),
        ("40000", deep),
    ] {
        let more = [format!("{mode} zz\0").as_bytes(), id.as_bytes()].concat();
        let wide = |bytes: Vec<u8>| wanda.write(Kind::Tree, [bytes, more.clone()].concat());
        let odd = wanda.commit(wide(tree(catalog)), vec![]);
        let above = wanda.commit(wanda.write(Kind::Tree, tree(published)), vec![odd]);
        refused(&space, &both((odd, above)), Code::CatalogInvalid);
        let above = wanda.commit(wide(tree(published)), vec![catalog]);
        refused(&space, &both((catalog, above)), Code::CatalogInvalid);
        let list = wide(space.store.read(&list, Kind::Tree, 1 << 20).unwrap());
        refused(
            &space,
            &both(wanda.shelf(&[(sheet, list)])),
            Code::CatalogInvalid,
        );
    }
    refused(
        &space,
        &both(wanda.shelf(&[(sheet, deep)])),
        Code::CatalogInvalid,
    );
    // Commits of other kinds, and with other parents.
    let tip = space.tip().id;
    refused(&space, &both((catalog, tip)), Code::CatalogInvalid);
    refused(&space, &both((published, catalog)), Code::CatalogInvalid);
}

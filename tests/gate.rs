//! The gate by itself, on a store in memory: pushes that are built from parts which real git would not send.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Actor, TestSpace};
use folio::journal::gate::{self, UPDATES, Update, Verdict};
use folio::journal::pages::{MemoryIndex, PageIndex as _};
use folio::journal::refs::MAIN;
use folio::model::{Code, ObjectFormat, Oid, SpaceId};
use folio::store::{Expect, MemoryStore, RefEdit, Refs as _};

type Space = TestSpace<MemoryStore>;

fn founded() -> Space {
    TestSpace::found(MemoryStore::new(ObjectFormat::Sha1)).unwrap()
}

fn update(name: &str, old: Option<Oid>, new: Option<Oid>) -> Update {
    let name = name.to_owned();
    Update { name, old, new }
}

fn set_ref(space: &Space, name: &str, new: Option<Oid>) {
    let edit = RefEdit {
        name: name.to_owned(),
        expect: Expect::Any,
        new,
        message: String::new(),
    };
    space.store.apply(&[edit]).unwrap();
}

fn judge(space: &Space, updates: &[Update]) -> Vec<Verdict> {
    gate::judge(&space.store, &mut MemoryIndex::default(), None, updates).unwrap()
}

/// The code of each ref, in order.
fn codes(space: &Space, updates: &[Update]) -> Vec<Option<Code>> {
    let verdicts = judge(space, updates);
    assert_eq!(verdicts.len(), updates.len());
    let code = |verdict: &Verdict| verdict.refused.as_ref().map(|fault| fault.code);
    verdicts.iter().map(code).collect()
}

const LINE: &str = r#"{"op":"alias.set","alias":"a","target":"x"}"#;

/// A space with one more page than its `main` says, and both tips.
fn one_page_ahead(lines: &[&str]) -> (Space, Oid, Oid) {
    let mut space = founded();
    let old = space.tip().id;
    space.propose(&space.alice, "p", lines).unwrap();
    space.accept_all().unwrap();
    let new = space.tip().id;
    set_ref(&space, MAIN, Some(old));
    (space, old, new)
}

#[test]
fn main_of_the_same_push_says_who_is_a_member() {
    let carol = Actor::new("carol");
    let (space, old, new) = one_page_ahead(&[&carol.member_add(r#""member""#)]);
    // Carol proposes on the page that makes her a member.
    set_ref(&space, MAIN, Some(new));
    let (proposal, _) = space.propose(&carol, "hello", &[LINE]).unwrap();
    set_ref(&space, MAIN, Some(old));
    let hers = update("refs/heads/proposals/carol/hello", None, Some(proposal));
    let main = update(MAIN, Some(old), Some(new));
    assert_eq!(codes(&space, &[hers.clone(), main]), [None, None]);
    // Without that page she is nobody, and it is no snapshot of this journal.
    assert_eq!(codes(&space, &[hers]), [Some(Code::BaseUnknown)]);
}

#[test]
fn main_of_the_same_push_says_who_is_one_no_more() {
    let remove = r#"{"op":"member.remove","handle":"bob"}"#;
    let (space, old, new) = one_page_ahead(&[remove]);
    let (proposal, _) = space.propose(&space.bob, "late", &[LINE]).unwrap();
    let late = update("refs/heads/proposals/bob/late", None, Some(proposal));
    assert_eq!(codes(&space, std::slice::from_ref(&late)), [None]);
    let main = update(MAIN, Some(old), Some(new));
    assert_eq!(codes(&space, &[late, main]), [Some(Code::KeyRetired), None]);
}

#[test]
fn a_proposal_is_signed_by_whom_its_name_says() {
    let space = founded();
    let (proposal, _) = space.propose(&space.bob, "p", &[LINE]).unwrap();
    let alices = update("refs/heads/proposals/alice/p", None, Some(proposal));
    assert_eq!(codes(&space, &[alices]), [Some(Code::RefInvalid)]);
    let snapshot = update("refs/heads/proposals/bob/p", None, Some(space.tip().id));
    assert_eq!(codes(&space, &[snapshot]), [Some(Code::TrailersMalformed)]);
}

#[test]
fn what_is_numbered_by_the_push_may_go_with_it() {
    let (space, old, new) = one_page_ahead(&[LINE]);
    let proposal = {
        let page = folio::journal::Page::read(&space.store, new).unwrap();
        page.proposal()
    };
    let gone = update("refs/heads/proposals/alice/p", Some(proposal), None);
    let waits = [Some(Code::RefProtected)];
    assert_eq!(codes(&space, std::slice::from_ref(&gone)), waits);
    let main = update(MAIN, Some(old), Some(new));
    assert_eq!(codes(&space, &[gone.clone(), main.clone()]), [None, None]);
    // Not where that `main` is refused, nor by a second word about `main`.
    let back = update(MAIN, Some(new), Some(old));
    let lost = [Some(Code::RefProtected), Some(Code::RaceLost)];
    assert_eq!(codes(&space, &[gone, back.clone()]), lost);
    assert_eq!(codes(&space, &[main, back]), [None, Some(Code::RefInvalid)]);
}

#[test]
fn what_is_pushed_never_reaches_the_index() {
    let (space, old, new) = one_page_ahead(&[LINE]);
    let mut index = MemoryIndex::default();
    let main = update(MAIN, Some(old), Some(new));
    let verdicts = gate::judge(&space.store, &mut index, None, &[main]).unwrap();
    assert!(verdicts[0].refused.is_none());
    assert_eq!(index.len(), 1);
    assert_eq!(index.page(folio::model::Number(1)).unwrap().commit, old);
}

#[test]
fn an_empty_server_is_told_whose_space_it_is() {
    let space = founded();
    let tip = space.tip().id;
    set_ref(&space, MAIN, None);
    let main = update(MAIN, None, Some(tip));
    assert_eq!(codes(&space, std::slice::from_ref(&main)), [None]);
    let mut index = MemoryIndex::default();
    let mut with = |id: SpaceId| {
        let main = std::slice::from_ref(&main);
        let verdicts = gate::judge(&space.store, &mut index, Some(id), main).unwrap();
        verdicts[0].refused.as_ref().map(|fault| fault.code)
    };
    assert_eq!(with(space.id), None);
    assert_eq!(with(SpaceId([1; 32])), Some(Code::SpaceMismatch));
    // Nothing stands before it.
    let none = update("refs/heads/proposals/bob/a", None, Some(tip));
    assert_eq!(codes(&space, &[none]), [Some(Code::NotASpace)]);
}

#[test]
fn a_server_whose_main_is_broken_takes_nothing() {
    let space = founded();
    let (proposal, _) = space.propose(&space.bob, "p", &[LINE]).unwrap();
    let tip = space.tip().id;
    set_ref(&space, MAIN, Some(proposal));
    let back = [update(MAIN, Some(proposal), Some(tip))];
    let fault = gate::judge(&space.store, &mut MemoryIndex::default(), None, &back).unwrap_err();
    assert_eq!(fault.code, Code::NotASnapshot);
}

#[test]
fn a_push_is_bounded() {
    let space = founded();
    let many: Vec<Update> = (0..=UPDATES)
        .map(|i| update(&format!("refs/heads/x{i}"), None, None))
        .collect();
    let mut index = MemoryIndex::default();
    let fault = gate::judge(&space.store, &mut index, None, &many).unwrap_err();
    assert_eq!(fault.code, Code::TooLarge);
    let fewer = codes(&space, &many[1..]);
    assert!(fewer.iter().all(|code| *code == Some(Code::RefInvalid)));
}

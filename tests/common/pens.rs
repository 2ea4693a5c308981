//! What the tests of the pen and of quorums share: takes, releases and reviews in a space in memory.

use super::{Actor, TestSpace, when};
use folio::codec::message::Verdict;
use folio::crypto::Sign as _;
use folio::fold::Decision;
use folio::fold::rules::PenTake;
use folio::journal::accept::{self, Report, Witness};
use folio::journal::proposal::{Base, Proposal};
use folio::journal::propose::{self, Intent};
use folio::journal::review::{Opinion, write_review};
use folio::journal::{Fault, Page, Space, check, judge, pen, refs};
use folio::model::rows::PenRow;
use folio::model::{Code, ObjectFormat, Oid, ProposalDigest, Slug};
use folio::state::TreeView;
use folio::store::{Expect, Kind, MemoryStore, Objects, RefEdit, Refs};

pub type Memory = TestSpace<MemoryStore>;

/// A space with two more witnesses, wim and will, and rick, who may approve a recovery.
pub fn with_witnesses() -> Memory {
    let mut space = TestSpace::found(MemoryStore::new(ObjectFormat::Sha1)).unwrap();
    let lines = [
        Actor::new("wim").member_add(r#""member""#),
        Actor::new("will").member_add(r#""member""#),
        Actor::new("rick").member_add(r#""member","recovery""#),
        appoint("wim"),
        appoint("will"),
    ];
    number(
        &mut space,
        "alice",
        "witnesses",
        &lines.each_ref().map(String::as_str),
    );
    space
}

pub fn appoint(who: &str) -> String {
    format!(r#"{{"op":"witness.appoint","member":"{who}"}}"#)
}

/// Proposes as somebody and numbers it with the pen's key, which must work.
#[track_caller]
pub fn number(space: &mut Memory, who: &'static str, slug: &str, lines: &[&str]) {
    space.propose(&Actor::new(who), slug, lines).unwrap();
    let holder = holder_of(space);
    let report = accept_as(space, &holder).unwrap();
    let done: Vec<_> = report
        .numbered
        .iter()
        .map(|page| page.branch.clone())
        .collect();
    assert!(
        done.iter().any(|branch| branch.ends_with(slug)),
        "{:?}",
        report.refused
    );
}

/// Whoever's key holds the pen now, among the people of the tests.
pub fn holder_of(space: &Memory) -> Actor {
    let key = pen_row(space).key;
    let all = ["wanda", "wim", "will", "wanda-new", "bob", "alice"].map(Actor::new);
    all.into_iter()
        .find(|one| one.key.public_key() == key)
        .unwrap()
}

pub fn pen_row(space: &Memory) -> PenRow {
    let opened = space.space();
    check::pen_of(&TreeView::new(&opened.tables, Some(space.tip().tree()))).unwrap()
}

/// Numbers what can be numbered with somebody's key.
pub fn accept_as(space: &mut Memory, who: &Actor) -> Result<Report, Fault> {
    accept_with(space, who, &mut |_, _| Ok(()))
}

/// With something that happens right before `main` moves.
pub fn accept_with(
    space: &mut Memory,
    who: &Actor,
    before: &mut accept::BeforePublish<'_>,
) -> Result<Report, Fault> {
    let opened = Space::open(&space.store)?;
    let witness = Witness {
        signer: &who.key,
        when: when(),
        memory: &*space.memory,
    };
    accept::accept(&opened, &mut space.index, &witness, &|_| true, before)
}

/// The take that somebody makes on a page.
pub fn take_on(space: &Memory, page: &Page, who: &Actor) -> PenTake {
    let opened = space.space();
    let view = TreeView::new(&opened.tables, Some(page.tree()));
    let member = judge::member_of(&view, &who.key.public_key()).unwrap();
    let row = check::pen_of(&view).unwrap();
    match pen::take(page, &row, &member, None, false).pop() {
        Some(Decision::PenTake(take)) => take,
        other => panic!("{other:?}"),
    }
}

/// Signs decisions as a proposal on a page, as they are.
pub fn propose_exact(
    space: &Memory,
    page: &Page,
    who: &Actor,
    slug: &str,
    decisions: &[Decision],
) -> Result<(Oid, ProposalDigest), Fault> {
    let opened = space.space();
    let view = TreeView::new(&opened.tables, Some(page.tree()));
    let author = judge::member_of(&view, &who.key.public_key())?;
    let intent = Intent {
        base: Base::of(page),
        author: &author,
        decisions,
        text: &format!("{slug}\n"),
        when: when(),
    };
    let prepared = propose::prepare(&opened.tables, &space.store, space.id, &intent, &who.key)?;
    let name = refs::proposal(&author.handle, &Slug::new(slug).unwrap());
    prepared.publish(&opened, name, Expect::Any)
}

/// Proposes to take the pen on the newest page.
pub fn propose_take(space: &Memory, who: &Actor, slug: &str) -> Result<Oid, Fault> {
    let page = space.tip();
    let take = Decision::PenTake(take_on(space, &page, who));
    propose_exact(space, &page, who, slug, &[take]).map(|(id, _)| id)
}

/// Proposes to lay the pen down.
pub fn propose_release(space: &Memory, who: &Actor) -> Result<Oid, Fault> {
    let page = space.tip();
    let opened = space.space();
    let release = pen::release(&TreeView::new(&opened.tables, Some(page.tree())))?;
    propose_exact(space, &page, who, "release", &[release]).map(|(id, _)| id)
}

/// Leaves a review by somebody.
pub fn review(space: &Memory, by: &Actor, proposal: Oid, verdict: Verdict) {
    let opened = space.space();
    let proposal =
        Proposal::authenticate(&opened.tables, &space.store, Some(&space.id), proposal).unwrap();
    let person = by.person();
    let member = folio::model::rows::MemberRow {
        email: person.email,
        handle: person.handle,
        key: person.key,
        name: person.name,
        roles: vec![],
    };
    let opinion = Opinion {
        verdict,
        reason: None,
        text: "I looked\n".into(),
    };
    let (id, bytes) =
        write_review(&space.store, &proposal, opinion, &member, &by.key, &when()).unwrap();
    space.store.write_all(&[(id, Kind::Commit, bytes)]).unwrap();
    let edit = RefEdit {
        name: refs::review(&member.handle, &proposal.digest()),
        expect: Expect::Any,
        new: Some(id),
        message: String::new(),
    };
    space.store.apply(&[edit]).unwrap();
}

pub fn approve(space: &Memory, by: &Actor, proposal: Oid) {
    review(space, by, proposal, Verdict::Approve);
}

/// The code that a proposal was refused with.
#[track_caller]
pub fn refused_with(report: &Report, slug: &str) -> Code {
    let found = report
        .refused
        .iter()
        .find(|(candidate, _)| candidate.branch.slug.as_str() == slug);
    found
        .unwrap_or_else(|| panic!("`{slug}` was not refused: {report:?}"))
        .1
        .code
}

/// Alice's policy row about taking the pen.
pub fn set_terms(space: &mut Memory, prefix: &str, rest: &str) {
    let line = format!(
        r#"{{"op":"policy.set","prefix":"{prefix}","scope":"pen.take","self_approval":false,"tier":"witness",{rest}}}"#
    );
    number(space, "alice", "terms", &[&line]);
}

//! The pen, rule by rule.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::pens::*;
use common::{Actor, when};
use folio::codec::message::Verdict;
use folio::crypto::Sign as _;
use folio::fold::Decision;
use folio::journal::accept::{self, Witness};
use folio::journal::memory::ShortMemory;
use folio::journal::reconcile::RefMap;
use folio::journal::reconcile::course::Course;
use folio::journal::reconcile::receive::{Hooks, Peer, receive};
use folio::journal::reconcile::takeover::{Stand, Why};
use folio::journal::{Page, Space, pen, refs};
use folio::model::{ChainDigest, Code, Epoch, Number};
use folio::store::{Expect, RefEdit, Refs as _};
use std::collections::BTreeMap;

const ALIAS: &str = r#"{"op":"alias.set","alias":"kiev","target":"kyiv"}"#;
const PIN: &str = r#"{"op":"pin","name":"kyiv"}"#;

fn wanda() -> Actor {
    Actor::new("wanda")
}

fn wim() -> Actor {
    Actor::new("wim")
}

fn rick() -> Actor {
    Actor::new("rick")
}

/// The pages of a space, newest first.
fn pages(space: &Memory) -> Vec<Page> {
    let mut all = vec![space.tip()];
    while let Some(id) = all.last().unwrap().previous() {
        all.push(Page::read(&space.store, id).unwrap());
    }
    all
}

/// An approved take by wim, numbered by him.
fn taken_by_wim() -> Memory {
    let mut space = with_witnesses();
    let take = propose_take(&space, &wim(), "take").unwrap();
    approve(&space, &rick(), take);
    assert_eq!(accept_as(&mut space, &wim()).unwrap().numbered.len(), 1);
    space
}

#[test]
fn one_key_signs_in_each_epoch() {
    let mut space = taken_by_wim();
    number(&mut space, "bob", "alias", &[ALIAS]);
    let take = propose_take(&space, &wanda(), "back").unwrap();
    approve(&space, &rick(), take);
    accept_as(&mut space, &wanda()).unwrap();
    number(&mut space, "bob", "pin", &[PIN]);
    let mut signers: BTreeMap<Epoch, Vec<_>> = BTreeMap::new();
    for page in pages(&space) {
        let signer = folio::crypto::seal::open(&page.commit).unwrap();
        let all = signers.entry(page.message.epoch).or_default();
        if !all.contains(&signer) {
            all.push(signer);
        }
    }
    let expected = [wanda(), wim(), wanda()].map(|who| vec![who.key.public_key()]);
    assert_eq!(signers.into_values().collect::<Vec<_>>(), expected);
    assert_eq!(space.verify().unwrap(), Number(6));
    // Replaying reads no state, and comes to the same one.
    assert_eq!(space.replayed().unwrap(), space.tip().tree());
}

#[test]
fn the_epoch_grows_by_exactly_one() {
    let space = with_witnesses();
    let page = space.tip();
    for (epoch, code) in [
        (0, Some(Code::EpochWrong)),
        (1, Some(Code::EpochWrong)),
        (2, None),
        (3, Some(Code::EpochWrong)),
    ] {
        let mut take = take_on(&space, &page, &wim());
        take.epoch = Epoch(epoch);
        let made = propose_exact(&space, &page, &wim(), "take", &[Decision::PenTake(take)]);
        assert_eq!(made.err().map(|fault| fault.code), code, "{epoch}");
    }
}

#[test]
fn a_take_cannot_be_rebased() {
    let mut space = with_witnesses();
    let page = space.tip();
    let take = propose_take(&space, &wim(), "take").unwrap();
    approve(&space, &rick(), take);
    // One more page by the holder, and it comes too late for ever.
    space.propose(&space.bob, "alias", &[ALIAS]).unwrap();
    let report = accept_as(&mut space, &wanda()).unwrap();
    assert_eq!(report.numbered.len(), 1);
    let report = accept_as(&mut space, &wim()).unwrap();
    assert_eq!(refused_with(&report, "take"), Code::PenMoved);
    // Neither do its words hold on the newer page, nor words about that page on the older one.
    let old = Decision::PenTake(take_on(&space, &page, &wim()));
    let made = propose_exact(&space, &space.tip(), &wim(), "again", &[old]);
    assert_eq!(made.unwrap_err().code, Code::PenMoved);
    let new = Decision::PenTake(take_on(&space, &space.tip(), &wim()));
    let made = propose_exact(&space, &page, &wim(), "again", &[new]);
    assert_eq!(made.unwrap_err().code, Code::PenMoved);
}

#[test]
fn nothing_but_a_take_after_a_release() {
    let mut space = with_witnesses();
    let before = space.tip();
    propose_release(&space, &wanda()).unwrap();
    let report = accept_as(&mut space, &wanda()).unwrap();
    assert_eq!(report.numbered.len(), 1);
    assert!(pen_row(&space).released);
    // Drafting and proposing go on meanwhile, on the released page too; nobody numbers it.
    space.propose(&space.bob, "alias", &[ALIAS]).unwrap();
    space
        .propose_on(&before, &space.bob, "pin", &[PIN])
        .unwrap();
    let report = accept_as(&mut space, &wanda()).unwrap();
    assert_eq!(refused_with(&report, "alias"), Code::PenReleased);
    assert_eq!(refused_with(&report, "pin"), Code::PenReleased);
    // With the take in the queue the taker numbers all of it.
    propose_take(&space, &wim(), "take").unwrap();
    let report = accept_as(&mut space, &wim()).unwrap();
    assert_eq!(report.numbered.len(), 3, "{:?}", report.refused);
    assert!(report.numbered[0].branch.ends_with("take"));
    assert_eq!(space.verify().unwrap(), Number(6));
}

#[test]
fn only_the_holder_releases() {
    let space = with_witnesses();
    for who in ["wim", "alice", "bob"] {
        let made = propose_release(&space, &Actor::new(who));
        assert_eq!(made.unwrap_err().code, Code::NotAllowed, "{who}");
    }
}

#[test]
fn the_pen_moves_in_a_proposal_of_its_own() {
    let mut space = with_witnesses();
    // Members may appoint, so that only the shape is wrong below.
    let line = r#"{"op":"policy.set","approvals":[],"prefix":"","roles":["member"],"scope":"witness.appoint","self_approval":false,"tier":"witness"}"#;
    number(&mut space, "alice", "policy", &[line]);
    let page = space.tip();
    let bob = Actor::new("bob");
    let take = || Decision::PenTake(take_on(&space, &page, &bob));
    let line = common::decision;
    let (own, other) = (line(&appoint("bob")), line(&appoint("rick")));
    let made = |who: &Actor, all: &[Decision]| propose_exact(&space, &page, who, "take", all);
    for all in [
        vec![take(), line(PIN)],
        vec![line(PIN), take()],
        vec![take(), take()],
        vec![take(), own.clone()],
        vec![own.clone(), own.clone(), take()],
        vec![other.clone(), take()],
        vec![own.clone(), other, take()],
    ] {
        let refused = made(&bob, &all).unwrap_err();
        assert_eq!(refused.code, Code::NotAlone, "{all:?}");
    }
    let opened = space.space();
    let view = folio::state::TreeView::new(&opened.tables, Some(page.tree()));
    let release = pen::release(&view).unwrap();
    let twice = made(&wanda(), &[release.clone(), release]);
    assert_eq!(twice.unwrap_err().code, Code::NotAlone);
    drop(opened);
    // Alone it needs the appointment, which may stand right before it.
    let alone = made(&bob, &[take()]);
    assert_eq!(alone.unwrap_err().code, Code::NotAWitness);
    let (id, _) = made(&bob, &[own, take()]).unwrap();
    approve(&space, &rick(), id);
    assert_eq!(accept_as(&mut space, &bob).unwrap().numbered.len(), 1);
    assert_eq!(pen_row(&space).member.as_str(), "bob");
    space.verify().unwrap();
}

#[test]
fn nobody_appoints_themselves_without_the_right_to() {
    let space = with_witnesses();
    let page = space.tip();
    let bob = Actor::new("bob");
    let all = [
        common::decision(&appoint("bob")),
        Decision::PenTake(take_on(&space, &page, &bob)),
    ];
    let refused = propose_exact(&space, &page, &bob, "take", &all).unwrap_err();
    assert_eq!(refused.code, Code::NotAllowed);
}

#[test]
fn who_may_take_by_default() {
    // Held: an appointed witness with an approval of the role `recovery` that is not their own.
    let mut space = with_witnesses();
    let take = propose_take(&space, &wim(), "take").unwrap();
    let report = accept_as(&mut space, &wim()).unwrap();
    assert_eq!(refused_with(&report, "take"), Code::ApprovalsMissing);
    for by in ["alice", "bob", "wanda", "wim"] {
        approve(&space, &Actor::new(by), take);
    }
    let report = accept_as(&mut space, &wim()).unwrap();
    assert_eq!(refused_with(&report, "take"), Code::ApprovalsMissing);
    approve(&space, &rick(), take);
    assert_eq!(accept_as(&mut space, &wim()).unwrap().numbered.len(), 1);
    // Released: any appointed witness, and nobody else.
    propose_release(&space, &wim()).unwrap();
    accept_as(&mut space, &wim()).unwrap();
    let made = propose_take(&space, &Actor::new("bob"), "take");
    assert_eq!(made.unwrap_err().code, Code::NotAWitness);
    propose_take(&space, &Actor::new("will"), "take").unwrap();
    let report = accept_as(&mut space, &Actor::new("will")).unwrap();
    assert_eq!(report.numbered.len(), 1);
    assert_eq!(pen_row(&space).epoch, Epoch(3));
    space.verify().unwrap();
}

#[test]
fn nobody_approves_their_own_recovery() {
    let mut space = with_witnesses();
    number(&mut space, "alice", "appoint", &[&appoint("rick")]);
    let take = propose_take(&space, &rick(), "take").unwrap();
    approve(&space, &rick(), take);
    let report = accept_as(&mut space, &rick()).unwrap();
    assert_eq!(refused_with(&report, "take"), Code::ApprovalsMissing);
}

#[test]
fn policy_released_only() {
    let mut space = with_witnesses();
    set_terms(&mut space, "held", r#""approvals":[],"roles":[]"#);
    let made = propose_take(&space, &wim(), "take");
    assert_eq!(made.unwrap_err().code, Code::NotAllowed);
    propose_release(&space, &wanda()).unwrap();
    accept_as(&mut space, &wanda()).unwrap();
    propose_take(&space, &wim(), "take").unwrap();
    assert_eq!(accept_as(&mut space, &wim()).unwrap().numbered.len(), 1);
}

#[test]
fn policy_appointed() {
    let mut space = with_witnesses();
    set_terms(&mut space, "", r#""approvals":[],"roles":["witness"]"#);
    // wim holds no role `witness`: being appointed is what counts.
    propose_take(&space, &wim(), "take").unwrap();
    assert_eq!(accept_as(&mut space, &wim()).unwrap().numbered.len(), 1);
    assert_eq!(pen_row(&space).member.as_str(), "wim");
}

#[test]
fn policy_approvals_of_a_role() {
    let mut space = with_witnesses();
    let terms = r#""approvals":[{"count":2,"role":"member"}],"roles":["witness"]"#;
    set_terms(&mut space, "held", terms);
    let take = propose_take(&space, &wim(), "take").unwrap();
    approve(&space, &Actor::new("bob"), take);
    let report = accept_as(&mut space, &wim()).unwrap();
    assert_eq!(refused_with(&report, "take"), Code::ApprovalsMissing);
    approve(&space, &Actor::new("will"), take);
    assert_eq!(accept_as(&mut space, &wim()).unwrap().numbered.len(), 1);
    assert_eq!(space.tip().reviews().len(), 2);
}

#[test]
fn other_scopes_do_not_cover_a_take() {
    let mut space = with_witnesses();
    // The rows of `*` say that admins decide about all; of taking the pen they say nothing.
    for scope in ["*", "pen"] {
        let line = format!(
            r#"{{"op":"policy.set","approvals":[],"prefix":"","roles":["admin","member"],"scope":"{scope}","self_approval":true,"tier":"witness"}}"#
        );
        number(&mut space, "alice", "policy", &[&line]);
    }
    propose_take(&space, &wim(), "take").unwrap();
    let report = accept_as(&mut space, &wim()).unwrap();
    assert_eq!(refused_with(&report, "take"), Code::ApprovalsMissing);
}

#[test]
fn approvals_are_over_that_very_after() {
    let mut space = with_witnesses();
    let old = propose_take(&space, &wim(), "take").unwrap();
    approve(&space, &rick(), old);
    space.propose(&space.bob, "alias", &[ALIAS]).unwrap();
    accept_as(&mut space, &wanda()).unwrap();
    // The same take over the new page, with the approval of the old one at hand.
    let new = propose_take(&space, &wim(), "take").unwrap();
    let report = accept_as(&mut space, &wim()).unwrap();
    assert_eq!(refused_with(&report, "take"), Code::ApprovalsMissing);
    approve(&space, &rick(), new);
    assert_eq!(accept_as(&mut space, &wim()).unwrap().numbered.len(), 1);
}

#[test]
fn a_reader_follows_only_a_take_that_asked_for_approvals() {
    let mut space = taken_by_wim();
    let approved = |space: &Memory| pen::is_approved_take(&space.space(), &space.tip()).unwrap();
    assert!(approved(&space));
    propose_release(&space, &wim()).unwrap();
    accept_as(&mut space, &wim()).unwrap();
    assert!(!approved(&space));
    propose_take(&space, &wanda(), "back").unwrap();
    accept_as(&mut space, &wanda()).unwrap();
    assert!(!approved(&space), "a released pen needs none");
}

/// Another chain over an older page of the same store, by another machine: `grow` makes it, and it is taken in as
/// a mirror shows it.
fn shown_beside(
    space: &mut Memory,
    fork: &Page,
    grow: &dyn Fn(&mut Memory),
) -> folio::journal::reconcile::receive::Received {
    let ours = space.tip();
    let set = |space: &Memory, to| {
        space.store.apply(&[RefEdit {
            name: refs::MAIN.into(),
            expect: Expect::Any,
            new: Some(to),
            message: String::new(),
        }])
    };
    set(space, fork.id).unwrap();
    space.memory = Box::new(ShortMemory::default());
    grow(space);
    let shown = RefMap::from([(refs::MAIN.to_owned(), space.tip().id)]);
    set(space, ours.id).unwrap();
    let peer = Peer {
        key: "mirror",
        is_home: false,
        here_is_home: false,
    };
    let mut hooks = Hooks {
        before_move: &mut |_, _| Ok(()),
        progress: &mut |_, _| {},
    };
    let opened = Space::open(&space.store).unwrap();
    receive(&opened, &mut space.index, &peer, &shown, &mut hooks).unwrap()
}

/// Whoever has the pen and may change members numbered their own approver, took the pen with that approval, and
/// every reader without home gave up years for it.
#[test]
fn whoever_has_the_pen_brings_no_approvers_of_their_own() {
    let mut space = with_witnesses();
    let fork = space.tip();
    number(&mut space, "bob", "alias", &[ALIAS]);
    let ours = space.tip();
    let received = shown_beside(&mut space, &fork, &|space| {
        let bert = Actor::new("bert").member_add(r#""recovery""#);
        number(space, "alice", "bert", &[&bert]);
        let take = propose_take(space, &wim(), "take").unwrap();
        approve(space, &Actor::new("bert"), take);
        assert_eq!(accept_as(space, &wim()).unwrap().numbered.len(), 1);
    });
    assert_eq!(space.tip().id, ours.id, "{received:?}");
    let Some(Course::Fork(fork)) = received.course else {
        panic!("{received:?}");
    };
    assert_eq!(fork.stand, Stand::Stop(Why::NoApproval));
}

/// The same with somebody who could approve it before: that is what approvals are for.
#[test]
fn approvers_of_the_last_common_page_are_heard_on_later_ones() {
    let mut space = with_witnesses();
    let fork = space.tip();
    number(&mut space, "bob", "alias", &[ALIAS]);
    let received = shown_beside(&mut space, &fork, &|space| {
        number(space, "bob", "pin", &[PIN]);
        let take = propose_take(space, &wim(), "take").unwrap();
        approve(space, &rick(), take);
        assert_eq!(accept_as(space, &wim()).unwrap().numbered.len(), 1);
    });
    assert!(received.lost.is_some(), "{received:?}");
}

/// A proposal of a page that was cut off came back to the queue without its approvals: everybody had to look again.
#[test]
fn reviews_of_pages_that_were_cut_off_wait_again_too() {
    let mut space = with_witnesses();
    let line = r#"{"op":"policy.set","approvals":[{"count":1,"role":"recovery"}],"prefix":"","roles":["member"],"scope":"pin","self_approval":false,"tier":"quorum"}"#;
    number(&mut space, "alice", "quorum", &[line]);
    let fork = space.tip();
    let (pin, digest) = space.propose(&space.bob, "pin", &[PIN]).unwrap();
    approve(&space, &rick(), pin);
    accept_as(&mut space, &wanda()).unwrap();
    assert_eq!(space.store.list(refs::REVIEWS).unwrap(), []);
    let received = shown_beside(&mut space, &fork, &|space| {
        let take = propose_take(space, &wim(), "take").unwrap();
        approve(space, &rick(), take);
        assert_eq!(accept_as(space, &wim()).unwrap().numbered.len(), 1);
    });
    assert_eq!(received.returned.len(), 1, "{received:?}");
    let name = refs::review(&folio::model::Handle::new("rick").unwrap(), &digest);
    assert!(space.store.get(&name).unwrap().is_some());
    space.memory = Box::new(ShortMemory::default());
    let report = accept_as(&mut space, &wim()).unwrap();
    assert_eq!(report.numbered.len(), 1, "{:?}", report.refused);
}

#[test]
fn rotation_leaves_no_gap_in_the_numbers() {
    let mut space = with_witnesses();
    let new = Actor::new("wanda-new");
    let rotate = format!(
        r#"{{"op":"member.rotate","handle":"wanda","key":"{}"}}"#,
        new.key.public_key()
    );
    number(&mut space, "wanda", "rotate", &[&rotate]);
    // The pen stays with the old key, which goes on numbering.
    number(&mut space, "bob", "alias", &[ALIAS]);
    assert_eq!(pen_row(&space).key, wanda().key.public_key());
    assert_eq!(accept_as(&mut space, &new).unwrap().numbered.len(), 0);
    // The old key signs no proposal any more: the new one releases, the old one numbers that.
    let made = propose_release(&space, &wanda());
    assert!(made.is_err());
    propose_release(&space, &new).unwrap();
    assert_eq!(accept_as(&mut space, &wanda()).unwrap().numbered.len(), 1);
    propose_take(&space, &new, "take").unwrap();
    assert_eq!(accept_as(&mut space, &new).unwrap().numbered.len(), 1);
    number(&mut space, "bob", "pin", &[PIN]);
    assert_eq!(pen_row(&space).key, new.key.public_key());
    assert_eq!(space.verify().unwrap(), Number(7));
}

#[test]
fn rotation_of_a_lost_key_takes_with_an_approval() {
    let mut space = with_witnesses();
    let new = Actor::new("wanda-new");
    let rotate = format!(
        r#"{{"op":"member.rotate","handle":"wanda","key":"{}"}}"#,
        new.key.public_key()
    );
    number(&mut space, "wanda", "rotate", &[&rotate]);
    let take = propose_take(&space, &new, "take").unwrap();
    approve(&space, &rick(), take);
    assert_eq!(accept_as(&mut space, &new).unwrap().numbered.len(), 1);
    assert_eq!(space.verify().unwrap(), Number(4));
}

#[test]
fn rotation_of_others_leaves_everything_as_it_was() {
    let mut space = with_witnesses();
    let new = Actor::new("bob-new");
    let rotate = format!(
        r#"{{"op":"member.rotate","handle":"bob","key":"{}"}}"#,
        new.key.public_key()
    );
    number(&mut space, "bob", "rotate", &[&rotate]);
    assert_eq!(pen_row(&space).epoch, Epoch(1));
    let page = space.tip();
    let line = common::decision(ALIAS);
    propose_exact(&space, &page, &new, "alias", &[line]).unwrap();
    assert_eq!(accept_as(&mut space, &wanda()).unwrap().numbered.len(), 1);
}

#[test]
fn pages_of_a_stolen_key_stay_and_later_ones_are_refused() {
    let mut space = with_witnesses();
    // A thief with wanda's key numbers a page before anybody notices.
    number(&mut space, "bob", "alias", &[ALIAS]);
    let thiefs = space.tip();
    let take = propose_take(&space, &wim(), "take").unwrap();
    approve(&space, &rick(), take);
    assert_eq!(accept_as(&mut space, &wim()).unwrap().numbered.len(), 1);
    assert!(pages(&space).iter().any(|page| page.id == thiefs.id));
    // Afterwards the key numbers nothing, neither by accepting nor by signing a page itself.
    space.propose(&space.bob, "pin", &[PIN]).unwrap();
    let refused = accept_as(&mut space, &wanda()).unwrap_err();
    assert_eq!(refused.code, Code::SignerWrong);
    let forged = forge_next(&space, &wanda());
    let opened = space.space();
    let tip = space.tip();
    let checked = folio::journal::check::check_page(
        &space.store,
        &opened.tables,
        &space.id,
        tip.number().next(),
        forged,
        Some(tip.id),
    );
    assert_eq!(checked.unwrap_err().code, Code::SignerWrong);
    // What it decided is undone by an ordinary decision.
    number(
        &mut space,
        "bob",
        "undo",
        &[r#"{"op":"alias.drop","alias":"kiev"}"#],
    );
    space.verify().unwrap();
}

/// The page that wim would make next, signed with another key.
fn forge_next(space: &Memory, thief: &Actor) -> folio::model::Oid {
    use folio::journal::proposal::Proposal;
    use folio::store::{Kind, Objects, Refs};
    let opened = space.space();
    let branch = space.store.get("refs/heads/proposals/bob/pin").unwrap();
    let store = &space.store;
    let of = Some(&space.id);
    let proposal = Proposal::authenticate(&opened.tables, store, of, branch.unwrap()).unwrap();
    let tip = space.tip();
    let judged = folio::journal::judge::judge(
        &opened.tables,
        Some(tip.tree()),
        tip.message.chain,
        &proposal,
        &[],
    )
    .unwrap();
    let holder = wim();
    let witness = Witness {
        signer: &holder.key,
        when: when(),
        memory: &*space.memory,
    };
    let made = accept::page_commit(&opened, &tip, &proposal, &[], &witness, judged.tree);
    let mut commit = made.unwrap().seal(&witness).unwrap();
    commit.armor = None;
    let commit = folio::crypto::seal::seal(commit, &thief.key).unwrap();
    let bytes = commit.encode();
    let id = store.id_of(Kind::Commit, &bytes);
    let mut objects = opened.tables.take();
    objects.push((id, Kind::Commit, bytes));
    store.write_all(&objects).unwrap();
    id
}

#[test]
fn the_holder_and_the_last_witness_are_neither_retired_nor_removed() {
    let mut space = with_witnesses();
    let retire = |who: &str| format!(r#"{{"op":"witness.retire","member":"{who}"}}"#);
    let remove = |who: &str| format!(r#"{{"op":"member.remove","handle":"{who}"}}"#);
    for line in [retire("wanda"), remove("wanda"), remove("wim")] {
        let made = space.propose(&space.alice, "x", &[&line]);
        assert_eq!(made.unwrap_err().code, Code::IsHolder, "{line}");
    }
    number(
        &mut space,
        "alice",
        "retire",
        &[&retire("wim"), &retire("will")],
    );
    number(&mut space, "alice", "remove", &[&remove("wim")]);
    let made = space.propose(&space.alice, "x", &[&retire("wanda")]);
    assert_eq!(made.unwrap_err().code, Code::IsHolder);
    // Neither may be done by a holder who laid the pen down.
    propose_release(&space, &wanda()).unwrap();
    accept_as(&mut space, &wanda()).unwrap();
    let made = space.propose(&space.alice, "x", &[&retire("wanda")]);
    assert_eq!(made.unwrap_err().code, Code::IsHolder);
}

#[test]
fn a_take_in_the_middle_of_the_holders_accept() {
    let mut space = with_witnesses();
    let take = propose_take(&space, &wim(), "take").unwrap();
    approve(&space, &rick(), take);
    space.propose(&space.bob, "alias", &[ALIAS]).unwrap();
    // Right before the holder publishes, the taker does.
    let mut other = Memory::reopen(space.store.clone());
    let before = space.tip().number();
    let mut taken = false;
    let lost = accept_with(&mut space, &wanda(), &mut |_, _| {
        if !taken {
            taken = true;
            let report = accept_as(&mut other, &wim()).unwrap();
            assert!(
                report
                    .numbered
                    .iter()
                    .any(|page| page.branch.ends_with("take"))
            );
        }
        Ok(())
    });
    let wrote = match lost {
        Ok(report) => report.numbered.len(),
        Err(fault) => {
            assert_eq!(fault.code, Code::SignerWrong);
            0
        }
    };
    assert_eq!(wrote, 0);
    assert_eq!(pen_row(&space).member.as_str(), "wim");
    assert!(space.tip().number() > before);
    space.verify().unwrap();
}

#[test]
fn a_holders_page_in_the_middle_of_a_take() {
    let mut space = with_witnesses();
    let take = propose_take(&space, &wim(), "take").unwrap();
    approve(&space, &rick(), take);
    space.propose(&space.bob, "alias", &[ALIAS]).unwrap();
    let mut other = Memory::reopen(space.store.clone());
    let mut done = false;
    let report = accept_with(&mut space, &wim(), &mut |_, _| {
        if !done {
            done = true;
            assert_eq!(accept_as(&mut other, &wanda()).unwrap().numbered.len(), 1);
        }
        Ok(())
    })
    .unwrap();
    assert!(report.numbered.is_empty());
    assert_eq!(refused_with(&report, "take"), Code::PenMoved);
    assert_eq!(pen_row(&space).member.as_str(), "wanda");
    space.verify().unwrap();
}

#[test]
fn a_take_that_waits_does_not_stop_the_holder() {
    let mut space = with_witnesses();
    propose_take(&space, &wim(), "take").unwrap();
    space.propose(&space.bob, "alias", &[ALIAS]).unwrap();
    let report = accept_as(&mut space, &wanda()).unwrap();
    assert_eq!(report.numbered.len(), 1);
    assert_eq!(refused_with(&report, "take"), Code::PenMoved);
}

#[test]
fn an_approved_take_is_numbered_by_its_taker_alone() {
    let mut space = with_witnesses();
    let take = propose_take(&space, &wim(), "take").unwrap();
    approve(&space, &rick(), take);
    for who in ["wanda", "will"] {
        let report = accept_as(&mut space, &Actor::new(who)).unwrap();
        assert_eq!(refused_with(&report, "take"), Code::SignerWrong, "{who}");
    }
    assert_eq!(accept_as(&mut space, &wim()).unwrap().numbered.len(), 1);
}

#[test]
fn a_month_of_absence_changes_nothing() {
    let mut space = with_witnesses();
    for n in 0..30 {
        let line = format!(r#"{{"op":"alias.set","alias":"a{n}","target":"t"}}"#);
        space
            .propose(&space.bob, &format!("a{n}"), &[&line])
            .unwrap();
    }
    // Nobody else can number meanwhile, however long it takes.
    for who in ["wim", "will", "alice"] {
        let refused = accept_as(&mut space, &Actor::new(who)).unwrap_err();
        assert_eq!(refused.code, Code::SignerWrong, "{who}");
    }
    let report = accept_as(&mut space, &wanda()).unwrap();
    assert_eq!(report.numbered.len(), 30);
    assert_eq!(pen_row(&space).epoch, Epoch(1));
}

#[test]
fn a_rejection_of_the_taker_is_no_take() {
    let mut space = with_witnesses();
    let take = propose_take(&space, &wim(), "take").unwrap();
    review(&space, &rick(), take, Verdict::Reject);
    let report = accept_as(&mut space, &wim()).unwrap();
    assert_eq!(refused_with(&report, "take"), Code::ApprovalsMissing);
}

#[test]
fn instances_are_named_and_heartbeats_are_the_witnesses_own() {
    let mut space = with_witnesses();
    let opened = space.space();
    let beat = folio::journal::heartbeat::beat(&opened, &wanda().key, &when()).unwrap();
    assert_eq!((beat.beat, beat.witness.handle.as_str()), (1, "wanda"));
    let beat = folio::journal::heartbeat::beat(&opened, &wanda().key, &when()).unwrap();
    assert_eq!((beat.beat, beat.page.id), (2, space.tip().id));
    for who in ["bob", "nobody"] {
        assert!(folio::journal::heartbeat::beat(&opened, &Actor::new(who).key, &when()).is_err());
    }
    drop(opened);
    let page = space.tip();
    let mut take = take_on(&space, &page, &wim());
    take.instance = Some(folio::model::Slug::new("laptop").unwrap());
    take.after = page.message.chain;
    let (id, _) = propose_exact(&space, &page, &wim(), "take", &[Decision::PenTake(take)]).unwrap();
    approve(&space, &rick(), id);
    accept_as(&mut space, &wim()).unwrap();
    let row = pen_row(&space);
    assert_eq!(row.instance.unwrap().as_str(), "laptop");
    let beat = Space::open(&space.store).unwrap();
    let beat = folio::journal::heartbeat::beat(&beat, &wim().key, &when()).unwrap();
    assert_eq!(beat.page.message.epoch, Epoch(2));
    assert_ne!(beat.page.message.chain, ChainDigest([0; 32]));
}

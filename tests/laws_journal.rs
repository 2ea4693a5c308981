//! Laws of the journal: replay == live, refusals leave nothing behind, order does not depend on luck.

mod common;

use common::moves::{self, Move};
use common::{Actor, TestSpace, when};
use folio::crypto::Sign;
use folio::fold::Steps;
use folio::fold::kind::Place;
use folio::journal::proposal::{Base, Proposal};
use folio::journal::propose::{self, Intent};
use folio::journal::queue::{self, Entry, Standing};
use folio::journal::{Fault, Page, judge, order, refs};
use folio::model::{ChainDigest, Code, Number, ObjectFormat, Oid, ProposalDigest, Slug};
use folio::state::{Tables, TreeView};
use folio::store::{Expect, MemoryStore, RefEdit, Refs};
use proptest::prelude::*;

type Memory = TestSpace<MemoryStore>;

fn new_space() -> Memory {
    TestSpace::found(MemoryStore::new(ObjectFormat::Sha1)).unwrap()
}

/// Proposes one move as it looks on a page; refused there, it is never made.
fn propose(
    space: &Memory,
    base: &Page,
    author: &Actor,
    slug: &str,
    step: &Move,
) -> Result<(Oid, ProposalDigest), Fault> {
    let opened = space.space();
    let view = TreeView::new(&opened.tables, Some(base.tree()));
    let author_row = judge::member_of(&view, &author.key.public_key())?;
    let decisions = [step.draft(&view)];
    let intent = Intent {
        base: Base::of(base),
        author: &author_row,
        decisions: &decisions,
        text: &format!("{slug}\n"),
        when: when(),
    };
    let prepared = propose::prepare(&opened.tables, &space.store, space.id, &intent, &author.key)?;
    let name = refs::proposal(&author_row.handle, &Slug::new(slug).unwrap());
    prepared.publish(&opened, name, Expect::Any)
}

/// Drafts what of a log holds on the newest page, one on the other, and proposes it: with the draft, and without.
fn propose_drafted(space: &Memory, log: &[Move]) -> [Result<Oid, Code>; 2] {
    let (opened, base) = (space.space(), space.tip());
    let view = TreeView::new(&opened.tables, Some(base.tree()));
    let author = judge::member_of(&view, &space.alice.key.public_key()).unwrap();
    let mut steps = Steps::new(&view);
    let mut decisions = Vec::new();
    for step in log {
        let mut decision = step.draft(&view);
        // Another place than any that it will have.
        let place = Place {
            proposal: ProposalDigest([7; 32]),
            index: 1000,
            author: space.bob.key.public_key(),
            after: ChainDigest([7; 32]),
        };
        if decision.refresh(steps.scene(), true).is_ok()
            && matches!(steps.offer(&decision, place), Ok(true))
        {
            decisions.push(decision);
        }
    }
    let intent = Intent {
        base: Base::of(&base),
        author: &author,
        decisions: &decisions,
        text: "Drafted\n",
        when: when(),
    };
    let of = |prepared: Result<propose::Prepared, Fault>| prepared.map(|it| it.id);
    let prepare = |steps| {
        let (tables, store, key) = (&opened.tables, &space.store, &space.alice.key);
        of(propose::prepare_drafted(
            tables, store, space.id, &intent, steps, key,
        ))
        .map_err(|fault| fault.code)
    };
    [prepare(steps), prepare(Steps::new(&view))]
}

/// Judges each waiting proposal on the tip: a refusal stages nothing and names no tree.
fn judge_queue(space: &Memory) -> (usize, usize) {
    let judged = space.with_history(|opened, history| {
        let tip = history.tip().unwrap();
        let (mut ready, mut refused) = (0, 0);
        for entry in queue::gather(opened, history).unwrap() {
            let Entry::Authentic(candidate) = entry else {
                panic!("{entry:?}")
            };
            let staged = opened.tables.staged();
            match queue::standing(&opened.tables, tip, history, &candidate)
                .unwrap()
                .0
            {
                Standing::Ready { .. } => ready += 1,
                Standing::Refused(_) => {
                    refused += 1;
                    assert_eq!(opened.tables.staged(), staged);
                }
                Standing::Accepted(number) => panic!("waiting, and numbered as {number}"),
            }
        }
        assert_eq!(opened.tip().unwrap(), history.tip().unwrap().id);
        (ready, refused)
    });
    judged.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_was_drafted_is_what_is_proposed(logs in prop::collection::vec(moves::log(moves::ALL_KINDS, 1..9), 12)) {
        let mut space = new_space();
        let mut proposed = 0;
        for (round, log) in logs.iter().enumerate() {
            // On ground where there is something to drop, to move and to merge.
            let base = space.tip();
            for (at, step) in log.iter().enumerate() {
                let _ = propose(&space, &base, &space.alice, &format!("r{round}-{at}"), step);
            }
            space.accept_all().unwrap();
            let [drafted, made] = propose_drafted(&space, &logs[(round + 1) % logs.len()]);
            proposed += usize::from(made.is_ok());
            prop_assert_eq!(drafted, made);
        }
        prop_assert!(proposed > 0);
    }

    #[test]
    fn replay_is_live(rounds in prop::collection::vec(moves::log(moves::ALL_KINDS, 14..20), 3)) {
        let mut space = new_space();
        let (mut numbered, mut refused) = (0, 0);
        for (round, log) in rounds.iter().enumerate() {
            // All stand on one page, so that they get into each other's way.
            let base = space.tip();
            let mut made = 0;
            for (at, step) in log.iter().enumerate() {
                let author = if at % 4 == 3 { &space.bob } else { &space.alice };
                made += usize::from(propose(&space, &base, author, &format!("r{round}-{at}"), step).is_ok());
            }
            let (ready, no) = judge_queue(&space);
            prop_assert_eq!(ready + no, made);
            let report = space.accept_all().unwrap();
            prop_assert!(report.invalid.is_empty() && report.already.is_empty());
            prop_assert_eq!(report.numbered.len() + report.refused.len(), made);
            prop_assert!(ready == 0 || !report.numbered.is_empty());
            numbered += report.numbered.len();
            refused += report.refused.len();
            let tip = space.tip();
            // Refusals change nothing: the same queue again makes no page.
            let again = space.accept_all().unwrap();
            prop_assert!(again.numbered.is_empty() && again.already.is_empty());
            prop_assert_eq!(again.refused.len(), report.refused.len());
            prop_assert_eq!(space.tip().id, tip.id);
            for (name, _) in space.store.list(refs::PROPOSALS).unwrap() {
                let edit = RefEdit { name, expect: Expect::Any, new: None, message: String::new() };
                space.store.apply(&[edit]).unwrap();
            }
        }
        prop_assert_eq!(space.verify().unwrap(), Number(1 + numbered as u64));
        prop_assert_eq!(space.replayed().unwrap(), space.tip().tree());
        prop_assert!(numbered >= 8, "{} numbered, {} refused", numbered, refused);
    }

    #[test]
    fn the_order_of_a_queue_is_not_that_of_its_refs(
        log in moves::log(moves::RULES_OF_NAMES, 12..20),
        keys in prop::collection::vec(any::<u32>(), 20),
    ) {
        let made = |shuffled: bool| {
            let mut space = new_space();
            let base = space.tip();
            let mut order: Vec<usize> = (0..log.len()).collect();
            if shuffled {
                order.sort_by_key(|at| (keys[*at], *at));
            }
            for at in order {
                let author = [&space.alice, &space.bob][at % 2];
                // The slug is no part of what is signed, so it may be another one.
                let slug = if shuffled { format!("z{}", 99 - at) } else { format!("a{at}") };
                let words = format!("w{at}");
                let _ = propose(&space, &base, author, &words, &log[at]).map(|(id, _)| {
                    let handle = author.person().handle;
                    let [old, new] = [words, slug].map(|s| refs::proposal(&handle, &Slug::new(s).unwrap()));
                    let edit = |name, new| RefEdit { name, expect: Expect::Any, new, message: String::new() };
                    space.store.apply(&[edit(old, None), edit(new, Some(id))]).unwrap();
                });
            }
            let refused = |report: folio::journal::accept::Report| -> Vec<_> {
                report.refused.into_iter().map(|(c, f)| (c.proposal.digest(), f.code)).collect()
            };
            let report = space.accept_all().unwrap();
            let refused = refused(report);
            (space.tip().message.chain, space.tip().id, refused)
        };
        prop_assert_eq!(made(false), made(true));
    }
}

#[test]
fn authors_take_turns() {
    let space = new_space();
    let base = space.tip();
    let line = |n: usize| format!(r#"{{"op":"pin","name":"n{n}"}}"#);
    for n in 0..6 {
        space
            .propose_on(&base, &space.alice, &format!("p{n}"), &[&line(n)])
            .unwrap();
    }
    for n in 6..8 {
        space
            .propose_on(&base, &space.bob, &format!("p{n}"), &[&line(n)])
            .unwrap();
    }
    let tables = Tables::new(&space.store);
    let all = space.store.list(refs::PROPOSALS).unwrap();
    let all: Vec<Proposal> = all
        .iter()
        .map(|(_, id)| Proposal::authenticate(&tables, &space.store, None, *id).unwrap())
        .collect();
    let ordered = order::round_robin(all, |p| p.author().to_string(), |p| p);
    let bob = space.bob.key.public_key();
    let turns: Vec<bool> = ordered.iter().map(|p| p.author() == bob).collect();
    assert_ne!(turns[0], turns[1]);
    assert_ne!(turns[2], turns[3]);
    assert_eq!(turns.iter().filter(|b| **b).count(), 2);
}

#[test]
fn what_was_numbered_is_not_numbered_again() {
    let mut space = new_space();
    // It stays acceptable for ever: numbered twice, it would change nothing.
    let (id, _) = space
        .propose(&space.alice, "once", &[r#"{"op":"pin","name":"a"}"#])
        .unwrap();
    assert_eq!(space.accept_all().unwrap().numbered.len(), 1);
    let tip = space.tip();
    for name in [
        "refs/heads/proposals/alice/once",
        "refs/heads/proposals/alice/again",
    ] {
        let edit = RefEdit {
            name: name.into(),
            expect: Expect::Absent,
            new: Some(id),
            message: String::new(),
        };
        space.store.apply(&[edit]).unwrap();
    }
    let report = space.accept_all().unwrap();
    assert!(report.numbered.is_empty() && report.refused.is_empty());
    let already: Vec<_> = report.already.iter().map(|(_, number)| number.0).collect();
    assert_eq!(already, [2, 2]);
    assert_eq!(space.tip().id, tip.id);
    assert!(space.store.list(refs::PROPOSALS).unwrap().is_empty());
}

/// One proposal on two branches at once is one page.
#[test]
fn a_proposal_on_two_branches_is_numbered_once() {
    let mut space = new_space();
    let (id, _) = space
        .propose(&space.alice, "one", &[r#"{"op":"pin","name":"a"}"#])
        .unwrap();
    let name = "refs/heads/proposals/alice/two".into();
    let edit = RefEdit {
        name,
        expect: Expect::Absent,
        new: Some(id),
        message: String::new(),
    };
    space.store.apply(&[edit]).unwrap();
    let report = space.accept_all().unwrap();
    assert_eq!((report.numbered.len(), report.refused.len()), (1, 0));
    // Both branches go with that one run, and what became of the second is said.
    let [(name, number)] = &report.already[..] else {
        panic!("{report:?}");
    };
    assert_ne!(*name, report.numbered[0].branch);
    assert_eq!(*number, report.numbered[0].number);
    assert!(space.store.list(refs::PROPOSALS).unwrap().is_empty());
    assert_eq!(space.verify().unwrap(), Number(2));
}

#[test]
fn a_refusal_names_its_reason() {
    let mut space = new_space();
    let base = space.tip();
    for (author, slug, target) in [(&space.alice, "one", "a"), (&space.bob, "two", "b")] {
        let line = format!(r#"{{"op":"alias.set","alias":"x","target":"{target}"}}"#);
        space.propose_on(&base, author, slug, &[&line]).unwrap();
    }
    let report = space.accept_all().unwrap();
    assert_eq!((report.numbered.len(), report.refused.len()), (1, 1));
    let fault = &report.refused[0].1;
    assert_eq!(fault.code, Code::Stale);
    assert!(
        fault.what.contains(r#""alias":"x""#),
        "both values are shown: {fault}"
    );
}

//! One pass over the queue: what can be numbered, in memory only.

use super::BATCH;
use super::desk::{Desk, turn};
use super::guard::Guard;
use super::snapshot::page_commit;
use crate::codec::commit::Commit;
use crate::codec::message::Message;
use crate::fold::Outcome;
use crate::journal::fault::Fault;
use crate::journal::history::History;
use crate::journal::page::Page;
use crate::journal::queue::{self, Candidate, Standing};
use crate::model::{Code, Number, Oid};
use crate::store::{Kind, Store};
use std::collections::BTreeSet;

/// A snapshot that is made and signed, and not yet written.
#[derive(Debug)]
pub(super) struct PlannedPage {
    pub(super) candidate: Candidate,
    pub(super) page: Page,
    pub(super) bytes: Vec<u8>,
    pub(super) outcome: Outcome,
}

/// One pass over the queue.
pub(super) struct Plan {
    pub(super) pages: Vec<PlannedPage>,
    pub(super) already: Vec<(Candidate, Number)>,
    pub(super) refused: Vec<(Candidate, Fault)>,
    /// What did not fit into this batch.
    pub(super) waiting: Vec<Candidate>,
}

/// Passes over the queue until nothing more is acceptable, each proposal judged on what the ones before
/// it made.
pub(super) fn plan<S: Store>(
    history: &History<'_>,
    desk: &Desk<'_, '_, S>,
    guard: &Guard<'_>,
    mut waiting: Vec<Candidate>,
) -> Result<Plan, Fault> {
    let (space, witness) = (desk.space, desk.witness);
    let mut tip = history.tip().expect("an open space has a tip").clone();
    let mut plan = Plan {
        pages: Vec::new(),
        already: Vec::new(),
        refused: Vec::new(),
        waiting: Vec::new(),
    };
    waiting.sort_by_key(|candidate| turn(&candidate.proposal));
    let mut planned = BTreeSet::new();
    loop {
        let before = plan.pages.len();
        let mut refused = Vec::new();
        let mut queue = waiting.into_iter();
        for candidate in queue.by_ref() {
            if planned.contains(&candidate.proposal.digest()) {
                // The same proposal on two branches: the second goes with the next look at the queue.
                continue;
            }
            let staged = space.tables.staged();
            match queue::standing(&space.tables, &tip, history, &candidate)? {
                (Standing::Accepted(number), _) => plan.already.push((candidate, number)),
                (Standing::Refused(fault), _) => refused.push((candidate, fault)),
                (Standing::Ready { judgement }, reviews) => {
                    if let Some(fault) = desk.against(&tip, &candidate)? {
                        space.tables.discard(staged);
                        refused.push((candidate, fault));
                        continue;
                    }
                    let proposal = &candidate.proposal;
                    let tree = judgement.tree;
                    let page = page_commit(space, &tip, proposal, &reviews, witness, tree)?;
                    guard.allow(page.epoch, page.number)?;
                    let commit = page.seal(witness)?;
                    let bytes = commit.encode();
                    let id = space.store.id_of(Kind::Commit, &bytes);
                    let page = page_of(id, commit)?;
                    tip = page.clone();
                    planned.insert(proposal.digest());
                    plan.pages.push(PlannedPage {
                        candidate,
                        page,
                        bytes,
                        outcome: judgement.outcome,
                    });
                    if plan.pages.len() == BATCH {
                        break;
                    }
                }
            }
        }
        plan.waiting.extend(queue);
        if plan.pages.len() == before || refused.is_empty() || !plan.waiting.is_empty() {
            plan.refused = refused;
            return Ok(plan);
        }
        waiting = refused
            .into_iter()
            .map(|(candidate, _)| candidate)
            .collect();
    }
}

pub(super) fn page_of(id: Oid, commit: Commit) -> Result<Page, Fault> {
    match Message::parse(&commit.message)? {
        Message::Snapshot(message) => Ok(Page {
            id,
            commit,
            message,
        }),
        _ => Err(Fault::new(
            Code::NotASnapshot,
            "expected the snapshot that was just made",
        )),
    }
}

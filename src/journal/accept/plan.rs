//! One pass over the queue: what can be numbered, in memory only.

use super::BATCH;
use super::desk::{Desk, turn};
use super::guard::Guard;
use super::sealing::{Draft, Drafts, HandOver, seal_each};
use super::snapshot::page_commit;
use crate::journal::fault::Fault;
use crate::journal::history::History;
use crate::journal::page::Page;
use crate::journal::pages::NewPage;
use crate::journal::queue::{self, Candidate, Standing};
use crate::model::{Code, Number, ProposalDigest};
use crate::parallel;
use crate::state::Tables;
use crate::store::{Bytes, Parcel, Store};
use std::collections::BTreeSet;

/// Pages that are handed over at a time: to wake another thread for each would take as long as signing it.
const AT_ONCE: usize = 16;

/// Proposals whose previews one thread proves at a time: whoever judges waits for the first of them, and has the last ones
/// still to do when nobody else has anything left.
const PROVED_AT_ONCE: usize = 32;

/// A snapshot that is made and signed, and not yet written.
#[derive(Debug)]
pub(super) struct PlannedPage {
    pub(super) candidate: Candidate,
    pub(super) page: Page,
    pub(super) bytes: Bytes,
    /// What the index is told of it.
    pub(super) entry: NewPage,
}

/// One pass over the queue.
pub(super) struct Plan {
    pub(super) pages: Vec<PlannedPage>,
    /// All that is new of these pages, made ready to be written.
    pub(super) parcel: Parcel,
    pub(super) already: Vec<(Candidate, Number)>,
    pub(super) refused: Vec<(Candidate, Fault)>,
    /// What did not fit into this batch.
    pub(super) waiting: Vec<Candidate>,
}

/// Passes over the queue until nothing more is acceptable, each proposal judged on what the ones before
/// it made, and signs what is.
pub(super) fn plan<S: Store + Clone + Send>(
    history: &History<'_>,
    desk: &Desk<'_, '_, S>,
    guard: &Guard<'_>,
    waiting: Vec<Candidate>,
) -> Result<Plan, Fault> {
    let tip = history.tip().expect("an open space has a tip");
    let (store, signer) = (desk.space.store, desk.witness.signer);
    let count = waiting.len();
    let (signed, judged) = seal_each(store, signer, tip.id, count, |hand_over| {
        let mut pass = Pass {
            history,
            desk,
            guard,
            tip: tip.clone(),
            judged: Judged::default(),
            planned: BTreeSet::new(),
            drafts: Drafts::default(),
            handed: 0,
            hand_over,
        };
        pass.over_and_over(waiting)?;
        pass.hand_over()?;
        Ok(pass.judged)
    })?;
    Ok(Plan {
        pages: signed.pages,
        parcel: signed.parcel,
        already: judged.already,
        refused: judged.refused,
        waiting: judged.waiting,
    })
}

/// What became of those that are not numbered now.
#[derive(Default)]
struct Judged {
    already: Vec<(Candidate, Number)>,
    refused: Vec<(Candidate, Fault)>,
    waiting: Vec<Candidate>,
}

struct Pass<'p, 'i, 'a, 's, 'g, 'h, S: Store> {
    history: &'p History<'i>,
    desk: &'p Desk<'a, 's, S>,
    guard: &'p Guard<'g>,
    /// The last page that was planned; see [`Unsigned::foretold`](super::Unsigned).
    tip: Page,
    judged: Judged,
    planned: BTreeSet<ProposalDigest>,
    /// What is to be handed over next.
    drafts: Drafts,
    /// How many of the staged objects were handed over.
    handed: usize,
    hand_over: &'p mut HandOver<'h>,
}

impl<S: Store + Clone + Send> Pass<'_, '_, '_, '_, '_, '_, S> {
    fn over_and_over(&mut self, mut waiting: Vec<Candidate>) -> Result<(), Fault> {
        waiting.sort_by_key(|candidate| turn(&candidate.proposal));
        loop {
            let before = self.planned.len();
            self.once(waiting)?;
            let refused = &mut self.judged.refused;
            let done = self.planned.len() == before || refused.is_empty();
            if done || !self.judged.waiting.is_empty() {
                return Ok(());
            }
            let again = std::mem::take(refused).into_iter();
            waiting = again.map(|(candidate, _)| candidate).collect();
        }
    }

    /// Judges one after the other. What all but the first claim to make of their base is looked at on other cores
    /// meanwhile, for they are judged on another state.
    fn once(&mut self, waiting: Vec<Candidate>) -> Result<(), Fault> {
        let space = self.desk.space;
        let prove = |_: &S, tables: &Tables<'_, S>, (at, mut candidate): (usize, Candidate)| {
            let prove = || match at {
                0 => (),
                _ => candidate.proposal.prove_preview(tables),
            };
            let ((), lent) = tables.lending(prove);
            (candidate, lent)
        };
        let waiting = waiting.into_iter().enumerate().collect();
        let judge = |(candidate, lent)| {
            // Most of what it stands on is read again when it is judged.
            space.tables.borrow(lent);
            if self.is_full() {
                self.judged.waiting.push(candidate);
                return Ok(());
            }
            self.judge(candidate)
        };
        parallel::in_parts(space.store, waiting, PROVED_AT_ONCE, prove, judge)
    }

    fn is_full(&self) -> bool {
        self.planned.len() >= BATCH
    }

    fn judge(&mut self, candidate: Candidate) -> Result<(), Fault> {
        let (space, witness) = (self.desk.space, self.desk.witness);
        let digest = candidate.proposal.digest();
        if self.planned.contains(&digest) {
            // The same proposal on two branches: the second is looked at again when the first has its number.
            self.judged.waiting.push(candidate);
            return Ok(());
        }
        let staged = space.tables.staged();
        let standing = queue::standing(&space.tables, &self.tip, self.history, &candidate)?;
        let (judgement, reviews) = match standing {
            (Standing::Accepted(number), _) => {
                self.judged.already.push((candidate, number));
                return Ok(());
            }
            (Standing::Refused(fault), _) => {
                self.judged.refused.push((candidate, fault));
                return Ok(());
            }
            (Standing::Ready { judgement }, reviews) => (judgement, reviews),
        };
        if let Some(fault) = self.desk.against(&self.tip, &candidate)? {
            space.tables.discard(staged);
            self.judged.refused.push((candidate, fault));
            return Ok(());
        }
        let (proposal, tree) = (&candidate.proposal, judgement.tree);
        let page = page_commit(space, &self.tip, proposal, &reviews, witness, tree)?;
        self.guard.allow(page.epoch, page.number)?;
        self.tip = page.foretold(&self.tip);
        self.planned.insert(digest);
        self.drafts.pages.push(Draft {
            candidate,
            page,
            judgement,
        });
        match self.drafts.pages.len() < AT_ONCE {
            true => Ok(()),
            false => self.hand_over(),
        }
    }

    fn hand_over(&mut self) -> Result<(), Fault> {
        let mut drafts = std::mem::take(&mut self.drafts);
        let tables = &self.desk.space.tables;
        drafts.objects = tables.staged_since(self.handed);
        self.handed = tables.staged();
        match (self.hand_over)(drafts) {
            true => Ok(()),
            // Signing failed, and says why itself.
            false => Err(Fault::new(Code::Io, "no more pages are signed")),
        }
    }
}

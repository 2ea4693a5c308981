//! Rebuilding the state from the decisions alone, whatever trees are stored.

use super::check::require_claimed;
use super::fault::Fault;
use super::history::History;
use super::page::Page;
use super::proposal::{Open, Proposal};
use super::review::Review;
use super::space::Space;
use crate::cores;
use crate::crypto::{digest, seal};
use crate::fold::{self, Decision, GrowingView, MemoryView, Outcome, Submission, Vote};
use crate::model::{
    ChainDigest, Epoch, Number, Oid, ProposalDigest, PublicKey, ReviewDigest, SpaceId,
};
use crate::parallel;
use crate::state::Tables;
use crate::store::{Objects, Store};

/// Pages folded between two reports of progress.
const REPORT: u64 = 4096;

/// From so many changes of one page on, threads are worth starting.
const MANY: usize = 4096;

/// What an authenticated proposal and its reviews decide, and what their page says of itself: what is no longer
/// needed is given back by the thread that read it.
struct Step {
    commit: Oid,
    digest: ProposalDigest,
    author: PublicKey,
    decisions: Vec<Decision>,
    votes: Vec<Vote>,
    reviews: Vec<ReviewDigest>,
    epoch: Epoch,
    /// The key that the page's signature names.
    signer: PublicKey,
    /// The chain digest that the page claims.
    chain: ChainDigest,
}

/// Folds the decisions of `1..=to` in memory: no stored state is read. Every proposal and every review has to be
/// signed, and the pages have to be the links of one chain.
///
/// Up to `verified`, a page whose chain was verified in this repository before, no signature is checked again: that
/// page's chain digest binds every proposal and review up to there with its signer, and it is made anew from what was
/// read. Where anything is not as it was, everything is checked, so that the fault is the one that anybody else would
/// find.
pub fn replay<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    history: &History<'_>,
    to: Number,
    verified: Option<(Number, Oid)>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<MemoryView, Fault> {
    let known = verified.filter(|(number, id)| *number <= to && history.contains(*number, id));
    if let Some((number, _)) = known
        && let Ok(view) = fold_pages(space, history, to, number, progress)
    {
        return Ok(view);
    }
    fold_pages(space, history, to, Number(0), progress)
}

/// Folds, and takes the signatures up to `verified` as good.
fn fold_pages<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    history: &History<'_>,
    to: Number,
    verified: Number,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<MemoryView, Fault> {
    let mut view = GrowingView::default();
    let mut after = digest::chain_start(&space.id);
    let mut done = 0;
    let ids = history.commits(Number(1), to)?;
    let ids = (1..).map(Number).zip(ids).collect();
    let of = space.id;
    parallel::in_order(
        space.store,
        ids,
        |store, tables, (number, id)| {
            let open = match number <= verified {
                true => seal::claimed,
                false => seal::open,
            };
            let step = read_step(store, tables, &of, id, open);
            step.map_err(|fault| fault.at(number).in_commit(id))
        },
        |step: Result<Step, Fault>| -> Result<(), Fault> {
            let step = step?;
            done += 1;
            let folded = apply(&mut view, after, Number(done), step);
            after = folded.map_err(|fault| fault.at(Number(done)))?;
            if done % REPORT == 0 || done == to.0 {
                progress(done, to.0);
            }
            Ok(())
        },
    )?;
    Ok(view.into_view())
}

fn read_step<S: Store>(
    store: &S,
    tables: &Tables<'_, S>,
    space: &SpaceId,
    id: Oid,
    open: Open,
) -> Result<Step, Fault> {
    let page = Page::read_first(tables, store, id)?;
    let proposal = Proposal::for_replay(tables, store, space, page.proposal(), open)?;
    let reviews = page.reviews().iter();
    let reviews = reviews.map(|id| Review::read(store, &proposal, *id, open));
    let reviews = reviews.collect::<Result<Vec<_>, _>>()?;
    let vote = |review: &Review| Vote {
        reviewer: review.reviewer(),
        approve: review.approves(),
    };
    Ok(Step {
        commit: proposal.id(),
        digest: proposal.digest(),
        author: proposal.author(),
        votes: reviews.iter().map(vote).collect(),
        reviews: reviews.iter().map(Review::digest).collect(),
        decisions: proposal.into_decisions(),
        epoch: page.message.epoch,
        signer: seal::claimed(&page.commit)?,
        chain: page.message.chain,
    })
}

/// Folds a page in; returns the chain digest with it.
fn apply(
    view: &mut GrowingView,
    after: ChainDigest,
    number: Number,
    step: Step,
) -> Result<ChainDigest, Fault> {
    let chain = require_link(&after, number, &step)?;
    let submission = Submission {
        digest: step.digest,
        author: step.author,
        after,
        decisions: &step.decisions,
        votes: &step.votes,
    };
    let Outcome { edits, touched } =
        fold::fold(view, &submission).map_err(|stop| Fault::from(stop).in_commit(step.commit))?;
    // To give back what a large page was made of takes a while.
    let worth = edits.len() >= MANY;
    let done_with = move || drop((touched, step));
    cores::beside(worth, done_with, || view.apply(edits));
    Ok(chain)
}

/// The chain digest with a page, which has to be the one that it claims.
fn require_link(before: &ChainDigest, number: Number, step: &Step) -> Result<ChainDigest, Fault> {
    let link = digest::Link {
        number,
        epoch: step.epoch,
        signer: step.signer,
        proposal: step.digest,
        reviews: &step.reviews,
    };
    let chain = digest::chain_next(before, &link);
    require_claimed(chain, step.chain)?;
    Ok(chain)
}

/// The tree that a state in memory has; its objects are staged in the tables, except in [`Tables::naming`].
pub fn tree_of<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    view: &MemoryView,
) -> Result<Oid, Fault> {
    Ok(tables.build(|table| view.of(table).iter().collect())?)
}

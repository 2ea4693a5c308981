//! Rebuilding the state from the decisions alone, whatever trees are stored.

use super::fault::Fault;
use super::history::History;
use super::page::Page;
use super::proposal::Proposal;
use super::review::Review;
use super::space::Space;
use crate::crypto::digest;
use crate::fold::{self, MemoryView, Submission, Vote};
use crate::model::{ChainDigest, Number, Oid, SpaceId};
use crate::parallel;
use crate::state::Tables;
use crate::store::{Objects, Store};

/// Pages folded between two reports of progress.
const REPORT: u64 = 4096;

/// A proposal and its reviews, authenticated.
struct Step {
    proposal: Proposal,
    reviews: Vec<Review>,
    /// The chain digest with its page.
    chain: ChainDigest,
}

/// Folds the decisions of `1..=to` in memory: no stored state is read.
pub fn replay<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    history: &History<'_>,
    to: Number,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<MemoryView, Fault> {
    let mut view = MemoryView::default();
    let mut after = digest::chain_start(&space.id);
    let mut done = 0;
    let ids: Vec<(u64, Oid)> = (1..=to.0)
        .map(|number| Ok((number, history.commit_of(Number(number))?)))
        .collect::<Result<_, Fault>>()?;
    let of = space.id;
    parallel::in_order(
        space.store,
        ids,
        |store, tables, (number, id)| {
            let step = read_step(store, tables, &of, id);
            step.map_err(|fault| fault.at(Number(number)).in_commit(id))
        },
        |step: Result<Step, Fault>| -> Result<(), Fault> {
            let step = step?;
            done += 1;
            apply(&mut view, after, &step).map_err(|fault| fault.at(Number(done)))?;
            after = step.chain;
            if done % REPORT == 0 || done == to.0 {
                progress(done, to.0);
            }
            Ok(())
        },
    )?;
    Ok(view)
}

fn read_step<S: Store>(
    store: &S,
    tables: &Tables<'_, S>,
    space: &SpaceId,
    id: Oid,
) -> Result<Step, Fault> {
    let page = Page::read(store, id)?;
    let proposal = Proposal::for_replay(tables, store, Some(space), page.proposal())?;
    let reviews = page.reviews().iter();
    let reviews = reviews.map(|id| Review::authenticate(store, &proposal, *id));
    let reviews = reviews.collect::<Result<_, _>>()?;
    Ok(Step {
        proposal,
        reviews,
        chain: page.message.chain,
    })
}

fn apply(view: &mut MemoryView, after: ChainDigest, step: &Step) -> Result<(), Fault> {
    let vote = |review: &Review| Vote {
        reviewer: review.reviewer(),
        approve: review.approves(),
    };
    let votes: Vec<Vote> = step.reviews.iter().map(vote).collect();
    let outcome = fold::fold(
        view,
        &Submission {
            digest: step.proposal.digest(),
            author: step.proposal.author(),
            after,
            decisions: step.proposal.decisions(),
            votes: &votes,
        },
    )
    .map_err(|stop| Fault::from(stop).in_commit(step.proposal.id()))?;
    view.apply(outcome.edits);
    Ok(())
}

/// The tree that a state in memory has; its objects are staged in the tables.
pub fn tree_of<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    view: &MemoryView,
) -> Result<Oid, Fault> {
    Ok(tables.build(|table| view.of(table).collect())?)
}

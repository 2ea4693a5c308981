//! Which branches nobody needs any more. What they may hold is the gate's to say.

use super::apply::apply_each;
use super::peer;
use crate::journal::fault::Fault;
use crate::journal::history::History;
use crate::journal::page::read_commit;
use crate::journal::proposal::Proposal;
use crate::journal::refs;
use crate::journal::review::Review;
use crate::journal::space::Space;
use crate::model::{Code, Number, Oid};
use crate::store::{Expect, RefEdit, Store};

/// Whether nobody here needs the branch any more: its proposal, or the one it reviews, is numbered.
///
/// # Errors
/// Those of the index; a branch that cannot be read is not settled.
pub fn settled<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    name: &str,
    commit: Oid,
) -> Result<bool, Fault> {
    settled_up_to(space, history, name, commit, history.len())
}

/// As [`settled`], where only the pages up to `up_to` are known.
///
/// # Errors
/// As [`settled`].
pub fn settled_up_to<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    name: &str,
    commit: Oid,
    up_to: Number,
) -> Result<bool, Fault> {
    let proposal = if name.starts_with(refs::PROPOSALS) {
        proposal_at(space, commit)
    } else if name.starts_with(refs::REVIEWS) {
        review_at(space, commit).map(|(proposal, _)| proposal)
    } else {
        return Ok(false);
    };
    match proposal {
        Ok(proposal) => {
            let (digest, base) = (proposal.digest(), proposal.base().number);
            let number = history.numbered_up_to(&digest, base, up_to)?;
            Ok(number.is_some())
        }
        Err(fault) if fault.is_environment() => Err(fault),
        Err(_) => Ok(false),
    }
}

/// Removes our own branches of what the new pages numbered, after a move of `main`, which keeps the proposals and what
/// counted for them. A crash before it leaves branches that say nothing new, until `main` moves again or somebody numbers
/// here.
///
/// # Errors
/// Those of the index and the store. A branch that changed meanwhile stays.
pub fn drop_settled<S: Store>(space: &Space<'_, S>, history: &History<'_>) -> Result<(), Fault> {
    let mut edits = Vec::new();
    for (name, id) in peer::ours(space.store)? {
        if name != refs::MAIN && settled(space, history, &name, id)? {
            edits.push(RefEdit {
                name,
                expect: Expect::At(id),
                new: None,
                message: "folio: numbered".into(),
            });
        }
    }
    apply_each(space.store, &edits)
}

fn proposal_at<S: Store>(space: &Space<'_, S>, commit: Oid) -> Result<Proposal, Fault> {
    Proposal::authenticate(&space.tables, space.store, Some(&space.id), commit)
}

/// A review, and the proposal that is its only parent.
fn review_at<S: Store>(space: &Space<'_, S>, id: Oid) -> Result<(Proposal, Review), Fault> {
    let commit = read_commit(space.store, &id)?;
    let [parent] = commit.parents.as_slice() else {
        let what = format!(
            "expected the proposal as only parent, found {}",
            commit.parents.len()
        );
        return Err(Fault::new(Code::ReviewInvalid, what).in_commit(id));
    };
    let proposal = proposal_at(space, *parent)?;
    let review = Review::authenticate(space.store, &proposal, id)?;
    Ok((proposal, review))
}

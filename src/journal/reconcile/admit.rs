//! Whether a branch holds what its name asks for, on the newest state: what is taken in from others, and what
//! is sent.

use crate::fold::Scene;
use crate::fold::policy;
use crate::journal::fault::Fault;
use crate::journal::heartbeat::Heartbeat;
use crate::journal::history::History;
use crate::journal::page::read_commit;
use crate::journal::proposal::Proposal;
use crate::journal::review::Review;
use crate::journal::space::Space;
use crate::journal::{queue, refs};
use crate::model::{Code, Handle, Oid, PublicKey};
use crate::state::TreeView;
use crate::store::Store;

/// Checks a proposal, a review or a heartbeat on the branch of that full name: authentic, signed by a current
/// key of the member it is named for, about a snapshot of this chain.
///
/// # Errors
/// `ref-invalid` for a name that is none or another member's; the faults of what it points to.
pub fn admit<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    name: &str,
    commit: Oid,
) -> Result<(), Fault> {
    if name.starts_with(refs::PROPOSALS) {
        let (author, _) = refs::parse_proposal(name)?;
        let proposal = proposal_at(space, commit)?;
        queue::require_base_in_chain(history, &proposal)?;
        return require_member(space, history, name, &author, &proposal.author());
    }
    if name.starts_with(refs::REVIEWS) {
        let (proposal, review) = review_at(space, commit)?;
        queue::require_base_in_chain(history, &proposal)?;
        let author = Handle::new(
            name.trim_start_matches(refs::REVIEWS)
                .split('/')
                .next()
                .unwrap_or_default(),
        );
        let author = author.map_err(|_| wrong_name(name))?;
        if name != refs::review(&author, &proposal.digest()) {
            let expected = refs::review(&author, &proposal.digest());
            let what = format!("expected the review at {expected}, found it at {name}");
            return Err(Fault::new(Code::RefInvalid, what));
        }
        return require_member(space, history, name, &author, &review.reviewer());
    }
    if let Some(handle) = name.strip_prefix(refs::PENS) {
        let handle = Handle::new(handle).map_err(|_| wrong_name(name))?;
        let beat = Heartbeat::authenticate(space, commit)?;
        if !history.contains(beat.page.number(), &beat.page.id) {
            let what = format!(
                "its snapshot, common@{}, is not one of this journal",
                beat.page.number()
            );
            return Err(Fault::new(Code::BaseUnknown, what).in_commit(commit));
        }
        return require_member(space, history, name, &handle, &beat.key);
    }
    Err(wrong_name(name))
}

/// Whether nobody needs the branch any more: its proposal, or the one it reviews, is numbered.
///
/// # Errors
/// Those of the index; a branch that cannot be read is not settled.
pub fn settled<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    name: &str,
    commit: Oid,
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
            let number = history.numbered(&proposal.digest(), proposal.base().number)?;
            Ok(number.is_some())
        }
        Err(fault) if fault.is_environment() => Err(fault),
        Err(_) => Ok(false),
    }
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

fn wrong_name(name: &str) -> Fault {
    Fault::new(Code::RefInvalid, format!("{name} is no ref of a space"))
}

fn require_member<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    name: &str,
    handle: &Handle,
    key: &PublicKey,
) -> Result<(), Fault> {
    let root = history.tip().map(|page| page.tree());
    let view = TreeView::new(&space.tables, root);
    let member = policy::member_of(&Scene::new(&view), key)?;
    if member.handle != *handle {
        let what = format!("{name} is signed by `{}`", member.handle);
        return Err(Fault::new(Code::RefInvalid, what));
    }
    Ok(())
}

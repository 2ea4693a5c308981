//! Reviews that are kept here, whether or not the proposals they are about are here too.

use super::fault::Fault;
use super::history::History;
use super::page::read_commit;
use super::proposal::Proposal;
use super::refs;
use super::review::Review;
use super::space::Space;
use crate::codec::message::{Message, Verdict};
use crate::model::{Code, Number, Oid, ProposalDigest};
use crate::store::Store;
use std::collections::BTreeMap;

/// Where the proposal of a review is.
#[derive(Debug, Clone)]
pub enum Subject {
    /// On this branch.
    Queued(String),
    /// On no branch: it has not come yet, was replaced, or was taken back.
    Waiting,
    /// Numbered.
    Numbered(Number),
}

/// A review on a branch of its own.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The full ref name.
    pub name: String,
    /// Where it points.
    pub commit: Oid,
    /// Approve or reject.
    pub verdict: Verdict,
    /// The proposal that it names.
    pub proposal: ProposalDigest,
    /// The authenticated review; none while its proposal's objects are not here.
    pub review: Option<Review>,
    /// Where its proposal is.
    pub subject: Subject,
}

/// A branch below `reviews/` that holds no review of this space: its name, where it points, and why.
pub type Invalid = (String, Oid, Fault);

/// Every branch below `reviews/`, sorted by name; what is no review of this space comes with the reason.
pub fn list<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
) -> Result<Vec<Result<Kept, Invalid>>, Fault> {
    let queue = space.store.list(refs::PROPOSALS)?.into_iter();
    let queue: BTreeMap<Oid, String> = queue.map(|(name, commit)| (commit, name)).collect();
    let mut all = Vec::new();
    for (name, commit) in space.store.list(refs::REVIEWS)? {
        match read(space, history, &queue, &name, commit) {
            Ok(kept) => all.push(Ok(kept)),
            Err(fault) if fault.is_environment() => return Err(fault),
            Err(fault) => all.push(Err((name, commit, fault))),
        }
    }
    Ok(all)
}

fn read<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    queue: &BTreeMap<Oid, String>,
    name: &str,
    id: Oid,
) -> Result<Kept, Fault> {
    let commit = read_commit(space.store, &id)?;
    let Message::Review(message) = Message::parse(&commit.message)? else {
        let what = "expected a review, found a commit of another kind";
        return Err(Fault::new(Code::ReviewInvalid, what).in_commit(id));
    };
    let &[parent] = commit.parents.as_slice() else {
        let what = "expected the proposal as only parent";
        return Err(Fault::new(Code::ReviewInvalid, what).in_commit(id));
    };
    let mut kept = Kept {
        name: name.to_owned(),
        commit: id,
        verdict: message.verdict,
        proposal: message.proposal,
        review: None,
        subject: Subject::Waiting,
    };
    let proposal = Proposal::authenticate(&space.tables, space.store, Some(&space.id), parent);
    let proposal = match proposal {
        Err(fault) if fault.code == Code::ObjectMissing => return Ok(kept),
        other => other?,
    };
    kept.review = Some(Review::authenticate(space.store, &proposal, id)?);
    if let Some(number) = history.numbered(&proposal.digest(), proposal.base().number)? {
        kept.subject = Subject::Numbered(number);
    } else if let Some(branch) = queue.get(&parent) {
        kept.subject = Subject::Queued(branch.clone());
    }
    Ok(kept)
}

/// Removes the branches of reviews whose proposals are numbered: those that counted are parents of their page,
/// and the others came too late. Each goes only if it still points where it did.
pub fn drop_numbered<S: Store>(space: &Space<'_, S>, history: &History<'_>) -> Result<(), Fault> {
    // Almost always there is nothing, and then nothing is read.
    if space.store.list(refs::REVIEWS)?.is_empty() {
        return Ok(());
    }
    let numbered = list(space, history)?.into_iter().flatten();
    let numbered = numbered.filter(|kept| matches!(kept.subject, Subject::Numbered(_)));
    let gone: Vec<_> = numbered.map(|kept| (kept.name, kept.commit)).collect();
    space.store.clear(&gone);
    Ok(())
}

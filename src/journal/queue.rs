//! What waits to be numbered, and what it would do on today's state.

use super::fault::Fault;
use super::history::History;
use super::judge::{self, Judgement};
use super::page::Page;
use super::proposal::Proposal;
use super::refs;
use super::review::Review;
use super::space::Space;
use super::tally;
use crate::model::{Code, Handle, Number, Oid, PublicKey, Slug, SpaceId};
use crate::parallel;
use crate::state::{Tables, TreeView};
use crate::store::Store;
use std::collections::{BTreeMap, BTreeSet};

/// Proposals that one thread reads at a time: whoever is done first waits for the last ones of the others.
const READ_AT_ONCE: usize = 32;

/// A branch below `proposals/`.
#[derive(Debug, Clone)]
pub struct Branch {
    /// The full ref name.
    pub name: String,
    /// Whose it says it is.
    pub author: Handle,
    /// The last part of the name.
    pub slug: Slug,
    /// Where it points.
    pub commit: Oid,
}

/// An authenticated proposal on a branch, with its reviews.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its branch.
    pub branch: Branch,
    /// The proposal.
    pub proposal: Proposal,
    /// Every authentic review of it, sorted by digest.
    pub reviews: Vec<Review>,
}

/// One entry of the queue.
#[derive(Debug, Clone)]
pub enum Entry {
    /// The name or the commit is not what a proposal asks for.
    Invalid {
        /// The full ref name.
        name: String,
        /// Where it points.
        commit: Oid,
        /// Why.
        fault: Fault,
    },
    /// An authentic proposal.
    Authentic(Box<Candidate>),
}

/// Where an authentic proposal stands on today's state.
#[derive(Debug, Clone)]
pub enum Standing {
    /// It can be numbered; so many rows would change.
    Ready {
        /// What it would do.
        judgement: Box<Judgement>,
    },
    /// It was numbered already.
    Accepted(Number),
    /// It is refused today.
    Refused(Fault),
}

/// Reads and authenticates every branch below `proposals/`, on all cores, sorted by name.
pub fn gather<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    history: &History<'_>,
) -> Result<Vec<Entry>, Fault> {
    let reviews = Reviews::Listed(reviews_by_proposal(space)?);
    let branches = space.store.list(refs::PROPOSALS)?;
    read_branches(space, history, branches, &reviews)
}

/// As [`gather`], of these branches only, by their full names: neither other branches nor reviews of others are
/// looked at. A branch that is not there (any more) is left out.
pub fn gather_named<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    history: &History<'_>,
    names: &BTreeSet<String>,
) -> Result<Vec<Entry>, Fault> {
    let mut branches = Vec::with_capacity(names.len());
    for name in names {
        if let Some(commit) = space.store.get(name)? {
            branches.push((name.clone(), commit));
        }
    }
    read_branches(space, history, branches, &Reviews::Asked)
}

fn read_branches<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    history: &History<'_>,
    branches: Vec<(String, Oid)>,
    reviews: &Reviews,
) -> Result<Vec<Entry>, Fault> {
    let id = space.id;
    let mut entries = Vec::with_capacity(branches.len());
    let read = |store: &S, tables: &Tables<'_, S>, (name, commit): (String, Oid)| {
        let candidate = authenticate(store, tables, &id, reviews, &name, commit);
        (name, commit, candidate.map(Box::new))
    };
    // Neighbours mostly stand on one snapshot: it is not looked up again for each.
    let mut in_chain = None;
    let enter = |(name, commit, candidate): (String, Oid, Result<Box<Candidate>, Fault>)| {
        let candidate = candidate.and_then(|candidate| {
            let base = candidate.proposal.base();
            if in_chain != Some(*base) {
                require_base_in_chain(history, &candidate.proposal)?;
                in_chain = Some(*base);
            }
            Ok(candidate)
        });
        entries.push(match candidate {
            Ok(candidate) => Entry::Authentic(candidate),
            Err(fault) if fault.is_environment() => return Err(fault),
            Err(fault) => Entry::Invalid {
                name,
                commit,
                fault,
            },
        });
        Ok(())
    };
    parallel::in_parts(space.store, branches, READ_AT_ONCE, read, enter)?;
    Ok(entries)
}

type ReviewRefs = BTreeMap<String, Vec<Oid>>;

/// Where the reviews of a proposal are found.
enum Reviews {
    /// Among all of them.
    Listed(ReviewRefs),
    /// By their names, each time.
    Asked,
}

impl Reviews {
    fn of<S: Store>(&self, store: &S, proposal: &str) -> Result<Vec<Oid>, Fault> {
        Ok(match self {
            Self::Listed(all) => all.get(proposal).cloned().unwrap_or_default(),
            Self::Asked => {
                let named = store.list_named(refs::REVIEWS, proposal)?;
                named.into_iter().map(|(_, commit)| commit).collect()
            }
        })
    }
}

/// Review commits by the 12 digits of the proposal they are named for.
fn reviews_by_proposal<S: Store>(space: &Space<'_, S>) -> Result<ReviewRefs, Fault> {
    let mut found = ReviewRefs::new();
    for (name, commit) in space.store.list(refs::REVIEWS)? {
        if let Some((_, short)) = name.rsplit_once('/') {
            found.entry(short.to_owned()).or_default().push(commit);
        }
    }
    Ok(found)
}

fn authenticate<S: Store>(
    store: &S,
    tables: &Tables<'_, S>,
    space: &SpaceId,
    reviews: &Reviews,
    name: &str,
    commit: Oid,
) -> Result<Candidate, Fault> {
    let (author, slug) = refs::parse_proposal(name)?;
    let proposal = Proposal::authenticate(tables, store, Some(space), commit)?;
    let named = reviews.of(store, &proposal.digest().short())?;
    let mut reviews = Vec::new();
    for id in named {
        match Review::authenticate(store, &proposal, id) {
            Ok(review) => reviews.push(review),
            Err(fault) if fault.is_environment() => return Err(fault),
            // A review that does not hold is none; its author sees that from its absence.
            Err(_) => {}
        }
    }
    reviews.sort_by_key(Review::digest);
    reviews.dedup_by_key(|review| review.digest());
    Ok(Candidate {
        branch: Branch {
            name: name.to_owned(),
            author,
            slug,
            commit,
        },
        proposal,
        reviews,
    })
}

/// A proposal stands on a snapshot of this chain, not on one of somebody else's making.
pub fn require_base_in_chain(history: &History<'_>, proposal: &Proposal) -> Result<(), Fault> {
    let base = proposal.base();
    let known = base
        .commit
        .is_some_and(|commit| history.contains(base.number, &commit));
    if !known {
        let what = format!(
            "its base, common@{}, is not a snapshot of this journal",
            base.number
        );
        return Err(Fault::new(Code::BaseUnknown, what).in_commit(proposal.id()));
    }
    Ok(())
}

/// The refusal that the holder of a key left with the code `rejected`: it stands until the proposal is
/// numbered by name or made again.
pub fn rejected_by<'c>(candidate: &'c Candidate, key: &PublicKey) -> Option<&'c Review> {
    candidate.reviews.iter().find(|review| {
        let reason = review.message().reason.as_ref();
        review.reviewer() == *key
            && !review.approves()
            && reason.is_some_and(|reason| reason.as_str() == Code::Rejected.as_str())
    })
}

/// The words of a review without its subject; all of them where there is nothing else.
pub fn words_of(review: &Review) -> &str {
    let text = review.message().text.trim();
    text.split_once("\n\n")
        .map_or(text, |(_, body)| body.trim())
}

/// Judges one proposal on the state of a page: numbered already, ready, or refused. Approvals are used only where the
/// policy asks for them; which ones is returned.
pub fn standing<S: Store>(
    tables: &Tables<'_, S>,
    on: &Page,
    history: &History<'_>,
    candidate: &Candidate,
) -> Result<(Standing, Vec<Review>), Fault> {
    let proposal = &candidate.proposal;
    if let Some(number) = history.numbered(&proposal.digest(), proposal.base().number)? {
        return Ok((Standing::Accepted(number), Vec::new()));
    }
    match judge_candidate(tables, on, candidate) {
        Ok((judgement, used)) => {
            let judgement = Box::new(judgement);
            Ok((Standing::Ready { judgement }, used))
        }
        Err(fault) if fault.is_environment() || fault.is_damage() => Err(fault),
        Err(fault) => Ok((Standing::Refused(fault), Vec::new())),
    }
}

/// Judges a candidate, without reviews first and with its approvals where they are asked for.
pub fn judge_candidate<S: Store>(
    tables: &Tables<'_, S>,
    on: &Page,
    candidate: &Candidate,
) -> Result<(Judgement, Vec<Review>), Fault> {
    let proposal = &candidate.proposal;
    let (root, after) = (on.tree(), on.message.chain);
    require_own_branch(tables, root, candidate)?;
    match judge::judge(tables, Some(root), after, proposal, &[]) {
        Err(fault) if fault.code == Code::ApprovalsMissing => {
            let view = TreeView::new(tables, Some(root));
            let approvals = tally::tally(&view, proposal, &candidate.reviews)?.parents();
            let judgement = judge::judge(tables, Some(root), after, proposal, &approvals)?;
            Ok((judgement, approvals))
        }
        other => Ok((other?, Vec::new())),
    }
}

/// A branch below somebody's name is signed by that somebody.
pub(super) fn require_own_branch<S: Store>(
    tables: &Tables<'_, S>,
    root: Oid,
    candidate: &Candidate,
) -> Result<(), Fault> {
    let view = TreeView::new(tables, Some(root));
    let member = judge::member_of(&view, &candidate.proposal.author())?;
    if member.handle != candidate.branch.author {
        let what = format!(
            "the branch {} is signed by `{}`",
            candidate.branch.name, member.handle
        );
        return Err(Fault::new(Code::RefInvalid, what));
    }
    Ok(())
}

//! What goes when proposals are numbered or left the queue: their branches and those of their reviews.
//! All of it can be made up for by the next run, so a failure here loses nothing.

use super::check;
use super::fault::Fault;
use super::history::History;
use super::page::read_commit;
use super::queue::Candidate;
use super::refs;
use super::review::Review;
use super::space::Space;
use crate::codec::message::{Message, Verdict};
use crate::model::{Handle, Oid, PublicKey};
use crate::state::TreeView;
use crate::store::{Refs, Store};
use std::collections::BTreeSet;

/// Whose left-over rejections may be removed: the holder of the pen, if it is that holder who numbers.
pub(super) struct Own(Option<Handle>);

impl Own {
    /// Looks at who holds the pen in the newest state.
    pub(super) fn of<S: Store>(
        space: &Space<'_, S>,
        history: &History<'_>,
        key: PublicKey,
    ) -> Result<Self, Fault> {
        let root = history.tip().map(|page| page.tree());
        let pen = check::pen_of(&TreeView::new(&space.tables, root))?;
        Ok(Self((pen.key == key).then_some(pen.member)))
    }
}

/// Removes the branches of numbered proposals and those of everybody's reviews of them, each only if it still
/// points where it did: its author may have replaced it meanwhile. What counted is a parent of the page. What
/// cannot be removed now is removed by the next run.
pub(super) fn remove_branches<'c, S: Store + Clone + Send>(
    space: &Space<'_, S>,
    numbered: impl Iterator<Item = &'c Candidate>,
) {
    space.store.clear(&branches_of(space, numbered));
}

/// Those branches, sorted by name.
pub(super) fn branches_of<'c, S: Store>(
    space: &Space<'_, S>,
    numbered: impl Iterator<Item = &'c Candidate>,
) -> Vec<(String, Oid)> {
    let (mut gone, mut reviews) = (Vec::new(), BTreeSet::new());
    for candidate in numbered {
        gone.push((candidate.branch.name.clone(), candidate.branch.commit));
        reviews.extend(candidate.reviews.iter().map(Review::id));
    }
    if !reviews.is_empty() {
        let named = space.store.list(refs::REVIEWS).unwrap_or_default();
        gone.extend(
            named
                .into_iter()
                .filter(|(_, commit)| reviews.contains(commit)),
        );
    }
    gone.sort();
    gone
}

/// Removes branches of numbered proposals, and does meanwhile what does not wait for that.
pub(super) fn remove_while<S: Refs + Clone + Send, R>(
    store: &S,
    gone: &[(String, Oid)],
    meanwhile: impl FnOnce() -> R,
) -> R {
    if gone.len() < MANY {
        store.clear(gone);
        return meanwhile();
    }
    std::thread::scope(|scope| {
        let store = store.clone();
        scope.spawn(move || store.clear(gone));
        meanwhile()
    })
}

/// To remove so many branches is worth a thread.
const MANY: usize = 200;

/// Removes the witness's own rejections of proposals that are on no branch any more.
pub(super) fn drop_left_reviews<S: Store>(space: &Space<'_, S>, own: &Own) {
    let Some(handle) = &own.0 else {
        return;
    };
    let Ok(reviews) = space.store.list(&format!("{}{handle}/", refs::REVIEWS)) else {
        return;
    };
    if reviews.is_empty() {
        return;
    }
    let Ok(queue) = space.store.list(refs::PROPOSALS) else {
        return;
    };
    let queue: BTreeSet<Oid> = queue.into_iter().map(|(_, commit)| commit).collect();
    let left = reviews
        .into_iter()
        .filter(|(_, review)| rejects_none_of(space, review, &queue));
    space.store.clear(&left.collect::<Vec<_>>());
}

/// Whether a commit is a rejection whose proposal is not among these; what cannot be read stays.
fn rejects_none_of<S: Store>(space: &Space<'_, S>, review: &Oid, queue: &BTreeSet<Oid>) -> bool {
    let Ok(commit) = read_commit(space.store, review) else {
        return false;
    };
    match Message::parse(&commit.message) {
        Ok(Message::Review(message)) if message.verdict == Verdict::Reject => {
            !commit.parents.iter().any(|parent| queue.contains(parent))
        }
        _ => false,
    }
}

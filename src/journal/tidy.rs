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
use crate::cores;
use crate::model::{Handle, Oid, PublicKey};
use crate::state::TreeView;
use crate::store::{Expect, REFS_REMOVED_AT_ONCE, RefEdit, Refs, Store};
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
    remove_while(space.store, branches_of(space, numbered), || ());
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
    // Neighbours lie in one directory, so threads are seldom in each other's way.
    gone.sort();
    gone
}

/// Removes branches of numbered proposals, and does meanwhile what does not wait for that.
pub(super) fn remove_while<S: Refs + Clone + Send, R>(
    store: &S,
    gone: Vec<(String, Oid)>,
    meanwhile: impl FnOnce() -> R,
) -> R {
    const WHY: &str = "folio: accepted";
    if gone.len() < MANY {
        remove_from(store, gone.into_iter(), WHY);
        return meanwhile();
    }
    std::thread::scope(|scope| {
        let threads = cores::threads() * WAITING;
        for some in gone.chunks(gone.len().div_ceil(threads)) {
            let store = store.clone();
            scope.spawn(move || remove_from(&store, some.iter().cloned(), WHY));
        }
        meanwhile()
    })
}

/// From so many branches on, several threads remove some each: what the system does for each takes longest.
const MANY: usize = 200;

/// Threads for each core: most of the time they wait for the disk to let go of what they remove.
const WAITING: usize = 4;

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
    remove(space, left, "folio: proposal gone");
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

/// Removes refs that still point where they did.
pub(super) fn remove<S: Store>(
    space: &Space<'_, S>,
    gone: impl Iterator<Item = (String, Oid)>,
    message: &str,
) {
    remove_from(space.store, gone, message);
}

fn remove_from<R: Refs>(refs: &R, gone: impl Iterator<Item = (String, Oid)>, message: &str) {
    let mut edits: Vec<RefEdit> = gone
        .map(|(name, commit)| RefEdit {
            name,
            expect: Expect::At(commit),
            new: None,
            message: message.into(),
        })
        .collect();
    edits.sort_by(|a, b| a.name.cmp(&b.name));
    for edits in edits.chunks(REFS_REMOVED_AT_ONCE) {
        if refs.clear(edits).is_ok() {
            continue;
        }
        for edit in edits {
            // One of them moved: the others can still go. A failure here loses nothing.
            let _ = refs.clear(std::slice::from_ref(edit));
        }
    }
}

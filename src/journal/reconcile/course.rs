//! Where the `main` that another repository shows lies, seen from ours.

use super::takeover::{self, Stand};
use crate::journal::Page;
use crate::journal::check::Checked;
use crate::journal::fault::Fault;
use crate::journal::history::History;
use crate::journal::space::Space;
use crate::journal::verify::{Branch, verify_branch};
use crate::model::{Code, Number, Oid};
use crate::store::Store;

/// The `main` that is shown, compared with ours. Pages that are new have been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Course {
    /// The same page.
    Same,
    /// One of our pages, and not the newest.
    Behind(Number),
    /// Pages that follow ours.
    Ahead(Branch),
    /// Another child of one of our pages.
    Fork(Fork),
}

/// Two children of one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// Our first page after the last common one.
    pub ours: Oid,
    /// Their pages; `fork` is the last common one.
    pub theirs: Branch,
    /// What the rules say about it.
    pub stand: Stand,
}

/// Compares, and verifies what is new: O(new pages); the pages that were verified come back beside it. `final_up_to` is
/// the newest number that home is known to have: no page up to it is ever given up.
///
/// # Errors
/// The fault of the first page that the rules refuse, with number and commit; `space-mismatch` where it is
/// another space.
pub fn course<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    history: &History<'_>,
    shown: Oid,
    final_up_to: Number,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Course, Vec<Checked>), Fault> {
    let tip = Page::read(space.store, shown)?;
    if tip.message.space != space.id {
        let (what, found) = ("the space", tip.message.space);
        return Err(Fault::differs(Code::SpaceMismatch, what, space.id, found).in_commit(shown));
    }
    if history.contains(tip.number(), &shown) {
        let course = match tip.number() == history.len() {
            true => Course::Same,
            false => Course::Behind(tip.number()),
        };
        return Ok((course, Vec::new()));
    }
    let theirs = Branch::read(space.store, history, shown)?;
    let checked = verify_branch(space, history, &theirs, progress)?;
    if theirs.fork == history.len() {
        return Ok((Course::Ahead(theirs), checked));
    }
    let ours = history.commit_of(theirs.fork.next())?;
    let stand = takeover::stand(space, history, &theirs, final_up_to)?;
    let fork = Fork {
        ours,
        theirs,
        stand,
    };
    Ok((Course::Fork(fork), checked))
}

//! What the witness numbers of all that is acceptable: its own take, and what comes while it holds the pen and
//! is ready.

use super::{Ready, Witness};
use crate::fold::Decision;
use crate::journal::check;
use crate::journal::fault::Fault;
use crate::journal::page::Page;
use crate::journal::proposal::Proposal;
use crate::journal::queue::Candidate;
use crate::journal::space::Space;
use crate::model::{Code, PublicKey};
use crate::state::TreeView;
use crate::store::Store;

/// What one witness numbers in one pass.
pub(super) struct Desk<'a, 's, S: Store> {
    pub(super) space: &'a Space<'s, S>,
    pub(super) witness: &'a Witness<'a>,
    ready: &'a Ready<'a>,
    signer: PublicKey,
    /// Whether a take of the witness's own waits: then it is no fault that the pen is somebody else's before.
    takes: bool,
}

impl<'a, 's, S: Store> Desk<'a, 's, S> {
    pub(super) fn new(
        space: &'a Space<'s, S>,
        witness: &'a Witness<'a>,
        ready: &'a Ready<'a>,
        waiting: &[Candidate],
    ) -> Self {
        let signer = witness.signer.public_key();
        let takes = waiting.iter().any(|candidate| {
            check::take_in(&candidate.proposal).is_some_and(|take| take.key == signer)
        });
        Self {
            space,
            witness,
            ready,
            signer,
            takes,
        }
    }

    /// What stands against numbering what the journal has nothing against, if anything does.
    pub(super) fn against(
        &self,
        tip: &Page,
        candidate: &Candidate,
    ) -> Result<Option<Fault>, Fault> {
        if let Some(fault) = self.not_ours(tip, candidate)? {
            return Ok(Some(fault));
        }
        match (self.ready)(candidate) {
            Err(fault) if fault.is_environment() => Err(fault),
            ready => Ok(ready.err()),
        }
    }

    /// Why somebody else numbers it: the taker their take, the holder what comes before one's own take.
    fn not_ours(&self, tip: &Page, candidate: &Candidate) -> Result<Option<Fault>, Fault> {
        let take = check::take_in(&candidate.proposal);
        if take.is_none() && !self.takes {
            return Ok(None);
        }
        let view = TreeView::new(&self.space.tables, Some(tip.tree()));
        let pen = check::pen_for(&view, &candidate.proposal)?;
        if pen.key == self.signer {
            return Ok(None);
        }
        let what = match take {
            Some(_) => format!("`{}` takes the pen by it and numbers it", pen.member),
            None => format!("`{}` holds the pen and numbers it", pen.member),
        };
        let fault = Fault::differs(Code::SignerWrong, &what, pen.key, self.signer);
        Ok(Some(fault))
    }
}

/// The pen moves first where it is taken, and last where it is laid down.
pub(super) fn turn(proposal: &Proposal) -> u8 {
    match proposal.decisions().last() {
        Some(Decision::PenTake(_)) => 0,
        Some(Decision::PenRelease(_)) => 2,
        _ => 1,
    }
}

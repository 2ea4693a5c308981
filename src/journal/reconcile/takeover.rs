//! Two children of one page. "The higher epoch wins" is not a rule: one stolen key could rewind years with
//! it. A chain is followed in place of ours only where it carries a take of the pen that the policy's threshold
//! approved over that very chain, ours carries none, and home is not known to have what would be cut. The
//! threshold is also that of the last page in common: else whoever may change the policy and has the pen would
//! number their own approvers first.

use crate::journal::fault::Fault;
use crate::journal::history::History;
use crate::journal::page::Page;
use crate::journal::pen;
use crate::journal::space::Space;
use crate::journal::verify::Branch;
use crate::model::{ChainDigest, Code, Number, Oid};
use crate::store::Store;

/// What the rules say about two children of one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Nothing chooses between them: stop, keep both, ask a person.
    Stop(Why),
    /// Theirs carries an approved take-over after that number: ours gives way.
    Follow(Number),
    /// Ours carries the approved take-over: theirs is a leftover.
    Keep,
}

/// Why nothing chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Neither carries an approved take-over.
    NoApproval,
    /// Both do.
    BothApproved,
    /// Home had pages that would be cut.
    Final,
    /// Ours carries an approved take-over, and home, which decides, went on without it.
    HomeWentOn,
}

impl Stand {
    /// The same where it is home that shows their chain: what home has is final, so it is no leftover, and pages
    /// of ours beside it never get there.
    #[must_use]
    pub fn shown_by_home(self) -> Self {
        match self {
            Stand::Keep => Stand::Stop(Why::HomeWentOn),
            other => other,
        }
    }
}

impl Why {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Why::NoApproval => {
                "neither chain carries a take-over that the policy's threshold approved"
            }
            Why::BothApproved => "both chains carry an approved take-over",
            Why::Final => "home had pages that would be cut off",
            Why::HomeWentOn => "home went on without the take-over that is here",
        }
    }
}

/// Judges a verified chain that leaves ours at `theirs.fork`.
pub fn stand<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    theirs: &Branch,
    final_up_to: Number,
) -> Result<Stand, Fault> {
    let common = match theirs.fork {
        Number(0) => None,
        fork => Some(Page::read(space.store, history.commit_of(fork)?)?),
    };
    let common = common.as_ref();
    let mut ours = (theirs.fork.0 + 1..=history.len().0).map(Number);
    let mut kept = false;
    for number in ours.by_ref() {
        if is_approved_take(space, common, history.commit_of(number)?)? {
            kept = true;
            break;
        }
    }
    let mut followed = None;
    for (number, page) in (theirs.fork.0 + 1..).map(Number).zip(&theirs.pages) {
        if is_approved_take(space, common, *page)? {
            followed = Some(number);
            break;
        }
    }
    Ok(match (followed, kept) {
        (Some(_), _) if theirs.fork < final_up_to => Stand::Stop(Why::Final),
        (Some(_), true) => Stand::Stop(Why::BothApproved),
        (Some(number), false) => Stand::Follow(number),
        (None, true) => Stand::Keep,
        (None, false) => Stand::Stop(Why::NoApproval),
    })
}

/// Whether a verified page takes the pen with the approvals that policy asked for, right before it and where the
/// chains part.
fn is_approved_take<S: Store>(
    space: &Space<'_, S>,
    common: Option<&Page>,
    id: Oid,
) -> Result<bool, Fault> {
    let page = Page::read(space.store, id)?;
    let Some(common) = common else {
        return Ok(false);
    };
    if !pen::is_approved_take(space, &page)? {
        return Ok(false);
    }
    // Right after the last common page both are one question, and its answer is verified.
    if page.previous() == Some(common.id) {
        return Ok(true);
    }
    pen::is_approved_in(space, &page, common.tree())
}

/// What a person says who looked at two children of one page: follow the chain with this digest.
pub fn explicit(
    fork: &Branch,
    tip: &Page,
    chain: ChainDigest,
    final_up_to: Number,
) -> Result<(), Fault> {
    if tip.message.chain != chain {
        let (what, found) = ("the chain to follow", tip.message.chain);
        return Err(Fault::differs(Code::ChainMismatch, what, chain, found));
    }
    if fork.fork < final_up_to {
        let what = format!(
            "common@{} and what follows would be cut off, and home had pages up to common@{final_up_to}",
            fork.fork.next()
        );
        return Err(Fault::new(Code::TwoChildren, what));
    }
    Ok(())
}

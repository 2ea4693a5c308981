//! Numbering, as every command does it that numbers: after asking the other repositories, with the memory of what
//! was signed, and with what follows once pages are published.

use super::args::Global;
use super::context::Context;
use super::exchange::known;
use super::gc::background::keep_house;
use super::settling::{self, Hand as Signs};
use super::ui::{Ui, escape};
use super::{allowed_signers, bytes, identity, memory, refusals, verified, worktree};
use crate::crypto::Sign;
use crate::journal::accept::{self, Pick, Report, Witness};
use crate::journal::memory::Hand;
use crate::journal::queue::Candidate;
use crate::journal::{Fault, Space, kept};
use crate::model::Code;
use crate::store::{GitStore, Index};

/// Numbers what is chosen, unless the work tree could not follow, or another repository shows that this one is
/// behind. [`settle`] comes afterwards.
pub fn number(
    context: &Context,
    global: &Global,
    ui: &Ui,
    space: &Space<'_, GitStore>,
    index: &mut Index,
    signer: &dyn Sign,
    pick: Pick<'_>,
) -> anyhow::Result<Report> {
    let memory = memory::open(context, global, ui);
    if !global.offline {
        let hand = Hand {
            space: space.id,
            key: signer.public_key(),
        };
        known::require_not_behind(context, space, &memory, &hand, ui)?;
    }
    let witness = Witness {
        signer,
        when: identity::when(global)?,
        memory: &memory,
    };
    let bytes = bytes::Desk::open(context)?;
    let ready = &|candidate: &Candidate| bytes.require(candidate);
    let before = &mut |old, new| worktree::check(context, old, new).map_err(Fault::from);
    Ok(accept::accept_chosen(
        space, index, &witness, pick, ready, before,
    )?)
}

/// Leaves signed reasons for what was refused, and lets everything follow that follows pages; per refused
/// proposal, whether a signed reason stands there.
pub fn conclude(
    context: &Context,
    global: &Global,
    ui: &Ui,
    space: &Space<'_, GitStore>,
    index: &mut Index,
    signer: &dyn Sign,
    report: &Report,
) -> Vec<bool> {
    let signed = refusals::leave(context, global, ui, space, signer, report);
    let signed = or_warn(ui, signed).unwrap_or_else(|| vec![false; report.refused.len()]);
    or_warn(ui, drop_reviews(context, space, index, ui));
    settle(context, global, ui, signer, report);
    signed
}

/// What follows once pages are published. It makes nothing true that is not, a crash here is made up for by
/// the next run, and a failure must not hide what was numbered.
pub fn settle(context: &Context, global: &Global, ui: &Ui, signer: &dyn Sign, report: &Report) {
    or_warn(ui, verified::remember_own(context, &report.numbered));
    if let Some((space, page)) = or_warn(ui, context.newest()) {
        // Bytes may take long to copy, and pages come meanwhile.
        let signers = allowed_signers::refresh_at(context, &space, &page);
        or_warn(ui, signers);
        let hand = Signs::Key(signer);
        let bytes = settling::settle_at(context, global, ui, hand, &space, &page);
        or_warn(ui, bytes);
        or_warn(ui, worktree::follow_in(context, ui, &space));
    }
    keep_house(context, ui);
}

/// Reviews that came after their proposal was numbered have nothing left to wait for.
fn drop_reviews(
    context: &Context,
    space: &Space<'_, GitStore>,
    index: &mut Index,
    ui: &Ui,
) -> anyhow::Result<()> {
    let history = context.history(space, index, ui)?;
    Ok(kept::drop_numbered(space, &history)?)
}

/// The value, or a warning: the next run makes up for what failed.
pub fn or_warn<T>(ui: &Ui, done: anyhow::Result<T>) -> Option<T> {
    done.inspect_err(|error| {
        let (code, what, _) = super::error::parts(error);
        let code = code.map_or("error", Code::as_str);
        ui.warn(format!(
            "{code}: {} (the next run makes up for it)",
            escape(&what)
        ));
    })
    .ok()
}

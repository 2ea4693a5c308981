//! Commands that draft one decision.

use super::args::Global;
use super::context::Context;
use super::draft;
use super::exit::Exit;
use super::report;
use super::ui::Ui;
use crate::fold::{Decision, Scene};

/// Drafts the decision that `make` builds on the newest state with the draft applied. What the decision
/// replaces and relies on is filled in; a refusal is said now and drafts nothing.
pub fn draft(
    global: &Global,
    ui: &Ui,
    make: impl FnOnce(&Scene<'_>) -> anyhow::Result<Decision>,
) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let (_, added) = draft::with_drafting(&context, global, |drafting, _, _| {
        let decision = make(drafting.scene())?;
        drafting.add(decision, true)
    })?;
    report::drafted(ui, added)
}

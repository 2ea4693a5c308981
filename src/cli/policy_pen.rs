//! `folio policy pen`: who may take the pen, as two rows of the policy: one for a pen that was released, one
//! for a pen that is held.

use super::args::Global;
use super::context::Context;
use super::draft;
use super::error::Problem;
use super::exit::Exit;
use super::report;
use super::ui::{Ui, escape};
use crate::fold::rules::{PenTake, PolicySet, TakeFrom};
use crate::fold::{Decision, Kind as _};
use crate::model::rows::{Approvals, Tier};
use crate::model::{Code, Handle, Name, Prefix};

/// Drafts both rows.
pub fn run(
    terms: &str,
    ttl: Option<u64>,
    lock_delay: Option<u64>,
    global: &Global,
    ui: &Ui,
) -> anyhow::Result<Exit> {
    let witness = Handle::new("witness")?;
    let (roles, approvals) = match terms {
        "released" => (Vec::new(), Vec::new()),
        "appointed" => (vec![witness.clone()], Vec::new()),
        other => (vec![witness.clone()], approvals(other)?),
    };
    let row =
        |from: TakeFrom, roles: Vec<Handle>, approvals: Vec<Approvals>| -> anyhow::Result<_> {
            Ok(Decision::PolicySet(PolicySet {
                tier: match approvals.is_empty() {
                    true => Tier::Witness,
                    false => Tier::Quorum,
                },
                approvals,
                lock_delay,
                prefix: Prefix::new(from.as_str())?,
                roles,
                safe: None,
                scope: Name::new(PenTake::OP)?,
                self_approval: false,
                ttl,
                was: None,
            }))
        };
    let held = row(TakeFrom::Held, roles, approvals)?;
    let released = row(TakeFrom::Released, vec![witness], Vec::new())?;
    let context = Context::open(global)?;
    let (_, added) = draft::with_drafting(&context, global, |drafting, _, _| {
        drafting.add(held, true)?;
        drafting.add(released, true)
    })?;
    report::drafted(ui, added)
}

/// `approvals:K:ROLE`.
fn approvals(terms: &str) -> anyhow::Result<Vec<Approvals>> {
    let parts = terms
        .strip_prefix("approvals:")
        .and_then(|rest| rest.split_once(':'))
        .and_then(|(count, role)| Some((count.parse().ok()?, role)));
    let Some((count, role)) = parts else {
        let what = format!(
            "expected `released`, `appointed` or `approvals:K:ROLE`, found `{}`",
            escape(terms)
        );
        return Err(Problem::new(Code::BadRequest, what)
            .hint("folio policy pen approvals:1:recovery")
            .into());
    };
    let role = Handle::new(role)?;
    Ok(vec![Approvals { count, role }])
}

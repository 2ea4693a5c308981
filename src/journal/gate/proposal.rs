//! `refs/heads/proposals/<author>/<slug>`: replaced freely by its author, deleted by anybody once numbered.

use super::Update;
use super::line::Line;
use crate::journal::fault::Fault;
use crate::journal::{judge as judged, refs};
use crate::model::{Code, Handle, Oid};
use crate::store::Store;

pub(super) fn judge<S: Store + Clone + Send>(
    line: &Line<'_, '_, '_, S>,
    update: &Update,
) -> Result<(), Fault> {
    let (author, _) = refs::parse_proposal(&update.name)?;
    match (update.new, update.old) {
        (Some(new), _) => offered(line, &author, new),
        (None, Some(old)) => removed(line, old),
        (None, None) => Ok(()),
    }
}

/// Authentic, its author's, and without a preview that lies. Whether it may be numbered is for the witness.
fn offered<S: Store + Clone + Send>(
    line: &Line<'_, '_, '_, S>,
    author: &Handle,
    new: Oid,
) -> Result<(), Fault> {
    let proposal = line.proposal(new)?;
    line.member(&proposal.author(), author)
        .map_err(|fault| fault.in_commit(new))?;
    judged::require_address(&line.view(), &proposal.author(), proposal.commit())
        .map_err(|fault| fault.in_commit(new))?;
    judged::require_preview_of_base(&line.space.tables, &proposal)
        .map_err(|fault| fault.in_commit(new))
}

/// Whoever may delete what waits could silence anybody; what is numbered is kept by `main`.
fn removed<S: Store + Clone + Send>(line: &Line<'_, '_, '_, S>, old: Oid) -> Result<(), Fault> {
    let proposal = line.proposal(old)?;
    match line.numbered(&proposal)? {
        Some(_) => Ok(()),
        None => {
            let what = "the proposal is not numbered; its author may replace it";
            Err(Fault::new(Code::RefProtected, what).in_commit(old))
        }
    }
}

//! `refs/heads/pen/<witness>`: signs of life, replaced by newer ones of the same witness.

use super::Update;
use super::line::Line;
use crate::fold::Scene;
use crate::journal::fault::Fault;
use crate::journal::heartbeat::Heartbeat;
use crate::journal::refs;
use crate::model::rows::WitnessRow;
use crate::model::{Code, Handle, Oid, RowKey};
use crate::store::Store;

pub(super) fn judge<S: Store + Clone + Send>(
    line: &Line<'_, '_, '_, S>,
    update: &Update,
) -> Result<(), Fault> {
    let witness = update.name.strip_prefix(refs::PENS).unwrap_or_default();
    let witness = Handle::new(witness).map_err(|_| {
        let what = format!("expected {}<witness>", refs::PENS);
        Fault::new(Code::RefInvalid, what)
    })?;
    match update.new {
        Some(new) => offered(line, &witness, update.old, new),
        None => removed(line, &witness),
    }
}

/// The witness's own, on a snapshot of this journal, and no older than the one that is there: whoever kept an
/// old one could make the witness look dead.
fn offered<S: Store + Clone + Send>(
    line: &Line<'_, '_, '_, S>,
    witness: &Handle,
    old: Option<Oid>,
    new: Oid,
) -> Result<(), Fault> {
    let beat = Heartbeat::authenticate(line.space, new)?;
    line.require_base(beat.page.number(), Some(beat.page.id))
        .and_then(|()| line.member(&beat.key, witness).map(drop))
        .map_err(|fault| fault.in_commit(new))?;
    if !is_appointed(line, witness)? {
        let what = format!("`{witness}` is no witness any more");
        return Err(Fault::new(Code::HeartbeatInvalid, what).in_commit(new));
    }
    let last = old.and_then(|id| Heartbeat::authenticate(line.space, id).ok());
    match last.filter(|last| last.key == beat.key && last.beat >= beat.beat) {
        None => Ok(()),
        Some(last) => {
            let (what, expected) = ("the heartbeat's number", format!("above {}", last.beat));
            let fault = Fault::differs(Code::HeartbeatInvalid, what, expected, beat.beat);
            Err(fault.in_commit(new))
        }
    }
}

/// Only that of somebody who is a witness no more.
fn removed<S: Store + Clone + Send>(
    line: &Line<'_, '_, '_, S>,
    witness: &Handle,
) -> Result<(), Fault> {
    match is_appointed(line, witness)? {
        false => Ok(()),
        true => {
            let what = "it is a witness's; newer ones replace it";
            Err(Fault::new(Code::RefProtected, what))
        }
    }
}

fn is_appointed<S: Store + Clone + Send>(
    line: &Line<'_, '_, '_, S>,
    witness: &Handle,
) -> Result<bool, Fault> {
    let view = line.view();
    Ok(Scene::new(&view).has::<WitnessRow>(&RowKey::of(witness))?)
}

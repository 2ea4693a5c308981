//! `refs/heads/pen/<witness>`: signs of life.

use super::Update;
use super::line::Line;
use crate::journal::fault::Fault;
use crate::journal::refs;
use crate::model::{Code, Handle};
use crate::store::Store;

/// A heartbeat is a kind of message that this version does not know: none is taken.
pub(super) fn judge<S: Store>(_line: &Line<'_, S>, update: &Update) -> Result<(), Fault> {
    let name = update.name.as_str();
    let witness = name.strip_prefix(refs::PENS).map(Handle::new);
    match witness {
        Some(Ok(_)) => {
            let what = "heartbeats are not taken by this version";
            Err(Fault::new(Code::Unsupported, what))
        }
        _ => {
            let what = format!("expected {}<witness>", refs::PENS);
            Err(Fault::new(Code::RefInvalid, what))
        }
    }
}

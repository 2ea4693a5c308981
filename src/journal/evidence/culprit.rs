//! Which page of a chain does not fit the one below it, where the chain cannot even be walked.

use crate::journal::page::Page;
use crate::model::Oid;
use crate::store::Objects;

/// Walks down from a tip to the first page whose page below is no snapshot, or has another number than
/// the one before. `None` where the walk ends well, or where the tip itself is no snapshot.
pub fn culprit<S: Objects>(store: &S, tip: Oid) -> Option<Oid> {
    let mut at = Page::read(store, tip).ok()?;
    loop {
        let below = match Page::read(store, at.previous()?) {
            Ok(below) if below.number().next() == at.number() => below,
            _ => return Some(at.id),
        };
        at = below;
    }
}

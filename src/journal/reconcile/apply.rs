//! Changes of refs that do not depend on each other.

use crate::journal::fault::Fault;
use crate::model::Code;
use crate::store::{REFS_AT_ONCE, RefEdit, Store};

/// Independent changes, some at a time; one that lost a race is left for the next run.
pub(super) fn apply_each<S: Store>(store: &S, edits: &[RefEdit]) -> Result<(), Fault> {
    for some in edits.chunks(REFS_AT_ONCE) {
        let Err(fault) = store.apply(some) else {
            continue;
        };
        if fault.code != Code::RaceLost {
            return Err(fault.into());
        }
        for edit in some {
            match store.apply(std::slice::from_ref(edit)) {
                Err(fault) if fault.code != Code::RaceLost => {
                    return Err(fault.into());
                }
                _ => {}
            }
        }
    }
    Ok(())
}

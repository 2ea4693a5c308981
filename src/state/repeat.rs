//! The same change made twice: on the state that a proposal stands on, and on the one that it is numbered on. Most of
//! what lies below the roots of both is the same, and so is what the change makes of it.

use super::Tables;
use super::batch::Edit;
use super::edit::Built;
use super::place::Prefix;
use super::raw::Child;
use crate::model::{Row, RowKey, Table};
use crate::store::Objects;

/// More edits than this are not noted: where a change is large, few do the same.
const FEW: usize = 16;

/// What was done while somebody wanted it noted; the memory is kept for the next time.
#[derive(Debug, Default)]
pub(super) struct Noted {
    wanted: bool,
    done: Vec<Done>,
}

/// What one part of a state became.
#[derive(Debug)]
struct Done {
    table: Table,
    at: Prefix,
    child: Child,
    edits: Vec<(RowKey, Option<Row>)>,
    built: Built,
}

impl<S: Objects + ?Sized> Tables<'_, S> {
    /// From now on, until staged objects are discarded or taken, what a small change makes of a part of a state is
    /// noted, and not made again where the same change meets the same part.
    pub fn note_changes(&self) {
        self.forget_changes();
        self.noted.borrow_mut().wanted = true;
    }

    /// What these edits made of this part before.
    pub(super) fn repeated(
        &self,
        table: Table,
        at: &Prefix,
        child: Child,
        edits: &[Edit<'_>],
    ) -> Option<Built> {
        if self.naming.get() {
            return None;
        }
        let noted = self.noted.borrow();
        let same = |done: &&Done| {
            let edits = edits.iter().map(|edit| (edit.key, edit.row));
            let noted = done.edits.iter().map(|(key, row)| (key, row.as_ref()));
            done.child == child && done.table == table && done.at == *at && noted.eq(edits)
        };
        noted.done.iter().find(same).map(|done| done.built.clone())
    }

    /// Notes what they made of it.
    pub(super) fn note(
        &self,
        table: Table,
        at: &Prefix,
        child: Child,
        edits: &[Edit<'_>],
        built: &Built,
    ) {
        let mut noted = self.noted.borrow_mut();
        // What is only named is not there for whoever would take it from here.
        if !noted.wanted || edits.len() > FEW || self.naming.get() {
            return;
        }
        let edits = edits
            .iter()
            .map(|edit| (edit.key.clone(), edit.row.cloned()));
        noted.done.push(Done {
            table,
            at: *at,
            child,
            edits: edits.collect(),
            built: built.clone(),
        });
    }

    /// Ends that. What was noted names objects that may soon no longer be staged.
    pub fn forget_changes(&self) {
        let mut noted = self.noted.borrow_mut();
        noted.wanted = false;
        noted.done.clear();
    }
}

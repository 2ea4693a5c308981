//! The same change made twice: on the state that a proposal stands on, and on the one that it is numbered on. Most of
//! what lies below the roots of both is the same, and so is what the change makes of it.

use super::Tables;
use super::batch::Edit;
use super::edit::Built;
use super::place::Prefix;
use super::raw::Child;
use crate::model::{Oid, Row, RowKey, Table};
use crate::store::Objects;

/// More edits than this are not noted: where a change is large, few do the same.
const FEW: usize = 16;

/// Parts that are lent at most: of a large change each would be looked for among all.
const LENT: usize = 64;

/// Digits below which what is named is lent: what lies above is another one in each state.
const DEEP: usize = 2;

/// What was done while somebody wanted it noted; the memory is kept for the next time.
#[derive(Debug, Default)]
pub(super) struct Noted {
    wanted: bool,
    done: Vec<Done>,
    /// What another thread named. Of buckets it has the bytes; directories count where the store has them, or they are staged.
    lent: Vec<Done>,
}

impl Noted {
    /// Takes over what another thread named, in place of what it did before.
    pub(super) fn borrow(&mut self, mut named: Vec<Done>) {
        for done in &mut named {
            done.built = done.built.unstaged();
        }
        self.lent = named;
    }

    /// Forgets that too: what was staged of it may be so no longer.
    pub(super) fn give_up_lent(&mut self) {
        self.lent.clear();
    }
}

/// What one part of a state became.
#[derive(Debug)]
pub(super) struct Done {
    table: Table,
    at: Prefix,
    child: Child,
    edits: Vec<(RowKey, Option<Row>)>,
    built: Built,
    /// Of a directory that was only named, the new buckets in it.
    named: Option<Vec<Oid>>,
}

/// A part of a state, and small changes of it.
#[derive(Clone, Copy)]
pub(super) struct Part<'e> {
    pub(super) table: Table,
    pub(super) at: &'e Prefix,
    /// What stands there.
    pub(super) child: Child,
    /// Sorted by place.
    pub(super) edits: &'e [Edit<'e>],
}

impl Part<'_> {
    fn is_small(&self) -> bool {
        self.edits.len() <= FEW
    }

    fn is_of(&self, done: &Done) -> bool {
        let edits = self.edits.iter().map(|edit| (edit.key, edit.row));
        let noted = done.edits.iter().map(|(key, row)| (key, row.as_ref()));
        let same = done.child == self.child && done.table == self.table && done.at == *self.at;
        same && noted.eq(edits)
    }

    fn done(&self, built: &Built, named: Option<Vec<Oid>>) -> Done {
        let edits = self.edits.iter();
        Done {
            table: self.table,
            at: *self.at,
            child: self.child,
            edits: edits
                .map(|edit| (edit.key.clone(), edit.row.cloned()))
                .collect(),
            built: built.clone(),
            named,
        }
    }
}

impl<S: Objects + ?Sized> Tables<'_, S> {
    /// From now on, until staged objects are discarded or taken, what a small change makes of a part of a state is
    /// noted, and not made again where the same change meets the same part.
    pub fn note_changes(&self) {
        self.forget_changes();
        self.noted.borrow_mut().wanted = true;
    }

    /// What these edits made of this part before. The store may be asked whether it has it.
    pub(super) fn repeated(&self, part: &Part<'_>) -> Option<Built> {
        // Of more edits nothing was noted.
        if self.naming.get() || !part.is_small() {
            return None;
        }
        let noted = self.noted.borrow();
        let mut all = noted.done.iter().chain(&noted.lent);
        let found = all.find(|done| part.is_of(done))?;
        self.has_named(found).then(|| found.built.clone())
    }

    /// Whether all is here that a directory needs which was only named: whoever proposed the change wrote it, most times.
    fn has_named(&self, done: &Done) -> bool {
        let (Built::Dir(child), Some(below)) = (&done.built, &done.named) else {
            return true;
        };
        let mut ids = std::iter::once(child.id()).chain(below);
        ids.all(|id| self.is_staged(id) || self.store.is_known(id))
    }

    /// Notes what they made of it.
    pub(super) fn note(&self, part: &Part<'_>, built: &Built) {
        if self.naming.get() {
            // What is only named is not there for whoever would take it from here, but for its bytes.
            if matches!(built, Built::Rows { .. }) {
                self.lend_named(part, built, None);
            }
        } else if part.is_small() && self.noted.borrow().wanted {
            self.noted.borrow_mut().done.push(part.done(built, None));
        }
    }

    /// Notes what they made of a directory, where that is only named and they changed no other directory in it. `below`: the
    /// new buckets in it.
    pub(super) fn note_leaf(&self, part: &Part<'_>, built: &Built, below: Vec<Oid>) {
        if self.naming.get() {
            self.lend_named(part, built, Some(below));
        }
    }

    fn lend_named(&self, part: &Part<'_>, built: &Built, below: Option<Vec<Oid>>) {
        if let Some(lent) = &mut *self.lent.borrow_mut()
            && part.is_small()
            && part.at.depth() >= DEEP
            && lent.named.len() < LENT
        {
            lent.named.push(part.done(built, below));
        }
    }

    /// Ends that. What was noted names objects that may soon no longer be staged.
    pub fn forget_changes(&self) {
        let mut noted = self.noted.borrow_mut();
        noted.wanted = false;
        noted.done.clear();
    }
}

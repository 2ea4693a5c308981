//! What a state is made of and the store does not have, for whoever vouches for a repository and not for a history alone:
//! each state is made anew, so nobody needs to read what should have been written of it.

use super::Tables;
use super::cache::Shape;
use crate::model::Oid;
use crate::store::{Bytes, Kind, Objects};

impl<S: Objects + ?Sized> Tables<'_, S> {
    /// From now on, until [`Tables::absent`] is asked, what is staged is noted: what is made and, as far as somebody looked,
    /// not in the store.
    pub fn note_absent(&self) {
        self.absent.replace(Some(Vec::new()));
    }

    /// Takes back that one object was noted: nothing refers to it.
    pub fn may_be_absent(&self, id: &Oid) {
        if let Some(absent) = &mut *self.absent.borrow_mut() {
            absent.retain(|noted| noted != id);
        }
    }

    /// What was noted: a quick look did not find it, which may have been too quick, or did not find a part of it.
    pub fn absent(&self) -> Vec<Oid> {
        self.absent.take().unwrap_or_default()
    }

    /// Stages an object, unless it need not be, or is only named. What is in the cache was read or staged before, so the
    /// store is asked once for each; and not at all where one of the `parts` that it names is staged: most probably it is
    /// as new as that, and to write an object twice does no harm.
    pub(super) fn stage(
        &self,
        id: Oid,
        shape: Shape,
        kind: Kind,
        parts: &[Oid],
        bytes: impl FnOnce() -> Bytes,
    ) {
        if self.naming.get() || self.is_cached(&id, shape) || self.is_staged(&id) {
            return;
        }
        if !parts.iter().any(|part| self.is_staged(part)) && self.store.is_known(&id) {
            return;
        }
        if let Some(absent) = &mut *self.absent.borrow_mut() {
            absent.push(id);
        }
        self.staged.borrow_mut().insert(id, kind, bytes());
    }
}

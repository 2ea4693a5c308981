//! States that somebody wants to compare and nobody will have: their ids are all that is made of them.

use super::Tables;
use crate::store::Objects;

impl<S: Objects + ?Sized> Tables<'_, S> {
    /// Runs some work that asks what states come to and reads none that it makes: the store is not asked whether it has
    /// their objects, and nothing of them is staged.
    pub fn naming<R>(&self, work: impl FnOnce() -> R) -> R {
        let before = self.naming.replace(true);
        let result = work();
        self.naming.set(before);
        result
    }
}

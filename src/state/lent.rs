//! What one thread read of a state, and what it named of a change of it, lent to another: that costs far more to read and to
//! hash than to pass on.

use super::Tables;
use super::bucket::Reading;
use super::cache::{Node, Shape};
use super::repeat::Done;
use crate::model::Oid;
use crate::store::Objects;

/// What was read from the store, and what was named, to be taken over by the tables of the same store in another thread.
#[derive(Debug, Default)]
pub struct Lent {
    read: Vec<(Oid, Shape, Node)>,
    pub(super) named: Vec<Done>,
}

impl<S: Objects + ?Sized> Tables<'_, S> {
    /// Runs some work on these tables, and hands over what it had to read besides its result.
    pub fn lending<R>(&self, work: impl FnOnce() -> R) -> (R, Lent) {
        self.lent.replace(Some(Lent::default()));
        let result = work();
        (result, self.lent.take().unwrap_or_default())
    }

    /// Notes what was read and is about to be kept, while somebody asks for it. What is only staged here is not in
    /// the store, and nobody else may take it for that.
    pub(super) fn lend(&self, id: Oid, shape: Shape, node: &Node) {
        if let Some(lent) = &mut *self.lent.borrow_mut()
            && !self.is_staged(&id)
        {
            lent.read.push((id, shape, node.clone()));
        }
    }

    /// Takes over what others have read. What is asked of it is checked as if it had been read here: a bucket
    /// remembers how strictly it was. What they named is there until the next is taken over, for whoever would not read
    /// more strictly to make it.
    pub fn borrow(&self, lent: Lent) {
        for (id, shape, node) in lent.read {
            self.keep(id, shape, node);
        }
        if self.reading() == Reading::Lazy {
            self.noted.borrow_mut().borrow(lent.named);
        }
    }
}

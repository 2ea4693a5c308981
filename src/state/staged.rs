//! New objects that are not yet in the store.

use crate::model::Oid;
use crate::store::Kind;
use std::collections::HashMap;
use std::sync::Arc;

/// New objects in the order they were made: children before the trees that name them.
#[derive(Debug, Default)]
pub(super) struct Staged {
    objects: HashMap<Oid, (Kind, Arc<Vec<u8>>)>,
    order: Vec<Oid>,
}

impl Staged {
    pub(super) fn get(&self, id: &Oid) -> Option<&(Kind, Arc<Vec<u8>>)> {
        self.objects.get(id)
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Adds an object that is not yet here.
    pub(super) fn insert(&mut self, id: Oid, kind: Kind, bytes: Vec<u8>) {
        let bytes = Arc::new(bytes);
        if self.objects.insert(id, (kind, bytes)).is_none() {
            self.order.push(id);
        }
    }

    /// Hands over everything.
    pub(super) fn take(&mut self) -> Vec<(Oid, Kind, Vec<u8>)> {
        let order = std::mem::take(&mut self.order);
        let mut objects = std::mem::take(&mut self.objects);
        order
            .into_iter()
            .filter_map(|id| {
                let (kind, bytes) = objects.remove(&id)?;
                Some((id, kind, Arc::unwrap_or_clone(bytes)))
            })
            .collect()
    }

    /// All but the first `from` objects, which stay here too.
    pub(super) fn since(&self, from: usize) -> Vec<(Oid, Kind, Arc<Vec<u8>>)> {
        let new = self.order.get(from..).unwrap_or_default().iter();
        new.filter_map(|id| {
            let (kind, bytes) = self.objects.get(id)?;
            Some((*id, *kind, Arc::clone(bytes)))
        })
        .collect()
    }

    /// Drops all but the first `keep` objects and says which.
    pub(super) fn truncate(&mut self, keep: usize) -> Vec<Oid> {
        let dropped = self.order.split_off(keep.min(self.order.len()));
        for id in &dropped {
            self.objects.remove(id);
        }
        dropped
    }
}

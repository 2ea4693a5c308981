//! New objects that are not yet in the store.

use crate::model::Oid;
use crate::store::{Bytes, Kind};
use std::collections::HashMap;

/// New objects in the order they were made: children before the trees that name them.
#[derive(Debug, Default)]
pub(super) struct Staged {
    objects: HashMap<Oid, (Kind, Bytes)>,
    order: Vec<Oid>,
}

/// What was staged until it was written. To give it back takes a while, so whoever has it says when.
#[derive(Debug, Default)]
pub struct StagedBefore {
    _all: Staged,
}

impl From<Staged> for StagedBefore {
    fn from(all: Staged) -> Self {
        Self { _all: all }
    }
}

impl Staged {
    pub(super) fn get(&self, id: &Oid) -> Option<&(Kind, Bytes)> {
        self.objects.get(id)
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Adds an object that is not yet here.
    pub(super) fn insert(&mut self, id: Oid, kind: Kind, bytes: Bytes) {
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
                Some((id, kind, bytes.into_vec()))
            })
            .collect()
    }

    /// All but the first `from` objects, which stay here too.
    pub(super) fn since(&self, from: usize) -> Vec<(Oid, Kind, Bytes)> {
        let new = self.order.get(from..).unwrap_or_default().iter();
        new.filter_map(|id| {
            let (kind, bytes) = self.objects.get(id)?;
            Some((*id, *kind, bytes.clone()))
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

//! What stands between a writer and a collector: nothing is taken for present that may be deleted meanwhile.

use super::ArtifactFault;
use super::pins::Pins;
use super::shelf::{Place, Shelf};
use crate::model::{ContentDigest, Oid};
use crate::store::git::BARRIER;
use crate::store::turnstile::Shared;
use crate::store::{GitStore, PackReader, Turnstile};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Asked by all threads of one writer.
pub(super) struct Gate(Mutex<Inner>);

struct Inner {
    guard: Guard,
    packs: PackReader,
}

enum Guard {
    /// On the internal shelf each block is pinned before it is asked about.
    Pins(Pins),
    /// In the space's repository git deletes, which knows no pins: it waits until the refs have moved.
    Barrier { _held: Shared },
}

impl Gate {
    pub(super) fn open(shelf: &Shelf, store: &GitStore) -> Result<Self, ArtifactFault> {
        let guard = match shelf.place() {
            Place::Internal => Guard::Pins(Pins::open(shelf.folio())?),
            _ => Guard::Barrier {
                _held: Turnstile::open(shelf.folio(), BARRIER)?.into_shared()?,
            },
        };
        // After the lock: what was deleted before is not seen any more.
        let packs = PackReader::open(&store.pack_dir(), store.object_format())?;
        Ok(Self(Mutex::new(Inner { guard, packs })))
    }

    /// Whether an object is there and will stay.
    pub(super) fn holds(&self, id: &Oid) -> Result<bool, ArtifactFault> {
        let inner = &mut *self.inner();
        match &mut inner.guard {
            Guard::Pins(pins) => pins.pin(&[*id], || inner.packs.holds(id)),
            Guard::Barrier { .. } => Ok(inner.packs.holds(id)),
        }
    }

    /// Whether an artifact is there and will stay while its writer lives.
    pub(super) fn keeps(
        &self,
        key: &ContentDigest,
        look: impl FnOnce() -> Result<bool, ArtifactFault>,
    ) -> Result<bool, ArtifactFault> {
        match &mut self.inner().guard {
            Guard::Pins(pins) => pins.pin_key(key, look),
            Guard::Barrier { .. } => look(),
        }
    }

    /// Says what is going to be written in any case.
    pub(super) fn announce(&self, ids: &[Oid]) -> Result<(), ArtifactFault> {
        match &mut self.inner().guard {
            Guard::Pins(pins) => pins.pin(ids, || ()),
            Guard::Barrier { .. } => Ok(()),
        }
    }

    /// Looks which packs there are now.
    pub(super) fn refresh(&self) -> Result<(), ArtifactFault> {
        Ok(self.inner().packs.refresh()?)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

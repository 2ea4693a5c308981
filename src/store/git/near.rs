//! Reading many objects: straight out of the packs, as long as nothing unusual is found there.

use super::GitStore;
use crate::model::Oid;
use crate::store::Kind;
use crate::store::pack::DirectReader;
use std::path::PathBuf;

/// After so many objects that were not found there are other packs, probably.
const MISSES: u32 = 64;

/// What a handle reads with after its first objects.
#[derive(Debug, Clone, Default)]
pub(super) struct Near {
    misses: u32,
    reader: Option<DirectReader>,
}

impl GitStore {
    /// What lies in one of the packs as this object, which is yet to be compared with its id. `None` says nothing: gix
    /// has to look.
    pub(super) fn read_near(&self, id: &Oid, kind: Kind, max: u64) -> Option<Vec<u8>> {
        let mut near = self.near.borrow_mut();
        if near.misses >= MISSES {
            *near = Near::default();
        }
        let reader = near.reader.get_or_insert_with(|| {
            let dirs = self.object_dirs().into_iter();
            let dirs: Vec<PathBuf> = dirs.map(|dir| dir.join("pack")).collect();
            DirectReader::open(&dirs, self.format, &self.indexes)
        });
        let found = reader.read(id, kind, max);
        near.misses += u32::from(found.is_none());
        found
    }
}

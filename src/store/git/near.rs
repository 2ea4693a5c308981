//! Reading many objects: straight out of the packs, as long as nothing unusual is found there.

use super::{GitStore, checked_id};
use crate::model::Oid;
use crate::store::Kind;
use crate::store::pack::DirectReader;
use std::path::PathBuf;

/// So many reads are left to gix before the packs are looked at here: who reads a few objects opens no file twice.
const FEW: u32 = 64;

/// After so many objects that were not found there are other packs, probably.
const MISSES: u32 = 64;

/// What a handle has read so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Near {
    reads: u32,
    misses: u32,
    reader: Option<DirectReader>,
}

impl GitStore {
    /// An object that lies in one of the packs and has that id. `None` says nothing: gix has to look.
    pub(super) fn read_near(&self, id: &Oid, kind: Kind, max: u64) -> Option<Vec<u8>> {
        let mut near = self.near.borrow_mut();
        near.reads = near.reads.saturating_add(1);
        if near.reads <= FEW || id.format() != self.format {
            return None;
        }
        if near.misses >= MISSES {
            (near.misses, near.reader) = (0, None);
        }
        let reader = near.reader.get_or_insert_with(|| {
            let store = self.repo.objects.store_ref();
            let mut dirs: Vec<PathBuf> = store.alternate_db_paths().unwrap_or_default();
            dirs.push(store.path().to_owned());
            let dirs: Vec<PathBuf> = dirs.iter().map(|dir| dir.join("pack")).collect();
            DirectReader::open(&dirs, self.format)
        });
        let found = reader.read(id, kind, max);
        // An index may lie about what is where: then it is for the other way to say what is wrong.
        let found = found.filter(|bytes| checked_id(self.format, kind, bytes).ok() == Some(*id));
        near.misses += u32::from(found.is_none());
        found
    }
}

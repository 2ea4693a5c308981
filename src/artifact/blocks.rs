//! Blocks, read out of packs without mapping them.

use super::ArtifactFault;
use crate::model::{Oid, limits};
use crate::store::{GitStore, Kind, Objects as _, PackReader};
use std::rc::Rc;

/// Blocks that are remembered: small artifacts share them, and large ones cross their borders.
const REMEMBERED: usize = 4;

pub(super) struct Blocks {
    packs: PackReader,
    /// The newest last.
    recent: Vec<(Oid, Rc<Vec<u8>>)>,
}

impl Blocks {
    pub(super) fn open(store: &GitStore) -> Result<Self, ArtifactFault> {
        let packs = PackReader::open(&store.pack_dir(), store.object_format())?;
        let recent = Vec::with_capacity(REMEMBERED);
        Ok(Self { packs, recent })
    }

    /// A block. Unchecked, its bytes are what the first pack has; whoever asks compares the artifact's hash, which
    /// costs less than the block's. Checked, every copy is tried until one has the id.
    pub(super) fn read(
        &mut self,
        store: &GitStore,
        id: &Oid,
        checked: bool,
    ) -> Result<Rc<Vec<u8>>, ArtifactFault> {
        if !checked && let Some((_, bytes)) = self.recent.iter().find(|(known, _)| known == id) {
            return Ok(Rc::clone(bytes));
        }
        let check = |bytes: &[u8]| !checked || store.id_of(Kind::Blob, bytes) == *id;
        let max = limits::BLOCK as u64;
        let bytes = match self.packs.read(id, max, &check)? {
            Some(bytes) => bytes,
            // A delta, a loose object, or damaged: the size is looked at first, then the contents are hashed.
            None => store.read(id, Kind::Blob, max)?,
        };
        let bytes = Rc::new(bytes);
        self.recent.retain(|(known, _)| known != id);
        if self.recent.len() == REMEMBERED {
            self.recent.remove(0);
        }
        self.recent.push((*id, Rc::clone(&bytes)));
        Ok(bytes)
    }
}

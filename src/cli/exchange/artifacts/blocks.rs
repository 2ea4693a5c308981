//! Bringing blocks by their ids, some at a time: what came stays, and an interrupted transfer goes on where it was.

use crate::cli::ui::Progress;
use crate::codec::sheet::Record;
use crate::journal::reconcile::RefMap;
use crate::journal::refs;
use crate::model::Oid;
use crate::remote::{Brought, Transport};
use crate::store::{GitStore, Objects as _};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of blocks asked for in one go.
const BYTES: u64 = 64 * 1024 * 1024;
/// Blocks asked for in one go.
const IDS: usize = 512;
/// Blocks that another repository may name and not have before the rest is not asked for any more.
const MISSING: usize = 32;

/// Blocks, and how many bytes of each are known to be used.
pub type Blocks = BTreeMap<Oid, u64>;

/// The blocks of these artifacts that are not here.
pub fn lacking(store: &GitStore, records: &[Record]) -> anyhow::Result<Blocks> {
    // A new handle sees the packs of now, and asks nobody else.
    let store = GitStore::open(store.common_dir())?;
    let mut blocks = Blocks::new();
    for extent in records.iter().flat_map(|record| &record.extents) {
        let end = u64::from(extent.offset) + u64::from(extent.length);
        let used = blocks.entry(extent.block).or_default();
        *used = end.max(*used);
    }
    blocks.retain(|id, _| !store.is_known(id));
    Ok(blocks)
}

/// Where blocks come from.
pub struct Source<'a> {
    /// The other repository.
    pub transport: &'a Transport,
    /// The refs of artifacts there.
    pub there: &'a RefMap,
    /// The local ref for everything that is published there, for a repository that gives nothing by its id.
    pub placement: String,
}

impl Source<'_> {
    /// Brings these blocks, as far as the other side has them.
    ///
    /// # Errors
    /// `remote-failed`; what came before stays.
    pub fn bring(
        &self,
        blocks: &Blocks,
        (done, total): (&mut u64, u64),
        progress: &mut Progress,
    ) -> anyhow::Result<()> {
        let mut missing = BTreeSet::new();
        let mut left = blocks.iter().peekable();
        while left.peek().is_some() {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while let Some((id, size)) = left.peek()
                && batch.len() < IDS
                && (batch.is_empty() || bytes + **size <= BYTES)
            {
                batch.push(**id);
                bytes += **size;
                left.next();
            }
            while !batch.is_empty() {
                match self.transport.fetch_objects(&batch)? {
                    Brought::All => break,
                    Brought::NotById => return self.bring_everything(),
                    Brought::Lacks(id) => {
                        batch.retain(|one| *one != id);
                        missing.insert(id);
                        if missing.len() > MISSING {
                            return Ok(());
                        }
                    }
                }
            }
            *done += bytes;
            progress.at(*done, total.max(*done));
        }
        Ok(())
    }

    /// All that is published there, as plain git brings it.
    fn bring_everything(&self) -> anyhow::Result<()> {
        if self.there.contains_key(refs::PUBLISHED) {
            let wanted = [(refs::PUBLISHED.to_owned(), self.placement.clone())];
            self.transport.fetch(&wanted, None)?;
        }
        Ok(())
    }
}

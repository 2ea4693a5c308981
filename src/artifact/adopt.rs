//! Taking over what somebody else packed: their records, verified byte by byte, in sheets of our own. The blocks
//! stay as they came.

use super::flush::Fresh;
use super::gate::Gate;
use super::shelf::Shelf;
use super::{ArtifactFault, Imprint};
use crate::codec::sheet::{Extent, Record};
use crate::crypto::groups::{self, GroupHasher};
use crate::model::{Code, ContentDigest, Oid, limits};
use crate::store::GitStore;
use crate::store::pack::{Effort, Zip};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

/// Takes artifacts onto a shelf whose blocks are in the shelf's repository. From its start to its end no block there is
/// collected. What was taken counts once [`Adoption::finish`] returned.
pub struct Adoption<'a> {
    shelf: &'a Shelf,
    gate: Arc<Gate>,
    fresh: Fresh<'a>,
    zip: Zip,
    /// Blocks that are there and will stay.
    settled: BTreeSet<Oid>,
}

impl<'a> Adoption<'a> {
    /// Starts to take onto a shelf.
    ///
    /// # Errors
    /// `io`, and those of reading the shelf.
    pub fn new(shelf: &'a Shelf) -> Result<Self, ArtifactFault> {
        let store: &GitStore = shelf.store_to_write()?;
        let gate = Arc::new(Gate::open(shelf, store)?);
        Ok(Self {
            shelf,
            fresh: Fresh::new(shelf, store, Arc::clone(&gate))?,
            gate,
            zip: Zip::new(),
            settled: BTreeSet::new(),
        })
    }

    /// Takes one artifact. Those that lie in the same block are best taken one after the other.
    ///
    /// # Errors
    /// `artifact-damaged` with the key and the block where the bytes are not what the key says, `artifact-missing` where
    /// a block is not there: then this one is not taken, and others can be; `io`.
    pub fn take(&mut self, record: Record) -> Result<(), ArtifactFault> {
        verify(self.shelf, &record)?;
        for extent in &record.extents {
            self.keep(&extent.block)?;
        }
        self.fresh.record(record);
        Ok(())
    }

    /// Makes sure that a block stays: one that lies outside of all packs, or in one whose objects may go soon, is
    /// written once more.
    fn keep(&mut self, id: &Oid) -> Result<(), ArtifactFault> {
        if self.settled.contains(id) {
            return Ok(());
        }
        if !self.gate.holds(id)? {
            let bytes = self.shelf.block(id, true)?;
            let stream = self.zip.pack(&bytes, Effort::Usual);
            self.fresh.block(*id, bytes.len() as u64, stream)?;
        }
        self.settled.insert(*id);
        Ok(())
    }

    /// Makes everything that was taken visible and durable.
    ///
    /// # Errors
    /// Those of writing; `race-lost` if other writers never let it come through.
    pub fn finish(mut self, imprint: &Imprint<'_>) -> Result<(), ArtifactFault> {
        self.fresh.flush(imprint)
    }
}

/// Compares all bytes of an artifact with its key and its chaining values.
fn verify(shelf: &Shelf, record: &Record) -> Result<(), ArtifactFault> {
    let mut hasher = GroupHasher::default();
    let mut at = 0;
    for extent in &record.extents {
        let block = block(shelf, record, extent, at)?;
        let from = extent.offset as usize;
        let part = block.get(from..from + extent.length as usize);
        let part = part.ok_or_else(|| {
            let why = format!("it has {} bytes only", block.len());
            damaged(&record.key, &extent.block, at, &why)
        })?;
        hasher.update(part);
        at += u64::from(extent.length);
    }
    let (key, chains) = hasher.finish();
    if key == record.key && chains == record.groups {
        return Ok(());
    }
    Err(blame(record, &chains))
}

fn block(
    shelf: &Shelf,
    record: &Record,
    extent: &Extent,
    at: u64,
) -> Result<Rc<Vec<u8>>, ArtifactFault> {
    // What git brought it has compared with its id.
    let block = shelf.block(&extent.block, false);
    block.map_err(|fault| match fault.code {
        Code::Io | Code::Unsupported => fault,
        Code::ObjectMissing => {
            let what = format!("{}: {}", record.key, fault.what);
            ArtifactFault::new(Code::ArtifactMissing, what)
        }
        _ => damaged(&record.key, &extent.block, at, &fault.what),
    })
}

/// Says where the bytes stop being what the key says, as far as that can be told.
fn blame(record: &Record, chains: &[groups::Chain]) -> ArtifactFault {
    let true_chains = groups::belong(&record.key, record.size, &record.groups);
    let mut pairs = chains.iter().zip(&record.groups);
    let wrong = pairs.position(|(found, said)| found != said);
    let first = match (true_chains, wrong) {
        (true, Some(group)) => group as u64 * limits::GROUP_BYTES,
        _ => 0,
    };
    let mut at = 0;
    let covers = record.extents.iter().find(|extent| {
        at += u64::from(extent.length);
        at > first
    });
    let block = covers.map_or("none".to_owned(), |extent| extent.block.to_hex());
    let key = record.key;
    let what = format!(
        "{key}: the bytes from {first} on, in block {block}, are not what the key says: the sheet is wrong"
    );
    ArtifactFault::new(Code::ArtifactDamaged, what)
}

fn damaged(key: &ContentDigest, block: &Oid, at: u64, why: &str) -> ArtifactFault {
    let what = format!("{key}: block {block} at byte {at} cannot be used: {why}");
    ArtifactFault::new(Code::ArtifactDamaged, what)
}

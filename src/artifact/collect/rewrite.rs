//! Sheets without some artifacts, and blocks without their bytes.

use super::Terms;
use super::mark::records;
use crate::artifact::catalog::Listed;
use crate::artifact::shelf::Shelf;
use crate::artifact::{ArtifactFault, Catalog};
use crate::codec::sheet::{self, Extent, Record};
use crate::crypto::groups;
use crate::model::{Code, ContentDigest, Oid, limits};
use crate::store::{Kind, Objects as _};
use std::collections::{BTreeMap, BTreeSet};

/// Blocks of small artifacts that are copied in one go.
const AT_ONCE: usize = 64;

/// Which blocks are made anew without what is dead in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compact {
    /// Those of which at least half is dead.
    Half,
    /// All that have anything dead in them.
    All,
}

/// Sheets that are written and that nothing names yet.
pub(super) struct Rewritten {
    old: Catalog,
    sheets: Vec<Listed>,
    /// The blocks that the artifacts had, and that nothing on the shelf names any more.
    pub(super) freed: BTreeSet<Oid>,
}

/// Makes the sheets of a catalog without these artifacts.
///
/// # Errors
/// `cannot-mark` if a sheet cannot be read, `artifact-damaged` if what is to be copied is not what its key says.
pub(super) fn without(
    shelf: &Shelf,
    catalog: &Catalog,
    keys: &BTreeSet<ContentDigest>,
    compact: Compact,
    terms: &Terms<'_>,
) -> Result<Rewritten, ArtifactFault> {
    let mut use_of = Use::default();
    let mut affected = Vec::new();
    let mut sheets = Vec::new();
    for id in &catalog.sheets {
        let records = records(shelf, id)?;
        let entries = records.len() as u64;
        let before = use_of.touched.len();
        let any = records.iter().any(|record| keys.contains(&record.key));
        for record in &records {
            use_of.add(record, keys.contains(&record.key));
        }
        debug_assert!(any || before == use_of.touched.len());
        sheets.push((*id, entries));
        if any {
            affected.push(*id);
        }
    }
    let moving = use_of.to_move(shelf, compact)?;
    let mut listed = Vec::new();
    let mut mover = Mover::new(shelf, terms);
    for (id, entries) in sheets {
        let mut kept = records(shelf, &id)?;
        let moves =
            |record: &Record| moving.contains(&record.extents.first().map_or(id, |e| e.block));
        if !affected.contains(&id) && !kept.iter().any(moves) {
            let bytes = None;
            listed.push(Listed { id, entries, bytes });
            continue;
        }
        kept.retain(|record| !keys.contains(&record.key));
        for record in kept.iter_mut().filter(|record| moves(record)) {
            mover.copy(record)?;
        }
        mover.close()?;
        if let Some(sheet) = mover.sheet(kept)? {
            listed.push(sheet);
        }
    }
    mover.write()?;
    let mut freed = use_of.touched;
    freed.retain(|block| {
        use_of
            .live
            .get(block)
            .is_none_or(|_| moving.contains(block))
    });
    Ok(Rewritten {
        old: catalog.clone(),
        sheets: listed,
        freed,
    })
}

impl Rewritten {
    /// Lets the shelf's refs name them. The caller holds the shelf's lock, and knows that the catalog is still the
    /// old one.
    ///
    /// # Errors
    /// `race-lost`, `io`, and those of the store.
    pub(super) fn publish(self, shelf: &Shelf, terms: &Terms<'_>) -> Result<(), ArtifactFault> {
        let store = shelf.store_to_write()?;
        let composed = shelf.compose(&self.old, self.sheets, &terms.imprint)?;
        terms.steps.step("gc-catalog-write")?;
        store.write_all(&composed.objects)?;
        terms.steps.step("gc-catalog-apply")?;
        shelf.apply(&self.old, &composed.catalog)?;
        Ok(terms.steps.step("gc-catalog-done")?)
    }
}

/// Who uses which block.
#[derive(Default)]
struct Use {
    /// Bytes of blocks that artifacts have which stay.
    live: BTreeMap<Oid, u64>,
    /// Blocks that belong, at least in part, to artifacts of several blocks which stay.
    large: BTreeSet<Oid>,
    /// Blocks of artifacts that go.
    touched: BTreeSet<Oid>,
}

impl Use {
    fn add(&mut self, record: &Record, goes: bool) {
        for extent in &record.extents {
            if goes {
                self.touched.insert(extent.block);
                continue;
            }
            *self.live.entry(extent.block).or_default() += u64::from(extent.length);
            if record.extents.len() > 1 {
                self.large.insert(extent.block);
            }
        }
    }

    /// The blocks whose living artifacts are to be copied elsewhere.
    fn to_move(&self, shelf: &Shelf, compact: Compact) -> Result<BTreeSet<Oid>, ArtifactFault> {
        let mut moving = BTreeSet::new();
        let Some(store) = shelf.store() else {
            return Ok(moving);
        };
        for block in &self.touched {
            let Some(live) = self.live.get(block).filter(|_| !self.large.contains(block)) else {
                continue;
            };
            let Some((_, size)) = store.header(block)? else {
                let what = format!("block {block} is missing");
                return Err(ArtifactFault::new(Code::CannotMark, what));
            };
            let worth = match compact {
                Compact::Half => live * 2 <= size,
                Compact::All => *live < size,
            };
            if worth {
                moving.insert(*block);
            }
        }
        Ok(moving)
    }
}

/// Copies small artifacts into new blocks.
struct Mover<'a> {
    shelf: &'a Shelf,
    terms: &'a Terms<'a>,
    small: Vec<u8>,
    /// Where each artifact of the block under way starts.
    members: Vec<(ContentDigest, u32)>,
    moved: BTreeMap<ContentDigest, (Oid, u32)>,
    blocks: Vec<(Oid, Kind, Vec<u8>)>,
}

impl<'a> Mover<'a> {
    fn new(shelf: &'a Shelf, terms: &'a Terms<'a>) -> Self {
        Self {
            shelf,
            terms,
            small: Vec::new(),
            members: Vec::new(),
            moved: BTreeMap::new(),
            blocks: Vec::new(),
        }
    }

    fn copy(&mut self, record: &Record) -> Result<(), ArtifactFault> {
        let [extent] = record.extents[..] else {
            return Ok(());
        };
        let block = self.shelf.block(&extent.block, true)?;
        let from = extent.offset as usize;
        let bytes = block.get(from..from + extent.length as usize);
        let bytes = bytes.filter(|bytes| groups::digest(bytes) == record.key);
        let bytes = bytes.ok_or_else(|| {
            let (key, block) = (record.key, extent.block);
            let what =
                format!("{key}: expected its bytes in block {block} at {from}, found others");
            ArtifactFault::new(Code::ArtifactDamaged, what)
        })?;
        if self.small.len() + bytes.len() > limits::SMALL_ARTIFACT as usize {
            self.close()?;
        }
        self.members.push((record.key, self.small.len() as u32));
        self.small.extend_from_slice(bytes);
        Ok(())
    }

    /// Ends the block under way.
    fn close(&mut self) -> Result<(), ArtifactFault> {
        let bytes = std::mem::take(&mut self.small);
        if bytes.is_empty() {
            return Ok(());
        }
        let store = self.shelf.store_to_write()?;
        let id = store.id_of(Kind::Blob, &bytes);
        for (key, offset) in std::mem::take(&mut self.members) {
            self.moved.insert(key, (id, offset));
        }
        self.blocks.push((id, Kind::Blob, bytes));
        match self.blocks.len() < AT_ONCE {
            true => Ok(()),
            false => self.write(),
        }
    }

    /// A sheet of these records, with those that were copied where they are now.
    fn sheet(&mut self, mut records: Vec<Record>) -> Result<Option<Listed>, ArtifactFault> {
        if records.is_empty() {
            return Ok(None);
        }
        for record in &mut records {
            if let Some((block, offset)) = self.moved.remove(&record.key) {
                let (block, length) = (block, record.size as u32);
                record.extents = vec![Extent {
                    block,
                    offset,
                    length,
                }];
            }
        }
        let entries = records.len() as u64;
        let store = self.shelf.store_to_write()?;
        let bytes = sheet::encode(store.object_format(), records)?;
        let id = store.id_of(Kind::Blob, &bytes);
        self.blocks.push((id, Kind::Blob, bytes.clone()));
        let bytes = Some(bytes);
        Ok(Some(Listed { id, entries, bytes }))
    }

    fn write(&mut self) -> Result<(), ArtifactFault> {
        if self.blocks.is_empty() {
            return Ok(());
        }
        self.terms.steps.step("gc-sheets-write")?;
        let store = self.shelf.store_to_write()?;
        Ok(store.write_all(&std::mem::take(&mut self.blocks))?)
    }
}

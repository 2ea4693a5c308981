//! What was added and is not visible yet: a pack being written, and the records that go into the next sheet.

use super::catalog::{Catalog, Composed, Listed};
use super::gate::Gate;
use super::index::Index;
use super::merging;
use super::shelf::{Place, Shelf};
use super::{ArtifactFault, Imprint};
use crate::codec::sheet::{self, Record};
use crate::model::{ContentDigest, Oid, limits};
use crate::store::pack::{Effort, Zip};
use crate::store::{GitStore, Kind, Objects as _, PackStream};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

/// Objects in a pack before the next one is started.
const OBJECTS: usize = 65_536;

pub(super) struct Fresh<'a> {
    shelf: &'a Shelf,
    store: &'a GitStore,
    gate: Arc<Gate>,
    packs: PathBuf,
    pack: Option<PackStream<'a>>,
    /// Whether a pack was closed before.
    closed: bool,
    zip: Zip,
    /// What was on the shelf at the start or after the last flush.
    index: Rc<Index>,
    records: Vec<Record>,
    /// Keys that were added and are not visible yet.
    expected: BTreeSet<ContentDigest>,
}

/// A sheet and what names it, ready to be written.
struct Draft {
    old: Catalog,
    sheet: (Oid, Vec<u8>),
    composed: Composed,
}

impl<'a> Fresh<'a> {
    pub(super) fn new(
        shelf: &'a Shelf,
        store: &'a GitStore,
        gate: Arc<Gate>,
    ) -> Result<Self, ArtifactFault> {
        Ok(Self {
            index: shelf.index()?,
            shelf,
            store,
            gate,
            packs: store.pack_dir(),
            pack: None,
            closed: false,
            zip: Zip::new(),
            records: Vec::new(),
            expected: BTreeSet::new(),
        })
    }

    /// An artifact is on its way.
    pub(super) fn expect(&mut self, key: ContentDigest) {
        self.expected.insert(key);
    }

    /// Whether an artifact is on the shelf, or on its way.
    pub(super) fn knows(&self, key: &ContentDigest) -> Result<bool, ArtifactFault> {
        Ok(self.expected.contains(key) || self.is_on_shelf(key)?)
    }

    fn is_on_shelf(&self, key: &ContentDigest) -> Result<bool, ArtifactFault> {
        let found = match self.index.find(key) {
            // A damaged derived file is made again.
            Err(_) => self.shelf.find(key)?,
            Ok(found) => found,
        };
        if found.is_none() {
            return Ok(false);
        }
        // It may have been collected since the index was read: now it is pinned, and looked for once more.
        self.gate.keeps(key, || Ok(self.shelf.find(key)?.is_some()))
    }

    /// All blocks of an artifact are written or were there.
    pub(super) fn record(&mut self, record: Record) {
        self.records.push(record);
    }

    /// Writes a block of `size` bytes, of which `stream` is the zlib stream.
    pub(super) fn block(&mut self, id: Oid, size: u64, stream: &[u8]) -> Result<(), ArtifactFault> {
        // An equal block may have gone into the last pack after this one was asked about.
        if self.closed && self.gate.holds(&id)? {
            return Ok(());
        }
        let mut pack = self.take_pack()?;
        pack.add(id, Kind::Blob, size, stream)?;
        self.pack = Some(pack);
        Ok(())
    }

    fn take_pack(&mut self) -> Result<PackStream<'a>, ArtifactFault> {
        match self.pack.take() {
            Some(pack) => Ok(pack),
            None => {
                let format = self.store.object_format();
                Ok(PackStream::create(&self.packs, format, self.store.steps())?)
            }
        }
    }

    fn close(&mut self, pack: PackStream<'a>) -> Result<(), ArtifactFault> {
        pack.finish()?;
        self.closed = true;
        self.gate.refresh()
    }

    /// Whether it is time to make visible what is complete.
    pub(super) fn is_full(&self, most: u64) -> bool {
        let pack = self.pack.as_ref();
        self.records.len() >= limits::SHEET_MERGED as usize
            || pack.is_some_and(|pack| pack.bytes() >= most || pack.count() >= OBJECTS)
    }

    /// Closes the pack, and makes the artifacts that are complete visible.
    pub(super) fn flush(&mut self, imprint: &Imprint<'_>) -> Result<(), ArtifactFault> {
        let index = self.shelf.index()?;
        let changed = !Rc::ptr_eq(&index, &self.index);
        self.index = index;
        self.forget_known(changed)?;
        if self.records.is_empty() {
            if let Some(pack) = self.pack.take() {
                self.close(pack)?;
            }
            return Ok(());
        }
        // Everything goes into the one pack: as long as nobody else changes the shelf, that is all there is to write.
        let draft = self.draft(imprint)?;
        let mut pack = self.take_pack()?;
        for (id, kind, bytes) in draft.objects() {
            pack.add(
                id,
                kind,
                bytes.len() as u64,
                self.zip.pack(bytes, Effort::Usual),
            )?;
        }
        self.close(pack)?;
        let _alone = self.shelf.lock()?;
        let mut draft = draft;
        if self.shelf.catalog()? != draft.old {
            draft = self.draft(imprint)?;
            let objects = draft
                .objects()
                .map(|(id, kind, bytes)| (id, kind, bytes.to_vec()));
            self.store.write_all(&objects.collect::<Vec<_>>())?;
        }
        self.shelf.apply(&draft.old, &draft.composed.catalog)?;
        // Others may be in blocks that are still under way.
        for record in self.records.drain(..) {
            self.expected.remove(&record.key);
        }
        self.index = self.shelf.index()?;
        Ok(())
    }

    /// Leaves out what is on the shelf by now, and what came twice. If nobody `changed` the shelf since the artifacts
    /// were looked up, only large ones can be there: their keys were known last.
    fn forget_known(&mut self, changed: bool) -> Result<(), ArtifactFault> {
        self.records.sort_by_key(|record| record.key);
        self.records.dedup_by_key(|record| record.key);
        let mut fresh = Vec::with_capacity(self.records.len());
        for record in std::mem::take(&mut self.records) {
            let looked_up = record.size <= limits::SMALL_ARTIFACT && !changed;
            if looked_up || !self.is_on_shelf(&record.key)? {
                fresh.push(record);
            }
        }
        self.records = fresh;
        Ok(())
    }

    /// The new sheet, united with those of its size, and the commits that name it.
    fn draft(&self, imprint: &Imprint<'_>) -> Result<Draft, ArtifactFault> {
        let (old, index) = self.shelf.snapshot()?;
        let united = merging::unite(self.store, &index, self.records.clone())?;
        let entries = united.records.len() as u64;
        let bytes = sheet::encode(self.store.object_format(), united.records)?;
        let id = self.store.id_of(Kind::Blob, &bytes);
        let mut sheets = index.listed();
        sheets.retain(|sheet| !united.replaced.contains(&sheet.id));
        sheets.push(Listed {
            id,
            entries,
            bytes: Some(bytes.clone()),
        });
        let composed = self.shelf.compose(&old, sheets, imprint)?;
        let draft = Draft {
            old,
            sheet: (id, bytes),
            composed,
        };
        let ids: Vec<Oid> = draft.objects().map(|(id, ..)| id).collect();
        self.gate.announce(&ids)?;
        Ok(draft)
    }

    /// Afterwards the shelf has few packs.
    pub(super) fn tidy(self) -> Result<(), ArtifactFault> {
        if *self.shelf.place() == Place::Internal {
            self.store.consolidate()?;
        }
        Ok(())
    }
}

impl Draft {
    fn objects(&self) -> impl Iterator<Item = (Oid, Kind, &[u8])> {
        let sheet = (self.sheet.0, Kind::Blob, &self.sheet.1[..]);
        let others = self.composed.objects.iter();
        std::iter::once(sheet).chain(others.map(|(id, kind, bytes)| (*id, *kind, &bytes[..])))
    }
}

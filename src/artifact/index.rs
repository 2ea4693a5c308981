//! The derived index of a shelf: its sheets as files, so that a look-up reads a few pieces of each.
//!
//! The files are named by the ids of the sheets, so each can be compared with what it should be, and the whole
//! directory can go at any time.

use super::ArtifactFault;
use super::catalog::Listed;
use super::search;
use crate::codec::sheet::{
    ENTRY, EXTENT, Entry, Extent, GROUP, HEADER, Layout, Part, Record, Sheet,
};
use crate::model::{Code, ContentDigest, ObjectFormat, Oid, limits};
use crate::store::disk::{TempFile, create_dirs, io_fault, remove_if_there, sync_dir};
use crate::store::{EveryStep, GitStore, Kind, Objects as _};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Sheets whose files stay open.
const OPEN: usize = 128;

/// The sheets of one catalog.
pub(super) struct Index {
    format: ObjectFormat,
    sheets: Vec<SheetFile>,
}

/// One sheet as a file.
pub(super) struct SheetFile {
    id: Oid,
    path: PathBuf,
    layout: Layout,
    file: Option<File>,
}

impl Index {
    /// Opens these sheets in a directory; those that are not there yet are taken out of the store.
    pub(super) fn open(
        dir: &Path,
        store: Option<&GitStore>,
        sheets: &[Oid],
    ) -> Result<Self, ArtifactFault> {
        let Some(store) = store else {
            let format = ObjectFormat::Sha1;
            let sheets = Vec::new();
            return Ok(Self { format, sheets });
        };
        let format = store.object_format();
        let mut index = Self {
            format,
            sheets: Vec::with_capacity(sheets.len()),
        };
        let mut extracted = false;
        for id in sheets {
            let path = dir.join(id.to_hex());
            let keep = index.sheets.len() < OPEN;
            let file = match SheetFile::open(*id, &path, format, keep) {
                Some(file) => file,
                None => {
                    extract(dir, store, id)?;
                    extracted = true;
                    SheetFile::open(*id, &path, format, keep).ok_or_else(|| {
                        let what = format!("`{}` does not stay as it was written", path.display());
                        ArtifactFault::new(Code::Io, what)
                    })?
                }
            };
            index.sheets.push(file);
        }
        if extracted {
            sync_dir(dir)?;
            forget_others(dir, sheets);
        }
        Ok(index)
    }

    /// Removes the files of these sheets that are not what they are named after. A whole one stays: it may be all
    /// that is left of its sheet.
    pub(super) fn discard(
        dir: &Path,
        store: &GitStore,
        sheets: &[Oid],
    ) -> Result<(), ArtifactFault> {
        for id in sheets {
            let path = dir.join(id.to_hex());
            if !is_whole(store, &path, id) {
                remove_if_there(&path)?;
            }
        }
        Ok(())
    }

    /// The sheets and how much is in each.
    pub(super) fn listed(&self) -> Vec<Listed> {
        let listed = self.sheets.iter().map(|sheet| Listed {
            id: sheet.id,
            entries: u64::from(sheet.layout.entries),
            bytes: None,
        });
        listed.collect()
    }

    /// The sheets, and how many bytes each has.
    pub(super) fn sizes(&self) -> impl Iterator<Item = (Oid, u64)> {
        self.sheets
            .iter()
            .map(|sheet| (sheet.id, sheet.layout.total()))
    }

    pub(super) fn sheets(&self) -> &[SheetFile] {
        &self.sheets
    }

    /// Where an artifact's bytes are.
    pub(super) fn find(&self, key: &ContentDigest) -> Result<Option<Record>, ArtifactFault> {
        for sheet in &self.sheets {
            if let Some(entry) = search::find(sheet, key)? {
                return sheet.record(&entry, self.format).map(Some);
            }
        }
        Ok(None)
    }

    /// Whether a file is not the sheet that it is named after.
    pub(super) fn damaged(&self, store: Option<&GitStore>) -> bool {
        store.is_some_and(|store| {
            let mut sheets = self.sheets.iter();
            sheets.any(|sheet| !is_whole(store, &sheet.path, &sheet.id))
        })
    }
}

impl SheetFile {
    /// `None` if the file is not there or cannot be this sheet.
    fn open(id: Oid, path: &Path, format: ObjectFormat, keep: bool) -> Option<Self> {
        let file = File::open(path).ok()?;
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0).ok()?;
        let layout = Layout::parse(format, &header).ok()?;
        let whole = file
            .metadata()
            .is_ok_and(|meta| meta.len() == layout.total());
        whole.then(|| Self {
            id,
            path: path.to_owned(),
            layout,
            file: keep.then_some(file),
        })
    }

    pub(super) fn entries(&self) -> u32 {
        self.layout.entries
    }

    /// Some entries in a row.
    pub(super) fn window(&self, first: u32, count: u32) -> Result<Vec<Entry>, ArtifactFault> {
        let rows = self.rows(first, count)?;
        let entries = rows.chunks_exact(ENTRY).map(|row| self.entry(row));
        entries.collect()
    }

    /// The bytes of some entries in a row.
    pub(super) fn rows(&self, first: u32, count: u32) -> Result<Vec<u8>, ArtifactFault> {
        self.bytes(self.layout.entry_at(first), count as usize * ENTRY)
    }

    /// An entry from its bytes.
    pub(super) fn entry(&self, row: &[u8]) -> Result<Entry, ArtifactFault> {
        Ok(Entry::parse(&self.layout, row)?)
    }

    /// An entry with all that belongs to it.
    fn record(&self, entry: &Entry, format: ObjectFormat) -> Result<Record, ArtifactFault> {
        let at = self.layout.extent_at(entry.first_extent);
        let parts = self.bytes(at, entry.extents as usize * EXTENT)?;
        let mut extents = Vec::with_capacity(entry.extents as usize);
        for row in parts.chunks_exact(EXTENT) {
            let part = Part::parse(&self.layout, row)?;
            let id = self.bytes(self.layout.block_at(part.block), format.id_len())?;
            extents.push(Extent {
                block: Oid::from_bytes(&id).expect("20 or 32 bytes are an id"),
                offset: part.offset,
                length: part.length,
            });
        }
        let at = self.layout.group_at(entry.first_group);
        let groups = self.bytes(at, entry.groups as usize * GROUP)?;
        let groups = groups.chunks_exact(GROUP);
        let record = Record {
            key: entry.key,
            size: entry.size,
            manifest: entry.manifest,
            groups: groups.map(|g| g.try_into().expect("32 bytes")).collect(),
            extents,
        };
        let covered: u64 = record.extents.iter().map(|e| u64::from(e.length)).sum();
        if covered != record.size {
            let (key, size, sheet) = (record.key, record.size, self.id);
            let what = format!(
                "{key}: expected extents of {size} bytes in sheet {sheet}, found {covered}"
            );
            return Err(ArtifactFault::new(Code::SheetMalformed, what));
        }
        Ok(record)
    }

    fn bytes(&self, at: u64, len: usize) -> Result<Vec<u8>, ArtifactFault> {
        let mut bytes = vec![0; len];
        let read = match &self.file {
            Some(file) => file.read_exact_at(&mut bytes, at),
            None => File::open(&self.path).and_then(|file| file.read_exact_at(&mut bytes, at)),
        };
        read.map_err(|err| io_fault("read", &self.path, &err))?;
        Ok(bytes)
    }
}

/// Whether a file is the sheet that it is named after.
fn is_whole(store: &GitStore, path: &Path, id: &Oid) -> bool {
    let bytes = fs::read(path);
    bytes.is_ok_and(|bytes| store.id_of(Kind::Blob, &bytes) == *id)
}

/// Writes a sheet's file, whole or not at all.
fn extract(dir: &Path, store: &GitStore, id: &Oid) -> Result<(), ArtifactFault> {
    let bytes = store.read(id, Kind::Blob, limits::SHEET_BYTES)?;
    Sheet::parse(store.object_format(), &bytes)?;
    for parent in create_dirs(dir)? {
        sync_dir(&parent)?;
    }
    let path = dir.join(id.to_hex());
    let temp = TempFile::create(dir, "tmp_sheet_", &EveryStep)?;
    let written = temp.file().write_all(&bytes);
    written.map_err(|err| io_fault("write", &path, &err))?;
    temp.seal()?;
    Ok(temp.rename_to(&path)?)
}

/// Removes what was made of sheets that are not on the shelf any more. A process that still needs one makes it
/// again.
fn forget_others(dir: &Path, sheets: &[Oid]) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.parse::<Oid>().ok());
        if id.is_some_and(|id| sheets.binary_search(&id).is_err()) {
            fs::remove_file(entry.path()).ok();
        }
    }
}

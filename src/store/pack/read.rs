//! Whole objects out of packs, read piece by piece.
//!
//! gix maps packs into memory, and what was touched counts as the process's: reading a large artifact would seem
//! to need as much memory as it has bytes. Here packs and indexes are read where they are needed, and the
//! declared size of an object is looked at before anything is allocated. Deltas and loose objects are left to
//! [`GitStore`](crate::store::GitStore).

use super::ids::Ids;
use crate::model::{ObjectFormat, Oid};
use crate::store::disk::{io_fault, is_absent};
use crate::store::{Kind, StoreFault};
use flate2::{Decompress, FlushDecompress, Status};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Files that are kept open; a process may open only so many.
const OPEN: usize = 128;

/// Bytes read of a compressed object at a time.
const PIECE: usize = 64 * 1024;

/// The packs of one object directory.
pub struct PackReader {
    dir: PathBuf,
    format: ObjectFormat,
    packs: BTreeMap<PathBuf, Pack>,
    open: usize,
    inflate: Decompress,
}

struct Pack {
    /// What is only in a pack with times may go at any moment: git keeps there what nothing refers to.
    cruft: bool,
    ids: Option<Ids>,
    pack: Option<File>,
}

impl std::fmt::Debug for PackReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PackReader({} packs)", self.packs.len())
    }
}

/// What a pack has for an id.
enum Entry {
    Whole(Vec<u8>),
    /// A delta, another kind, more than was asked for, or damaged: somebody else has to look.
    Other,
}

impl PackReader {
    /// Of the directory `objects/pack`; it need not be there.
    ///
    /// # Errors
    /// `io`.
    pub fn open(dir: &Path, format: ObjectFormat) -> Result<Self, StoreFault> {
        let mut reader = Self {
            dir: dir.to_owned(),
            format,
            packs: BTreeMap::new(),
            open: 0,
            inflate: Decompress::new(true),
        };
        reader.refresh()?;
        Ok(reader)
    }

    /// Looks which packs there are now.
    ///
    /// # Errors
    /// `io`.
    pub fn refresh(&mut self) -> Result<(), StoreFault> {
        let fault = |err| io_fault("list", &self.dir, &err);
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(err) if is_absent(&err) => return Ok(()),
            Err(err) => return Err(fault(err)),
        };
        let mut there = Vec::new();
        for entry in entries {
            let path = entry.map_err(fault)?.path();
            if path.extension().is_some_and(|end| end == "idx") {
                there.push(path);
            }
        }
        self.packs.retain(|path, _| there.contains(path));
        for path in there {
            let cruft = path.with_extension("mtimes").exists();
            if let Some(pack) = self.packs.get_mut(&path) {
                pack.cruft = cruft;
            } else if let Some(pack) = Pack::open(&path, cruft, self.format.id_len()) {
                self.packs.insert(path, pack);
            }
        }
        self.close_some();
        Ok(())
    }

    /// Whether a pack has the object and nothing says that it may go soon. Packs that came since the last look
    /// are not seen.
    pub fn holds(&mut self, id: &Oid) -> bool {
        // What is open may have been removed meanwhile: the name says whether it is still there.
        let found = self
            .packs
            .iter_mut()
            .any(|(path, pack)| !pack.cruft && pack.find(path, id).is_some() && path.exists());
        self.close_some();
        found
    }

    /// The contents of a blob of at most `max` bytes that lies whole in a pack and passes `check`. Every copy is
    /// tried before the answer is `None`, and packs are looked for once more.
    ///
    /// # Errors
    /// `io` if the packs cannot be listed.
    pub fn read(
        &mut self,
        id: &Oid,
        max: u64,
        check: &dyn Fn(&[u8]) -> bool,
    ) -> Result<Option<Vec<u8>>, StoreFault> {
        if let Some(found) = self.read_known(id, max, check) {
            return Ok(Some(found));
        }
        self.refresh()?;
        Ok(self.read_known(id, max, check))
    }

    fn read_known(&mut self, id: &Oid, max: u64, check: &dyn Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
        let mut found = None;
        for (path, pack) in &mut self.packs {
            let Some(offset) = pack.find(path, id) else {
                continue;
            };
            match pack.inflate(path, offset, max, &mut self.inflate) {
                Some(Entry::Whole(bytes)) if check(&bytes) => {
                    found = Some(bytes);
                    break;
                }
                _ => {}
            }
        }
        self.close_some();
        found
    }

    fn close_some(&mut self) {
        let open = |pack: &Pack| usize::from(pack.ids.is_some()) + usize::from(pack.pack.is_some());
        self.open = self.packs.values().map(open).sum();
        if self.open > OPEN {
            for pack in self.packs.values_mut() {
                (pack.ids, pack.pack) = (None, None);
            }
        }
    }
}

impl Pack {
    /// `None` for an index that is of no use.
    fn open(path: &Path, cruft: bool, len: usize) -> Option<Self> {
        let ids = Some(Ids::open(path, len)?);
        Some(Self {
            cruft,
            ids,
            pack: None,
        })
    }

    /// Where the entry of an id starts in the pack.
    fn find(&mut self, path: &Path, id: &Oid) -> Option<u64> {
        if self.ids.is_none() {
            self.ids = Ids::open(path, id.as_bytes().len());
        }
        self.ids.as_ref()?.offset(id)
    }

    fn inflate(
        &mut self,
        path: &Path,
        offset: u64,
        max: u64,
        inflate: &mut Decompress,
    ) -> Option<Entry> {
        if self.pack.is_none() {
            self.pack = File::open(path.with_extension("pack")).ok();
        }
        let pack = self.pack.as_ref()?;
        let mut piece = vec![0; PIECE];
        let mut filled = read_some(pack, &mut piece, offset)?;
        let (kind, size, header) = super::parse_entry_header(&piece[..filled])?;
        if kind != Kind::Blob || size > max {
            return Some(Entry::Other);
        }
        // One byte more, so that a stream that goes on is seen.
        let mut out = vec![0; size as usize + 1];
        let (mut from, mut next) = (header, offset + filled as u64);
        inflate.reset(true);
        loop {
            let (used, made) = (inflate.total_in(), inflate.total_out() as usize);
            let step = inflate.decompress(
                &piece[from..filled],
                &mut out[made..],
                FlushDecompress::None,
            );
            from += (inflate.total_in() - used) as usize;
            match step.ok()? {
                Status::StreamEnd => break,
                _ if inflate.total_out() > size => return None,
                _ if from < filled && inflate.total_in() > used => {}
                _ if from < filled => return None,
                _ => {
                    filled = read_some(pack, &mut piece, next)?;
                    (from, next) = (0, next + filled as u64);
                }
            }
        }
        if inflate.total_out() != size {
            return None;
        }
        out.truncate(size as usize);
        Some(Entry::Whole(out))
    }
}

/// Reads what there is, at least a byte.
fn read_some(file: &File, into: &mut [u8], at: u64) -> Option<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match file.read_at(&mut into[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(some) => filled += some,
            Err(err) if err.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    (filled > 0).then_some(filled)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;

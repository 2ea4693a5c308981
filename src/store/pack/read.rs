//! Whole objects out of packs, read piece by piece.
//!
//! gix maps packs into memory, and what was touched counts as the process's: reading a large artifact would seem
//! to need as much memory as it has bytes. Here packs and indexes are read where they are needed, and the
//! declared size of an object is looked at before anything is allocated. Deltas and loose objects are left to
//! [`GitStore`](crate::store::GitStore).

use super::idx::TABLES;
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

/// Bytes of ids that are read at a time once a look-up has come so far.
const WINDOW: usize = 4096;

/// The packs of one object directory.
pub struct PackReader {
    dir: PathBuf,
    format: ObjectFormat,
    packs: BTreeMap<PathBuf, Pack>,
    open: usize,
    inflate: Decompress,
}

struct Pack {
    /// Running counts of ids by their first byte.
    fan: Vec<u32>,
    /// What is only in a pack with times may go at any moment: git keeps there what nothing refers to.
    cruft: bool,
    index: Option<File>,
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
            } else if let Some(pack) = Pack::open(&path, cruft) {
                self.packs.insert(path, pack);
            }
        }
        self.close_some();
        Ok(())
    }

    /// Whether a pack has the object and nothing says that it may go soon. Packs that came since the last look
    /// are not seen.
    pub fn holds(&mut self, id: &Oid) -> bool {
        let len = self.format.id_len();
        // What is open may have been removed meanwhile: the name says whether it is still there.
        let found = self
            .packs
            .iter_mut()
            .any(|(path, pack)| !pack.cruft && pack.find(path, id, len).is_some() && path.exists());
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
        let len = self.format.id_len();
        let mut found = None;
        for (path, pack) in &mut self.packs {
            let Some(offset) = pack.find(path, id, len) else {
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
        let open =
            |pack: &Pack| usize::from(pack.index.is_some()) + usize::from(pack.pack.is_some());
        self.open = self.packs.values().map(open).sum();
        if self.open > OPEN {
            for pack in self.packs.values_mut() {
                (pack.index, pack.pack) = (None, None);
            }
        }
    }
}

impl Pack {
    /// `None` for an index that is of no use, which is not for us to judge.
    fn open(path: &Path, cruft: bool) -> Option<Self> {
        let index = File::open(path).ok()?;
        let mut head = vec![0; TABLES];
        index.read_exact_at(&mut head, 0).ok()?;
        let words = head.strip_prefix(super::idx::MAGIC.as_slice())?;
        let fan: Vec<u32> = words
            .chunks_exact(4)
            .map(|word| u32::from_be_bytes(word.try_into().expect("4 bytes")))
            .collect();
        fan.is_sorted().then_some(Self {
            fan,
            cruft,
            index: Some(index),
            pack: None,
        })
    }

    /// Where the entry of an id starts in the pack.
    fn find(&mut self, path: &Path, id: &Oid, len: usize) -> Option<u64> {
        let first = usize::from(id.as_bytes()[0]);
        let mut low = if first == 0 { 0 } else { self.fan[first - 1] };
        let mut high = self.fan[first];
        if low == high {
            return None;
        }
        if self.index.is_none() {
            self.index = File::open(path).ok();
        }
        let index = self.index.as_ref()?;
        let at = |n: u32| (TABLES + n as usize * len) as u64;
        let mut one = [0; 32];
        while (high - low) as usize * len > WINDOW {
            let middle = low + (high - low) / 2;
            index.read_exact_at(&mut one[..len], at(middle)).ok()?;
            match one[..len] <= *id.as_bytes() {
                true => low = middle,
                false => high = middle,
            }
        }
        let mut window = [0; WINDOW];
        let window = &mut window[..(high - low) as usize * len];
        index.read_exact_at(window, at(low)).ok()?;
        let nth = window
            .chunks_exact(len)
            .position(|other| other == id.as_bytes())?;
        self.offset(low + nth as u32, len)
    }

    fn offset(&self, n: u32, len: usize) -> Option<u64> {
        let index = self.index.as_ref()?;
        let count = self.fan[255] as usize;
        let offsets = TABLES + count * (len + 4);
        let mut word = [0; 4];
        index
            .read_exact_at(&mut word, (offsets + n as usize * 4) as u64)
            .ok()?;
        let small = u32::from_be_bytes(word);
        if small < 1 << 31 {
            return Some(u64::from(small));
        }
        let nth = (small & !(1 << 31)) as usize;
        let mut large = [0; 8];
        index
            .read_exact_at(&mut large, (offsets + count * 4 + nth * 8) as u64)
            .ok()?;
        Some(u64::from_be_bytes(large))
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

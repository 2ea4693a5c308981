//! A pack whose objects come one after the other, compressed already: neither all of them nor their number need be
//! known before.

use super::complete::Complete;
use super::idx::Placed;
use super::{checksum, entry_header};
use crate::model::{Code, ObjectFormat, Oid};
use crate::store::disk::{TempFile, create_dirs, io_fault, sync_dir};
use crate::store::{Kind, Steps, StoreFault};
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// A pack being written.
pub struct PackStream<'a> {
    dir: PathBuf,
    format: ObjectFormat,
    out: BufWriter<File>,
    temp: TempFile<'a>,
    offset: u64,
    placed: Vec<Placed>,
    ids: HashSet<Oid>,
    steps: &'a dyn Steps,
}

impl<'a> PackStream<'a> {
    /// Starts one in the directory `objects/pack`.
    ///
    /// # Errors
    /// `io`.
    pub fn create(
        dir: &Path,
        format: ObjectFormat,
        steps: &'a dyn Steps,
    ) -> Result<Self, StoreFault> {
        steps.step("pack-write")?;
        for parent in create_dirs(dir)? {
            sync_dir(&parent)?;
        }
        let temp = TempFile::create(dir, "tmp_pack_", steps)?;
        let out = temp.file().try_clone();
        let out = out.map_err(|err| io_fault("write in", dir, &err))?;
        let mut stream = Self {
            dir: dir.to_owned(),
            format,
            out: BufWriter::with_capacity(1 << 18, out),
            temp,
            offset: 0,
            placed: Vec::new(),
            ids: HashSet::new(),
            steps,
        };
        // The number of objects is filled in at the end.
        stream.put(b"PACK\0\0\0\x02\0\0\0\0")?;
        Ok(stream)
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.offset
    }

    /// How many objects so far.
    pub fn count(&self) -> usize {
        self.placed.len()
    }

    /// Whether it has that object.
    pub fn holds(&self, id: &Oid) -> bool {
        self.ids.contains(id)
    }

    /// Adds an object of `size` bytes, of which `packed` is the zlib stream. One that is there is left out.
    ///
    /// # Errors
    /// `io`.
    pub fn add(&mut self, id: Oid, kind: Kind, size: u64, packed: &[u8]) -> Result<(), StoreFault> {
        if !self.ids.insert(id) {
            return Ok(());
        }
        let offset = self.offset;
        let header = entry_header(kind, size);
        let mut crc = flate2::Crc::new();
        for part in [&header, packed] {
            crc.update(part);
            self.put(part)?;
        }
        let crc = crc.sum();
        self.placed.push(Placed { id, offset, crc });
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), StoreFault> {
        self.offset += bytes.len() as u64;
        let written = self.out.write_all(bytes);
        written.map_err(|err| io_fault("write in", &self.dir, &err))
    }

    /// Seals pack and index and gives them their names: when it returns, the objects are there and survive a crash.
    ///
    /// # Errors
    /// `io`, `too-large` for more than 2^32 objects, and whatever the steps refuse with.
    pub fn finish(self) -> Result<(), StoreFault> {
        let Self {
            dir,
            format,
            mut out,
            temp,
            offset,
            placed,
            steps,
            ..
        } = self;
        let count = u32::try_from(placed.len())
            .map_err(|_| StoreFault::new(Code::TooLarge, "a pack holds at most 2^32 objects"))?;
        let fault = |err| io_fault("write in", &dir, &err);
        out.flush().map_err(fault)?;
        let file = temp.file();
        file.write_all_at(&count.to_be_bytes(), 8).map_err(fault)?;
        // The checksum covers the number of objects, so the pack is read once more; it is in the system's cache.
        let sum = checksum::of_file(temp.path(), offset, format)?;
        file.write_all_at(sum.as_bytes(), offset).map_err(fault)?;
        Complete::new(&dir, format, temp, placed, sum, steps)?
            .seal()
            .map(drop)
    }
}

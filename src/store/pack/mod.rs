//! Our own packs: written durably in one go, versions of one thing as deltas of each other.
//!
//! gix writes packs without syncing them, and one loose file per object costs a sync each. A pack of
//! ours is an ordinary one to git: `pack-<checksum>.pack` and `.idx` version 2, read-only.

mod apart;
mod checksum;
mod complete;
mod delta;
mod direct;
pub mod filter;
mod ids;
mod idx;
mod likeness;
mod lineage;
mod merge;
pub mod mtimes;
mod packer;
mod parcel;
mod read;
mod reverse;
mod source;
mod stream;
mod tighten;
mod zip;

pub use direct::DirectReader;
pub use ids::Ids;
pub use lineage::{Met, Walk};
pub use merge::{Class, LARGE, SMALL, consolidate, is_due};
pub use parcel::{Parcel, Shared, prepare};
pub use read::PackReader;
pub use stream::PackStream;
pub use tighten::{Newest, tighten};
pub use zip::{Effort, Zip, is_even};

use super::disk::{Pieces, TempFile, create_dirs, io_fault, sync_dir};
use super::{Kind, Steps, StoreFault};
use crate::model::{Code, ObjectFormat, Oid};
use complete::Complete;
use packer::{Entries, Packer};
use source::{Head, HeadBase};
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Deltas that a reader has to go through at most for an object of a batch. Each costs reading as much as a small
/// object does; the collector packs for years and goes further.
const BATCH_DEPTH: u8 = 8;

/// An object to pack.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its id, which must be that of the contents.
    pub id: Oid,
    /// Its kind.
    pub kind: Kind,
    /// Its contents.
    pub bytes: &'a [u8],
}

/// Writes these objects as one pack into the directory `objects/pack`, each once. When it returns, they
/// survive a crash. Without objects it writes nothing.
///
/// # Errors
/// `io`, and whatever `steps` refuses with. After an error the directory holds no half-written pack that
/// git would look at.
pub fn write(
    dir: &Path,
    format: ObjectFormat,
    objects: &[Entry<'_>],
    steps: &dyn Steps,
) -> Result<(), StoreFault> {
    let mut seen = HashSet::with_capacity(objects.len());
    let mut entries: Vec<&Entry<'_>> = objects.iter().filter(|e| seen.insert(e.id)).collect();
    if entries.is_empty() {
        return Ok(());
    }
    // As git does: what a walk through the history reads lies together.
    entries.sort_by_key(|entry| order(entry.kind));
    let writer = Writer::create(dir, format, entries.len(), steps)?;
    let mut packer = Packer::new(writer, entries.len(), BATCH_DEPTH);
    let mut zip = Zip::new();
    for some in entries.chunks(zip::AT_ONCE) {
        let items = some.iter().map(|Entry { id, kind, bytes }| {
            packer.plan(format, (*id, *kind, bytes), |n| entries[n as usize].bytes)
        });
        let items: Vec<_> = items.collect();
        packer.write(&mut zip, &items)?;
    }
    packer.into_entries().finish().map(drop)
}

/// Commits and trees are signatures and ids for the most part: a seventh would be gained, and both writing and reading
/// them would take twice as long.
fn effort(kind: Kind) -> Effort {
    match kind {
        Kind::Commit | Kind::Tree => Effort::Dense,
        Kind::Blob | Kind::Tag => Effort::Usual,
    }
}

fn order(kind: Kind) -> u8 {
    match kind {
        Kind::Commit => 0,
        Kind::Tag => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
    }
}

/// Kind and size as a pack has them before the compressed bytes.
fn entry_header(kind: Kind, size: u64) -> Vec<u8> {
    let kind = match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    };
    sized_header(kind, size)
}

fn sized_header(kind: u8, size: u64) -> Vec<u8> {
    let mut header = Vec::with_capacity(16);
    let mut byte = kind << 4 | (size & 0x0f) as u8;
    let mut rest = size >> 4;
    while rest > 0 {
        header.push(byte | 0x80);
        byte = (rest & 0x7f) as u8;
        rest >>= 7;
    }
    header.push(byte);
    header
}

/// Kind and size of a whole object, and how many bytes say so; `None` for a delta or what is no entry.
fn parse_entry_header(bytes: &[u8]) -> Option<(Kind, u64, usize)> {
    let head = parse_entry_head(bytes)?;
    match head.base {
        HeadBase::Whole(kind) => Some((kind, head.size, head.len)),
        _ => None,
    }
}

/// What an entry says before its stream, or before the id of its base; `None` for what is no entry.
fn parse_entry_head(bytes: &[u8]) -> Option<Head> {
    let (mut byte, mut at) = (*bytes.first()?, 1);
    let kind = byte >> 4 & 7;
    let (mut size, mut shift) = (u64::from(byte & 0x0f), 4);
    while byte & 0x80 != 0 {
        byte = *bytes.get(at)?;
        if shift > 56 {
            return None;
        }
        size |= u64::from(byte & 0x7f) << shift;
        (at, shift) = (at + 1, shift + 7);
    }
    let base = match kind {
        1 => HeadBase::Whole(Kind::Commit),
        2 => HeadBase::Whole(Kind::Tree),
        3 => HeadBase::Whole(Kind::Blob),
        4 => HeadBase::Whole(Kind::Tag),
        6 => {
            byte = *bytes.get(at)?;
            let mut back = u64::from(byte & 0x7f);
            at += 1;
            while byte & 0x80 != 0 {
                byte = *bytes.get(at)?;
                back = (back + 1).checked_mul(0x80)? | u64::from(byte & 0x7f);
                at += 1;
            }
            HeadBase::Back(back)
        }
        7 => HeadBase::Named,
        _ => return None,
    };
    let len = at;
    Some(Head { base, size, len })
}

/// A pack being written.
struct Writer<'a> {
    dir: PathBuf,
    format: ObjectFormat,
    out: BufWriter<Pieces<File>>,
    temp: TempFile<'a>,
    hash: checksum::Sum,
    offset: u64,
    placed: Vec<idx::Placed>,
    steps: &'a dyn Steps,
}

impl<'a> Writer<'a> {
    fn create(
        dir: &Path,
        format: ObjectFormat,
        count: usize,
        steps: &'a dyn Steps,
    ) -> Result<Self, StoreFault> {
        let count = u32::try_from(count)
            .map_err(|_| StoreFault::new(Code::TooLarge, "a pack holds at most 2^32 objects"))?;
        steps.step("pack-write")?;
        for parent in create_dirs(dir)? {
            sync_dir(&parent)?;
        }
        let temp = TempFile::create(dir, "tmp_pack_", steps)?;
        let out = temp
            .file()
            .try_clone()
            .map_err(|err| io_fault("write in", dir, &err))?;
        let mut writer = Self {
            dir: dir.to_owned(),
            format,
            out: BufWriter::with_capacity(1 << 18, Pieces(out)),
            temp,
            hash: checksum::Sum::new(format),
            offset: 0,
            placed: Vec::with_capacity(count as usize),
            steps,
        };
        writer.put(b"PACK\0\0\0\x02")?;
        writer.put(&count.to_be_bytes())?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), StoreFault> {
        self.hash.update(bytes);
        self.offset += bytes.len() as u64;
        let written = self.out.write_all(bytes);
        written.map_err(|err| io_fault("write in", &self.dir, &err))
    }

    /// Adds an entry: its header and its compressed bytes, in as many parts as they come.
    fn add(&mut self, id: Oid, parts: &[&[u8]]) -> Result<(), StoreFault> {
        let offset = self.offset;
        let mut crc = flate2::Crc::new();
        for part in parts {
            crc.update(part);
            self.put(part)?;
        }
        let crc = crc.sum();
        self.placed.push(idx::Placed { id, offset, crc });
        Ok(())
    }

    /// Completes pack and index and gives them their names.
    fn finish(self) -> Result<PathBuf, StoreFault> {
        self.complete()?.seal()
    }

    /// Completes the pack and writes its index.
    fn complete(self) -> Result<Complete<'a>, StoreFault> {
        let Self {
            dir,
            format,
            mut out,
            temp,
            hash,
            placed,
            steps,
            ..
        } = self;
        let checksum = hash.finish()?;
        let written = out
            .write_all(checksum.as_bytes())
            .and_then(|()| out.flush());
        written.map_err(|err| io_fault("write in", &dir, &err))?;
        Complete::new(&dir, format, temp, placed, checksum, steps)
    }
}

impl Entries for Writer<'_> {
    fn offset(&self) -> u64 {
        self.offset
    }

    fn add(&mut self, id: Oid, parts: &[&[u8]]) -> Result<(), StoreFault> {
        Writer::add(self, id, parts)
    }
}

#[cfg(test)]
mod tests;

//! Our own packs: whole objects, no deltas, written durably in one go.
//!
//! gix writes packs without syncing them, and one loose file per object costs a sync each. A pack of
//! ours is an ordinary one to git: `pack-<checksum>.pack` and `.idx` version 2, read-only.

mod checksum;
mod delta;
mod direct;
pub mod filter;
mod ids;
mod idx;
mod merge;
pub mod mtimes;
mod read;
mod stream;
mod zip;

pub use direct::DirectReader;
pub use ids::Ids;
pub use merge::consolidate;
pub use read::PackReader;
pub use stream::PackStream;
pub use zip::{Effort, Zip, is_even};

use super::disk::{TempFile, create_dirs, io_fault, remove_if_there, sync_dir};
use super::git::Hasher;
use super::{Kind, Steps, StoreFault};
use crate::model::{Code, ObjectFormat, Oid};
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

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
    let mut writer = Writer::create(dir, format, entries.len(), steps)?;
    let mut zip = zip::Zip::new();
    for some in entries.chunks(zip::AT_ONCE) {
        let contents = some.iter().map(|entry| (entry.bytes, effort(entry.kind)));
        let contents: Vec<_> = contents.collect();
        zip.pack_each(&contents, |at, packed| {
            let Entry { id, kind, bytes } = some[at];
            debug_assert_eq!(*id, super::git::object_id(format, *kind, bytes));
            let header = entry_header(*kind, bytes.len() as u64);
            writer.add(*id, &[&header, packed])
        })?;
    }
    writer.finish().map(drop)
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
        Kind::Tag => 4u8,
    };
    let mut header = Vec::with_capacity(10);
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
    let (mut byte, mut at) = (*bytes.first()?, 1);
    let kind = match byte >> 4 & 7 {
        1 => Kind::Commit,
        2 => Kind::Tree,
        3 => Kind::Blob,
        4 => Kind::Tag,
        _ => return None,
    };
    let (mut size, mut shift) = (u64::from(byte & 0x0f), 4);
    while byte & 0x80 != 0 {
        byte = *bytes.get(at)?;
        if shift > 56 {
            return None;
        }
        size |= u64::from(byte & 0x7f) << shift;
        (at, shift) = (at + 1, shift + 7);
    }
    Some((kind, size, at))
}

/// A pack being written.
struct Writer<'a> {
    dir: &'a Path,
    format: ObjectFormat,
    out: BufWriter<File>,
    temp: TempFile<'a>,
    hash: Hasher,
    offset: u64,
    placed: Vec<idx::Placed>,
    steps: &'a dyn Steps,
}

impl<'a> Writer<'a> {
    fn create(
        dir: &'a Path,
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
            dir,
            format,
            out: BufWriter::with_capacity(1 << 18, out),
            temp,
            hash: Hasher::new(format),
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
        written.map_err(|err| io_fault("write in", self.dir, &err))
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

    /// Seals pack and index and gives them their names.
    fn finish(self) -> Result<PathBuf, StoreFault> {
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
        let write_fault = |err| io_fault("write in", dir, &err);
        let checksum = hash.finish()?;
        out.write_all(checksum.as_bytes())
            .and_then(|()| out.flush())
            .map_err(write_fault)?;
        seal(dir, format, temp, placed, &checksum, steps)
    }
}

/// Writes the index of a pack that is complete, seals both and gives them their names.
fn seal(
    dir: &Path,
    format: ObjectFormat,
    pack: TempFile<'_>,
    mut placed: Vec<idx::Placed>,
    checksum: &Oid,
    steps: &dyn Steps,
) -> Result<PathBuf, StoreFault> {
    placed.sort_by_key(|placed| placed.id);
    let index = TempFile::create(dir, "tmp_idx_", steps)?;
    let bytes = idx::encode(format, &placed, checksum)?;
    let written = index.file().write_all(&bytes);
    written.map_err(|err| io_fault("write in", dir, &err))?;
    // A crash so far leaves files that nobody looks at, and that `git gc` removes by their names.
    steps.step("pack-sync")?;
    pack.seal()?;
    steps.step("idx-sync")?;
    index.seal()?;
    let name = |extension: &str| dir.join(format!("pack-{checksum}.{extension}"));
    steps.step("pack-rename")?;
    pack.rename_to(&name("pack"))?;
    // A crash here leaves a pack without index: garbage to git, which finds packs by their indexes.
    // Writing the same objects again gives it its index.
    steps.step("idx-rename")?;
    index.rename_to(&name("idx"))?;
    // The same objects may have been put aside in a pack of this very name: they count again.
    remove_if_there(&name("mtimes"))?;
    // Visible now; durable when the directory is.
    steps.step("pack-dir-sync")?;
    sync_dir(dir)?;
    // A crash here loses the answer only. Nothing refers to the objects yet.
    steps.step("pack-done")?;
    Ok(name("pack"))
}

#[cfg(test)]
mod tests;

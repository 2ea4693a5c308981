//! Housekeeping: many packs become few.
//!
//! Every write makes a pack, and a repository with many packs is slow to open and to search. Entries are
//! copied as they are, deltas too, so the pause is that of copying a bounded number of bytes. [`SMALL`] packs are merged
//! by the command that notices them, [`LARGE`] ones by a process that nobody waits for; what is larger still is left
//! to the collector, which makes one pack of them all. No pack is both, so the two may be at work at the same time.
//!
//! Packs that have a companion file which gives them a meaning (`.keep`, `.promisor`, `.mtimes`, `.bitmap`), or that
//! are in a multi-pack index, stay as they are. Of all others it does not matter who wrote them.

use super::Writer;
use super::packer::delta_header;
use super::source::{Shape, Source};
use crate::model::{ObjectFormat, Oid};
use crate::store::disk::{read_if_there, remove_if_there, sync_dir};
use crate::store::git::packs::PackNames;
use crate::store::{Steps, StoreFault};
use std::fs;
use std::path::{Path, PathBuf};

/// Which packs are merged, and how much of them in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// Packs of more bytes than this,
    pub(super) above: u64,
    /// and at most so many.
    pub(super) largest: u64,
    /// As many of them are left alone.
    pub(super) tolerated: usize,
    /// Bytes merged in one go, at most.
    pub(super) at_once: u64,
}

impl Class {
    /// Whether a pack of so many bytes is one of these.
    pub(super) fn has(&self, bytes: u64) -> bool {
        bytes > self.above && bytes <= self.largest
    }
}

const MIB: u64 = 1024 * 1024;

/// What a command waits for.
pub const SMALL: Class = Class {
    above: 0,
    largest: 8 * MIB,
    tolerated: 10,
    at_once: 16 * MIB,
};

/// What nobody waits for. More at once would take too much memory: some 150 bytes for each object.
pub const LARGE: Class = Class {
    above: SMALL.largest,
    largest: 512 * MIB,
    tolerated: 4,
    at_once: 1024 * MIB,
};

/// Entries after which it is asked whether to go on.
const ASK: usize = 1024;

/// Packs with one of these beside them mean something that a merge would lose.
const COMPANIONS: [&str; 4] = ["keep", "promisor", "mtimes", "bitmap"];

/// Merges the smallest packs of a class in the directory `objects/pack` into one, if there are more of them than it
/// tolerates; returns how many were merged, which is none for who is told not to `go_on`. Nobody else may do it at the same
/// time. Readers that had one of the old packs in view look again when they miss it, git and gix alike.
///
/// # Errors
/// `io`; `object-damaged` if an entry is not what its index says, and then nothing is changed.
pub fn consolidate(
    dir: &Path,
    format: ObjectFormat,
    class: &Class,
    steps: &dyn Steps,
    go_on: &dyn Fn() -> bool,
) -> Result<usize, StoreFault> {
    let packs = list(dir, class)?;
    let sizes: Vec<u64> = packs.iter().map(|(size, _)| *size).collect();
    let mut ours = Vec::new();
    for (_, path) in &packs[..choose(&sizes, class)] {
        ours.extend(Source::open(path, format)?);
    }
    if ours.len() < 2 {
        return Ok(0);
    }
    let Some(kept) = merge(dir, format, &mut ours, steps, go_on)? else {
        return Ok(0);
    };
    // The new pack is durable and visible. A crash from here on leaves some objects in two packs, and
    // the next run goes on; an index goes before its pack, so that no index is without one.
    for path in ours.iter().map(Source::path).filter(|path| **path != kept) {
        steps.step("old-idx-remove")?;
        remove_if_there(&path.with_extension("idx"))?;
        remove_if_there(&path.with_extension("rev"))?;
        steps.step("old-pack-remove")?;
        remove_if_there(path)?;
    }
    sync_dir(dir)?;
    Ok(ours.len())
}

/// Whether there are more packs of a class than it tolerates.
///
/// # Errors
/// `io`.
pub fn is_due(dir: &Path, class: &Class) -> Result<bool, StoreFault> {
    Ok(list(dir, class)?.len() > class.tolerated)
}

/// Candidates, smallest first: packs with an index, of the right size, without companions, in no
/// multi-pack index. None, where there are no more than are tolerated.
fn list(dir: &Path, class: &Class) -> Result<Vec<(u64, PathBuf)>, StoreFault> {
    let names = PackNames::read(dir)?;
    if names.packs().count() <= class.tolerated {
        return Ok(Vec::new());
    }
    let named = read_if_there(&dir.join("multi-pack-index"))?.unwrap_or_default();
    let mut found = Vec::new();
    if dir.join("multi-pack-index.d").exists() {
        // Incremental ones: git's own maintenance is at work here, and better at it.
        return Ok(found);
    }
    for pack in names.packs() {
        let index = pack.with_extension("idx");
        let index = index.as_os_str().as_encoded_bytes();
        let special = || COMPANIONS.iter().any(|end| names.has(pack, end));
        let in_multi = || named.windows(index.len()).any(|part| part == index);
        if special() || in_multi() {
            continue;
        }
        let path = dir.join(pack);
        // Gone meanwhile: somebody else repacked.
        let Ok(meta) = fs::metadata(&path) else {
            continue;
        };
        if class.has(meta.len()) {
            found.push((meta.len(), path));
        }
    }
    found.sort();
    Ok(found)
}

/// How many of the packs, smallest first, to merge: so many that each pack left is at least twice as
/// large as the one before it, so that every object is copied a logarithmic number of times only.
pub(super) fn choose(sizes: &[u64], class: &Class) -> usize {
    if sizes.len() <= class.tolerated {
        return 0;
    }
    let mut split = sizes.len();
    while split > 1 && sizes[split - 1] >= 2 * sizes[split - 2] {
        split -= 1;
    }
    let mut total: u64 = sizes[..split].iter().sum();
    while split < sizes.len() && sizes[split] < 2 * total {
        total += sizes[split];
        split += 1;
    }
    while split > 0 && total > class.at_once {
        split -= 1;
        total -= sizes[split];
    }
    // A progression that is too long: the smallest of it cost next to nothing.
    let too_many = sizes.len() - class.tolerated + 1;
    if split < too_many && sizes[..too_many].iter().sum::<u64>() <= class.at_once {
        return too_many;
    }
    // One pack alone needs no merging.
    if split < 2 { 0 } else { split }
}

/// Where in the new pack each object begins, by its place among all ids. Lists take less memory than a map, and there
/// may be millions.
struct Written {
    ids: Vec<Oid>,
    /// Nothing begins at 0: a pack has a header.
    offsets: Vec<u64>,
}

impl Written {
    fn new(packs: &[Source]) -> Self {
        let count = packs.iter().map(Source::len).sum();
        let mut ids: Vec<Oid> = Vec::with_capacity(count);
        for pack in packs {
            ids.extend((0..pack.len() as u32).map(|n| pack.id(n)));
        }
        ids.sort_unstable();
        ids.dedup();
        let offsets = vec![0; ids.len()];
        Self { ids, offsets }
    }

    fn place(&self, id: &Oid) -> usize {
        let found = self.ids.binary_search(id);
        found.expect("every id of every pack is among them")
    }

    fn offset(&self, id: &Oid) -> Option<u64> {
        Some(self.offsets[self.place(id)]).filter(|offset| *offset > 0)
    }

    fn put(&mut self, id: &Oid, offset: u64) {
        let place = self.place(id);
        self.offsets[place] = offset;
    }
}

/// Writes one pack of what is in these; returns its path, or nothing if it was not to go on.
fn merge(
    dir: &Path,
    format: ObjectFormat,
    packs: &mut [Source],
    steps: &dyn Steps,
    go_on: &dyn Fn() -> bool,
) -> Result<Option<PathBuf>, StoreFault> {
    let mut written = Written::new(packs);
    let mut writer = Writer::create(dir, format, written.ids.len(), steps)?;
    for pack in packs {
        for n in 0..pack.len() as u32 {
            if (n as usize).is_multiple_of(ASK) && !go_on() {
                return Ok(None);
            }
            copy(pack, n, &mut writer, &mut written)?;
        }
    }
    writer.finish().map(Some)
}

/// Copies an entry, and before it what it is a delta of, unless they are there.
fn copy(
    pack: &mut Source,
    n: u32,
    writer: &mut Writer<'_>,
    written: &mut Written,
) -> Result<(), StoreFault> {
    let mut waiting = vec![n];
    while let Some(n) = waiting.last().copied() {
        let id = pack.id(n);
        if written.offset(&id).is_some() {
            waiting.pop();
            continue;
        }
        let entry = pack.entry(n)?;
        let offset = writer.offset;
        match entry.shape {
            Shape::Whole(_) => writer.add(id, &[&entry.raw])?,
            Shape::Delta(base) => match written.offset(&pack.id(base)) {
                Some(at) => {
                    let header = delta_header(entry.size, offset - at);
                    writer.add(id, &[&header, &entry.raw[entry.head..]])?;
                }
                // A chain that bites its tail, in a damaged pack, is longer than the pack.
                None if waiting.len() > pack.len() => return Err(pack.damaged(n)),
                None => {
                    waiting.push(base);
                    continue;
                }
            },
        }
        written.put(&id, offset);
        waiting.pop();
    }
    Ok(())
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;

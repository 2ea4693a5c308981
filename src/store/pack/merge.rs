//! Housekeeping: many small packs become one.
//!
//! Every write makes a pack, and a repository with many packs is slow to open and to search. Entries are
//! copied as they are, deltas too, so the pause is that of copying a bounded number of bytes. Packs that have
//! become too large for that are left to the collector, which makes one of them all.
//!
//! Packs that have a companion file which gives them a meaning (`.keep`, `.promisor`, `.mtimes`, `.bitmap`), or that
//! are in a multi-pack index, stay as they are. Of all others it does not matter who wrote them.

use super::Writer;
use super::packer::delta_header;
use super::source::{Shape, Source};
use crate::model::{ObjectFormat, Oid};
use crate::store::disk::{io_fault, read_if_there, remove_if_there, sync_dir};
use crate::store::{Steps, StoreFault};
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// As many packs of ours are left alone.
const TOLERATED: usize = 16;

/// Bytes merged in one go, at most: a command waits for it.
const AT_ONCE: u64 = 16 * 1024 * 1024;

/// Larger packs cannot be merged with their like in one go.
const LARGEST: u64 = AT_ONCE / 2;

/// Packs with one of these beside them mean something that a merge would lose.
const COMPANIONS: [&str; 4] = ["keep", "promisor", "mtimes", "bitmap"];

/// Merges the smallest packs in the directory `objects/pack` into one, if there are more than 16 of at most 8 MiB;
/// returns how many were merged. The file `lock` is held meanwhile; who finds it held
/// returns 0. Readers that had one of the old packs in view look again when they miss it, git and gix
/// alike.
///
/// # Errors
/// `io`; `object-damaged` if an entry is not what its index says, and then nothing is changed.
pub fn consolidate(
    dir: &Path,
    lock: &Path,
    format: ObjectFormat,
    steps: &dyn Steps,
) -> Result<usize, StoreFault> {
    let packs = list(dir)?;
    if packs.len() <= TOLERATED {
        return Ok(0);
    }
    let lock_file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(lock);
    let lock_file = lock_file.map_err(|err| io_fault("open", lock, &err))?;
    match lock_file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(0),
        Err(TryLockError::Error(err)) => return Err(io_fault("lock", lock, &err)),
    }
    let packs = list(dir)?;
    let sizes: Vec<u64> = packs.iter().map(|(size, _)| *size).collect();
    let mut ours = Vec::new();
    for (_, path) in &packs[..choose(&sizes)] {
        ours.extend(Source::open(path, format)?);
    }
    if ours.len() < 2 {
        return Ok(0);
    }
    let kept = merge(dir, format, &mut ours, steps)?;
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

/// Candidates, smallest first: packs with an index, not too large, without companions, in no
/// multi-pack index.
fn list(dir: &Path) -> Result<Vec<(u64, PathBuf)>, StoreFault> {
    let fault = |err| io_fault("list", dir, &err);
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.extension().is_some_and(|end| end == "pack") {
            paths.push(path);
        }
    }
    if paths.len() <= TOLERATED {
        return Ok(Vec::new());
    }
    let named = read_if_there(&dir.join("multi-pack-index"))?.unwrap_or_default();
    let mut found = Vec::new();
    if dir.join("multi-pack-index.d").exists() {
        // Incremental ones: git's own maintenance is at work here, and better at it.
        return Ok(found);
    }
    for path in paths {
        let index = path.with_extension("idx");
        let Some(name) = index.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let special = || COMPANIONS.iter().any(|e| path.with_extension(e).exists());
        let in_multi = || {
            named
                .windows(name.len())
                .any(|part| part == name.as_bytes())
        };
        if !index.exists() || special() || in_multi() {
            continue;
        }
        // Gone meanwhile: somebody else repacked.
        let Ok(meta) = fs::metadata(&path) else {
            continue;
        };
        if meta.len() <= LARGEST {
            found.push((meta.len(), path));
        }
    }
    found.sort();
    Ok(found)
}

/// How many of the packs, smallest first, to merge: so many that each pack left is at least twice as
/// large as the one before it, so that every object is copied a logarithmic number of times only.
pub(super) fn choose(sizes: &[u64]) -> usize {
    if sizes.len() <= TOLERATED {
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
    while split > 0 && total > AT_ONCE {
        split -= 1;
        total -= sizes[split];
    }
    // One pack alone needs no merging.
    if split < 2 { 0 } else { split }
}

/// Writes one pack of what is in these; returns its path.
fn merge(
    dir: &Path,
    format: ObjectFormat,
    packs: &mut [Source],
    steps: &dyn Steps,
) -> Result<PathBuf, StoreFault> {
    let ids = |pack: &Source| {
        (0..pack.len() as u32)
            .map(|n| pack.id(n))
            .collect::<Vec<_>>()
    };
    let all: HashSet<Oid> = packs.iter().flat_map(ids).collect();
    let mut writer = Writer::create(dir, format, all.len(), steps)?;
    let mut written: HashMap<Oid, u64> = HashMap::with_capacity(all.len());
    for pack in packs {
        for n in 0..pack.len() as u32 {
            copy(pack, n, &mut writer, &mut written)?;
        }
    }
    writer.finish()
}

/// Copies an entry, and before it what it is a delta of, unless they are there.
fn copy(
    pack: &mut Source,
    n: u32,
    writer: &mut Writer<'_>,
    written: &mut HashMap<Oid, u64>,
) -> Result<(), StoreFault> {
    let mut waiting = vec![n];
    while let Some(n) = waiting.last().copied() {
        let id = pack.id(n);
        if written.contains_key(&id) {
            waiting.pop();
            continue;
        }
        let entry = pack.entry(n)?;
        let offset = writer.offset;
        match entry.shape {
            Shape::Whole(_) => writer.add(id, &[&entry.raw])?,
            Shape::Delta(base) => match written.get(&pack.id(base)) {
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
        written.insert(id, offset);
        waiting.pop();
    }
    Ok(())
}

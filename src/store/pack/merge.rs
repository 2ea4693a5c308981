//! Housekeeping: many small packs become one.
//!
//! Every write makes a pack, and a repository with many packs is slow to open and to search. Entries are
//! copied as they are, so the pause is that of copying a bounded number of bytes.
//!
//! Ours are told from git's by what is in them: a pack of whole objects only, with no companion file that
//! gives it a meaning (`.keep`, `.promisor`, `.mtimes`, `.bitmap`), in no multi-pack index. A pack that
//! git wrote and that looks the same may as well be merged: nothing is lost by it. What has deltas is
//! left to `git repack`.

use super::Writer;
use super::idx::{self, Placed};
use crate::model::{Code, ObjectFormat};
use crate::store::disk::{io_fault, read_if_there, remove_if_there, sync_dir};
use crate::store::{Steps, StoreFault};
use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// As many packs of ours are left alone.
const TOLERATED: usize = 16;

/// Bytes merged in one go, at most.
const AT_ONCE: u64 = 64 * 1024 * 1024;

/// Packs with one of these beside them mean something that a merge would lose.
const COMPANIONS: [&str; 4] = ["keep", "promisor", "mtimes", "bitmap"];

/// Merges the smallest packs of whole objects in the directory `objects/pack` into one, if there are
/// more than 16; returns how many were merged. The file `lock` is held meanwhile; who finds it held
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
    let mut ours = Vec::new();
    for (size, path) in list(dir)? {
        if let Some(placed) = read_index_of_whole(&path, size, format)? {
            ours.push(Pack { path, size, placed });
        }
    }
    let chosen = if ours.len() > TOLERATED {
        choose(&ours)
    } else {
        0
    };
    ours.truncate(chosen);
    if ours.len() < 2 {
        return Ok(0);
    }
    let kept = merge(dir, format, &ours, steps)?;
    // The new pack is durable and visible. A crash from here on leaves some objects in two packs, and
    // the next run goes on; an index goes before its pack, so that no index is without one.
    for pack in ours.iter().filter(|pack| pack.path != kept) {
        steps.step("old-idx-remove")?;
        remove_if_there(&pack.path.with_extension("idx"))?;
        remove_if_there(&pack.path.with_extension("rev"))?;
        steps.step("old-pack-remove")?;
        remove_if_there(&pack.path)?;
    }
    sync_dir(dir)?;
    Ok(ours.len())
}

pub(super) struct Pack {
    path: PathBuf,
    size: u64,
    placed: Vec<Placed>,
}

/// Candidates, smallest first: packs with an index, not too large, without companions, in no
/// multi-pack index.
fn list(dir: &Path) -> Result<Vec<(u64, PathBuf)>, StoreFault> {
    let fault = |err| io_fault("list", dir, &err);
    let named = read_if_there(&dir.join("multi-pack-index"))?.unwrap_or_default();
    let mut found = Vec::new();
    if dir.join("multi-pack-index.d").exists() {
        // Incremental ones: git's own maintenance is at work here, and better at it.
        return Ok(found);
    }
    for entry in fs::read_dir(dir).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        let is_pack = path.extension().is_some_and(|e| e == "pack");
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
        if !is_pack || !index.exists() || special() || in_multi() {
            continue;
        }
        // Gone meanwhile: somebody else repacked.
        let Ok(meta) = fs::metadata(&path) else {
            continue;
        };
        if meta.len() <= AT_ONCE {
            found.push((meta.len(), path));
        }
    }
    found.sort();
    Ok(found)
}

/// The index of a pack that has whole objects only; `None` for one with deltas, or one that has gone.
fn read_index_of_whole(
    path: &Path,
    size: u64,
    format: ObjectFormat,
) -> Result<Option<Vec<Placed>>, StoreFault> {
    let (Some(index), Ok(pack)) = (
        read_if_there(&path.with_extension("idx"))?,
        File::open(path),
    ) else {
        return Ok(None);
    };
    let Ok(placed) = idx::decode(format, &index) else {
        return Ok(None);
    };
    for one in &placed {
        let mut first = [0];
        if one.offset >= size || pack.read_exact_at(&mut first, one.offset).is_err() {
            return Ok(None);
        }
        // Kinds 1 to 4 are whole objects, 6 and 7 deltas.
        if !(1..=4).contains(&(first[0] >> 4 & 7)) {
            return Ok(None);
        }
    }
    Ok(Some(placed))
}

/// How many of the packs, smallest first, to merge: so many that each pack left is at least twice as
/// large as the one before it, so that every object is copied a logarithmic number of times only.
pub(super) fn choose(packs: &[Pack]) -> usize {
    let size = |n: usize| packs[n].size;
    let grows = |n: usize| size(n) >= 2 * size(n - 1);
    let mut split = packs.len();
    while split > 1 && grows(split - 1) {
        split -= 1;
    }
    let mut total: u64 = (0..split).map(size).sum();
    while split < packs.len() && size(split) < 2 * total {
        total += size(split);
        split += 1;
    }
    while split > 0 && total > AT_ONCE {
        split -= 1;
        total -= size(split);
    }
    // One pack alone needs no merging.
    if split < 2 { 0 } else { split }
}

/// Writes one pack of what is in these; returns its path.
fn merge(
    dir: &Path,
    format: ObjectFormat,
    packs: &[Pack],
    steps: &dyn Steps,
) -> Result<PathBuf, StoreFault> {
    let mut seen = HashSet::new();
    let count = packs
        .iter()
        .flat_map(|p| &p.placed)
        .filter(|p| seen.insert(p.id))
        .count();
    seen.clear();
    let mut writer = Writer::create(dir, format, count, steps)?;
    for pack in packs {
        // Entry by entry, so that merging large packs takes no more memory than one object.
        let file = File::open(&pack.path).map_err(|err| io_fault("read", &pack.path, &err))?;
        let end = pack.size.saturating_sub(format.id_len() as u64);
        let mut raw = Vec::new();
        let mut by_offset = pack.placed.clone();
        by_offset.sort_by_key(|placed| placed.offset);
        for (n, one) in by_offset.iter().enumerate() {
            let next = by_offset.get(n + 1).map_or(end, |next| next.offset);
            raw.resize(next.saturating_sub(one.offset) as usize, 0);
            let read = file.read_exact_at(&mut raw, one.offset);
            let mut crc = flate2::Crc::new();
            crc.update(&raw);
            if read.is_err() || crc.sum() != one.crc {
                let (id, path) = (one.id, pack.path.display());
                let what = format!("object {id} in `{path}` is not what the index says");
                return Err(StoreFault::new(Code::ObjectDamaged, what));
            }
            if seen.insert(one.id) {
                writer.add(one.id, &[&raw])?;
            }
        }
    }
    writer.finish()
}

#[cfg(test)]
pub(super) fn test_pack(size: u64) -> Pack {
    Pack {
        path: PathBuf::new(),
        size,
        placed: Vec::new(),
    }
}

//! What is done between two collections, by a process that nobody waits for: large packs are merged, many branches are
//! packed, and git's commit graph learns of new commits.
//!
//! Nothing is removed but packs whose entries were all copied, and files of refs that `packed-refs` has. Whoever collects
//! is waited for: this gives up where it is. What a kill leaves is what the next run, or a collection, finds and goes on from.

use super::graph::{self, Extent};
use super::{git, require_touchable};
use crate::model::Code;
use crate::remote::partial;
use crate::store::collector::Merging;
use crate::store::disk::{io_fault, is_absent};
use crate::store::git::packs::PackNames;
use crate::store::{GitStore, Steps, StoreFault};
use std::fs;
use std::path::PathBuf;

/// Bytes of new packs after which it is time.
const DUE: u64 = 8 * 1024 * 1024;

/// Refs with files of their own after which it is time to pack them.
const LOOSE: usize = 256;

/// Merges in one run. Each leaves fewer packs, and one is enough nearly always.
const ROUNDS: usize = 4;

/// What a run did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Packs that are part of others now.
    pub merged: usize,
    /// Files of refs that went, for `packed-refs` says the same.
    pub refs: usize,
    /// Whether git's commit graph knows all commits.
    pub graph: bool,
    /// Whether it gave up because somebody collects.
    pub gave_way: bool,
}

/// Whether so much has come since the last run that another one is worth it. Looks at the names, sizes and times of
/// packs, and at the names of refs; a wrong clock makes it earlier or later, and nothing else. Never where nothing may be
/// touched.
///
/// # Errors
/// `io`.
pub fn is_due(store: &GitStore) -> Result<bool, StoreFault> {
    if require_touchable(store).is_err() {
        return Ok(false);
    }
    let last = fs::metadata(stamped(store)).and_then(|meta| meta.modified());
    let last = last.ok();
    let mut bytes = 0;
    let dir = store.pack_dir();
    let names = PackNames::read(&dir)?;
    for pack in names.packs() {
        // One that went meanwhile is part of another one.
        let Ok(meta) = fs::metadata(dir.join(pack)) else {
            continue;
        };
        let newer = |last| meta.modified().is_ok_and(|time| time > last);
        if last.is_none_or(newer) && !names.is_cruft(pack) && !names.is_kept(pack) {
            bytes += meta.len();
        }
    }
    Ok(bytes > DUE || store.unpacked()? >= enough(store))
}

/// Does it. A run that fails is not tried again before more has come.
///
/// # Errors
/// `unsupported`, `object-damaged`, `git-failed`, `io`. No object is without a pack at any time.
pub fn run(
    store: &GitStore,
    turn: &Merging,
    now: u64,
    steps: &dyn Steps,
) -> Result<Done, StoreFault> {
    require_touchable(store)?;
    let mut done = Done::default();
    stamp(store)?;
    done.refs = pack_refs(store)?;
    stamp(store)?;
    if partial::is_partial(store) {
        return Ok(done);
    }
    for _ in 0..ROUNDS {
        let merged = store.consolidate_large(turn)?;
        done.merged += merged;
        if merged == 0 {
            break;
        }
    }
    done.gave_way = !turn.may_go_on();
    if !done.gave_way {
        let git = git(store.common_dir()).holding(turn.handle()?);
        let log = |lines: &[String]| turn.log(now, lines);
        done.graph = graph::write(store, Extent::New, &git, steps, &log)?;
    }
    // Merged packs are newer than they were when this began.
    stamp(store)?;
    Ok(done)
}

/// Packs refs where many have files of their own; how many. Where somebody else is at it, they stay for now.
pub(super) fn pack_refs(store: &GitStore) -> Result<usize, StoreFault> {
    if store.unpacked()? < LOOSE {
        return Ok(0);
    }
    match store.pack_refs() {
        Err(fault) if fault.code == Code::Busy => Ok(0),
        packed => packed,
    }
}

/// With how many loose refs it is time: those that the last run could not pack are not tried again and again.
fn enough(store: &GitStore) -> usize {
    let left = fs::read_to_string(stamped(store)).unwrap_or_default();
    let left: usize = left.parse().unwrap_or(0);
    match left < LOOSE {
        true => LOOSE,
        false => left.saturating_add(LOOSE),
    }
}

/// Remembers that everything up to now is in order. Losing it costs a run.
pub(super) fn stamp(store: &GitStore) -> Result<(), StoreFault> {
    let path = stamped(store);
    match fs::remove_file(&path) {
        Err(err) if !is_absent(&err) => return Err(io_fault("remove", &path, &err)),
        _ => {}
    }
    let made = fs::write(&path, store.unpacked()?.to_string());
    made.map_err(|err| io_fault("create", &path, &err))
}

fn stamped(store: &GitStore) -> PathBuf {
    store.common_dir().join("folio/house.time")
}

#[cfg(test)]
mod tests;

//! How a repository's objects lie, looked at without changing anything.

use super::mark::{self, Suspects};
use super::{expire, loose};
use crate::model::Oid;
use crate::store::disk::{io_fault, is_absent};
use crate::store::git::packs::{PackIndex, packs};
use crate::store::{GitStore, StoreFault};
use std::fs;
use std::path::{Path, PathBuf};

/// What lies there.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Packs of what was reachable when they were made, or was never asked about.
    pub packs: usize,
    /// Bytes of them.
    pub packed: u64,
    /// Loose objects.
    pub loose: usize,
    /// Objects put aside because nothing refers to them.
    pub aside: usize,
    /// Bytes of their packs.
    pub aside_bytes: u64,
    /// When the first of them was put aside, in seconds since 1970.
    pub since: Option<u64>,
}

/// Looks at it.
///
/// # Errors
/// `io`, `object-damaged`.
pub fn survey(store: &GitStore) -> Result<Survey, StoreFault> {
    let mut survey = Survey {
        loose: loose(store)?.len(),
        ..Survey::default()
    };
    for pack in packs(&store.pack_dir())? {
        if !pack.cruft {
            survey.packs += 1;
            survey.packed += pack.bytes;
            continue;
        }
        let times = expire::times(store, &pack)?;
        survey.aside += times.len();
        survey.aside_bytes += pack.bytes;
        let first = times.iter().map(|(_, time)| *time).min();
        survey.since = [survey.since, first].into_iter().flatten().min();
    }
    Ok(survey)
}

/// How many objects nothing refers to and no run has put aside yet: what the next run would.
///
/// # Errors
/// `cannot-mark`; those of [`survey`].
pub fn unreachable(store: &GitStore) -> Result<usize, StoreFault> {
    let mut ids: Vec<Oid> = loose(store)?.into_iter().map(|(id, _)| id).collect();
    for pack in packs(&store.pack_dir())? {
        if !pack.cruft && !pack.kept {
            ids.extend(PackIndex::open(&pack.path, store.object_format())?.ids());
        }
    }
    let mut suspects = Suspects::new(ids);
    mark::mark(store, &mut suspects)?;
    Ok(suspects.unneeded().count())
}

/// The entries of a directory by their names in UTF-8; none where there is no directory.
pub(super) fn entries(dir: &Path) -> Result<Vec<(String, PathBuf)>, StoreFault> {
    let fault = |err| io_fault("list", dir, &err);
    let mut found = Vec::new();
    let listed = match fs::read_dir(dir) {
        Err(err) if is_absent(&err) => return Ok(found),
        listed => listed.map_err(fault)?,
    };
    for entry in listed {
        let entry = entry.map_err(fault)?;
        if let Ok(name) = entry.file_name().into_string() {
            found.push((name, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

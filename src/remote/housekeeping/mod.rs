//! What git's own garbage collection would do, for a repository that others write into meanwhile.
//!
//! Nothing is removed in the run that finds it unreachable. A run first removes what earlier runs put aside
//! longer than the grace ago and nothing refers to ([`expire`]), then packs everything anew: what is reachable
//! into one pack, the rest into a pack of its own with the time since when (`repack`). Old packs go when each
//! of their objects lies in another one. What cannot wait for that is done [`between`] collections.

pub mod between;
pub mod expire;
mod graph;
pub mod leftovers;
mod mark;
mod repack;
pub mod survey;

use super::Git;
use super::partial;
use crate::model::{Code, Oid};
use crate::store::collector::Collecting;
use crate::store::{GitStore, Steps, StoreFault};
use expire::Expired;
use leftovers::Leftover;
use repack::Repacked;
use std::collections::BTreeSet;
use std::path::Path;

/// The first git that can put unreachable objects aside in a pack with their times.
const CRUFT: (u32, u32) = (2, 37);

/// How a collection is to go about.
pub struct Terms<'a> {
    /// Seconds for which what nothing refers to is left alone.
    pub grace: u64,
    /// Now, in seconds since 1970. It decides how old something is, and never whether it is needed.
    pub now: u64,
    /// What is asked before each change.
    pub steps: &'a dyn Steps,
    /// The version of git: [`super::require_git`].
    pub git: (u32, u32),
    /// Told what is done next.
    pub tell: &'a dyn Fn(&'static str),
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Report {
    /// Files that dead processes left.
    pub leftovers: Vec<Leftover>,
    /// What was put aside before and is gone now.
    pub expired: Expired,
    /// How the packs are now.
    pub repacked: Repacked,
    /// What was not done, and why.
    pub notes: Vec<&'static str>,
}

/// Keeps house. Nobody else does at the same time: that is what `turn` says.
///
/// # Errors
/// `cannot-mark` if it cannot be told what is needed, `unsupported`, `git-failed`, `io`. What was done until then is whole, and the next run goes on.
pub fn run(store: &GitStore, turn: &Collecting, terms: &Terms<'_>) -> Result<Report, StoreFault> {
    let mut report = Report::default();
    require_touchable(store)?;
    (terms.tell)("Clearing away");
    turn.workshop()?;
    report.leftovers = leftovers::clear(store, store.common_dir(), turn, terms)?;
    between::pack_refs(store)?;
    if partial::is_partial(store) {
        between::stamp(store)?;
        report
            .notes
            .push("a partial clone is repacked by git alone: `git gc`");
        return Ok(report);
    }
    if terms.git < CRUFT {
        report
            .notes
            .push("git is older than 2.37: what nothing refers to stays");
    } else {
        (terms.tell)("Marking");
        match expire::expire(store, turn, terms, &expire::old(terms)) {
            Ok(expired) => report.expired = expired,
            Err(fault) if fault.code == Code::Busy => report
                .notes
                .push("another command has been writing for a while: nothing was removed"),
            Err(fault) => return Err(fault),
        }
    }
    (terms.tell)("Packing");
    report.repacked = repack::repack(store, turn, terms)?;
    if !report.repacked.graph {
        report
            .notes
            .push("git's commit graph could not be written and is as it was");
    }
    Ok(report)
}

/// Removes these objects at once, as far as nothing refers to them.
///
/// # Errors
/// As [`run`]; `busy` if another command has been writing for a while: then they go with a later run.
pub fn erase(
    store: &GitStore,
    turn: &Collecting,
    terms: &Terms<'_>,
    ids: &BTreeSet<Oid>,
) -> Result<Expired, StoreFault> {
    require_touchable(store)?;
    if partial::is_partial(store) || terms.git < CRUFT {
        let what = "the bytes stay until git itself removes what nothing refers to";
        return Err(StoreFault::new(Code::Unsupported, what));
    }
    (terms.tell)("Packing");
    repack::repack(store, turn, terms)?;
    (terms.tell)("Erasing");
    expire::expire(store, turn, terms, &|id, _| ids.contains(id))
}

/// A repository whose objects others use as their own is left alone.
fn require_touchable(store: &GitStore) -> Result<(), StoreFault> {
    let precious = store.config_value("extensions.preciousObjects");
    if precious.is_none_or(|value| value == "false") {
        return Ok(());
    }
    let what = "the repository says that its objects are precious (`extensions.preciousObjects`)";
    Err(StoreFault::new(Code::Unsupported, what))
}

/// git as it is to write packs: synced, and blocks as they are.
fn git(common_dir: &Path) -> Git {
    [
        "core.fsync=all",
        "core.bigFileThreshold=64k",
        "pack.writeReverseIndex=true",
        // Of packs that are mapped only so much at a time.
        "core.packedGitWindowSize=16m",
        "core.packedGitLimit=128m",
    ]
    .into_iter()
    .fold(Git::new(common_dir), |git, entry| git.with_config(entry))
}

/// A directory of loose objects has two digits for a name.
fn is_fan(name: &str) -> bool {
    name.len() == 2 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Ids of loose objects with their files.
fn loose(store: &GitStore) -> Result<Vec<(Oid, std::path::PathBuf)>, StoreFault> {
    let objects = store.pack_dir();
    let objects = objects.parent().expect("packs lie below the objects");
    let mut found = Vec::new();
    for (name, dir) in survey::entries(objects)? {
        if !is_fan(&name) {
            continue;
        }
        for (rest, path) in survey::entries(&dir)? {
            if let Ok(id) = format!("{name}{rest}").parse() {
                found.push((id, path));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;

//! How the internal shelf stands, and what a run would do. Nothing is changed by looking.

use super::mark::{self, mark};
use super::run::due_keys;
use super::{Condemned, Report, Terms, condemned};
use crate::artifact::{ArtifactFault, Shelves};
use crate::store::GitStore;
use crate::store::git::packs::packs;

/// What a run would do. Changes nothing.
///
/// # Errors
/// `cannot-mark`, `io`.
pub fn preview(store: &GitStore, terms: &Terms<'_>) -> Result<Report, ArtifactFault> {
    let shelves = Shelves::open(store)?;
    let folio = shelves.internal().folio();
    let marked = mark(store, &shelves)?;
    let old = Condemned::read(folio)?;
    let renewed = condemned::renewed(folio)?;
    let due = due_keys(&old, &marked, &renewed, terms);
    Ok(Report {
        removed: due.len(),
        condemned: marked.dead.len() - due.len(),
        ..Report::default()
    })
}

/// How the internal shelf stands.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Artifacts on it that are not condemned.
    pub kept: usize,
    /// Artifacts on it that are.
    pub condemned: usize,
    /// When the first of them was, in seconds since 1970.
    pub since: Option<u64>,
    /// Its packs.
    pub packs: usize,
    /// Bytes of them.
    pub bytes: u64,
}

/// Looks how it stands.
///
/// # Errors
/// `cannot-mark`, `io`.
pub fn standing(store: &GitStore) -> Result<Standing, ArtifactFault> {
    let shelves = Shelves::open(store)?;
    let internal = shelves.internal();
    let condemned = Condemned::read(internal.folio())?;
    let mut standing = Standing::default();
    mark::for_each_record(
        internal,
        &internal.catalog()?.sheets,
        &mut |record| match condemned.keys.get(&record.key) {
            None => standing.kept += 1,
            Some(since) => {
                standing.condemned += 1;
                standing.since = Some(standing.since.map_or(*since, |first| first.min(*since)));
            }
        },
    )?;
    let dir = internal.store().map(GitStore::pack_dir);
    for pack in dir.map_or(Ok(Vec::new()), |dir| packs(&dir))? {
        standing.packs += 1;
        standing.bytes += pack.bytes;
    }
    Ok(standing)
}

//! Removing objects of the internal shelf: packs are written anew without them, and then go.

use super::{Condemned, Report, Terms, mark};
use crate::artifact::pins::{COLLECTOR, pinned};
use crate::artifact::shelf::Shelf;
use crate::artifact::{ArtifactFault, Shelves};
use crate::model::Oid;
use crate::store::collector::Collecting;
use crate::store::disk::{remove_if_there, sync_dir};
use crate::store::git::packs::{PackFile, PackIndex, packs};
use crate::store::pack::filter::filter;
use crate::store::{GitStore, Turnstile};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Removes what was condemned longer than the grace ago and no artifact on the shelf has its bytes in. What is gone
/// is condemned no longer.
pub(super) fn sweep(
    shelves: &Shelves,
    turn: &Collecting,
    terms: &Terms<'_>,
    old: &Condemned,
    new: &mut Condemned,
    report: &mut Report,
) -> Result<(), ArtifactFault> {
    let is_due = |(_, since): &(&Oid, &u64)| terms.is_due(**since);
    let due: BTreeSet<Oid> = old
        .objects
        .iter()
        .filter(is_due)
        .map(|(id, _)| *id)
        .collect();
    let gone = remove(shelves.internal(), turn, terms, due)?;
    new.objects.retain(|id, _| !gone.objects.contains(id));
    report.objects = gone.objects.len();
    report.bytes = gone.bytes;
    Ok(())
}

/// What went.
#[derive(Default)]
pub(super) struct Gone {
    pub(super) objects: BTreeSet<Oid>,
    pub(super) bytes: u64,
}

/// Removes these objects from a shelf's packs, but those that something needs or a living writer has pinned.
pub(super) fn remove(
    shelf: &Shelf,
    turn: &Collecting,
    terms: &Terms<'_>,
    mut due: BTreeSet<Oid>,
) -> Result<Gone, ArtifactFault> {
    let mut gone = Gone::default();
    let Some(store) = shelf.store() else {
        return Ok(gone);
    };
    if due.is_empty() {
        return Ok(gone);
    }
    let catalog = shelf.catalog()?;
    let needed = mark::needed(shelf, &catalog, &|_| false)?;
    due.retain(|id| !needed.contains(id));
    for pack in packs(&store.pack_dir())? {
        let index = PackIndex::open(&pack.path, store.object_format())?;
        let going: BTreeSet<Oid> = index.ids().filter(|id| due.contains(id)).collect();
        if going.is_empty() {
            continue;
        }
        let stays = |id: &Oid| !going.contains(id);
        let (dir, format) = (store.pack_dir(), store.object_format());
        let rest = filter(&dir, format, &pack.path, &stays, terms.steps)?;
        let lines: Vec<String> = going.iter().map(|id| format!("block {id}")).collect();
        turn.log(terms.now, &lines)?;
        terms.steps.step("gc-pack-alone")?;
        let collector = Turnstile::open(shelf.folio(), COLLECTOR)?;
        let _alone = collector.alone()?;
        if is_wanted(shelf, &catalog, &going)? {
            turn.log(
                terms.now,
                &["not removed: something came to need it".into()],
            )?;
            drop_new(&dir, rest.as_deref(), &pack.path)?;
            continue;
        }
        let left = rest.as_ref().and_then(|path| fs::metadata(path).ok());
        gone.bytes += pack.bytes.saturating_sub(left.map_or(0, |meta| meta.len()));
        remove_pack(store, &pack, terms)?;
        gone.objects.extend(going);
    }
    Ok(gone)
}

/// Whether a living writer has pinned one of them, or the shelf has come to need one.
fn is_wanted(
    shelf: &Shelf,
    before: &crate::artifact::Catalog,
    going: &BTreeSet<Oid>,
) -> Result<bool, ArtifactFault> {
    if !pinned(shelf.folio(), true)?.ids.is_disjoint(going) {
        return Ok(true);
    }
    let catalog = shelf.catalog()?;
    if catalog == *before {
        return Ok(false);
    }
    Ok(!mark::needed(shelf, &catalog, &|_| false)?.is_disjoint(going))
}

/// The new pack is of no use where the old one stays.
fn drop_new(dir: &Path, new: Option<&Path>, old: &Path) -> Result<(), ArtifactFault> {
    if let Some(new) = new.filter(|new| *new != old) {
        remove_files(new)?;
        sync_dir(dir)?;
    }
    Ok(())
}

fn remove_pack(store: &GitStore, pack: &PackFile, terms: &Terms<'_>) -> Result<(), ArtifactFault> {
    terms.steps.step("gc-old-pack-remove")?;
    remove_files(&pack.path)?;
    sync_dir(&store.pack_dir())?;
    Ok(terms.steps.step("gc-old-pack-done")?)
}

/// The index first: no index is ever without its pack.
fn remove_files(pack: &Path) -> Result<(), ArtifactFault> {
    for extension in ["idx", "rev", "pack"] {
        remove_if_there(&PathBuf::from(pack).with_extension(extension))?;
    }
    Ok(())
}

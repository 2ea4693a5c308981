//! Erasing the bytes of an artifact here, at once.
//!
//! The grace is for what was forgotten; this is meant. Pins and locks hold as always. What other artifacts have in
//! the same blocks is copied first, or stays where a large one shares it.

use super::lists::{self, List};
use super::{PATIENCE, Terms, rewrite, sweep};
use crate::artifact::pins::{COLLECTOR, pinned};
use crate::artifact::shelf::Shelf;
use crate::artifact::{ArtifactFault, Imprint, Place, Shelves};
use crate::model::{Code, ContentDigest, Oid};
use crate::store::collector::Collecting;
use crate::store::git::writers;
use crate::store::{GitStore, Turnstile};
use std::collections::BTreeSet;

/// What was erased.
#[derive(Debug, Default)]
pub struct Purged {
    /// The shelves that had it.
    pub shelves: Vec<&'static str>,
    /// Bytes of the internal shelf's packs that are free now.
    pub bytes: u64,
    /// Objects of the space's repository that nothing names any more, and that are to go now.
    pub freed: BTreeSet<Oid>,
}

/// Takes an artifact off both shelves, erases the blocks of the internal one, and remembers that its bytes are not
/// wanted here. `published` writes the published catalog.
///
/// # Errors
/// `not-found` if no shelf has it; `busy` if a running command has pinned it or writes for too long; `cannot-mark`;
/// those of the store.
pub fn purge(
    store: &GitStore,
    turn: &Collecting,
    key: &ContentDigest,
    terms: &Terms<'_>,
    published: &Imprint<'_>,
) -> Result<Purged, ArtifactFault> {
    let shelves = Shelves::open(store)?;
    if shelves.find_surely(key)?.is_none() {
        let what = format!("there are no bytes of {key} here");
        return Err(ArtifactFault::new(Code::NotFound, what));
    }
    // First, so that what comes meanwhile does not stay.
    let folio = shelves.internal().folio();
    lists::change(folio, List::Purged, &[*key], true)?;
    let erased = erase(store, turn, &shelves, key, terms, published);
    if erased.is_err() {
        lists::change(folio, List::Purged, &[*key], false)?;
    }
    erased
}

fn erase(
    store: &GitStore,
    turn: &Collecting,
    shelves: &Shelves,
    key: &ContentDigest,
    terms: &Terms<'_>,
    published: &Imprint<'_>,
) -> Result<Purged, ArtifactFault> {
    let mut purged = Purged::default();
    for shelf in [shelves.internal(), shelves.published()] {
        if shelf.find_surely(key)?.is_none() {
            continue;
        }
        purged.shelves.push(shelf.place().word());
        let internal = *shelf.place() == Place::Internal;
        let imprint = if internal { &terms.imprint } else { published };
        let terms = Terms {
            imprint: imprint.clone(),
            ..*terms
        };
        let freed = take_off(store, turn, shelf, key, &terms)?;
        match (internal, shelf.store()) {
            (true, Some(own)) => {
                let _packs = Collecting::begin(own.common_dir())?;
                purged.bytes = sweep::remove(shelf, turn, &terms, freed)?.bytes;
            }
            _ => purged.freed = freed,
        }
    }
    Ok(purged)
}

/// Lets the shelf go on without it; returns the blocks that are free then.
fn take_off(
    store: &GitStore,
    turn: &Collecting,
    shelf: &Shelf,
    key: &ContentDigest,
    terms: &Terms<'_>,
) -> Result<BTreeSet<Oid>, ArtifactFault> {
    let keys = BTreeSet::from([*key]);
    loop {
        let catalog = shelf.catalog()?;
        let all = rewrite::Compact::All;
        let rewritten = rewrite::without(shelf, &catalog, &keys, all, terms)?;
        let writers = writers(store.common_dir())?;
        let _writers = writers.alone_within(PATIENCE)?;
        let _shelf = shelf.lock()?;
        let collector = Turnstile::open(shelf.folio(), COLLECTOR)?;
        let _alone = collector.alone()?;
        if pinned(shelf.folio(), true)?.keys.contains(key) {
            let what = format!("a command that is running has just added {key}");
            return Err(ArtifactFault::new(Code::Busy, what));
        }
        if shelf.catalog()? != catalog {
            continue;
        }
        turn.log(
            terms.now,
            &[format!("purge {} {key}", shelf.place().word())],
        )?;
        let freed = rewritten.freed.clone();
        rewritten.publish(shelf, terms)?;
        return Ok(freed);
    }
}

//! Offers: the bytes that go with a proposal that is not numbered yet.

use super::shelf::Shelf;
use super::shelves::Shelves;
use super::{ArtifactFault, Imprint, Intake, Options, Reader};
use crate::journal::{refs, shelf as commits};
use crate::model::{ContentDigest, Handle, Oid, PublicKey, Slug};
use crate::store::{Expect, GitStore, RefEdit, Refs as _};
use std::collections::BTreeSet;

/// The proposal that bytes are offered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Whose it is.
    pub author: Handle,
    /// What it is called.
    pub slug: Slug,
}

/// Which of these artifacts go with a proposal: those that nobody but this repository has, as far as it can tell.
///
/// # Errors
/// `sheet-malformed`, `io`.
pub fn choose(
    shelves: &Shelves,
    published: impl Iterator<Item = ContentDigest>,
) -> Result<BTreeSet<ContentDigest>, ArtifactFault> {
    let mut chosen = BTreeSet::new();
    for key in published {
        let elsewhere = shelves.published().find(&key)?.is_some();
        if !elsewhere && shelves.internal().find_surely(&key)?.is_some() {
            chosen.insert(key);
        }
    }
    Ok(chosen)
}

/// The offer that is there, if it has exactly these artifacts and is signed with this key.
///
/// # Errors
/// `sheet-malformed`, `io`.
pub fn standing(
    shelves: &Shelves,
    store: &GitStore,
    name: &Name,
    keys: &BTreeSet<ContentDigest>,
    (imprint, key): (&Imprint<'_>, &PublicKey),
) -> Result<Option<Oid>, ArtifactFault> {
    let shelf = shelves.offered(&name.author, &name.slug)?;
    let Some(placement) = shelf.catalog()?.placement else {
        return Ok(None);
    };
    let signed = commits::Published::read(store, &imprint.space, placement)?.key == Some(*key);
    let mut there = BTreeSet::new();
    for one in shelf.keys()? {
        there.insert(one?.key);
    }
    Ok((signed && there == *keys).then_some(placement))
}

/// Makes the offer of a proposal anew, with these artifacts of the internal shelf; without any there is none. What
/// was offered before goes first: a crash in between leaves no offer, and the next one who sends the proposal makes
/// it again.
///
/// # Errors
/// `artifact-damaged`, those of signing and writing.
pub fn make(
    shelves: &Shelves,
    store: &GitStore,
    name: &Name,
    keys: &BTreeSet<ContentDigest>,
    imprint: &Imprint<'_>,
) -> Result<Option<Oid>, ArtifactFault> {
    withdraw(store, name)?;
    if keys.is_empty() {
        return Ok(None);
    }
    let shelf = shelves.offered(&name.author, &name.slug)?;
    let mut intake = Intake::new(&shelf, Options::new(imprint.clone()))?;
    for key in keys {
        let Some(record) = shelves.internal().find_surely(key)? else {
            // It was there a moment ago; the proposal waits for its bytes then.
            continue;
        };
        let mut reader = Reader::open(shelves.internal(), record)?;
        intake.add(&mut reader)?;
    }
    intake.finish()?;
    Ok(shelf.catalog()?.placement)
}

/// Removes the offer of a proposal here, if there is one.
///
/// # Errors
/// `race-lost`, `io`.
pub fn withdraw(store: &GitStore, name: &Name) -> Result<(), ArtifactFault> {
    let reference = refs::offer(&name.author, &name.slug);
    let Some(there) = store.get(&reference)? else {
        return Ok(());
    };
    let edit = RefEdit {
        name: reference,
        expect: Expect::At(there),
        new: None,
        message: "folio: offer gone".into(),
    };
    Ok(store.apply(&[edit])?)
}

/// Removes the offers whose proposal waits no more, but for those that have one of the keys that are still wanted.
///
/// # Errors
/// Those of the store; what is left goes with the next run.
pub fn tidy(
    shelves: &Shelves,
    store: &GitStore,
    wanted: &[ContentDigest],
) -> Result<usize, ArtifactFault> {
    let mut gone = 0;
    for (reference, _) in store.list(refs::OFFERED)? {
        let Ok((author, slug)) = refs::parse_offer(&reference) else {
            continue;
        };
        if store.get(&refs::proposal(&author, &slug))?.is_some() {
            continue;
        }
        let shelf = shelves.offered(&author, &slug)?;
        if !has_any(&shelf, wanted)? {
            withdraw(store, &Name { author, slug })?;
            gone += 1;
        }
    }
    Ok(gone)
}

fn has_any(shelf: &Shelf, wanted: &[ContentDigest]) -> Result<bool, ArtifactFault> {
    for key in wanted {
        if shelf.find(key)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

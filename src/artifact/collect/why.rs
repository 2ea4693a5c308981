//! Why an artifact is kept.

use super::mark::{files_of, for_each_record};
use super::roots::{self, Reason};
use super::{Condemned, folio_of};
use crate::artifact::pins::pinned;
use crate::artifact::{ArtifactFault, Shelves};
use crate::model::ContentDigest;
use crate::store::GitStore;
use std::collections::BTreeSet;

/// What is known of an artifact.
#[derive(Debug, Default)]
pub struct Why {
    /// The shelves that it is on.
    pub shelves: Vec<&'static str>,
    /// What names it.
    pub reasons: BTreeSet<Reason>,
    /// Directories it is a file of, each with what names that; one that nothing names keeps nothing.
    pub manifests: Vec<(ContentDigest, BTreeSet<Reason>)>,
    /// Whether a command that is running has pinned it.
    pub pinned: bool,
    /// When it was condemned, in seconds since 1970.
    pub condemned: Option<u64>,
}

impl Why {
    /// Whether anything keeps it.
    pub fn is_kept(&self) -> bool {
        let by_manifest = self
            .manifests
            .iter()
            .any(|(_, reasons)| !reasons.is_empty());
        self.pinned || by_manifest || !self.reasons.is_empty()
    }
}

/// Looks for everything that keeps an artifact. Changes nothing.
///
/// # Errors
/// `cannot-mark`, `io`.
pub fn why(store: &GitStore, key: &ContentDigest) -> Result<Why, ArtifactFault> {
    let shelves = Shelves::open(store)?;
    let mut why = Why::default();
    let mut holding = BTreeSet::new();
    let mut manifests = Vec::new();
    let mut blocks = BTreeSet::new();
    for shelf in [shelves.internal(), shelves.published()] {
        for_each_record(shelf, &shelf.catalog()?.sheets, &mut |record| {
            if record.key == *key {
                why.shelves.push(shelf.place().word());
                blocks.extend(record.extents.iter().map(|extent| extent.block));
            }
            if record.manifest {
                manifests.push((shelf, record));
            }
        })?;
    }
    for (shelf, record) in &manifests {
        let mut has = false;
        files_of(shelf, record, &mut |file| has |= file == *key)?;
        if has {
            holding.insert(record.key);
        }
    }
    let mut of_manifests: Vec<(ContentDigest, Reason)> = Vec::new();
    roots::visit(store, &mut |found, reason| {
        if found == *key {
            why.reasons.insert(reason.clone());
        }
        if holding.contains(&found) {
            of_manifests.push((found, reason.clone()));
        }
    })?;
    for manifest in holding {
        let named = of_manifests.iter().filter(|(found, _)| *found == manifest);
        let reasons = named.map(|(_, reason)| reason.clone()).collect();
        why.manifests.push((manifest, reasons));
    }
    let folio = folio_of(store);
    let pins = pinned(&folio, false)?;
    why.pinned = pins.keys.contains(key) || !pins.ids.is_disjoint(&blocks);
    why.condemned = Condemned::read(&folio)?.keys.get(key).copied();
    Ok(why)
}

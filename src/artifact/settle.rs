//! What the state publishes comes onto the published shelf, from where its bytes are.
//!
//! Numbering makes it true that an artifact is published; this makes its bytes follow. A crash in between leaves a
//! key without bytes, and whoever comes here next copies them.

use super::ready::require_size;
use super::shelf::Shelf;
use super::shelves::Shelves;
use super::{ArtifactFault, Imprint, Intake, Options, Reader};
use crate::codec::sheet::Record;
use crate::journal::refs;
use crate::journal::shelf as commits;
use crate::model::{Code, ContentDigest, PublicKey, SpaceId};
use crate::store::{GitStore, Refs as _};
use std::collections::BTreeMap;
use std::io::{self, Read};

/// An artifact that a state publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Its key.
    pub key: ContentDigest,
    /// How many bytes it has, as the state says.
    pub size: u64,
}

/// What became of artifacts that were to be copied.
#[derive(Debug, Default)]
pub struct Settled {
    /// How many are there now that were not before.
    pub copied: u64,
    /// Those that are not there, and why: `artifact-missing`, `artifact-damaged`, `artifact-mismatch`.
    pub left: Vec<(Wanted, ArtifactFault)>,
}

/// Which of these the published shelf lacks.
///
/// # Errors
/// `sheet-malformed`, `io`.
pub fn pending(shelves: &Shelves, wanted: &[Wanted]) -> Result<Vec<Wanted>, ArtifactFault> {
    let mut pending = Vec::new();
    for one in wanted {
        if shelves.published().find(&one.key)?.is_none() {
            pending.push(*one);
        }
    }
    Ok(pending)
}

/// Copies these to the published shelf: from the internal shelf, else from what is offered with any proposal.
/// Every byte is verified by its key on the way. What is complete stays if this ends early.
///
/// # Errors
/// Those of writing. Bytes that cannot be read are named in the answer, and the others are copied.
pub fn settle(
    shelves: &Shelves,
    store: &GitStore,
    pending: &[Wanted],
    imprint: &Imprint<'_>,
) -> Result<Settled, ArtifactFault> {
    let sources = Sources::open(shelves, store)?;
    let mut tried = Tried::default();
    loop {
        let round = Round {
            sources: &sources,
            shelf: shelves.published(),
            intake: None,
            tried: &mut tried,
        };
        // An intake whose source failed is of no use any more. What it made visible before is found there.
        if let Some(settled) = round.copy(pending, imprint)? {
            return Ok(settled);
        }
    }
}

/// Whether both commits of the published shelf are signed with this key, if there are any.
///
/// # Errors
/// `catalog-invalid` and those of commits.
pub fn is_signed(
    shelves: &Shelves,
    store: &GitStore,
    space: &SpaceId,
    key: &PublicKey,
) -> Result<bool, ArtifactFault> {
    let catalog = shelves.published().catalog()?;
    let (Some(commit), Some(placement)) = (catalog.commit, catalog.placement) else {
        return Ok(true);
    };
    Ok(
        commits::Catalog::read(store, space, commit)?.key == Some(*key)
            && commits::Published::read(store, space, placement)?.key == Some(*key),
    )
}

/// Makes the commits of the published shelf anew where they are not signed with this key.
///
/// # Errors
/// Those of signing and writing.
pub fn sign_again(
    shelves: &Shelves,
    store: &GitStore,
    imprint: &Imprint<'_>,
    key: &PublicKey,
) -> Result<(), ArtifactFault> {
    if is_signed(shelves, store, &imprint.space, key)? {
        return Ok(());
    }
    let published = shelves.published();
    let catalog = published.catalog()?;
    published
        .replace(&catalog, &catalog.sheets, imprint)
        .map(drop)
}

/// Where bytes come from, in the order in which they are asked.
struct Sources<'a> {
    internal: &'a Shelf,
    offers: Vec<Shelf>,
}

impl<'a> Sources<'a> {
    fn open(shelves: &'a Shelves, store: &GitStore) -> Result<Self, ArtifactFault> {
        let mut offers = Vec::new();
        for (name, _) in store.list(refs::OFFERED)? {
            // A name that no rule of ours made says nothing.
            if let Ok((author, slug)) = refs::parse_offer(&name) {
                offers.push(shelves.offered(&author, &slug)?);
            }
        }
        Ok(Self {
            internal: shelves.internal(),
            offers,
        })
    }

    fn all(&self) -> impl Iterator<Item = &Shelf> {
        std::iter::once(self.internal).chain(&self.offers)
    }
}

/// By key: how many sources were of no use, and what was wrong with the last one that had the key.
type Tried = BTreeMap<ContentDigest, (usize, Option<ArtifactFault>)>;

/// One attempt to copy everything.
struct Round<'a, 'r> {
    sources: &'a Sources<'a>,
    shelf: &'a Shelf,
    intake: Option<Intake<'r>>,
    tried: &'r mut Tried,
}

impl<'a: 'r, 'r> Round<'a, 'r> {
    /// Copies what is still missing; nothing if a source failed in the middle, so that it has to be done again.
    fn copy(
        mut self,
        pending: &[Wanted],
        imprint: &Imprint<'r>,
    ) -> Result<Option<Settled>, ArtifactFault> {
        let mut settled = Settled::default();
        for one in pending {
            if self.shelf.find(&one.key)?.is_some() {
                settled.copied += 1;
                continue;
            }
            match self.copy_one(one, imprint)? {
                Outcome::Copied => settled.copied += 1,
                Outcome::Left(fault) => settled.left.push((*one, fault)),
                Outcome::Broken => return Ok(None),
            }
        }
        if let Some(intake) = self.intake {
            intake.finish()?;
        }
        Ok(Some(settled))
    }

    fn copy_one(&mut self, one: &Wanted, imprint: &Imprint<'r>) -> Result<Outcome, ArtifactFault> {
        loop {
            let (useless, last) = self.tried.entry(one.key).or_default();
            let Some(source) = self.sources.all().nth(*useless) else {
                let fault = last.clone().unwrap_or_else(|| missing(&one.key));
                return Ok(Outcome::Left(fault));
            };
            let reader = match open(source, one) {
                Ok(Some(reader)) => reader,
                Ok(None) => {
                    *useless += 1;
                    continue;
                }
                Err(fault) if is_local(&fault) => return Err(fault),
                Err(fault) => {
                    *useless += 1;
                    *last = Some(fault);
                    continue;
                }
            };
            let intake = match &mut self.intake {
                Some(intake) => intake,
                none => none.insert(Intake::new(self.shelf, Options::new(imprint.clone()))?),
            };
            let mut watched = Watched {
                reader,
                fault: None,
            };
            let added = intake.add(&mut watched);
            return match (added, watched.fault) {
                (Ok(_), _) => Ok(Outcome::Copied),
                (Err(_), Some(fault)) if !is_local(&fault) => {
                    *useless += 1;
                    *last = Some(fault);
                    Ok(Outcome::Broken)
                }
                (Err(fault), _) => Err(fault),
            };
        }
    }
}

/// What became of one artifact.
enum Outcome {
    Copied,
    Left(ArtifactFault),
    /// Its source failed after some of its bytes were taken.
    Broken,
}

/// The artifact on that shelf, if it is there.
fn open<'a>(shelf: &'a Shelf, one: &Wanted) -> Result<Option<Reader<'a>>, ArtifactFault> {
    let Some(record) = shelf.find_surely(&one.key)? else {
        return Ok(None);
    };
    let Record { key, size, .. } = record;
    require_size(&key, one.size, size)?;
    Reader::open(shelf, record).map(Some)
}

fn missing(key: &ContentDigest) -> ArtifactFault {
    let what = format!("{key} is published, and its bytes are neither here nor offered");
    ArtifactFault::new(Code::ArtifactMissing, what)
}

/// Whether this machine is to blame, and not what was read.
fn is_local(fault: &ArtifactFault) -> bool {
    matches!(fault.code, Code::Io | Code::Busy | Code::Unsupported)
}

/// A reader that keeps what it failed with.
struct Watched<'a> {
    reader: Reader<'a>,
    fault: Option<ArtifactFault>,
}

impl Read for Watched<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reader.read(into).inspect_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
            self.fault = inner.cloned();
        })
    }
}

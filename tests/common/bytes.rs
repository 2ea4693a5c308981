//! Bytes in real spaces: added to the internal shelf, offered, looked for on the published one.

use folio::artifact::offer::{self, Name};
use folio::artifact::{ArtifactFault, Imprint, Intake, Options, Reader, Shelf, Shelves};
use folio::codec::commit::{Ident, Zone};
use folio::crypto::Sign;
use folio::journal::Space;
use folio::model::{ContentDigest, Handle, Oid, Slug};
use folio::store::GitStore;
use std::collections::BTreeSet;
use std::path::Path;

/// The key of these bytes.
pub fn key(bytes: &[u8]) -> ContentDigest {
    ContentDigest(*blake3::hash(bytes).as_bytes())
}

/// Somebody's name under commits, with their key or without.
pub fn imprint<'a>(store: &GitStore, who: &str, signer: Option<&'a dyn Sign>) -> Imprint<'a> {
    let ident = Ident {
        name: who.to_owned(),
        email: format!("{who}@example.org"),
        seconds: super::DATE,
        zone: Zone::UTC,
    };
    Imprint {
        space: Space::open(store).unwrap().id,
        ident,
        signer,
    }
}

/// Adds bytes to the internal shelf of a space.
pub fn add(dir: &Path, artifacts: &[&[u8]]) {
    let store = GitStore::open(dir).unwrap();
    let shelves = Shelves::open(&store).unwrap();
    put(
        shelves.internal(),
        &imprint(&store, "nobody", None),
        artifacts,
    )
    .unwrap();
}

/// Adds bytes to any shelf.
pub fn put(shelf: &Shelf, imprint: &Imprint<'_>, artifacts: &[&[u8]]) -> Result<(), ArtifactFault> {
    let mut intake = Intake::new(shelf, Options::new(imprint.clone()))?;
    for bytes in artifacts {
        intake.add(&mut &**bytes)?;
    }
    intake.finish()
}

/// Offers bytes of the internal shelf with a proposal.
pub fn offer(dir: &Path, who: &str, slug: &str, artifacts: &[&[u8]], signer: &dyn Sign) -> Oid {
    let store = GitStore::open(dir).unwrap();
    let shelves = Shelves::open(&store).unwrap();
    let keys: BTreeSet<ContentDigest> = artifacts.iter().map(|bytes| key(bytes)).collect();
    let imprint = imprint(&store, who, Some(signer));
    let made = offer::make(&shelves, &store, &name(who, slug), &keys, &imprint);
    made.unwrap().unwrap()
}

pub fn name(who: &str, slug: &str) -> Name {
    Name {
        author: Handle::new(who).unwrap(),
        slug: Slug::new(slug).unwrap(),
    }
}

/// The verified bytes of an artifact on the published shelf; nothing if it is not there.
pub fn published(dir: &Path, key: &ContentDigest) -> Option<Vec<u8>> {
    let store = GitStore::open(dir).unwrap();
    let shelves = Shelves::open(&store).unwrap();
    let record = shelves.published().find(key).unwrap()?;
    let mut bytes = Vec::new();
    let mut reader = Reader::open(shelves.published(), record).unwrap();
    std::io::Read::read_to_end(&mut reader, &mut bytes).unwrap();
    Some(bytes)
}

/// The line that publishes these bytes.
pub fn publish(bytes: &[u8]) -> String {
    publish_as(&key(bytes), bytes.len() as u64)
}

/// The line that publishes a key as so many bytes.
pub fn publish_as(key: &ContentDigest, size: u64) -> String {
    format!("{{\"op\":\"artifact.publish\",\"artifact\":\"{key}\",\"size\":{size}}}\n")
}

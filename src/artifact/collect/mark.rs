//! Marking: which artifacts of the internal shelf are needed, and which objects.

use super::roots;
use crate::artifact::shelf::Shelf;
use crate::artifact::{ArtifactFault, Catalog, Reader, Shelves};
use crate::codec::manifest::{self, What};
use crate::codec::sheet::{Record, Sheet};
use crate::model::{Code, ContentDigest, Oid, limits};
use crate::store::git::packs::{PackIndex, packs};
use crate::store::{GitStore, Kind, Objects as _};
use std::collections::{BTreeMap, BTreeSet};

/// What was found at one moment.
pub(super) struct Mark {
    /// The moment.
    pub(super) print: roots::Print,
    /// What was on the internal shelf.
    pub(super) catalog: Catalog,
    /// Artifacts on it that nothing needs.
    pub(super) dead: BTreeSet<ContentDigest>,
}

/// Marks. Nothing is written, not even derived files.
///
/// # Errors
/// `cannot-mark`, naming what could not be read.
pub(super) fn mark(store: &GitStore, shelves: &Shelves) -> Result<Mark, ArtifactFault> {
    let print = roots::print(store)?;
    let mut live = BTreeSet::new();
    roots::visit(store, &mut |key, _| {
        live.insert(key);
    })?;
    let internal = shelves.internal();
    let catalog = readable(internal.catalog())?;
    let mut manifests = BTreeMap::new();
    let mut all = Vec::new();
    for shelf in [internal, shelves.published()] {
        let catalog = readable(shelf.catalog())?;
        for_each_record(shelf, &catalog.sheets, &mut |record| {
            if std::ptr::eq(shelf, internal) {
                all.push(record.key);
            }
            if record.manifest {
                manifests.entry(record.key).or_insert((shelf, record));
            }
        })?;
    }
    follow_manifests(&manifests, &mut live)?;
    let dead = all.into_iter().filter(|key| !live.contains(key)).collect();
    Ok(Mark {
        print,
        catalog,
        dead,
    })
}

/// What a manifest is refused with whose bytes are whole.
const MALFORMED: [Code; 4] = [
    Code::ManifestMalformed,
    Code::PathUnsafe,
    Code::PathCollision,
    Code::TooLarge,
];

type Manifests<'s> = BTreeMap<ContentDigest, (&'s Shelf, Record)>;

/// The files of a directory that is needed are needed.
fn follow_manifests(
    manifests: &Manifests<'_>,
    live: &mut BTreeSet<ContentDigest>,
) -> Result<(), ArtifactFault> {
    let known = |key: &&ContentDigest| manifests.contains_key(key);
    let mut left: Vec<ContentDigest> = live.iter().filter(known).copied().collect();
    while let Some(key) = left.pop() {
        let (shelf, record) = &manifests[&key];
        files_of(shelf, record, &mut |file| {
            if live.insert(file) && manifests.contains_key(&file) {
                left.push(file);
            }
        })?;
    }
    Ok(())
}

/// The files that a manifest names. One that is malformed keeps whatever looks like a key in it: its bytes are what
/// its key says, so nothing is damaged, and somebody may make sense of it.
///
/// # Errors
/// `cannot-mark`, naming the manifest.
pub(super) fn files_of(
    shelf: &Shelf,
    record: &Record,
    each: &mut dyn FnMut(ContentDigest),
) -> Result<(), ArtifactFault> {
    let key = record.key;
    let mut keys = BTreeSet::new();
    let read = match parse(shelf, record, &mut keys) {
        Err(fault) if MALFORMED.contains(&fault.code) => scan(shelf, record, &mut keys),
        read => read,
    };
    read.map_err(|fault| cannot(format!("the manifest {key} cannot be read: {}", fault.what)))?;
    keys.into_iter().for_each(each);
    Ok(())
}

fn parse(
    shelf: &Shelf,
    record: &Record,
    keys: &mut BTreeSet<ContentDigest>,
) -> Result<(), ArtifactFault> {
    let mut bytes = Reader::open(shelf, record.clone())?;
    let mut parser = manifest::Reader::default();
    while let Some(piece) = bytes.piece()? {
        parser.feed::<ArtifactFault>(piece, &mut |entry| {
            if let What::File { key, .. } = entry.what {
                keys.insert(key);
            }
            Ok(())
        })?;
    }
    parser.finish()?;
    Ok(())
}

fn scan(
    shelf: &Shelf,
    record: &Record,
    keys: &mut BTreeSet<ContentDigest>,
) -> Result<(), ArtifactFault> {
    let mut bytes = Reader::open(shelf, record.clone())?;
    let mut left = Vec::new();
    while let Some(piece) = bytes.piece()? {
        left.extend_from_slice(piece);
        roots::keys_in(&left, &mut |key| {
            keys.insert(key);
        });
        // A key may go on in the next piece.
        left.drain(..left.len().saturating_sub(64));
    }
    Ok(())
}

/// Every record of these sheets, read from the sheets themselves.
///
/// # Errors
/// `cannot-mark`, naming the sheet.
pub(super) fn for_each_record(
    shelf: &Shelf,
    sheets: &[Oid],
    each: &mut dyn FnMut(Record),
) -> Result<(), ArtifactFault> {
    for id in sheets {
        records(shelf, id)?.into_iter().for_each(&mut *each);
    }
    Ok(())
}

/// The records of one sheet.
///
/// # Errors
/// `cannot-mark`, naming the sheet.
pub(super) fn records(shelf: &Shelf, id: &Oid) -> Result<Vec<Record>, ArtifactFault> {
    let read = || -> Result<Vec<Record>, ArtifactFault> {
        let Some(store) = shelf.store() else {
            return Ok(Vec::new());
        };
        let bytes = store.read(id, Kind::Blob, limits::SHEET_BYTES)?;
        Ok(Sheet::parse(store.object_format(), &bytes)?
            .records()
            .collect())
    };
    read().map_err(|fault| cannot(format!("the sheet {id} cannot be read: {}", fault.what)))
}

/// Objects that a shelf needs: its commit, tree and sheets, and the blocks of every artifact but the `without`.
pub(super) fn needed(
    shelf: &Shelf,
    catalog: &Catalog,
    without: &dyn Fn(&ContentDigest) -> bool,
) -> Result<BTreeSet<Oid>, ArtifactFault> {
    let mut needed: BTreeSet<Oid> = catalog.sheets.iter().copied().collect();
    if let (Some(commit), Some(store)) = (catalog.commit, shelf.store()) {
        let tree = readable(crate::journal::page::read_commit(store, &commit).map_err(Into::into))?;
        needed.extend([commit, tree.tree]);
    }
    for_each_record(shelf, &catalog.sheets, &mut |record| {
        if !without(&record.key) {
            needed.extend(record.extents.iter().map(|extent| extent.block));
        }
    })?;
    Ok(needed)
}

/// All objects of the internal shelf that lie in packs.
pub(super) fn packed(store: &GitStore) -> Result<BTreeSet<Oid>, ArtifactFault> {
    let mut ids = BTreeSet::new();
    for pack in packs(&store.pack_dir())? {
        ids.extend(PackIndex::open(&pack.path, store.object_format())?.ids());
    }
    Ok(ids)
}

fn readable<T>(read: Result<T, ArtifactFault>) -> Result<T, ArtifactFault> {
    read.map_err(|fault| cannot(format!("the catalog cannot be read: {}", fault.what)))
}

fn cannot(what: String) -> ArtifactFault {
    ArtifactFault::new(Code::CannotMark, what)
}

//! Commits that say where artifacts are: a catalog of sheets, and above it the blocks that those name.
//!
//! The trees follow from the sheets. So they are not walked: they are computed and compared by their ids, and
//! nothing that somebody else nested deeply is ever opened.

use super::fault::Fault;
use super::page::read_commit;
use crate::codec::commit::Commit;
use crate::codec::message::Message;
use crate::codec::sheet::Sheet;
use crate::codec::shelf;
use crate::crypto::seal;
use crate::model::{Code, Oid, PublicKey, SpaceId, limits};
use crate::store::{Kind, Objects};
use std::collections::BTreeSet;

/// A commit whose tree lists sheets. Its sheets are not looked at yet.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// Its id.
    pub id: Oid,
    /// The commit.
    pub commit: Commit,
    /// Whose signature it has, if it has one.
    pub key: Option<PublicKey>,
    /// How many entries its sheets have together, as it says.
    pub artifacts: u64,
    /// The sheets, strictly ascending.
    pub sheets: Vec<Oid>,
}

/// A commit on a catalog whose tree lists the blocks of each sheet. Its lists are not looked at yet.
#[derive(Debug, Clone)]
pub struct Published {
    /// Its id.
    pub id: Oid,
    /// The commit.
    pub commit: Commit,
    /// Whose signature it has, if it has one.
    pub key: Option<PublicKey>,
    /// The catalog it stands on.
    pub catalog: Oid,
    /// Each sheet with the tree of its blocks, strictly ascending.
    pub lists: Vec<(Oid, Oid)>,
}

impl Catalog {
    /// Reads a catalog of this space.
    ///
    /// # Errors
    /// `catalog-invalid`, `space-mismatch`, `too-large`, and those of commits and signatures.
    pub fn read<S: Objects + ?Sized>(store: &S, space: &SpaceId, id: Oid) -> Result<Self, Fault> {
        let read = || {
            let (commit, key, artifacts) = open(store, space, id)?;
            if !commit.parents.is_empty() {
                let found = commit.parents.len();
                return Err(invalid(format!("expected no parent, found {found}")));
            }
            let tree = read_tree(store, &commit.tree)?;
            let sheets = shelf::parse_catalog_tree(&tree, store.format()).map_err(invalid)?;
            require_few(sheets.len())?;
            Ok(Self {
                id,
                commit,
                key,
                artifacts,
                sheets,
            })
        };
        read().map_err(|fault: Fault| fault.in_commit(id))
    }
}

impl Published {
    /// Reads the commit above a catalog of this space.
    ///
    /// # Errors
    /// As [`Catalog::read`].
    pub fn read<S: Objects + ?Sized>(store: &S, space: &SpaceId, id: Oid) -> Result<Self, Fault> {
        let read = || {
            let (commit, key, _) = open(store, space, id)?;
            let [catalog] = commit.parents[..] else {
                let found = commit.parents.len();
                let what = format!("expected a catalog as only parent, found {found}");
                return Err(invalid(what));
            };
            let tree = read_tree(store, &commit.tree)?;
            let lists = shelf::parse_published_tree(&tree, store.format()).map_err(invalid)?;
            require_few(lists.len())?;
            Ok(Self {
                id,
                commit,
                key,
                catalog,
                lists,
            })
        };
        read().map_err(|fault: Fault| fault.in_commit(id))
    }

    /// Holds it against its catalog, and the lists that `known` does not have against their sheets: each sheet is
    /// in its form, its list is the one that follows from it, and its blocks are blobs of at most 1 MiB. What
    /// they hold is not read; a reader verifies every byte by its key.
    ///
    /// # Errors
    /// `catalog-invalid`, `sheet-malformed`, `too-large`, `object-missing`, `object-damaged`.
    pub fn check<S: Objects + ?Sized>(
        &self,
        store: &S,
        catalog: &Catalog,
        known: &[(Oid, Oid)],
    ) -> Result<(), Fault> {
        let check = || {
            if !self
                .lists
                .iter()
                .map(|(sheet, _)| sheet)
                .eq(&catalog.sheets)
            {
                return Err(invalid("its lists are not those of its catalog's sheets"));
            }
            let known: BTreeSet<&(Oid, Oid)> = known.iter().collect();
            let new = self.lists.iter().filter(|list| !known.contains(list));
            new.into_iter()
                .try_for_each(|(sheet, list)| check_list(store, sheet, list))
        };
        check().map_err(|fault: Fault| fault.in_commit(self.id))
    }
}

/// Commit, message and signature, where there is one.
fn open<S: Objects + ?Sized>(
    store: &S,
    space: &SpaceId,
    id: Oid,
) -> Result<(Commit, Option<PublicKey>, u64), Fault> {
    let commit = read_commit(store, &id)?;
    let key = match commit.armor {
        Some(_) => Some(seal::open(&commit)?),
        None => None,
    };
    let Message::Catalog(message) = Message::parse(&commit.message)? else {
        return Err(invalid(
            "expected a catalog, found a commit of another kind",
        ));
    };
    if message.space != *space {
        let (what, found) = ("the space", message.space);
        return Err(Fault::differs(Code::SpaceMismatch, what, space, found));
    }
    Ok((commit, key, message.artifacts))
}

fn read_tree<S: Objects + ?Sized>(store: &S, tree: &Oid) -> Result<Vec<u8>, Fault> {
    // An entry of either tree: mode, two digits for each byte of the id, NUL, the id.
    let entry = 8 + 3 * store.format().id_len();
    Ok(store.read(tree, Kind::Tree, (limits::SHEETS * entry) as u64)?)
}

fn require_few(sheets: usize) -> Result<(), Fault> {
    match sheets <= limits::SHEETS {
        true => Ok(()),
        false => {
            let what = format!("expected at most {} sheets, found {sheets}", limits::SHEETS);
            Err(Fault::new(Code::TooLarge, what))
        }
    }
}

fn check_list<S: Objects + ?Sized>(store: &S, id: &Oid, list: &Oid) -> Result<(), Fault> {
    let bytes = store.read(id, Kind::Blob, limits::SHEET_BYTES)?;
    let sheet = Sheet::parse(store.format(), &bytes).map_err(|fault| {
        let what = format!("sheet {id}: {}", fault.what);
        Fault::new(fault.code, what)
    })?;
    let expected = store.id_of(Kind::Tree, &shelf::blocks_tree(sheet.blocks()));
    if expected != *list {
        let what = format!("the list of blocks of sheet {id}");
        return Err(Fault::differs(Code::CatalogInvalid, &what, expected, list));
    }
    require(store, list, Kind::Tree, u64::MAX)?;
    for block in sheet.blocks() {
        require(store, &block, Kind::Blob, limits::BLOCK as u64)?;
    }
    Ok(())
}

/// An object is there, of that kind and size, as its header says.
fn require<S: Objects + ?Sized>(store: &S, id: &Oid, kind: Kind, max: u64) -> Result<(), Fault> {
    match store.header(id)? {
        None => Err(Fault::new(
            Code::ObjectMissing,
            format!("object {id} is missing"),
        )),
        Some((found, _)) if found != kind => {
            let what = format!("object {id} is neither a block nor a list of blocks");
            Err(invalid(what))
        }
        Some((_, size)) if size > max => {
            let what = format!("block {id} has {size} bytes, expected at most {max}");
            Err(Fault::new(Code::TooLarge, what))
        }
        Some(_) => Ok(()),
    }
}

fn invalid(what: impl Into<String>) -> Fault {
    Fault::new(Code::CatalogInvalid, what)
}

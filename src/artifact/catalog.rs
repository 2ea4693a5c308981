//! The commits that name a shelf's sheets (C) and, where they are to travel, its blocks (P).

use super::{ArtifactFault, Place};
use crate::codec::commit::{Commit, Ident};
use crate::codec::message::{CatalogMessage, Message};
use crate::codec::sheet::Sheet;
use crate::codec::shelf;
use crate::crypto::{Sign, seal};
use crate::model::{Code, Oid, SpaceId, limits};
use crate::store::{GitStore, Kind, Objects as _, Refs as _};
use std::collections::BTreeMap;

/// What a shelf has at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalog {
    /// The commit whose tree lists the sheets (C); none while the shelf is empty.
    pub commit: Option<Oid>,
    /// The commit whose tree lists the sheets' blocks (P), on shelves whose bytes travel.
    pub placement: Option<Oid>,
    /// The sheets, ascending by id.
    pub sheets: Vec<Oid>,
}

/// Who writes a catalog, and when.
#[derive(Clone)]
pub struct Imprint<'a> {
    /// The space.
    pub space: SpaceId,
    /// Author and committer.
    pub ident: Ident,
    /// Signs the commits, where there is one.
    pub signer: Option<&'a dyn Sign>,
}

impl Catalog {
    /// What the shelf's refs name now.
    pub(super) fn read(store: &GitStore, place: &Place) -> Result<Self, ArtifactFault> {
        let (commit, placement) = match place {
            Place::Internal => (store.get(&place.reference())?, None),
            Place::Published => (
                store.get(super::shelf::CATALOG)?,
                store.get(&place.reference())?,
            ),
            Place::Offered { .. } => {
                let placement = store.get(&place.reference())?;
                let parent = placement.map(|id| parent_of(store, &id)).transpose()?;
                (parent, placement)
            }
        };
        let sheets = match commit {
            None => Vec::new(),
            Some(id) => sheets_of(store, &id)?,
        };
        Ok(Self {
            commit,
            placement,
            sheets,
        })
    }
}

/// The sheets that a catalog's commit lists.
pub(super) fn sheets_of(store: &GitStore, commit: &Oid) -> Result<Vec<Oid>, ArtifactFault> {
    let tree = read_commit(store, commit)?.tree;
    let bytes = store.read(&tree, Kind::Tree, limits::SHELF_TREE_BYTES)?;
    let sheets = shelf::parse_catalog_tree(&bytes, store.object_format());
    bounded(&tree, sheets)
}

/// The entries of a tree of a shelf, if they are few enough.
fn bounded<T>(tree: &Oid, entries: Result<Vec<T>, String>) -> Result<Vec<T>, ArtifactFault> {
    let most = limits::SHEETS;
    let entries = entries.and_then(|entries| match entries.len() {
        found if found > most => Err(format!("expected at most {most} entries, found {found}")),
        _ => Ok(entries),
    });
    entries.map_err(|what| {
        let what = format!("the tree {tree}: {what}");
        ArtifactFault::new(Code::TreeMalformed, what)
    })
}

fn read_commit(store: &GitStore, id: &Oid) -> Result<Commit, ArtifactFault> {
    let bytes = store.read(id, Kind::Commit, limits::COMMIT)?;
    Ok(Commit::parse(&bytes, store.object_format())?)
}

fn parent_of(store: &GitStore, placement: &Oid) -> Result<Oid, ArtifactFault> {
    match read_commit(store, placement)?.parents[..] {
        [parent] => Ok(parent),
        ref parents => {
            let found = parents.len();
            let what =
                format!("expected {placement} to have one parent, the catalog; found {found}");
            Err(ArtifactFault::new(Code::ParentsWrong, what))
        }
    }
}

/// A sheet that a catalog lists.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) id: Oid,
    /// How many entries it has.
    pub(super) entries: u64,
    /// Its bytes, where they are at hand.
    pub(super) bytes: Option<Vec<u8>>,
}

/// Objects that name these sheets, to be written before a ref names them: trees, and the commits last.
pub(super) struct Composed {
    pub(super) objects: Vec<(Oid, Kind, Vec<u8>)>,
    pub(super) catalog: Catalog,
}

/// Makes the commits of a shelf with these sheets.
pub(super) fn compose(
    store: &GitStore,
    old: &Catalog,
    mut sheets: Vec<Listed>,
    travels: bool,
    imprint: &Imprint<'_>,
) -> Result<Composed, ArtifactFault> {
    sheets.sort_by_key(|sheet| sheet.id);
    sheets.dedup_by_key(|sheet| sheet.id);
    let mut composer = Composer {
        store,
        objects: Vec::new(),
        artifacts: sheets.iter().map(|sheet| sheet.entries).sum(),
        imprint,
    };
    let listed: Vec<Oid> = sheets.iter().map(|sheet| sheet.id).collect();
    let tree = composer.put(Kind::Tree, shelf::catalog_tree(&listed));
    let commit = composer.commit(tree, None)?;
    let placement = match travels {
        false => None,
        true => {
            let tree = composer.placement(old, &sheets)?;
            Some(composer.commit(tree, Some(commit))?)
        }
    };
    let catalog = Catalog {
        commit: Some(commit),
        placement,
        sheets: listed,
    };
    let objects = composer.objects;
    Ok(Composed { objects, catalog })
}

struct Composer<'a> {
    store: &'a GitStore,
    objects: Vec<(Oid, Kind, Vec<u8>)>,
    artifacts: u64,
    imprint: &'a Imprint<'a>,
}

impl Composer<'_> {
    fn put(&mut self, kind: Kind, bytes: Vec<u8>) -> Oid {
        let id = self.store.id_of(kind, &bytes);
        self.objects.push((id, kind, bytes));
        id
    }

    fn commit(&mut self, tree: Oid, parent: Option<Oid>) -> Result<Oid, ArtifactFault> {
        let Imprint {
            space,
            ident,
            signer,
        } = self.imprint;
        let artifacts = self.artifacts;
        let text = match parent {
            None => "Catalog of artifacts\n",
            Some(_) => "Blocks of artifacts\n",
        };
        let message = Message::Catalog(CatalogMessage {
            text: text.to_owned(),
            space: *space,
            artifacts,
        });
        let commit = Commit {
            tree,
            parents: parent.into_iter().collect(),
            author: ident.clone(),
            committer: ident.clone(),
            armor: None,
            message: message.encode(),
        };
        let commit = match signer {
            Some(signer) => seal::seal(commit, *signer)?,
            None => commit,
        };
        Ok(self.put(Kind::Commit, commit.encode()))
    }

    /// The tree with a subtree of blocks for each sheet; those of the old one are used again.
    fn placement(&mut self, old: &Catalog, sheets: &[Listed]) -> Result<Oid, ArtifactFault> {
        let format = self.store.object_format();
        let known: BTreeMap<Oid, Oid> = match old.placement {
            None => BTreeMap::new(),
            Some(commit) => {
                let tree = read_commit(self.store, &commit)?.tree;
                let bytes = self
                    .store
                    .read(&tree, Kind::Tree, limits::SHELF_TREE_BYTES)?;
                let lists = shelf::parse_published_tree(&bytes, format);
                bounded(&tree, lists)?.into_iter().collect()
            }
        };
        let mut entries = Vec::with_capacity(sheets.len());
        for sheet in sheets {
            let subtree = match known.get(&sheet.id) {
                Some(subtree) => *subtree,
                None => {
                    let read = || self.store.read(&sheet.id, Kind::Blob, limits::SHEET_BYTES);
                    let bytes = sheet.bytes.clone().map_or_else(read, Ok)?;
                    let blocks = Sheet::parse(format, &bytes)?.blocks();
                    self.put(Kind::Tree, shelf::blocks_tree(blocks))
                }
            };
            entries.push((sheet.id, subtree));
        }
        Ok(self.put(Kind::Tree, shelf::published_tree(&entries)))
    }
}

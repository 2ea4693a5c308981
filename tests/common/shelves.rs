//! Shelves of artifacts made from parts, honest ones and others.

use folio::codec::commit::Commit;
use folio::codec::message::{CatalogMessage, Message};
use folio::codec::sheet::{self, Extent, Record, Sheet};
use folio::codec::shelf;
use folio::crypto::seal::seal;
use folio::model::{ContentDigest, Oid, SpaceId, limits};
use folio::store::{Kind, Objects};

use super::{Actor, when};

/// Whose commits they are, and in which store.
pub struct Hand<'a, S> {
    pub store: &'a S,
    pub space: SpaceId,
    /// Nobody signs where there is none.
    pub signer: Option<&'a Actor>,
}

impl<S: Objects> Hand<'_, S> {
    pub fn write(&self, kind: Kind, bytes: Vec<u8>) -> Oid {
        let id = self.store.id_of(kind, &bytes);
        self.store.write_all(&[(id, kind, bytes)]).unwrap();
        id
    }

    /// The records of small artifacts, each in a block of its own. The blocks are not written.
    pub fn records(&self, artifacts: &[&[u8]]) -> Vec<Record> {
        let record = |bytes: &&[u8]| Record {
            key: ContentDigest(*blake3::hash(bytes).as_bytes()),
            size: bytes.len() as u64,
            manifest: false,
            extents: vec![Extent {
                block: self.store.id_of(Kind::Blob, bytes),
                offset: 0,
                length: bytes.len() as u32,
            }],
            groups: Vec::new(),
        };
        artifacts.iter().map(record).collect()
    }

    /// A sheet of these artifacts, with their blocks: its id and that of its list.
    pub fn sheet(&self, artifacts: &[&[u8]]) -> (Oid, Oid) {
        for bytes in artifacts {
            assert!(bytes.len() <= limits::BLOCK);
            self.write(Kind::Blob, bytes.to_vec());
        }
        self.sheet_of(self.records(artifacts))
    }

    /// A sheet of these records, and its list.
    pub fn sheet_of(&self, records: Vec<Record>) -> (Oid, Oid) {
        let bytes = sheet::encode(self.store.format(), records).unwrap();
        let blocks: Vec<Oid> = Sheet::parse(self.store.format(), &bytes)
            .unwrap()
            .blocks()
            .collect();
        let list = self.write(Kind::Tree, shelf::blocks_tree(blocks));
        (self.write(Kind::Blob, bytes), list)
    }

    /// A commit with this tree.
    pub fn commit(&self, tree: Oid, parents: Vec<Oid>) -> Oid {
        let who = self.signer.map_or("nobody", |signer| signer.handle);
        let ident = folio::codec::commit::Ident {
            name: who.to_owned(),
            email: format!("{who}@example.org"),
            seconds: when().seconds,
            zone: folio::codec::commit::Zone::UTC,
        };
        let message = Message::Catalog(CatalogMessage {
            text: "Artifacts\n".into(),
            space: self.space,
            artifacts: 1,
        });
        let mut commit = Commit {
            tree,
            parents,
            author: ident.clone(),
            committer: ident,
            armor: None,
            message: message.encode(),
        };
        if let Some(signer) = self.signer {
            commit = seal(commit, &signer.key).unwrap();
        }
        self.write(Kind::Commit, commit.encode())
    }

    /// A catalog of these sheets, and what stands on it.
    pub fn shelf(&self, lists: &[(Oid, Oid)]) -> (Oid, Oid) {
        let mut lists = lists.to_vec();
        lists.sort();
        let sheets: Vec<Oid> = lists.iter().map(|(sheet, _)| *sheet).collect();
        let tree = self.write(Kind::Tree, shelf::catalog_tree(&sheets));
        let catalog = self.commit(tree, vec![]);
        let tree = self.write(Kind::Tree, shelf::published_tree(&lists));
        (catalog, self.commit(tree, vec![catalog]))
    }

    /// A shelf with one sheet of these artifacts.
    pub fn of(&self, artifacts: &[&[u8]]) -> (Oid, Oid) {
        self.shelf(&[self.sheet(artifacts)])
    }
}

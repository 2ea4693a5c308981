//! The trees of a shelf: lists of objects by names that sort as bytes do.

use super::ArtifactFault;
use crate::model::{Code, ObjectFormat, Oid, limits};
use crate::store::{GitStore, Kind, Objects as _};

/// The mode of a file in git's trees.
const FILE: &str = "100644";
/// The mode of a directory.
const DIRECTORY: &str = "40000";

/// What the entries of a tree are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Blobs,
    Trees,
}

impl Of {
    fn mode(self) -> &'static str {
        match self {
            Of::Blobs => FILE,
            Of::Trees => DIRECTORY,
        }
    }
}

/// The bytes of a tree; names are hexadecimal, all of one length, ascending.
pub(super) fn encode(of: Of, entries: impl Iterator<Item = (String, Oid)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, id) in entries {
        out.extend_from_slice(of.mode().as_bytes());
        out.push(b' ');
        out.extend_from_slice(name.as_bytes());
        out.push(0);
        out.extend_from_slice(id.as_bytes());
    }
    out
}

/// The tree of one sheet's blocks: each by its number in the sheet.
pub(super) fn of_blocks(blocks: impl Iterator<Item = Oid>) -> Vec<u8> {
    let numbered = blocks.enumerate().map(|(n, id)| (format!("{n:08x}"), id));
    encode(Of::Blobs, numbered)
}

/// Reads a tree whose entries are all of one kind and all named by an object id; ascending.
pub(super) fn read_by_id(
    store: &GitStore,
    id: &Oid,
    of: Of,
) -> Result<Vec<(Oid, Oid)>, ArtifactFault> {
    let bytes = store.read(id, Kind::Tree, limits::SHELF_TREE_BYTES)?;
    let entries = parse(store.object_format(), of, &bytes);
    let entries = entries.filter(|entries| {
        entries.len() <= limits::SHEETS && entries.is_sorted_by(|a, b| a.0 < b.0)
    });
    entries.ok_or_else(|| {
        let what = format!("expected the tree {id} to list sheets by their ids, each once");
        ArtifactFault::new(Code::TreeMalformed, what)
    })
}

fn parse(format: ObjectFormat, of: Of, mut bytes: &[u8]) -> Option<Vec<(Oid, Oid)>> {
    let len = format.id_len();
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        bytes = bytes
            .strip_prefix(of.mode().as_bytes())?
            .strip_prefix(b" ")?;
        let (name, rest) = bytes.split_at_checked(2 * len)?;
        let name: Oid = std::str::from_utf8(name).ok()?.parse().ok()?;
        let (id, rest) = rest.strip_prefix(b"\0")?.split_at_checked(len)?;
        entries.push((name, Oid::from_bytes(id).ok()?));
        bytes = rest;
    }
    Some(entries)
}

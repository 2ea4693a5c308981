//! The file `packed-refs`, where git collects refs.
//!
//! It is read each time it is needed: gix keeps it by its modification time and would miss two changes
//! within one tick of the clock, and would read it before the loose ref, so that a ref that `git
//! pack-refs` moves in between is in neither.

use crate::model::Oid;
use crate::store::StoreFault;
use crate::store::disk::read_if_there;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The bytes of `packed-refs`; nothing if there is no such file.
pub(super) struct Packed {
    bytes: Vec<u8>,
}

impl Packed {
    /// Reads the file below this git directory.
    pub(super) fn read(common_dir: &Path) -> Result<Self, StoreFault> {
        let bytes = read_if_there(&common_dir.join("packed-refs"))?.unwrap_or_default();
        Ok(Self { bytes })
    }

    /// Name and id of each ref, in the order of the file. Names that are not UTF-8 are left out.
    pub(super) fn refs(&self) -> impl Iterator<Item = (&str, Oid)> {
        self.bytes.split(|b| *b == b'\n').filter_map(parse_line)
    }

    /// Where a ref points.
    pub(super) fn find(&self, name: &str) -> Option<Oid> {
        // Most lines are told apart by their end, without parsing the id.
        let lines = self.bytes.split(|b| *b == b'\n');
        let mut found = lines
            .filter(|line| line.ends_with(name.as_bytes()))
            .filter_map(parse_line);
        found.find(|(found, _)| *found == name).map(|(_, id)| id)
    }

    /// Where each ref points: for those who look for many.
    pub(super) fn index(&self) -> BTreeMap<&str, Oid> {
        let mut index = BTreeMap::new();
        for (name, id) in self.refs() {
            index.entry(name).or_insert(id);
        }
        index
    }

    /// The file without these refs.
    pub(super) fn without(&self, names: &BTreeSet<&str>) -> Vec<u8> {
        let mut kept = Vec::with_capacity(self.bytes.len());
        let mut dropped = false;
        for line in self.bytes.split_inclusive(|b| *b == b'\n') {
            // A line `^<id>` says what the tag of the line before it points to.
            if !line.starts_with(b"^") {
                let parsed = parse_line(line.strip_suffix(b"\n").unwrap_or(line));
                dropped = parsed.is_some_and(|(name, _)| names.contains(name));
            }
            if !dropped {
                kept.extend_from_slice(line);
            }
        }
        kept
    }
}

fn parse_line(line: &[u8]) -> Option<(&str, Oid)> {
    let line = std::str::from_utf8(line).ok()?;
    let (id, name) = line.split_once(' ')?;
    Some((name.trim_end_matches('\r'), id.parse().ok()?))
}

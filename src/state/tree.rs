//! The two shapes of tree objects in a state: the root with its tables, and directories of digits.

use super::place::DIGITS;
use super::raw::{self, Child, Entry, show};
use crate::model::{ObjectFormat, Oid, Table};
use std::sync::LazyLock;

const SUFFIX: &str = ".jsonl";
const DECISIONS: &[u8] = b"decisions.jsonl";

/// What may stand in a root tree, by its name as a file, in git's order. That is the same for files and directories:
/// where one name goes on after another, it does so with `-`, which is below both `.` and `/`.
static NAMES: LazyLock<Vec<(String, Option<Table>)>> = LazyLock::new(|| {
    let tables = Table::ALL.iter().map(|table| (table.name(), Some(*table)));
    let all = tables.chain([("decisions", None)]);
    let mut all: Vec<_> = all
        .map(|(stem, table)| (format!("{stem}{SUFFIX}"), table))
        .collect();
    all.sort();
    all
});

/// A root tree: each table is absent, one file, or one directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Root {
    tables: [Option<Child>; Table::ALL.len()],
    /// The blob of `decisions.jsonl`, which only proposals have. It is no part of the state.
    pub(super) decisions: Option<Oid>,
}

impl Root {
    /// What stands for a table.
    pub(super) fn table(&self, table: Table) -> Option<Child> {
        self.tables[table as usize]
    }

    /// Puts or removes a table.
    pub(super) fn set(&mut self, table: Table, child: Option<Child>) {
        self.tables[table as usize] = child;
    }

    /// Reads a root tree: names from the closed list only; the fault is words.
    pub(super) fn parse(bytes: &[u8], format: ObjectFormat) -> Result<Self, String> {
        let mut root = Root::default();
        for Entry { name, child } in raw::parse(bytes, format)? {
            if name == DECISIONS
                && let Child::File(id) = child
            {
                root.decisions = Some(id);
                continue;
            }
            let table = stem(name, child)
                .and_then(|stem| std::str::from_utf8(stem).ok())
                .and_then(Table::from_name)
                .ok_or_else(|| format!("{} is not the name of a table", show(name)))?;
            // Sorted entries are unique by name, but a table may be spelt as a file and a directory.
            if root.table(table).is_some() {
                return Err(format!("{table} is both a file and a directory"));
            }
            root.set(table, Some(child));
        }
        Ok(root)
    }

    /// The tree object.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(NAMES.len() * 48);
        self.encode_into(&mut bytes);
        bytes
    }

    /// Appends the tree object.
    pub(super) fn encode_into(&self, bytes: &mut Vec<u8>) {
        for (file, table) in &*NAMES {
            let child = match table {
                Some(table) => self.table(*table),
                None => self.decisions.map(Child::File),
            };
            let Some(child) = child else {
                continue;
            };
            let name = match child {
                Child::File(_) => file,
                Child::Dir(_) => &file[..file.len() - SUFFIX.len()],
            };
            let name = name.as_bytes();
            raw::put(bytes, &Entry { name, child });
        }
    }
}

/// A directory inside a table: one child per digit that has rows. It is never empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Dir {
    /// By digit.
    pub(super) children: [Option<Child>; 16],
}

impl Dir {
    /// Reads a directory of digits; the fault is words.
    pub(super) fn parse(bytes: &[u8], format: ObjectFormat) -> Result<Self, String> {
        let mut dir = Dir::default();
        for Entry { name, child } in raw::parse(bytes, format)? {
            let digit = match stem(name, child) {
                Some([digit]) => DIGITS.iter().position(|d| d == digit),
                _ => None,
            };
            let digit = digit.ok_or_else(|| format!("{} is not a digit's name", show(name)))?;
            if dir.children[digit].replace(child).is_some() {
                return Err(format!("digit {digit:x} is both a file and a directory"));
            }
        }
        if dir == Dir::default() {
            return Err("a directory is empty".to_owned());
        }
        Ok(dir)
    }

    /// The tree object.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 * 48);
        self.encode_into(&mut bytes);
        bytes
    }

    /// Appends the tree object.
    pub(super) fn encode_into(&self, bytes: &mut Vec<u8>) {
        // Names begin with different digits, so their order is that of the digits.
        let mut name = *b"?.jsonl";
        for (child, digit) in self.children.iter().zip(DIGITS) {
            let Some(child) = *child else {
                continue;
            };
            name[0] = *digit;
            let name = match child {
                Child::File(_) => &name[..],
                Child::Dir(_) => &name[..1],
            };
            raw::put(bytes, &Entry { name, child });
        }
    }
}

/// A file's name without `.jsonl`, a directory's name as it is.
fn stem(name: &[u8], child: Child) -> Option<&[u8]> {
    match child {
        Child::File(_) => name.strip_suffix(SUFFIX.as_bytes()),
        Child::Dir(_) => Some(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHA1: ObjectFormat = ObjectFormat::Sha1;

    fn id(byte: u8) -> Oid {
        Oid::from_bytes(&[byte; 20]).unwrap()
    }

    fn tree(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (mode, name) in entries {
            bytes.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            bytes.extend_from_slice(&[7; 20]);
        }
        bytes
    }

    #[test]
    fn a_root_is_written_in_gits_order_where_directories_end_in_a_slash() {
        let mut root = Root::default();
        root.set(Table::Aliases, Some(Child::Dir(id(7))));
        root.set(Table::AliasesByTarget, Some(Child::File(id(7))));
        root.decisions = Some(id(7));
        // `-` and `.` sort before `/`.
        let expected = tree(&[
            ("100644", "aliases-by-target.jsonl"),
            ("40000", "aliases"),
            ("100644", "decisions.jsonl"),
        ]);
        assert_eq!(root.encode(), expected);
        assert_eq!(Root::parse(&expected, SHA1), Ok(root));
    }

    #[test]
    fn roots_hold_known_tables_once_in_order_with_plain_modes() {
        for bad in [
            &[("100644", "aliases.jsonl"), ("40000", "aliases")][..],
            &[("100644", "aliases.jsonl"), ("100644", "aliases.jsonl")],
            &[("40000", "aliases"), ("100644", "aliases-by-target.jsonl")],
            &[("100644", "edges.jsonl"), ("100644", "aliases.jsonl")],
            &[("100755", "aliases.jsonl")],
            &[("120000", "aliases.jsonl")],
            &[("160000", "aliases")],
            &[("040000", "aliases")],
            &[("100644", "aliases")],
            &[("40000", "aliases.jsonl")],
            &[("100644", "Aliases.jsonl")],
            &[("100644", "README.md")],
            &[("40000", "decisions")],
            &[("100644", "decisions.jsonl"), ("100644", "decisions.jsonl")],
            &[("40000", "decisions.jsonl")],
            &[("100644", "")],
            &[("40000", ".git")],
        ] {
            assert!(Root::parse(&tree(bad), SHA1).is_err(), "{bad:?}");
        }
        let good = tree(&[("100644", "aliases.jsonl")]);
        assert!(Root::parse(&good, SHA1).is_ok());
        for cut in 1..good.len() {
            assert!(Root::parse(&good[..cut], SHA1).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn directories_hold_digits() {
        let good = tree(&[("100644", "0.jsonl"), ("40000", "1"), ("100644", "f.jsonl")]);
        assert_eq!(Dir::parse(&good, SHA1).unwrap().encode(), good);
        for bad in [
            &[][..],
            &[("100644", "0.jsonl"), ("40000", "0")],
            &[("100644", "g.jsonl")],
            &[("100644", "A.jsonl")],
            &[("100644", "00.jsonl")],
            &[("100644", "0")],
            &[("40000", "1"), ("40000", "0")],
        ] {
            assert!(Dir::parse(&tree(bad), SHA1).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_encodes_to_the_same_bytes(
            noise in prop::collection::vec(any::<u8>(), 0..200),
            picked in prop::collection::vec((0..3usize, 0..8usize), 0..5),
        ) {
            let modes = ["100644", "40000", "100755"];
            let names = ["aliases", "aliases.jsonl", "edges", "edges.jsonl", "0", "0.jsonl", "f", "x"];
            let entries: Vec<_> = picked.iter().map(|(m, n)| (modes[*m], names[*n])).collect();
            for bytes in [noise, tree(&entries)] {
                if let Ok(root) = Root::parse(&bytes, SHA1) {
                    prop_assert_eq!(root.encode(), bytes.clone());
                }
                if let Ok(dir) = Dir::parse(&bytes, SHA1) {
                    prop_assert_eq!(dir.encode(), bytes);
                }
            }
        }
    }
}

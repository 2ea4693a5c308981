//! Where a row lies: 8 digits of its subject's hash, then the 64 of its whole key's.

use super::bucket::Key;
use crate::crypto::digest;
use crate::model::{RowKey, Table, limits};
use std::cmp::Ordering;

/// Half a byte per digit, high half first.
const BYTES: usize = limits::TABLE_DEPTH / 2;

/// Bytes of it that come from the subject.
const SUBJECT_BYTES: usize = limits::SUBJECT_DIGITS / 2;

/// All `limits::TABLE_DEPTH` digits of one row. Places compare like the paths they spell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place([u8; BYTES]);

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        // Nearly all differ in their first bytes, and two numbers are compared without a call.
        let heads = self.head().cmp(&other.head());
        heads.then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Place {
    /// The place of a key.
    pub(super) fn of(table: Table, key: &RowKey) -> Self {
        Placer::new(table).place(key.parts())
    }

    /// Digit number `depth`, 0 to 15.
    pub(super) fn digit(&self, depth: usize) -> usize {
        digit(&self.0, depth)
    }

    fn head(&self) -> u64 {
        u64::from_be_bytes(*self.0.first_chunk().expect("a place has 36 bytes"))
    }
}

fn digit(bytes: &[u8; BYTES], depth: usize) -> usize {
    let byte = bytes[depth / 2];
    usize::from(if depth.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 15
    })
}

/// Computes places of one table and hashes a subject once for neighbours that share it.
pub(super) struct Placer<'k> {
    table: Table,
    subject: Option<&'k str>,
    head: [u8; SUBJECT_BYTES],
}

impl<'k> Placer<'k> {
    pub(super) fn new(table: Table) -> Self {
        Self {
            table,
            subject: None,
            head: [0; SUBJECT_BYTES],
        }
    }

    /// The first digits of a subject's rows.
    pub(super) fn subject(&mut self, subject: &'k str) -> Prefix {
        self.load(subject);
        let mut bytes = [0; BYTES];
        bytes[..SUBJECT_BYTES].copy_from_slice(&self.head);
        Prefix {
            bytes,
            len: limits::SUBJECT_DIGITS,
        }
    }

    /// The place of a key.
    pub(super) fn place(&mut self, key: Key<'k>) -> Place {
        self.load(key.0);
        let mut bytes = [0; BYTES];
        bytes[..SUBJECT_BYTES].copy_from_slice(&self.head);
        bytes[SUBJECT_BYTES..].copy_from_slice(&digest::place_of(self.table, key));
        Place(bytes)
    }

    /// Whether a row lies at a prefix or below it. Most prefixes are short: then its subject alone says.
    pub(super) fn lies_under(&mut self, key: Key<'k>, prefix: &Prefix) -> bool {
        if prefix.depth() <= limits::SUBJECT_DIGITS {
            return prefix.covers_prefix(&self.subject(key.0));
        }
        prefix.covers(&self.place(key))
    }

    fn load(&mut self, subject: &'k str) {
        if self.subject != Some(subject) {
            let hash = digest::subject_place(self.table, subject);
            self.head.copy_from_slice(&hash[..SUBJECT_BYTES]);
            self.subject = Some(subject);
        }
    }
}

/// The digits that lead to one directory or bucket; empty at the table itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    bytes: [u8; BYTES],
    len: usize,
}

impl Prefix {
    /// The table itself.
    pub(super) const TABLE: Prefix = Prefix {
        bytes: [0; BYTES],
        len: 0,
    };

    /// How many digits lead here.
    pub(super) fn depth(&self) -> usize {
        self.len
    }

    /// Digit number `depth`, 0 to 15.
    pub(super) fn digit(&self, depth: usize) -> usize {
        digit(&self.bytes, depth)
    }

    /// One digit further. Callers stay above `limits::TABLE_DEPTH`: no directory is read at it.
    pub(super) fn child(&self, digit: usize) -> Self {
        let mut next = *self;
        let digit = u8::try_from(digit & 15).expect("masked to four bits");
        next.bytes[self.len / 2] |= digit << if self.len.is_multiple_of(2) { 4 } else { 0 };
        next.len += 1;
        next
    }

    /// Whether a row of that place lies here or below.
    pub(super) fn covers(&self, place: &Place) -> bool {
        self.begins(&place.0)
    }

    /// Whether `other` lies here or below.
    pub(super) fn covers_prefix(&self, other: &Prefix) -> bool {
        self.len <= other.len && self.begins(&other.bytes)
    }

    fn begins(&self, bytes: &[u8; BYTES]) -> bool {
        let whole = self.len / 2;
        self.bytes[..whole] == bytes[..whole]
            && (self.len.is_multiple_of(2) || self.bytes[whole] >> 4 == bytes[whole] >> 4)
    }

    /// The path from the root tree, for people; `.jsonl` is added by the caller for a file.
    pub(super) fn path(&self, table: Table) -> String {
        let mut path = table.name().to_owned();
        for depth in 0..self.len {
            path.push('/');
            path.push(char::from(DIGITS[self.digit(depth)]));
        }
        path
    }
}

/// The sixteen digits as they are written.
pub(super) const DIGITS: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_the_subjects_then_the_keys_high_half_first() {
        let key = RowKey::pair("a", "b");
        let place = Place::of(Table::Edges, &key);
        let subject = digest::subject_place(Table::Edges, "a");
        let whole = digest::key_place(Table::Edges, &key);
        for depth in 0..limits::TABLE_DEPTH {
            let (hash, at) = match depth {
                0..8 => (subject, depth),
                _ => (whole, depth - 8),
            };
            let expected = format!("{:02x}", hash[at / 2]).as_bytes()[at % 2];
            assert_eq!(DIGITS[place.digit(depth)], expected, "digit {depth}");
        }
    }

    #[test]
    fn a_prefix_covers_its_own_row_at_every_depth_and_no_other() {
        let place = Place::of(Table::Edges, &RowKey::pair("a", "b"));
        let mut prefix = Prefix::TABLE;
        for depth in 0..limits::TABLE_DEPTH {
            let other = prefix.child(place.digit(depth) ^ 1);
            assert!(!other.covers(&place), "depth {depth}");
            let next = prefix.child(place.digit(depth));
            assert!(next.covers(&place) && prefix.covers_prefix(&next));
            assert!(!next.covers_prefix(&prefix) && !next.covers_prefix(&other));
            prefix = next;
        }
        let mut placer = Placer::new(Table::Edges);
        let subject = placer.subject("a");
        assert!(subject.covers_prefix(&prefix) && !placer.subject("b").covers(&place));
        assert_eq!(subject.depth(), limits::SUBJECT_DIGITS);
        assert_eq!(placer.place(("a", "b")), place);
    }
}

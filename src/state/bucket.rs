//! Bucket files: 1 to 64 rows of one table whose digits share a prefix, as lines sorted by key.

use super::place::{Placer, Prefix};
use crate::codec::{json, rows};
use crate::model::{Row, RowKey, Table, limits};
use std::sync::Arc;

/// A row with its key, shared between the versions of the bucket it lies in.
pub(super) type Keyed = Arc<(RowKey, Row)>;

/// A parsed bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bucket {
    /// Strictly sorted by key.
    pub(super) rows: Vec<Keyed>,
    /// Digits under which every row is known to lie.
    pub(super) under: Prefix,
}

impl Bucket {
    /// Reads a bucket file that stands at a prefix; the fault is words.
    pub(super) fn parse(table: Table, under: Prefix, bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() as u64 > limits::BUCKET_BYTES {
            return Err(format!("it has {} bytes", bytes.len()));
        }
        let mut rows: Vec<Keyed> = Vec::new();
        for line in json::lines(bytes).map_err(|fault| fault.what)? {
            let number = rows.len() + 1;
            if number > limits::BUCKET_ROWS {
                return Err(format!(
                    "expected at most {} rows, found more",
                    limits::BUCKET_ROWS
                ));
            }
            let key =
                rows::key_of(table, line).map_err(|fault| format!("line {number}: {fault}"))?;
            if rows.last().is_some_and(|last| last.0 >= key) {
                return Err(format!("line {number} is not sorted by key"));
            }
            rows.push(Arc::new((key, Row::from_canonical(line))));
        }
        if rows.is_empty() {
            return Err("a bucket is empty".to_owned());
        }
        let bucket = Self { rows, under };
        bucket.lies_under(table, &under)?;
        Ok(bucket)
    }

    /// Checks every row's digits; the fault is words.
    pub(super) fn lies_under(&self, table: Table, prefix: &Prefix) -> Result<(), String> {
        if prefix.depth() == 0 {
            return Ok(());
        }
        let mut placer = Placer::new(table);
        let astray = |row: &Keyed| !placer.lies_under(&row.0, prefix);
        match self.rows.iter().position(astray) {
            Some(at) => Err(format!("line {} belongs elsewhere", at + 1)),
            None => Ok(()),
        }
    }

    /// The file's bytes.
    pub(super) fn encode(rows: &[Keyed]) -> Vec<u8> {
        let len = rows.iter().map(|row| row.1.as_str().len() + 1).sum();
        let mut bytes = Vec::with_capacity(len);
        for row in rows {
            bytes.extend_from_slice(row.1.as_str().as_bytes());
            bytes.push(b'\n');
        }
        bytes
    }

    /// The row of a key.
    pub(super) fn find(&self, key: &RowKey) -> Option<&Row> {
        let at = self.rows.binary_search_by(|row| row.0.cmp(key)).ok()?;
        Some(&self.rows[at].1)
    }

    /// All rows of a subject; sorted keys keep them together.
    pub(super) fn of_subject(&self, subject: &str) -> &[Keyed] {
        let start = self
            .rows
            .partition_point(|row| row.0.subject.as_str() < subject);
        let len = self.rows[start..].partition_point(|row| row.0.subject == subject);
        &self.rows[start..start + len]
    }

    /// Bytes of memory, roughly: text of row and key, and their allocations.
    pub(super) fn weight(&self) -> usize {
        let row =
            |row: &Keyed| 160 + row.0.subject.len() + row.0.detail.len() + row.1.as_str().len();
        128 + self.rows.iter().map(row).sum::<usize>()
    }
}

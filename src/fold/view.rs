//! What a rule may read: rows by key, and rows of one subject.

use crate::model::{Code, Row, RowEdits, RowKey, Table, limits};
use std::collections::BTreeMap;
use std::fmt;

/// The state could not be read: a damaged or missing object, a malformed table. Not a refusal: it says
/// nothing about the decision.
#[derive(Debug, Clone)]
pub struct ViewFault {
    /// Stable code.
    pub code: Code,
    /// What was expected and found, and where.
    pub what: String,
}

impl fmt::Display for ViewFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl std::error::Error for ViewFault {}

/// A state to read from. Two views of the same rows answer the same, whatever they are made of.
pub trait View {
    /// The row with that key.
    fn row(&self, table: Table, key: &RowKey) -> Result<Option<Row>, ViewFault>;

    /// The rows of many keys, in the same order: a view that is made of parts may look into each part once.
    fn rows_at(&self, places: &[(Table, &RowKey)]) -> Result<Vec<Option<Row>>, ViewFault> {
        let rows = places.iter().map(|(table, key)| self.row(*table, key));
        rows.collect()
    }

    /// All rows of one subject, sorted by detail, at most `limits::SUBJECT_ROWS` of them
    /// (else `subject-too-large`).
    fn rows(&self, table: Table, subject: &str) -> Result<Vec<(RowKey, Row)>, ViewFault>;

    /// Whether the subject has any row.
    fn has_rows(&self, table: Table, subject: &str) -> Result<bool, ViewFault> {
        Ok(!self.rows(table, subject)?.is_empty())
    }
}

/// A state in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryView {
    rows: [BTreeMap<Spot, Row>; Table::ALL.len()],
}

/// Where a row stands in memory: numbers first, which lie beside each other, while each name lies elsewhere and most
/// of them begin alike. Rows of one subject are neighbours, sorted by detail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    subject: u64,
    key: RowKey,
}

impl Spot {
    fn of(key: RowKey) -> Self {
        let subject = spread(key.subject());
        Self { subject, key }
    }
}

/// A number for a name. Names that were made to share one cost time, as if there were no numbers, and nothing else.
fn spread(name: &str) -> u64 {
    name.as_bytes()
        .chunks(8)
        .fold(name.len() as u64, |sum, part| {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            (sum.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        })
}

impl MemoryView {
    /// Applies changes.
    pub fn apply(&mut self, edits: RowEdits) {
        for (table, edits) in edits.into_tables() {
            let rows = &mut self.rows[table as usize];
            for (key, row) in edits {
                match row {
                    Some(row) => rows.insert(Spot::of(key), row),
                    None => rows.remove(&Spot::of(key)),
                };
            }
        }
    }

    fn of_subject(&self, table: Table, subject: &str) -> impl Iterator<Item = (&RowKey, &Row)> {
        let rows = &self.rows[table as usize];
        // Most tables of most spaces have no rows.
        let from = (!rows.is_empty()).then(|| rows.range(Spot::of(RowKey::of(subject))..));
        let rows = from
            .into_iter()
            .flatten()
            .map(|(spot, row)| (&spot.key, row));
        rows.take_while(move |(key, _)| key.subject() == subject)
    }

    /// The rows of a table, in an order that follows from them alone.
    pub fn of(&self, table: Table) -> impl ExactSizeIterator<Item = (&RowKey, &Row)> {
        let rows = self.rows[table as usize].iter();
        rows.map(|(spot, row)| (&spot.key, row))
    }
}

impl View for MemoryView {
    fn row(&self, table: Table, key: &RowKey) -> Result<Option<Row>, ViewFault> {
        let rows = &self.rows[table as usize];
        // Most tables of most spaces have no rows.
        let row = (!rows.is_empty()).then(|| rows.get(&Spot::of(key.clone())));
        Ok(row.flatten().cloned())
    }

    fn rows(&self, table: Table, subject: &str) -> Result<Vec<(RowKey, Row)>, ViewFault> {
        let own = self
            .of_subject(table, subject)
            .take(limits::SUBJECT_ROWS + 1);
        let rows: Vec<_> = own.map(|(key, row)| (key.clone(), row.clone())).collect();
        if rows.len() > limits::SUBJECT_ROWS {
            let most = limits::SUBJECT_ROWS;
            return Err(ViewFault {
                code: Code::SubjectTooLarge,
                what: format!("{table}: `{subject}` has more than {most} rows"),
            });
        }
        Ok(rows)
    }

    fn has_rows(&self, table: Table, subject: &str) -> Result<bool, ViewFault> {
        Ok(self.of_subject(table, subject).next().is_some())
    }
}

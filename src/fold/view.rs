//! What a rule may read: rows by key, and rows of one subject.

use super::memo::{Memo, Version};
use crate::model::{ByTable, Code, Row, RowEdits, RowKey, RowMap, Table, limits};
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

    /// What was parsed before of tables with these very rows, and the version that says so. A view that knows no versions
    /// has none.
    fn memo(&self, _table: Table) -> Option<(&Memo, Version)> {
        None
    }
}

/// From so many changes on, threads are worth starting.
const MANY: usize = 4096;

/// A state in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryView {
    rows: ByTable<Row>,
}

impl MemoryView {
    /// Applies changes, many of several tables at the same time.
    pub fn apply(&mut self, edits: RowEdits) {
        if edits.len() < MANY {
            for (table, edits) in edits.into_tables() {
                apply_to(&mut self.rows[table as usize], edits);
            }
            return;
        }
        let mut rows: Vec<_> = self.rows.iter_mut().map(Some).collect();
        std::thread::scope(|scope| {
            for (table, edits) in edits.into_tables() {
                let rows = rows[table as usize].take().expect("each table comes once");
                scope.spawn(move || apply_to(rows, edits));
            }
        });
    }

    /// The rows of a table.
    pub fn of(&self, table: Table) -> &RowMap<Row> {
        &self.rows[table as usize]
    }
}

fn apply_to(rows: &mut RowMap<Row>, edits: RowMap<Option<Row>>) {
    if rows.is_empty() {
        *rows = edits.flatten();
        return;
    }
    rows.reserve(edits.len());
    for (key, row) in edits {
        match row {
            Some(row) => rows.insert(key, row),
            None => rows.remove(&key),
        };
    }
}

impl View for MemoryView {
    fn row(&self, table: Table, key: &RowKey) -> Result<Option<Row>, ViewFault> {
        Ok(self.rows[table as usize].get(key).cloned())
    }

    fn rows(&self, table: Table, subject: &str) -> Result<Vec<(RowKey, Row)>, ViewFault> {
        let own = self.of(table).of_subject(subject);
        let own = own.take(limits::SUBJECT_ROWS + 1);
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
        Ok(self.of(table).of_subject(subject).next().is_some())
    }
}

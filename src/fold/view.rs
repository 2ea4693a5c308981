//! What a rule may read: rows by key, and rows of one subject.

use super::memo::Memo;
use crate::model::{ByTable, Code, Oid, Row, RowEdits, RowKey, Table, limits};
use std::collections::{BTreeMap, btree_map};
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

    /// What was parsed before of tables with these very rows, and the id that says so. A view that knows no ids has none.
    fn memo(&self, _table: Table) -> Option<(&Memo, Oid)> {
        None
    }
}

/// A state in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryView {
    rows: ByTable<Row>,
}

impl MemoryView {
    /// Applies changes.
    pub fn apply(&mut self, edits: RowEdits) {
        for (table, edits) in edits.into_tables() {
            let rows = &mut self.rows[table as usize];
            if edits.len() > rows.len() {
                *rows = merged(std::mem::take(rows), edits);
                continue;
            }
            for (key, row) in edits {
                match row {
                    Some(row) => rows.insert(key, row),
                    None => rows.remove(&key),
                };
            }
        }
    }

    fn of_subject(&self, table: Table, subject: &str) -> impl Iterator<Item = (&RowKey, &Row)> {
        let rows = &self.rows[table as usize];
        // Most tables of most spaces have no rows.
        let from = (!rows.is_empty()).then(|| rows.range(RowKey::of(subject)..));
        let rows = from.into_iter().flatten();
        rows.take_while(move |(key, _)| key.subject() == subject)
    }

    /// The rows of a table, by key.
    pub fn of(&self, table: Table) -> impl ExactSizeIterator<Item = (&RowKey, &Row)> {
        self.rows[table as usize].iter()
    }

    /// Every row, by table and key.
    pub fn iter(&self) -> impl Iterator<Item = (Table, &RowKey, &Row)> {
        let tables = Table::ALL.iter().zip(&self.rows);
        tables.flat_map(|(table, rows)| rows.iter().map(|(key, row)| (*table, key, row)))
    }
}

/// Rows with more changes than there were rows, in one pass: each search among names that begin alike is slow.
fn merged(
    rows: BTreeMap<RowKey, Row>,
    edits: btree_map::IntoIter<RowKey, Option<Row>>,
) -> BTreeMap<RowKey, Row> {
    let mut edits = edits.peekable();
    let mut all = Vec::with_capacity(rows.len() + edits.len());
    let mut put = |(key, row): (RowKey, Option<Row>)| all.extend(row.map(|row| (key, row)));
    for (key, row) in rows {
        while let Some(edit) = edits.next_if(|(edit, _)| *edit < key) {
            put(edit);
        }
        match edits.next_if(|(edit, _)| *edit == key) {
            Some(edit) => put(edit),
            None => put((key, Some(row))),
        }
    }
    edits.for_each(&mut put);
    all.into_iter().collect()
}

impl View for MemoryView {
    fn row(&self, table: Table, key: &RowKey) -> Result<Option<Row>, ViewFault> {
        Ok(self.rows[table as usize].get(key).cloned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_to_the_same_at_once_and_one_by_one() {
        let row = |word: &str| Some(Row::from_canonical(word));
        let edits = |all: &[(&str, Option<Row>)]| {
            let edits = all.iter().cloned();
            let edits = edits.map(|(key, row)| ((Table::Pins, RowKey::of(key)), row));
            edits.collect::<RowEdits>()
        };
        let before = edits(&[("b", row("1")), ("d", row("1")), ("f", row("1"))]);
        let changes = [
            ("a", row("2")),
            ("b", None),
            ("c", None),
            ("d", row("2")),
            ("g", row("2")),
        ];
        let (mut at_once, mut by_one) = (MemoryView::default(), MemoryView::default());
        at_once.apply(before.clone());
        by_one.apply(before);
        at_once.apply(edits(&changes));
        for change in changes {
            by_one.apply(edits(&[change]));
        }
        assert_eq!(at_once, by_one);
        let keys: Vec<&str> = at_once
            .of(Table::Pins)
            .map(|(key, _)| key.subject())
            .collect();
        assert_eq!(keys, ["a", "d", "f", "g"]);
    }
}

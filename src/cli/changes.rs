//! Rows before and after, as people and programs read them.

use super::ui::{Style, Ui, escape};
use crate::model::{Row, Table};
use crate::state::RowChange;
use serde::Serialize;
use serde_json::Value;

/// A row that changes, for JSON.
#[derive(Debug, Serialize)]
pub struct ChangeView {
    /// The table.
    pub table: &'static str,
    /// What the row is about.
    pub subject: String,
    /// Which of the subject's rows.
    pub detail: String,
    /// The row that stands there, or null.
    pub before: Option<Value>,
    /// The row that would stand there, or null.
    pub after: Option<Value>,
}

impl ChangeView {
    /// Of a change.
    pub fn of(change: &RowChange) -> Self {
        // A row is checked when it is read, so it is an object.
        let value = |row: &Row| serde_json::from_str(row.as_str()).unwrap_or_default();
        Self {
            table: change.table.name(),
            subject: change.key.subject().to_owned(),
            detail: change.key.detail().to_owned(),
            before: change.before.as_ref().map(value),
            after: change.after.as_ref().map(value),
        }
    }
}

/// Whether a change says something that no other one says: not the second half of a symmetric pair, and
/// not a row that is the same by another key.
pub fn says_something(change: &RowChange) -> bool {
    match change.table {
        Table::AliasesByTarget
        | Table::MergesByTarget
        | Table::ForksByOrigin
        | Table::Emails
        | Table::Roles => false,
        Table::Edges | Table::Distinct => change.key.subject() <= change.key.detail(),
        _ => true,
    }
}

/// The lines of a change: what goes and what comes.
pub fn lines(ui: &Ui, change: &RowChange) -> Vec<String> {
    let table = change.table.name();
    let line = |sign, style, row: &Row| {
        let words = format!("{sign} {table} {}", escape(row.as_str()));
        ui.paint(style, &words)
    };
    let before = change.before.as_ref().map(|row| line("-", Style::Bad, row));
    let after = change.after.as_ref().map(|row| line("+", Style::Good, row));
    before.into_iter().chain(after).collect()
}

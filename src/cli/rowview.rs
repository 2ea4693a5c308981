//! Changed rows, for answers and for a terminal.

use super::ui::{Style, Ui, escape};
use crate::model::Row;
use crate::state::RowChange;
use serde::Serialize;

/// One row that differs between two states.
#[derive(Debug, Serialize)]
pub struct RowChangeView {
    /// Its table.
    pub table: &'static str,
    /// What the row is about.
    pub subject: String,
    /// Which of the subject's rows it is; empty where there is only one.
    pub detail: String,
    /// `added`, `removed` or `changed`.
    pub change: &'static str,
    /// The row before.
    pub before: Option<serde_json::Value>,
    /// The row afterwards.
    pub after: Option<serde_json::Value>,
}

impl RowChangeView {
    /// Of a change.
    pub fn of(change: &RowChange) -> Self {
        Self {
            table: change.table.name(),
            subject: change.key.subject().to_owned(),
            detail: change.key.detail().to_owned(),
            change: match (&change.before, &change.after) {
                (None, _) => "added",
                (_, None) => "removed",
                _ => "changed",
            },
            before: change.before.as_ref().map(value),
            after: change.after.as_ref().map(value),
        }
    }
}

/// A row as a JSON value.
pub fn value(row: &Row) -> serde_json::Value {
    // Rows were checked when they were read; one that is no JSON is shown as the text that it is.
    serde_json::from_str(row.as_str()).unwrap_or_else(|_| row.as_str().into())
}

/// Prints changes as a diff does: `-` and `+` lines, with the table's name.
pub fn print(ui: &Ui, changes: &[RowChange]) -> anyhow::Result<()> {
    for change in changes {
        let sides = [
            ("-", Style::Bad, &change.before),
            ("+", Style::Good, &change.after),
        ];
        for (sign, style, row) in sides {
            if let Some(row) = row {
                let line = format!("{sign}{} {}", change.table, escape(row.as_str()));
                ui.line(ui.paint(style, &line))?;
            }
        }
    }
    Ok(())
}

//! A bucket while its rows are put together.

use super::{Bucket, Key, KeyAt, Line, Marks, Place, Prefix, Span, key_at, rows, span};
use crate::model::{RowKey, Table};
use std::ops::Range;
use std::sync::Arc;

/// Rows, which come sorted by key.
pub(super) struct Made {
    text: String,
    rows: Vec<Place>,
    checked: Marks,
}

impl Made {
    /// Room for so many bytes and rows.
    pub(super) fn with_capacity(bytes: usize, rows: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            rows: Vec::with_capacity(rows),
            checked: Marks::default(),
        }
    }

    /// Appends a row.
    pub(super) fn push(&mut self, table: Table, line: &Line<'_>) {
        let start = self.text.len();
        let (subject, detail): Key<'_> = line.key;
        let key = match rows::sketch(table, line.text) {
            Some(sketch) => key_at(start, sketch),
            None => KeyAt::Aside(RowKey::pair(subject, detail)),
        };
        let row = span(start, line.text.len());
        self.rows.push(Place { row, key });
        self.text.push_str(line.text);
        self.text.push('\n');
    }

    /// Appends a row that needs no more checks.
    pub(super) fn push_checked(&mut self, table: Table, line: &Line<'_>) {
        self.checked.set(self.rows.len());
        self.push(table, line);
    }

    /// Appends some rows of a bucket, and what is known of them.
    pub(super) fn take_over(&mut self, other: &Bucket, rows: Range<usize>) {
        let places = &other.rows[rows.clone()];
        let (Some(first), Some(last)) = (places.first(), places.last()) else {
            return;
        };
        let from = first.row.start as usize;
        let to = span(self.text.len(), 0).start;
        // With its line feed.
        self.text
            .push_str(&other.text[from..last.row.end as usize + 1]);
        let moved = |at: &Span| at.start - first.row.start + to..at.end - first.row.start + to;
        for (place, at) in places.iter().zip(rows) {
            if other.checked.has(at) {
                self.checked.set(self.rows.len());
            }
            let key = match &place.key {
                KeyAt::Plain(parts) => KeyAt::Plain([moved(&parts[0]), moved(&parts[1])]),
                KeyAt::Aside(key) => KeyAt::Aside(key.clone()),
            };
            let row = moved(&place.row);
            self.rows.push(Place { row, key });
        }
    }

    /// The bucket. `under` says where all rows are known to lie, if they are known to be good.
    pub(super) fn into_bucket(self, under: Option<Prefix>) -> Bucket {
        Bucket {
            text: Arc::new(self.text),
            rows: self.rows,
            under,
            checked: self.checked,
        }
    }
}

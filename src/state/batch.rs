//! A batch of edits of one table: each with its place, and merged into the rows of a bucket.

use super::StateFault;
use super::bucket::Keyed;
use super::place::{Place, Placer};
use crate::model::{Code, Row, RowEdits, RowKey, Table, limits};
use std::sync::Arc;

/// One change of one row, with its place.
pub(super) struct Edit<'e> {
    pub(super) place: Place,
    pub(super) key: &'e RowKey,
    pub(super) row: Option<&'e Row>,
}

/// The edits of one table, sorted by place.
pub(super) fn placed(table: Table, edits: &RowEdits) -> Result<Vec<Edit<'_>>, StateFault> {
    let mut placer = Placer::new(table);
    let mut placed = Vec::new();
    // Keys are sorted with the smallest first, and no key is smaller than the empty one.
    let of_table = edits.range((table, RowKey::of(""))..);
    for ((_, key), row) in of_table.take_while(|((of, _), _)| *of == table) {
        if let Some(row) = row
            && row.as_str().len() > limits::ROW_LINE
        {
            let (max, found) = (limits::ROW_LINE, row.as_str().len());
            let what = format!("{table}: expected a row of at most {max} bytes, found {found}");
            return Err(StateFault::new(Code::TooLarge, what));
        }
        let (place, row) = (placer.place(key), row.as_ref());
        placed.push(Edit { place, key, row });
    }
    placed.sort_unstable_by_key(|edit| edit.place);
    Ok(placed)
}

/// Merges rows and edits, both sorted by key. `None` when nothing changes, else the rows and whether
/// one was removed.
pub(super) fn merge(before: &[Keyed], edits: &[&Edit<'_>]) -> Option<(Vec<Keyed>, bool)> {
    let mut rows = Vec::with_capacity(before.len() + edits.len());
    let (mut changed, mut removed) = (false, false);
    let mut rest = before;
    for edit in edits {
        let smaller = rest.partition_point(|row| row.0 < *edit.key);
        rows.extend_from_slice(&rest[..smaller]);
        rest = &rest[smaller..];
        let old = rest.first().filter(|row| row.0 == *edit.key);
        if old.is_some() {
            rest = &rest[1..];
        }
        match (old, edit.row) {
            (Some(old), Some(new)) if old.1 == *new => rows.push(Arc::clone(old)),
            (_, Some(new)) => {
                changed = true;
                rows.push(Arc::new((edit.key.clone(), new.clone())));
            }
            (Some(_), None) => (changed, removed) = (true, true),
            (None, None) => {}
        }
    }
    rows.extend_from_slice(rest);
    changed.then_some((rows, removed))
}

//! A batch of edits of one table: each with its place, and merged into the rows of a bucket.

use super::StateFault;
use super::bucket::{Bucket, Line};
use super::place::{Place, Placer};
use crate::cores;
use crate::model::{Code, Row, RowKey, Table, limits};

/// From this many edits on, threads are worth starting.
const MANY: usize = 4096;

/// One change of one row, with its place.
pub(super) struct Edit<'e> {
    pub(super) place: Place,
    pub(super) key: &'e RowKey,
    pub(super) row: Option<&'e Row>,
}

impl<'e> Edit<'e> {
    /// The row afterwards.
    pub(super) fn line(&self) -> Option<Line<'e>> {
        let text = self.row?.as_str();
        let key = self.key.parts();
        Some(Line { key, text })
    }
}

/// Some edits of one table, each key once, sorted by place.
pub(super) fn placed<'e>(
    table: Table,
    edits: Vec<(&'e RowKey, Option<&'e Row>)>,
) -> Result<Vec<Edit<'e>>, StateFault> {
    require_short(table, edits.iter().filter_map(|(_, row)| *row))?;
    let edit = |_, &(key, row): &(&'e RowKey, Option<&'e Row>), place| Edit { place, key, row };
    Ok(by_place(
        table,
        &edits,
        |(key, _)| *key,
        edit,
        |edit| edit.place,
    ))
}

/// Refuses a row that is longer than a row may be.
pub(super) fn require_short<'r>(
    table: Table,
    mut rows: impl Iterator<Item = &'r Row>,
) -> Result<(), StateFault> {
    let max = limits::ROW_LINE;
    match rows.find(|row| row.as_str().len() > max) {
        Some(row) => {
            let found = row.as_str().len();
            let what = format!("{table}: expected a row of at most {max} bytes, found {found}");
            Err(StateFault::new(Code::TooLarge, what))
        }
        None => Ok(()),
    }
}

/// Hashes and sorts what has a place in a table: `make` is given an item's number, the item, and its place. Many are
/// done in as many parts as there are cores.
pub(super) fn by_place<'k, T: Sync, P: Send>(
    table: Table,
    items: &[T],
    key: impl Fn(&T) -> &'k RowKey + Sync,
    make: impl Fn(usize, &T, Place) -> P + Sync,
    place: impl Fn(&P) -> Place + Sync,
) -> Vec<P> {
    // Most changes leave most tables alone.
    if items.is_empty() {
        return Vec::new();
    }
    let parts = cores::parts(items, MANY, |start, part| {
        let mut placer = Placer::new(table);
        let made = (start..).zip(part);
        let made = made.map(|(at, item)| make(at, item, placer.place(key(item).parts())));
        let mut made: Vec<P> = made.collect();
        made.sort_unstable_by_key(&place);
        made
    });
    let mut parts = parts.into_iter();
    let mut all = parts.next().unwrap_or_default();
    let sorted = parts.len() == 0;
    all.extend(parts.flatten());
    if !sorted {
        // The stable sort finds the sorted parts and merges them.
        all.sort_by_key(place);
    }
    all
}

/// The rows of a bucket after some edits.
pub(super) struct Merged<'l> {
    pub(super) rows: Rows<'l>,
    /// Whether some rows left.
    pub(super) removed: bool,
}

/// What fits one bucket, and what does not.
pub(super) enum Rows<'l> {
    /// Sorted by key.
    Few(Vec<Line<'l>>),
    /// Sorted by place.
    Many(Vec<(Place, Line<'l>)>),
}

/// Merges the rows of a bucket, if there is one, and edits that are sorted by place. `None` when nothing changes. The
/// few rows that were there are hashed, rather than the many edits sorted once more.
pub(super) fn merge<'l>(
    table: Table,
    before: Option<&'l Bucket>,
    edits: &[Edit<'l>],
) -> Option<Merged<'l>> {
    let mut placer = Placer::new(table);
    let rows = before.into_iter().flat_map(Bucket::lines);
    let mut rows: Vec<_> = rows.map(|row| (placer.place(row.key), row)).collect();
    rows.sort_unstable_by_key(|(place, _)| *place);
    let edits = edits.iter().map(|edit| (edit.place, edit.line()));
    let (rows, removed) = weave(&rows, edits)?;
    let rows = match rows.len() <= limits::BUCKET_ROWS {
        true => {
            let mut rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
            rows.sort_unstable_by_key(|row| row.key);
            Rows::Few(rows)
        }
        false => Rows::Many(rows),
    };
    Some(Merged { rows, removed })
}

/// Rows in the order of what they are compared by.
type Sorted<'l, K> = Vec<(K, Line<'l>)>;

/// Merges rows and edits in the same order. `None` when nothing changes, else the rows and whether one was removed.
fn weave<'l, K: Ord + Copy>(
    before: &[(K, Line<'l>)],
    edits: impl IntoIterator<Item = (K, Option<Line<'l>>)>,
) -> Option<(Sorted<'l, K>, bool)> {
    let edits = edits.into_iter();
    let mut rows = Vec::with_capacity(before.len() + edits.size_hint().0);
    let (mut changed, mut removed) = (false, false);
    let mut rest = before;
    for (at, new) in edits {
        let smaller = rest.partition_point(|(other, _)| *other < at);
        rows.extend_from_slice(&rest[..smaller]);
        rest = &rest[smaller..];
        let old = rest.first().filter(|(other, _)| *other == at);
        rest = &rest[usize::from(old.is_some())..];
        match (old, new) {
            (Some((_, old)), Some(new)) if old.text == new.text => rows.push((at, *old)),
            (_, Some(new)) => {
                changed = true;
                rows.push((at, new));
            }
            (Some(_), None) => (changed, removed) = (true, true),
            (None, None) => {}
        }
    }
    rows.extend_from_slice(rest);
    changed.then_some((rows, removed))
}

//! The state of rows that are all at hand: made of them alone, or only named.

use super::batch::{by_place, require_short};
use super::bucket::Line;
use super::grow::{Grower, Made};
use super::place::{Place, Prefix};
use super::tree::Root;
use super::{StateFault, Tables};
use crate::model::{ObjectFormat, Oid, Row, RowKey, Table};
use crate::store::{Kind, Objects, id_of};

/// The rows of a table, each key once, in any order.
type Given<'r> = Vec<(&'r RowKey, &'r Row)>;

impl<S: Objects + ?Sized> Tables<'_, S> {
    /// Makes the state of these rows, and stages its objects: as [`Tables::edit`] of the state without rows.
    pub fn build<'r>(&self, rows: impl Fn(Table) -> Given<'r>) -> Result<Oid, StateFault> {
        let keep = &mut |made| self.put_made(made);
        Ok(self.put_root(root_of(self.format(), rows, Some(keep))?))
    }
}

/// The id of the root tree that [`Tables::build`] makes of these rows. No object is kept.
pub fn root_id<'r>(
    format: ObjectFormat,
    rows: impl Fn(Table) -> Given<'r>,
) -> Result<Oid, StateFault> {
    let root = root_of(format, rows, None)?;
    Ok(id_of(format, Kind::Tree, &root.encode()))
}

fn root_of<'r>(
    format: ObjectFormat,
    rows: impl Fn(Table) -> Given<'r>,
    mut keep: Option<&mut dyn FnMut(Made)>,
) -> Result<Root, StateFault> {
    let mut root = Root::default();
    for &table in Table::ALL {
        let rows = rows(table);
        if rows.is_empty() {
            continue;
        }
        let grower = Grower {
            table,
            format,
            good: true,
            keep: keep.is_some(),
        };
        let grown = grower.grow(&Prefix::TABLE, &placed(table, &rows)?)?;
        root.set(table, Some(grown.child));
        if let Some(keep) = &mut keep {
            grown.made.into_iter().for_each(keep);
        }
    }
    Ok(root)
}

/// The rows of a table, sorted by place.
fn placed<'r>(
    table: Table,
    rows: &[(&'r RowKey, &'r Row)],
) -> Result<Vec<(Place, Line<'r>)>, StateFault> {
    require_short(table, rows.iter().map(|(_, row)| *row))?;
    let line = |_, &(key, row): &(&'r RowKey, &'r Row), place| {
        let (key, text) = (key.parts(), row.as_str());
        (place, Line { key, text })
    };
    Ok(by_place(
        table,
        rows,
        |(key, _)| *key,
        line,
        |(place, _)| *place,
    ))
}

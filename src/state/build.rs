//! The state of rows that are all at hand: made of them alone.

use super::batch::{by_place, require_short};
use super::bucket::Line;
use super::grow::Grower;
use super::place::{Place, Prefix};
use super::tree::Root;
use super::{StateFault, Tables};
use crate::model::{Oid, Row, RowKey, Table};
use crate::store::Objects;

impl<S: Objects + ?Sized> Tables<'_, S> {
    /// Makes the state of these rows, each key once in its table: as [`Tables::edit`] of the state without rows.
    pub fn build<'r>(
        &self,
        rows: impl Fn(Table) -> Vec<(&'r RowKey, &'r Row)>,
    ) -> Result<Oid, StateFault> {
        let mut root = Root::default();
        for &table in Table::ALL {
            let rows = rows(table);
            if rows.is_empty() {
                continue;
            }
            let grower = Grower {
                table,
                format: self.format(),
                good: true,
                keep: !self.naming.get(),
            };
            let grown = grower.grow(&Prefix::TABLE, &placed(table, &rows)?)?;
            root.set(table, Some(grown.child));
            grown.made.into_iter().for_each(|made| self.put_made(made));
        }
        Ok(self.put_root(root, &[]))
    }
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
    let key = |(key, _): &(&'r RowKey, &'r Row)| *key;
    Ok(by_place(table, rows, key, line, |(place, _)| *place))
}

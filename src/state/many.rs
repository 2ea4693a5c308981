//! Rows of many keys of one table: each part of the tree is looked into once.

use super::place::{Place, Placer, Prefix};
use super::raw::Child;
use super::tree::Root;
use super::{StateFault, Tables};
use crate::model::{Row, RowKey, Table};
use crate::store::Objects;

/// A key that is looked for.
struct Wanted<'k> {
    place: Place,
    key: &'k RowKey,
    /// Where its row goes.
    at: usize,
}

impl<S: Objects + ?Sized> Tables<'_, S> {
    /// Fills in the rows of these keys, all of one table, in their order.
    pub(super) fn rows_at(
        &self,
        root: &Root,
        keys: &[(Table, &RowKey)],
        rows: &mut [Option<Row>],
    ) -> Result<(), StateFault> {
        let Some((table, _)) = keys.first() else {
            return Ok(());
        };
        let child = root.table(*table);
        if child.is_none() {
            return Ok(());
        }
        let mut placer = Placer::new(*table);
        let wanted = keys.iter().enumerate().map(|(at, (_, key))| Wanted {
            place: placer.place(key.parts()),
            key,
            at,
        });
        let mut wanted: Vec<_> = wanted.collect();
        wanted.sort_unstable_by_key(|wanted| wanted.place);
        self.look(*table, &Prefix::TABLE, child, &wanted, rows)
    }

    fn look(
        &self,
        table: Table,
        at: &Prefix,
        child: Option<Child>,
        wanted: &[Wanted<'_>],
        rows: &mut [Option<Row>],
    ) -> Result<(), StateFault> {
        match child {
            None => {}
            Some(Child::File(id)) => {
                let bucket = self.bucket(&id, table, at, self.reading())?;
                for one in wanted {
                    let found = bucket.find(table, one.key);
                    rows[one.at] = found.map_err(|what| {
                        StateFault::malformed(&(at.path(table) + ".jsonl"), what)
                    })?;
                }
            }
            Some(Child::Dir(id)) => {
                let dir = self.dir(&id, table, at)?;
                let depth = at.depth();
                for group in wanted.chunk_by(|a, b| a.place.digit(depth) == b.place.digit(depth)) {
                    let digit = group[0].place.digit(depth);
                    let below = at.child(digit);
                    self.look(table, &below, dir.children[digit], group, rows)?;
                }
            }
        }
        Ok(())
    }
}

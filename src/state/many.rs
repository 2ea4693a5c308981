//! Rows of many keys of one table: each part of the tree is looked into once.

use super::batch::by_place;
use super::bucket::Bucket;
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
    pub(super) fn rows_at<'k>(
        &self,
        root: &Root,
        keys: &[(Table, &'k RowKey)],
        rows: &mut [Option<Row>],
    ) -> Result<(), StateFault> {
        let Some((table, _)) = keys.first() else {
            return Ok(());
        };
        let child = root.table(*table);
        if child.is_none() {
            return Ok(());
        }
        let wanted = |at, (_, key): &(Table, &'k RowKey), place| Wanted { place, key, at };
        let wanted = by_place(*table, keys, |(_, key)| *key, wanted, |wanted| wanted.place);
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
                for one in wanted_of(table, &bucket, wanted) {
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

/// Those of many keys that may have a row in a bucket, found by the places of its rows where these are fewer.
fn wanted_of<'w, 'k>(
    table: Table,
    bucket: &Bucket,
    wanted: &'w [Wanted<'k>],
) -> Vec<&'w Wanted<'k>> {
    if wanted.len() <= bucket.len() {
        return wanted.iter().collect();
    }
    let mut placer = Placer::new(table);
    let places = bucket.lines().map(|line| placer.place(line.key));
    let at = places.map(|place| {
        let start = wanted.partition_point(|one| one.place < place);
        let some = wanted[start..].iter();
        some.take_while(move |one| one.place == place)
    });
    at.flatten().collect()
}

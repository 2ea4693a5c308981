//! Comparing two states: equal subtrees have equal ids and are not looked into.

use super::bucket::Keyed;
use super::place::Prefix;
use super::raw::Child;
use super::{StateFault, Tables};
use crate::model::{Oid, Row, RowKey, Table};
use crate::store::Objects;
use std::cmp::Ordering;

/// One row that differs between two states.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowChange {
    /// Its table.
    pub table: Table,
    /// Its key.
    pub key: RowKey,
    /// The row in the first state, or `None` where it was added.
    pub before: Option<Row>,
    /// The row in the second state, or `None` where it was removed.
    pub after: Option<Row>,
}

impl<S: Objects + ?Sized> Tables<'_, S> {
    /// The rows that differ between two states, sorted by table and key. Reads only what differs.
    pub fn diff(&self, a: Option<Oid>, b: Option<Oid>) -> Result<Vec<RowChange>, StateFault> {
        let mut changes = Vec::new();
        if a == b {
            return Ok(changes);
        }
        let (a, b) = (self.root(a)?, self.root(b)?);
        for &table in Table::ALL {
            let start = changes.len();
            let sides = [a.table(table), b.table(table)];
            self.compare(table, &Prefix::TABLE, sides, &mut changes)?;
            changes[start..].sort_unstable_by(|x, y| x.key.cmp(&y.key));
        }
        Ok(changes)
    }

    /// The rows of one table that differ between two states, sorted by key. Reads only what differs.
    pub fn diff_of(
        &self,
        table: Table,
        a: Option<Oid>,
        b: Option<Oid>,
    ) -> Result<Vec<RowChange>, StateFault> {
        let sides = [self.root(a)?.table(table), self.root(b)?.table(table)];
        let mut changes = Vec::new();
        self.compare(table, &Prefix::TABLE, sides, &mut changes)?;
        changes.sort_unstable_by(|x, y| x.key.cmp(&y.key));
        Ok(changes)
    }

    fn compare(
        &self,
        table: Table,
        at: &Prefix,
        [a, b]: [Option<Child>; 2],
        changes: &mut Vec<RowChange>,
    ) -> Result<(), StateFault> {
        if a == b {
            return Ok(());
        }
        if let (Some(Child::Dir(a)), Some(Child::Dir(b))) = (a, b) {
            let (a, b) = (self.dir(&a, table, at)?, self.dir(&b, table, at)?);
            for digit in 0..16 {
                let sides = [a.children[digit], b.children[digit]];
                self.compare(table, &at.child(digit), sides, changes)?;
            }
            return Ok(());
        }
        // One side has at most 64 rows here, so nearly all of the other differ anyway.
        let a = self.rows_under(a, table, at)?;
        let b = self.rows_under(b, table, at)?;
        differences(table, &a, &b, changes);
        Ok(())
    }
}

/// Merges two lists sorted by key.
fn differences(table: Table, mut a: &[Keyed], mut b: &[Keyed], changes: &mut Vec<RowChange>) {
    loop {
        let order = match (a.first(), b.first()) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(x), Some(y)) => x.0.cmp(&y.0),
        };
        let before = order.is_le().then(|| &a[0]);
        let after = order.is_ge().then(|| &b[0]);
        a = &a[usize::from(before.is_some())..];
        b = &b[usize::from(after.is_some())..];
        let row = |side: Option<&Keyed>| side.map(|row| row.1.clone());
        let key = before.or(after).map(|row| row.0.clone());
        let change = RowChange {
            table,
            key: key.expect("one of the sides came first"),
            before: row(before),
            after: row(after),
        };
        if change.before != change.after {
            changes.push(change);
        }
    }
}

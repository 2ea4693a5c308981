//! Reading rows: one by key, those of a subject, or all.

use super::bucket::{Bucket, Keyed, Reading};
use super::place::{Place, Placer, Prefix};
use super::raw::Child;
use super::tree::Root;
use super::{StateFault, Tables};
use crate::model::{Code, Oid, Row, RowKey, Table, limits};
use crate::store::Objects;
use std::ops::ControlFlow;

/// Takes a bucket and where it stands.
type EachBucket<'e, B> = dyn FnMut(&Bucket, &Prefix) -> Result<ControlFlow<B>, StateFault> + 'e;

fn malformed(table: Table, at: &Prefix, what: &str) -> StateFault {
    StateFault::malformed(&(at.path(table) + ".jsonl"), what)
}

impl<S: Objects + ?Sized> Tables<'_, S> {
    /// The row of a key, or `None`. Reads one object per level.
    pub fn row(
        &self,
        root: Option<Oid>,
        table: Table,
        key: &RowKey,
    ) -> Result<Option<Row>, StateFault> {
        self.row_in(&*self.root(root)?, table, key)
    }

    /// As [`Tables::row`], where the root tree was read.
    pub(super) fn row_in(
        &self,
        root: &Root,
        table: Table,
        key: &RowKey,
    ) -> Result<Option<Row>, StateFault> {
        let mut child = root.table(table);
        // Most tables of a young space are one file: no need to hash.
        let (mut subject, mut place) = (None, None);
        let mut at = Prefix::TABLE;
        loop {
            match child {
                None => return Ok(None),
                Some(Child::File(id)) => {
                    let bucket = self.bucket(&id, table, &at, self.reading())?;
                    let found = bucket.find(table, key);
                    return found.map_err(|what| malformed(table, &at, &what));
                }
                Some(Child::Dir(id)) => {
                    let dir = self.dir(&id, table, &at)?;
                    // The digits of the whole key are needed below those of the subject only.
                    let digit = if at.depth() < limits::SUBJECT_DIGITS {
                        let placed = || Placer::new(table).subject(key.subject());
                        subject.get_or_insert_with(placed).digit(at.depth())
                    } else {
                        let placed = || Place::of(table, key);
                        place.get_or_insert_with(placed).digit(at.depth())
                    };
                    child = dir.children[digit];
                    at = at.child(digit);
                }
            }
        }
    }

    /// All rows of one subject, sorted by detail. More than `limit` of them are
    /// `subject-too-large`.
    pub fn rows_of(
        &self,
        root: Option<Oid>,
        table: Table,
        subject: &str,
        limit: usize,
    ) -> Result<Vec<(RowKey, Row)>, StateFault> {
        self.rows_in(&*self.root(root)?, table, subject, limit)
    }

    /// As [`Tables::rows_of`], where the root tree was read.
    pub(super) fn rows_in(
        &self,
        root: &Root,
        table: Table,
        subject: &str,
        limit: usize,
    ) -> Result<Vec<(RowKey, Row)>, StateFault> {
        let mut child = root.table(table);
        // Most tables of most spaces are one file or none: no need to hash.
        let mut goal = None;
        let mut at = Prefix::TABLE;
        while let Some(Child::Dir(id)) = child
            && at.depth() < limits::SUBJECT_DIGITS
        {
            let goal = goal.get_or_insert_with(|| Placer::new(table).subject(subject));
            let digit = goal.digit(at.depth());
            child = self.dir(&id, table, &at)?.children[digit];
            at = at.child(digit);
        }
        let mut found = Vec::new();
        // Below the subject's digits lie its rows and, rarely, those of one that shares the digits.
        let flow = self.walk(child, table, &at, self.reading(), &mut |bucket, at| {
            for row in bucket.of_subject(subject) {
                if found.len() == limit {
                    return Ok(ControlFlow::Break(()));
                }
                let row = bucket.keyed(table, row);
                found.push(row.map_err(|what| malformed(table, at, &what))?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if flow.is_break() {
            let what = format!("{table} has more than {limit} rows of one subject");
            return Err(StateFault::new(Code::SubjectTooLarge, what));
        }
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    /// Calls `each` with all rows of a table until it breaks. The order follows from the rows alone:
    /// by digits, and by key within a bucket; so a table of at most 64 rows comes sorted by key.
    pub fn iter<B>(
        &self,
        root: Option<Oid>,
        table: Table,
        mut each: impl FnMut(&RowKey, &Row) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, StateFault> {
        let child = self.root(root)?.table(table);
        self.walk_all(child, table, &Prefix::TABLE, &mut |bucket, at| {
            for row in 0..bucket.len() {
                let row = bucket.keyed(table, row);
                let (key, row) = row.map_err(|what| malformed(table, at, &what))?;
                let flow = each(&key, &row);
                if flow.is_break() {
                    return Ok(flow);
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// All rows of a table sorted by key; more than `limit` of them are `too-large`.
    pub fn sorted(
        &self,
        root: Option<Oid>,
        table: Table,
        limit: usize,
    ) -> Result<Vec<(RowKey, Row)>, StateFault> {
        let mut found = Vec::new();
        let flow = self.iter(root, table, |key, row| {
            if found.len() == limit {
                return ControlFlow::Break(());
            }
            found.push((key.clone(), row.clone()));
            ControlFlow::Continue(())
        })?;
        if flow.is_break() {
            let what = format!("{table} has more than {limit} rows");
            return Err(StateFault::new(Code::TooLarge, what));
        }
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    /// How many rows a table has. Reads all of it.
    pub fn count(&self, root: Option<Oid>, table: Table) -> Result<u64, StateFault> {
        let child = self.root(root)?.table(table);
        let mut count = 0;
        let flow = self.walk_all::<()>(child, table, &Prefix::TABLE, &mut |bucket, _| {
            count += bucket.len() as u64;
            Ok(ControlFlow::Continue(()))
        })?;
        debug_assert!(flow.is_continue());
        Ok(count)
    }

    /// As [`Tables::walk`], every row checked.
    fn walk_all<B>(
        &self,
        child: Option<Child>,
        table: Table,
        at: &Prefix,
        each: &mut EachBucket<'_, B>,
    ) -> Result<ControlFlow<B>, StateFault> {
        self.walk(child, table, at, Reading::Strict, each)
    }

    /// Calls `each` with every bucket at or below a prefix, by digits.
    fn walk<B>(
        &self,
        child: Option<Child>,
        table: Table,
        at: &Prefix,
        reading: Reading,
        each: &mut EachBucket<'_, B>,
    ) -> Result<ControlFlow<B>, StateFault> {
        match child {
            None => {}
            Some(Child::File(id)) => {
                return each(&*self.bucket(&id, table, at, reading)?, at);
            }
            Some(Child::Dir(id)) => {
                let dir = self.dir(&id, table, at)?;
                for (digit, child) in dir.children.iter().enumerate() {
                    if child.is_none() {
                        continue;
                    }
                    let flow = self.walk(*child, table, &at.child(digit), reading, each)?;
                    if flow.is_break() {
                        return Ok(flow);
                    }
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// All rows at or below a prefix, sorted by key.
    pub(super) fn rows_under(
        &self,
        child: Option<Child>,
        table: Table,
        at: &Prefix,
    ) -> Result<Vec<Keyed>, StateFault> {
        let mut rows = Vec::new();
        let _all = self.walk_all::<()>(child, table, at, &mut |bucket, at| {
            for row in 0..bucket.len() {
                let row = bucket.keyed(table, row);
                rows.push(row.map_err(|what| malformed(table, at, &what))?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        rows.sort_unstable();
        Ok(rows)
    }
}

//! The state as one proposal sees it: a view below, the proposal's own earlier changes above.

use super::memo::{Asked, Memo, Version, is_steady};
use super::refusal::Stop;
use super::view::View;
use crate::codec::rows;
use crate::crypto::digest;
use crate::model::rows::TableRow;
use crate::model::{Code, Row, RowDigest, RowEdits, RowKey, Table};
use std::cell::RefCell;

/// Changes of so few rows are compared with what was there one by one.
const FEW: usize = 4;

/// What a guard found.
#[derive(Debug, PartialEq, Eq)]
pub enum Guard<R> {
    /// The row is already as the decision wants it: nothing to do.
    Already,
    /// The row is what `was` says (or absent, as it says); here is what is replaced.
    Replaces(Option<R>),
}

/// A row of the state below, or that there is none.
struct Found {
    table: Table,
    key: RowKey,
    row: Option<Row>,
}

/// A view with changes on top.
pub struct Scene<'v> {
    base: &'v dyn View,
    edits: RowEdits,
    /// The rows below that were asked for last: a rule asks for the row that drafting it asked for.
    below: RefCell<[Option<Found>; 2]>,
    touched: Vec<(Table, RowKey)>,
    /// What was to become of each of these before.
    before: Vec<Option<Option<Row>>>,
}

impl<'v> Scene<'v> {
    /// A scene without changes.
    pub fn new(base: &'v dyn View) -> Self {
        Self {
            base,
            edits: RowEdits::new(),
            below: RefCell::default(),
            touched: Vec::new(),
            before: Vec::new(),
        }
    }

    /// The state below: what authority is judged in.
    pub fn base(&self) -> &'v dyn View {
        self.base
    }

    /// The changes so far, including ones that changed nothing in the end.
    pub fn edits(&self) -> &RowEdits {
        &self.edits
    }

    /// The row with that key, untyped.
    pub fn raw(&self, table: Table, key: &RowKey) -> Result<Option<Row>, Stop> {
        match self.edits.get(table, key) {
            Some(row) => Ok(row.clone()),
            None => self.row_below(table, key),
        }
    }

    fn row_below(&self, table: Table, key: &RowKey) -> Result<Option<Row>, Stop> {
        let mut below = self.below.borrow_mut();
        let same = |found: &Option<Found>| {
            let found = found.as_ref();
            found.is_some_and(|found| found.table == table && found.key == *key)
        };
        match below.iter().position(same) {
            Some(0) => {}
            Some(_) => below.swap(0, 1),
            None => {
                let row = self.base.row(table, key)?;
                let key = key.clone();
                below.swap(0, 1);
                below[0] = Some(Found { table, key, row });
            }
        }
        Ok(below[0].as_ref().and_then(|found| found.row.clone()))
    }

    /// The row with that key.
    pub fn get<R: TableRow>(&self, key: &RowKey) -> Result<Option<R>, Stop> {
        let get = || {
            let row = self.raw(R::TABLE, key)?;
            Ok(row.as_ref().map(rows::decode).transpose()?)
        };
        match self.memo(R::TABLE) {
            Some((memo, version)) => memo.answer((R::TABLE, version), Asked::Row(key.clone()), get),
            None => get(),
        }
    }

    /// What was parsed before of a table with the same rows, unless the proposal changes it.
    fn memo(&self, table: Table) -> Option<(&'v Memo, Version)> {
        let unchanged = is_steady(table) && self.edits.of(table).is_empty();
        unchanged.then(|| self.base.memo(table)).flatten()
    }

    /// Whether there is a row with that key.
    pub fn has<R: TableRow>(&self, key: &RowKey) -> Result<bool, Stop> {
        Ok(self.raw(R::TABLE, key)?.is_some())
    }

    /// All rows of a subject, sorted by detail.
    pub fn list<R: TableRow>(&self, subject: &str) -> Result<Vec<R>, Stop> {
        match self.memo(R::TABLE) {
            Some((memo, version)) => {
                let asked = Asked::Rows(RowKey::of(subject));
                memo.answer((R::TABLE, version), asked, || self.listed(subject))
            }
            None => self.listed(subject),
        }
    }

    fn listed<R: TableRow>(&self, subject: &str) -> Result<Vec<R>, Stop> {
        let below = self.base.rows(R::TABLE, subject)?;
        let mut above = self.edits.of(R::TABLE).of_subject(subject).peekable();
        if above.peek().is_none() {
            return below
                .iter()
                .map(|(_, row)| Ok(rows::decode(row)?))
                .collect();
        }
        let mut merged: std::collections::BTreeMap<_, _> = below.into_iter().collect();
        for (key, row) in above {
            match row {
                Some(row) => merged.insert(key.clone(), row.clone()),
                None => merged.remove(key),
            };
        }
        merged.values().map(|row| Ok(rows::decode(row)?)).collect()
    }

    /// Whether a subject has any row in a table.
    pub fn any(&self, table: Table, subject: &str) -> Result<bool, Stop> {
        let mut removed = false;
        for (_, row) in self.edits.of(table).of_subject(subject) {
            match row {
                Some(_) => return Ok(true),
                None => removed = true,
            }
        }
        if !removed {
            return Ok(self.base.has_rows(table, subject)?);
        }
        let gone = |key: &RowKey| self.edits.get(table, key).is_some();
        Ok(self
            .base
            .rows(table, subject)?
            .iter()
            .any(|(key, _)| !gone(key)))
    }

    /// Puts a row.
    pub fn put<R: TableRow>(&mut self, row: &R) {
        self.change((R::TABLE, row.key()), Some(rows::encode(row)));
    }

    /// Puts a row, and one of another table whose line is the same.
    pub fn put_both<R: TableRow, T: TableRow>(&mut self, row: &R, twin: &T) {
        let line = rows::encode(row);
        debug_assert_eq!(line, rows::encode(twin), "the same line in both tables");
        self.change((R::TABLE, row.key()), Some(line.clone()));
        self.change((T::TABLE, twin.key()), Some(line));
    }

    /// Removes a row.
    pub fn remove<R: TableRow>(&mut self, key: RowKey) {
        self.change((R::TABLE, key), None);
    }

    fn change(&mut self, place: (Table, RowKey), row: Option<Row>) {
        self.touched.push(place.clone());
        self.before.push(self.edits.insert(place, row));
    }

    /// The keys written since the last call, for good.
    pub(crate) fn take_touched(&mut self) -> Vec<(Table, RowKey)> {
        self.before.clear();
        std::mem::take(&mut self.touched)
    }

    /// Takes back what was written since [`Scene::take_touched`], as if it had never been.
    pub(crate) fn take_back(&mut self) {
        for (place, before) in self.touched.drain(..).zip(self.before.drain(..)).rev() {
            self.edits.restore(place, before);
        }
    }

    /// The digest that a `was` for this row must have now.
    pub fn digest(&self, table: Table, key: &RowKey) -> Result<Option<RowDigest>, Stop> {
        Ok(self.raw(table, key)?.map(|row| digest::row(table, &row)))
    }

    /// Judges a change of one row: already so, or guarded by what it replaces, or `stale`.
    pub fn guard<R: TableRow>(
        &self,
        key: &RowKey,
        was: Option<RowDigest>,
        new: Option<&R>,
    ) -> Result<Guard<R>, Stop> {
        let now = self.raw(R::TABLE, key)?;
        let already = match (&now, new) {
            (Some(now), Some(new)) => *now == rows::encode(new),
            (now, new) => now.is_none() && new.is_none(),
        };
        if already {
            return Ok(Guard::Already);
        }
        let found = now.as_ref().map(|row| digest::row(R::TABLE, row));
        if found != was {
            return stale(R::TABLE, key, was, now.as_ref());
        }
        Ok(Guard::Replaces(now.as_ref().map(rows::decode).transpose()?))
    }

    /// Ends the scene: the changes that really change something.
    pub fn finish(mut self) -> Result<RowEdits, Stop> {
        let places: Vec<(Table, &RowKey)> = self.edits.keys().collect();
        let before = match places.len() {
            // Most of them were asked for just now.
            ..=FEW => {
                let rows = places
                    .iter()
                    .map(|(table, key)| self.row_below(*table, key));
                rows.collect::<Result<Vec<_>, _>>()?
            }
            _ => self.base.rows_at(&places)?,
        };
        let idle = self.edits.iter().zip(before);
        let idle = idle.filter(|((_, row), before)| *row == before);
        let idle = idle.map(|(((table, key), _), _)| (table, key.clone()));
        let idle: Vec<(Table, RowKey)> = idle.collect();
        for (table, key) in idle {
            self.edits.forget(table, &key);
        }
        Ok(self.edits)
    }
}

fn stale<T>(
    table: Table,
    key: &RowKey,
    was: Option<RowDigest>,
    now: Option<&Row>,
) -> Result<T, Stop> {
    let expected = match was {
        Some(digest) => format!("the row {} there", digest.short()),
        None => "no row there".into(),
    };
    let found = match now {
        Some(row) => format!("{} ({})", row.as_str(), digest::row(table, row).short()),
        None => "none".into(),
    };
    let what = format!("{table} `{key}`: the decision expects {expected}, found {found}");
    Stop::refuse(Code::Stale, what)
}

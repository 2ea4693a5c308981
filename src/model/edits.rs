//! Changes to the rows of a state.

use super::{Row, RowKey, Table};
use std::collections::{BTreeMap, btree_map};

/// What is kept of each table, by table.
pub type ByTable<T> = [BTreeMap<RowKey, T>; Table::ALL.len()];

/// Changes to the state: `Some` puts a row, `None` removes it. Sorted by table and key, so that applying them has one
/// order only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowEdits {
    /// A map for each table: most changes are about few tables, and the others cost nothing to look into.
    tables: ByTable<Option<Row>>,
}

impl RowEdits {
    /// No changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The changes of one table.
    pub fn of(&self, table: Table) -> &BTreeMap<RowKey, Option<Row>> {
        &self.tables[table as usize]
    }

    /// How many rows change.
    pub fn len(&self) -> usize {
        self.tables.iter().map(BTreeMap::len).sum()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.tables.iter().all(BTreeMap::is_empty)
    }

    /// What becomes of a row, if it changes.
    pub fn get(&self, table: Table, key: &RowKey) -> Option<&Option<Row>> {
        self.of(table).get(key)
    }

    /// Changes a row: what would have become of it before, if it changed already.
    pub fn insert(
        &mut self,
        (table, key): (Table, RowKey),
        row: Option<Row>,
    ) -> Option<Option<Row>> {
        self.tables[table as usize].insert(key, row)
    }

    /// Takes a change back, so that it is what `insert` said that it was before.
    pub fn restore(&mut self, (table, key): (Table, RowKey), before: Option<Option<Row>>) {
        match before {
            Some(row) => self.tables[table as usize].insert(key, row),
            None => self.tables[table as usize].remove(&key),
        };
    }

    /// Every change.
    pub fn iter(&self) -> impl Iterator<Item = ((Table, &RowKey), &Option<Row>)> {
        let of = |table: &Table| {
            let table = *table;
            let rows = self.of(table).iter();
            rows.map(move |(key, row)| ((table, key), row))
        };
        Table::ALL.iter().flat_map(of)
    }

    /// Which rows change.
    pub fn keys(&self) -> impl Iterator<Item = (Table, &RowKey)> {
        self.iter().map(|(place, _)| place)
    }

    /// Keeps the changes for which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&Option<Row>) -> bool) {
        for rows in &mut self.tables {
            rows.retain(|_, row| keep(row));
        }
    }

    /// Hands over the changes of each table that has any.
    pub fn into_tables(
        self,
    ) -> impl Iterator<Item = (Table, btree_map::IntoIter<RowKey, Option<Row>>)> {
        let tables = Table::ALL.iter().copied().zip(self.tables);
        let some = tables.filter(|(_, rows)| !rows.is_empty());
        some.map(|(table, rows)| (table, rows.into_iter()))
    }
}

impl Extend<((Table, RowKey), Option<Row>)> for RowEdits {
    fn extend<I: IntoIterator<Item = ((Table, RowKey), Option<Row>)>>(&mut self, edits: I) {
        for (place, row) in edits {
            self.insert(place, row);
        }
    }
}

impl FromIterator<((Table, RowKey), Option<Row>)> for RowEdits {
    fn from_iter<I: IntoIterator<Item = ((Table, RowKey), Option<Row>)>>(edits: I) -> Self {
        let mut all = Self::new();
        all.extend(edits);
        all
    }
}

//! Changes to the rows of a state.

use super::{Row, RowKey, RowMap, Table};

/// What is kept of each table, by table.
pub type ByTable<T> = [RowMap<T>; Table::ALL.len()];

/// Changes to the state: `Some` puts a row, `None` removes it. Each row changes once, so they come to the same in any
/// order.
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
    pub fn of(&self, table: Table) -> &RowMap<Option<Row>> {
        &self.tables[table as usize]
    }

    /// How many rows change.
    pub fn len(&self) -> usize {
        self.tables.iter().map(RowMap::len).sum()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.tables.iter().all(RowMap::is_empty)
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

    /// Every change, table by table.
    pub fn iter(&self) -> impl Iterator<Item = ((Table, &RowKey), &Option<Row>)> {
        let tables = Table::ALL.iter().zip(&self.tables);
        let some = tables.filter(|(_, rows)| !rows.is_empty());
        some.flat_map(|(table, rows)| rows.iter().map(|(key, row)| ((*table, key), row)))
    }

    /// Which rows change.
    pub fn keys(&self) -> impl Iterator<Item = (Table, &RowKey)> {
        self.iter().map(|(place, _)| place)
    }

    /// Forgets the change of a row.
    pub fn forget(&mut self, table: Table, key: &RowKey) {
        self.tables[table as usize].remove(key);
    }

    /// Hands over the changes of each table that has any.
    pub fn into_tables(self) -> impl Iterator<Item = (Table, RowMap<Option<Row>>)> {
        let tables = Table::ALL.iter().copied().zip(self.tables);
        tables.filter(|(_, rows)| !rows.is_empty())
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

//! Tests of the whole module against a model, a naive builder and damaged trees.

mod boundaries;
mod damage;
mod lazy;
mod lending;
mod properties;
mod repeat;
mod store;

use super::Tables;
use crate::codec::rows;
use crate::model::rows::{AliasRow, EdgeRow};
use crate::model::{Name, Oid, Row, RowEdits, RowKey, Table};
use crate::store::Objects;
use std::collections::BTreeMap;
use store::Memory;

/// The rows of a state.
type Rows = BTreeMap<(Table, RowKey), Row>;

fn alias(number: u32, target: u32) -> ((Table, RowKey), Row) {
    let name = |n: u32| Name::new(format!("name-{n}")).unwrap();
    let (alias, target) = (name(number), name(target));
    let key = RowKey::of(&alias);
    (
        (Table::Aliases, key),
        rows::encode(&AliasRow { alias, target }),
    )
}

fn edge(a: u32, b: u32) -> ((Table, RowKey), Row) {
    let name = |n: u32| Name::new(format!("e{n}")).unwrap();
    let (a, b) = (name(a), name(b));
    let key = RowKey::pair(a.as_str(), b.as_str());
    ((Table::Edges, key), rows::encode(&EdgeRow { a, b }))
}

/// The edits that put these rows.
fn puts(rows: impl IntoIterator<Item = ((Table, RowKey), Row)>) -> RowEdits {
    rows.into_iter()
        .map(|(key, row)| (key, Some(row)))
        .collect()
}

/// The edits that remove these rows.
fn removals(rows: impl IntoIterator<Item = ((Table, RowKey), Row)>) -> RowEdits {
    rows.into_iter().map(|(key, _)| (key, None)).collect()
}

/// Writes what is staged.
fn write(store: &Memory, tables: &Tables<'_, Memory>) {
    store.write_all(&tables.take()).unwrap();
}

/// The rows after edits.
fn after(rows: &Rows, edits: &RowEdits) -> Rows {
    let mut rows = rows.clone();
    for ((table, key), row) in edits.iter() {
        match row {
            Some(row) => rows.insert((table, key.clone()), row.clone()),
            None => rows.remove(&(table, key.clone())),
        };
    }
    rows
}

/// The tree of these rows, built at once on an empty state.
fn from_scratch(rows: &Rows) -> Oid {
    let store = Memory::default();
    let tables = Tables::new(&store);
    tables.edit(None, &puts(rows.clone())).unwrap()
}

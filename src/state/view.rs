//! A state tree as the fold reads it.

use super::tree::Root;
use super::{StateFault, Tables};
use crate::fold::{Memo, Version, View, ViewFault};
use crate::model::{Oid, Row, RowKey, Table, limits};
use crate::store::Objects;
use std::cell::OnceCell;
use std::sync::Arc;

/// From this many rows on, looking for them in the order of the tree is worth computing it.
const MANY: usize = 256;

/// One state in a store, as a [`View`].
pub struct TreeView<'t, 's, S: Objects + ?Sized> {
    tables: &'t Tables<'s, S>,
    id: Option<Oid>,
    /// Read once: nearly every look-up of a rule is in a table that is absent.
    root: OnceCell<Arc<Root>>,
}

impl<'t, 's, S: Objects + ?Sized> TreeView<'t, 's, S> {
    /// The state with that root tree; `None` is the state without rows.
    pub fn new(tables: &'t Tables<'s, S>, root: Option<Oid>) -> Self {
        Self {
            tables,
            id: root,
            root: OnceCell::new(),
        }
    }

    fn root(&self) -> Result<&Root, StateFault> {
        match self.root.get() {
            Some(root) => Ok(root),
            None => {
                let root = self.tables.root(self.id)?;
                Ok(self.root.get_or_init(|| root))
            }
        }
    }
}

/// Neighbours of one table, with the place where they begin.
fn groups<'p, 'k>(
    places: &'p [(Table, &'k RowKey)],
) -> impl Iterator<Item = (usize, &'p [(Table, &'k RowKey)])> {
    let mut start = 0;
    places.chunk_by(|a, b| a.0 == b.0).map(move |group| {
        let at = start;
        start += group.len();
        (at, group)
    })
}

impl From<StateFault> for ViewFault {
    fn from(fault: StateFault) -> Self {
        let StateFault { code, what } = fault;
        ViewFault { code, what }
    }
}

impl<S: Objects + ?Sized> View for TreeView<'_, '_, S> {
    fn row(&self, table: Table, key: &RowKey) -> Result<Option<Row>, ViewFault> {
        Ok(self.tables.row_in(self.root()?, table, key)?)
    }

    fn rows_at(&self, places: &[(Table, &RowKey)]) -> Result<Vec<Option<Row>>, ViewFault> {
        if places.len() < MANY {
            let rows = places.iter().map(|(table, key)| self.row(*table, key));
            return rows.collect();
        }
        let root = self.root()?;
        let mut rows = vec![None; places.len()];
        for (start, group) in groups(places) {
            let rows = &mut rows[start..start + group.len()];
            self.tables.rows_at(root, group, rows)?;
        }
        Ok(rows)
    }

    fn rows(&self, table: Table, subject: &str) -> Result<Vec<(RowKey, Row)>, ViewFault> {
        let limit = limits::SUBJECT_ROWS;
        Ok(self.tables.rows_in(self.root()?, table, subject, limit)?)
    }

    fn has_rows(&self, table: Table, subject: &str) -> Result<bool, ViewFault> {
        match self.tables.rows_in(self.root()?, table, subject, 1) {
            Ok(rows) => Ok(!rows.is_empty()),
            // More than one is an answer too.
            Err(fault) if fault.code == crate::model::Code::SubjectTooLarge => Ok(true),
            Err(fault) => Err(fault.into()),
        }
    }

    fn memo(&self, table: Table) -> Option<(&Memo, Version)> {
        // Where the root cannot be read, who asks for rows is told why.
        let child = self.root().ok()?.table(table)?;
        Some((&self.tables.memo, Version::Object(*child.id())))
    }
}

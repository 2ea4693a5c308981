//! A state tree as the fold reads it.

use super::{StateFault, Tables};
use crate::fold::{View, ViewFault};
use crate::model::{Oid, Row, RowKey, Table, limits};
use crate::store::Objects;

/// One state in a store, as a [`View`].
pub struct TreeView<'t, 's, S: Objects + ?Sized> {
    tables: &'t Tables<'s, S>,
    root: Option<Oid>,
}

impl<'t, 's, S: Objects + ?Sized> TreeView<'t, 's, S> {
    /// The state with that root tree; `None` is the state without rows.
    pub fn new(tables: &'t Tables<'s, S>, root: Option<Oid>) -> Self {
        Self { tables, root }
    }
}

impl From<StateFault> for ViewFault {
    fn from(fault: StateFault) -> Self {
        let StateFault { code, what } = fault;
        ViewFault { code, what }
    }
}

impl<S: Objects + ?Sized> View for TreeView<'_, '_, S> {
    fn row(&self, table: Table, key: &RowKey) -> Result<Option<Row>, ViewFault> {
        Ok(self.tables.row(self.root, table, key)?)
    }

    fn rows(&self, table: Table, subject: &str) -> Result<Vec<(RowKey, Row)>, ViewFault> {
        let limit = limits::SUBJECT_ROWS;
        Ok(self.tables.rows_of(self.root, table, subject, limit)?)
    }

    fn has_rows(&self, table: Table, subject: &str) -> Result<bool, ViewFault> {
        match self.tables.rows_of(self.root, table, subject, 1) {
            Ok(rows) => Ok(!rows.is_empty()),
            // More than one is an answer too.
            Err(fault) if fault.code == crate::model::Code::SubjectTooLarge => Ok(true),
            Err(fault) => Err(fault.into()),
        }
    }
}

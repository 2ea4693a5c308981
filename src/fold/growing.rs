//! A state in memory that one page after the other is applied to.

use super::memo::{Memo, Version};
use super::view::{MemoryView, View, ViewFault};
use crate::model::{Row, RowEdits, RowKey, Table};

/// As [`MemoryView`], for whoever folds a whole history: what few pages change is parsed once for as long as it stays.
#[derive(Debug, Default)]
pub struct GrowingView {
    view: MemoryView,
    memo: Memo,
    /// How often each table changed.
    changes: [u64; Table::ALL.len()],
}

impl GrowingView {
    /// Applies the changes of a page.
    pub fn apply(&mut self, edits: RowEdits) {
        for &table in Table::ALL {
            self.changes[table as usize] += u64::from(!edits.of(table).is_empty());
        }
        self.view.apply(edits);
    }

    /// What it came to.
    pub fn into_view(self) -> MemoryView {
        self.view
    }
}

impl View for GrowingView {
    fn row(&self, table: Table, key: &RowKey) -> Result<Option<Row>, ViewFault> {
        self.view.row(table, key)
    }

    fn rows(&self, table: Table, subject: &str) -> Result<Vec<(RowKey, Row)>, ViewFault> {
        self.view.rows(table, subject)
    }

    fn has_rows(&self, table: Table, subject: &str) -> Result<bool, ViewFault> {
        self.view.has_rows(table, subject)
    }

    fn memo(&self, table: Table) -> Option<(&Memo, Version)> {
        Some((&self.memo, Version::Change(self.changes[table as usize])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::rows;
    use crate::fold::Scene;
    use crate::model::Handle;
    use crate::model::rows::{RoleRow, TableRow as _};

    #[test]
    fn what_a_page_changed_is_not_answered_from_memory() {
        let role = |member: &str| RoleRow {
            member: Handle::new(member).unwrap(),
            role: Handle::new("editor").unwrap(),
        };
        let put = |row: &RoleRow| ((Table::Roles, row.key()), Some(rows::encode(row)));
        let mut growing = GrowingView::default();
        let held = |growing: &GrowingView| {
            let held = Scene::new(growing).list::<RoleRow>("editor").unwrap();
            let held = held.into_iter().map(|row| row.member.to_string());
            held.collect::<Vec<_>>()
        };
        let (alice, bob) = (role("alice"), role("bob"));
        growing.apply([put(&alice)].into_iter().collect());
        // Once from the rows, and once from memory.
        assert_eq!(held(&growing), ["alice"]);
        assert_eq!(held(&growing), ["alice"]);
        growing.apply([put(&bob)].into_iter().collect());
        assert_eq!(held(&growing), ["alice", "bob"]);
        let gone = ((Table::Roles, alice.key()), None);
        growing.apply([gone].into_iter().collect());
        assert_eq!(held(&growing), ["bob"]);
        let key = bob.key();
        assert_eq!(Scene::new(&growing).get(&key).unwrap(), Some(bob));
        assert_eq!(growing.into_view().of(Table::Roles).len(), 1);
    }
}

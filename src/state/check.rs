//! The full walk: everything that reading checks, and that every split is right.

use super::bucket::Reading;
use super::place::Prefix;
use super::raw::Child;
use super::{StateFault, Tables};
use crate::model::{Oid, Table, limits};
use crate::store::Objects;

impl<S: Objects + ?Sized> Tables<'_, S> {
    /// Checks a whole state strictly and counts its rows. When it passes, the tree is the only one
    /// that these rows have. `decisions.jsonl` is refused: a state has none.
    ///
    /// The walk ends after work in proportion to the rows that are really there: depth is limited,
    /// no directory is empty, and a bucket that is seen at a second place fails.
    pub fn check(&self, root: Option<Oid>) -> Result<u64, StateFault> {
        let tree = self.root(root)?;
        if tree.decisions.is_some() {
            let what = "expected tables only, found `decisions.jsonl`";
            return Err(StateFault::malformed("the root tree", what));
        }
        let mut rows = 0;
        for &table in Table::ALL {
            if let Some(child) = tree.table(table) {
                rows += self.check_child(table, &Prefix::TABLE, child)?;
            }
        }
        Ok(rows)
    }

    fn check_child(&self, table: Table, at: &Prefix, child: Child) -> Result<u64, StateFault> {
        let id = match child {
            Child::File(id) => {
                return Ok(self.bucket(&id, table, at, Reading::Strict)?.len() as u64);
            }
            Child::Dir(id) => id,
        };
        let dir = self.dir(&id, table, at)?;
        let mut rows = 0;
        for (digit, child) in dir.children.iter().enumerate() {
            if let Some(child) = child {
                rows += self.check_child(table, &at.child(digit), *child)?;
            }
        }
        if rows <= limits::BUCKET_ROWS as u64 {
            let what = format!("a directory of {rows} rows, which belong in one file");
            return Err(StateFault::malformed(&at.path(table), what));
        }
        Ok(rows)
    }
}

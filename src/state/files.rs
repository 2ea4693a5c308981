//! A state as the files that its tree holds.

use super::bucket::Reading;
use super::place::Prefix;
use super::raw::Child;
use super::{StateFault, Tables};
use crate::model::{Oid, Table};
use crate::store::Objects;

/// Takes the path and the bytes of one file.
type EachFile<'f> = dyn FnMut(&str, &[u8]) -> Result<(), StateFault> + 'f;

impl<S: Objects + ?Sized> Tables<'_, S> {
    /// Calls `each` with the path and the bytes of every bucket file of a state, table by table.
    pub fn files(&self, root: Oid, each: &mut EachFile<'_>) -> Result<(), StateFault> {
        for &table in Table::ALL {
            if let Some(child) = self.root(Some(root))?.table(table) {
                self.files_at(table, &Prefix::TABLE, child, each)?;
            }
        }
        Ok(())
    }

    fn files_at(
        &self,
        table: Table,
        at: &Prefix,
        child: Child,
        each: &mut EachFile<'_>,
    ) -> Result<(), StateFault> {
        match child {
            Child::File(id) => {
                let bucket = self.bucket(&id, table, at, Reading::Strict)?;
                each(&(at.path(table) + ".jsonl"), &bucket.bytes())
            }
            Child::Dir(id) => {
                let dir = self.dir(&id, table, at)?;
                for (digit, child) in dir.children.iter().enumerate() {
                    if let Some(child) = child {
                        self.files_at(table, &at.child(digit), *child, each)?;
                    }
                }
                Ok(())
            }
        }
    }
}

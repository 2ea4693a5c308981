//! Somebody else's catalog, brought here and not believed: it says where bytes could be.

use super::ArtifactFault;
use super::index::Index;
use super::keys::Keys;
use crate::codec::sheet::Record;
use crate::journal::shelf::Catalog;
use crate::model::{ContentDigest, Oid, SpaceId};
use crate::store::GitStore;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

/// A catalog of another repository, whose sheets are in ours.
pub struct Foreign {
    index: Rc<Index>,
    /// Sheets that cannot be read, and why.
    pub unreadable: Vec<ArtifactFault>,
}

impl Foreign {
    /// Opens the catalog that a commit names; `name` is what its derived files are kept under.
    ///
    /// # Errors
    /// `catalog-invalid`, `space-mismatch`, `too-large`; `io`.
    pub fn open(
        store: &GitStore,
        space: &SpaceId,
        name: &str,
        commit: Oid,
    ) -> Result<Self, ArtifactFault> {
        let sheets = Catalog::read(store, space, commit)?.sheets;
        let dir = store.common_dir().join("folio/artifacts/elsewhere");
        Self::of_sheets(store, &dir.join(name), &sheets)
    }

    fn of_sheets(store: &GitStore, dir: &Path, sheets: &[Oid]) -> Result<Self, ArtifactFault> {
        let mut unreadable = Vec::new();
        let index = match Index::open(dir, Some(store), sheets) {
            Ok(index) => index,
            Err(_) => {
                let mut good = Vec::new();
                for sheet in sheets {
                    match Index::open(dir, Some(store), &[*sheet]) {
                        Ok(_) => good.push(*sheet),
                        Err(fault) => {
                            let what = format!("sheet {sheet}: {}", fault.what);
                            unreadable.push(ArtifactFault { what, ..fault });
                        }
                    }
                }
                Index::open(dir, Some(store), &good)?
            }
        };
        let index = Rc::new(index);
        Ok(Self { index, unreadable })
    }

    /// Every key that is listed there, ascending, each once.
    ///
    /// # Errors
    /// `io`.
    pub fn keys(&self) -> Result<Keys, ArtifactFault> {
        Keys::new(Rc::clone(&self.index), &ContentDigest([0; 32]))
    }

    /// The records of these artifacts, ascending by key in each sheet, one for each that is listed there. What cannot
    /// be read as a record counts as not listed.
    ///
    /// # Errors
    /// `io`, and what `each` fails with.
    pub fn select(
        &self,
        wanted: &BTreeMap<ContentDigest, u64>,
        each: &mut dyn FnMut(Record) -> Result<(), ArtifactFault>,
    ) -> Result<(), ArtifactFault> {
        for key in wanted.keys() {
            if let Ok(Some(record)) = self.index.find(key) {
                each(record)?;
            }
        }
        Ok(())
    }
}

//! The packs of a repository as files: what they hold, and which of them hold nothing for good.

use super::hash::{from_gix, gix_kind, to_gix};
use crate::model::{Code, ObjectFormat, Oid};
use crate::store::StoreFault;
use crate::store::disk::{io_fault, is_absent};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// One pack with an index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackFile {
    /// `<dir>/pack-<checksum>.pack`.
    pub path: PathBuf,
    /// Bytes of the pack.
    pub bytes: u64,
    /// Whether it holds what nothing referred to when it was made (`.mtimes`).
    pub cruft: bool,
    /// Whether somebody wants it left as it is (`.keep`), or git fetches what it lacks (`.promisor`).
    pub kept: bool,
}

impl PackFile {
    /// The file beside it with that extension.
    pub fn beside(&self, extension: &str) -> PathBuf {
        self.path.with_extension(extension)
    }

    /// `pack-<checksum>`.
    pub fn name(&self) -> String {
        let stem = self.path.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }
}

/// The packs in the directory `objects/pack`, sorted by name. One without its index is none.
///
/// # Errors
/// `io`.
pub fn packs(dir: &Path) -> Result<Vec<PackFile>, StoreFault> {
    let mut names = BTreeSet::new();
    let entries = match fs::read_dir(dir) {
        Err(err) if is_absent(&err) => return Ok(Vec::new()),
        entries => entries.map_err(|err| io_fault("list", dir, &err))?,
    };
    for entry in entries {
        let entry = entry.map_err(|err| io_fault("list", dir, &err))?;
        names.insert(PathBuf::from(entry.file_name()));
    }
    let mut found = Vec::new();
    for name in &names {
        let with = |extension| names.contains(&name.with_extension(extension));
        if name.extension().is_none_or(|end| end != "pack") || !with("idx") {
            continue;
        }
        let path = dir.join(name);
        // One that went meanwhile was merged or collected.
        let Ok(meta) = fs::metadata(&path) else {
            continue;
        };
        found.push(PackFile {
            bytes: meta.len(),
            cruft: with("mtimes"),
            kept: with("keep") || with("promisor"),
            path,
        });
    }
    found.sort();
    Ok(found)
}

/// The ids in one pack, looked up in its index without reading that whole.
pub struct PackIndex(gix::odb::pack::index::File);

impl PackIndex {
    /// Opens the index of a pack.
    ///
    /// # Errors
    /// `object-damaged` if it is none.
    pub fn open(pack: &Path, format: ObjectFormat) -> Result<Self, StoreFault> {
        let path = pack.with_extension("idx");
        let opened = gix::odb::pack::index::File::at(&path, gix_kind(format));
        opened.map(Self).map_err(|err| {
            let what = format!("the pack index `{}` cannot be read: {err}", path.display());
            StoreFault::new(Code::ObjectDamaged, what)
        })
    }

    /// Whether the pack has the object.
    pub fn has(&self, id: &Oid) -> bool {
        self.0.lookup(to_gix(id)).is_some()
    }

    /// Where in the pack the object's entry begins, if it has one.
    pub fn offset(&self, id: &Oid) -> Option<u64> {
        let at = self.0.lookup(to_gix(id))?;
        Some(self.0.pack_offset_at_index(at))
    }

    /// How many objects it has.
    pub fn len(&self) -> u32 {
        self.0.num_objects()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id at that place of the sorted list.
    pub fn id(&self, at: u32) -> Oid {
        from_gix(self.0.oid_at_index(at))
    }

    /// All ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = Oid> {
        (0..self.len()).map(|at| self.id(at))
    }
}

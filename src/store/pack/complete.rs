//! A pack that is complete, and its index, until both have their names.

use super::idx::{self, Placed};
use crate::model::{ObjectFormat, Oid};
use crate::store::disk::{Pieces, TempFile, io_fault, remove_if_there};
use crate::store::unnamed::{self, Unnamed};
use crate::store::{Steps, StoreFault};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A pack and its index, written under names that nobody looks at.
pub(super) struct Complete<'a> {
    dir: PathBuf,
    checksum: Oid,
    pack: TempFile<'a>,
    index: TempFile<'a>,
    steps: &'a dyn Steps,
}

impl<'a> Complete<'a> {
    /// Writes the index of a pack that is complete.
    pub(super) fn new(
        dir: &Path,
        format: ObjectFormat,
        pack: TempFile<'a>,
        mut placed: Vec<Placed>,
        checksum: Oid,
        steps: &'a dyn Steps,
    ) -> Result<Self, StoreFault> {
        idx::sort(&mut placed);
        let index = TempFile::create(dir, "tmp_idx_", steps)?;
        let bytes = idx::encode(format, &placed, &checksum)?;
        let written = Pieces(index.file()).write_all(&bytes);
        written.map_err(|err| io_fault("write in", dir, &err))?;
        pack.protect()?;
        index.protect()?;
        // A crash so far leaves files that nobody looks at, and that `git gc` removes by their names.
        steps.step("pack-sync")?;
        Ok(Self {
            dir: dir.to_owned(),
            checksum,
            pack,
            index,
            steps,
        })
    }

    fn path(&self, extension: &str) -> PathBuf {
        let Self { dir, checksum, .. } = self;
        dir.join(format!("pack-{checksum}.{extension}"))
    }

    /// Gives both their names, durably; says that of the pack.
    pub(super) fn seal(self) -> Result<PathBuf, StoreFault> {
        let (path, steps) = (self.path("pack"), self.steps);
        unnamed::settle(vec![Box::new(self)])?;
        // A crash here loses the answer only. Nothing refers to the objects yet.
        steps.step("pack-done")?;
        Ok(path)
    }
}

impl Unnamed for Complete<'_> {
    fn contents(&self) -> Vec<(&Path, &File)> {
        let files = [&self.pack, &self.index];
        files.map(|temp| (temp.path(), temp.file())).into()
    }

    fn name(self: Box<Self>) -> Result<Vec<PathBuf>, StoreFault> {
        let names = ["pack", "idx", "mtimes"].map(|extension| self.path(extension));
        let Self {
            dir,
            pack,
            index,
            steps,
            ..
        } = *self;
        steps.step("pack-rename")?;
        pack.rename_to(&names[0])?;
        // A crash here leaves a pack without index: garbage to git, which finds packs by their indexes.
        // Writing the same objects again gives it its index.
        steps.step("idx-rename")?;
        index.rename_to(&names[1])?;
        // The same objects may have been put aside in a pack of this very name: they count again.
        remove_if_there(&names[2])?;
        // Visible now; durable when the directory is.
        steps.step("pack-dir-sync")?;
        Ok(vec![dir])
    }
}

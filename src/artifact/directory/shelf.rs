//! Directories on the shelves of a space.

use super::restore::{self, Source};
use super::walk::Walk;
use crate::artifact::{Added, ArtifactFault, Intake, Reader, Shelves};
use crate::codec::manifest::{Entry, TreePath, What, check_bytes};
use crate::model::{Code, ContentDigest};
use std::io::Write;
use std::path::PathBuf;

/// Adds a directory: its files, then its manifest, whose key names all of it.
///
/// # Errors
/// `file-changed` where something changed, came or went since the walk: then nothing names what was read; those
/// of [`Intake::add`].
pub fn add(intake: &mut Intake<'_>, walk: &Walk) -> Result<Added, ArtifactFault> {
    let (paths, sizes): (Vec<PathBuf>, Vec<u64>) = walk.files().unzip();
    let mut keys = Vec::with_capacity(paths.len());
    let mut other = None;
    let taken = intake.add_all(&paths, &mut |n, added| {
        if added.size != sizes[n] {
            other.get_or_insert(n);
        }
        keys.push(added.key);
    });
    // Why a file could not be read is told by what became of it.
    walk.check_unchanged()?;
    taken?;
    if let Some(n) = other {
        let path = paths[n].display();
        let what = format!("`{path}` changed while it was read");
        return Err(ArtifactFault::new(Code::FileChanged, what));
    }
    intake.add(&mut walk.manifest(keys))
}

/// A directory that is on the shelves of a space.
pub struct Directory<'a> {
    shelves: &'a Shelves,
    key: ContentDigest,
}

/// A file of a directory that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// Which one.
    pub path: TreePath,
    /// The artifact that has its bytes.
    pub key: ContentDigest,
    /// `not-found`, `artifact-damaged` or what else is wrong with it.
    pub fault: ArtifactFault,
}

impl<'a> Directory<'a> {
    /// The directory of a manifest.
    pub fn new(shelves: &'a Shelves, key: ContentDigest) -> Self {
        Self { shelves, key }
    }

    /// Reads its entries in order. The manifest is checked as far as it was read.
    ///
    /// # Errors
    /// Those of the manifest, of reading it, and of whoever takes the entries.
    pub fn entries(
        &self,
        each: &mut dyn FnMut(Entry) -> Result<(), ArtifactFault>,
    ) -> Result<(), ArtifactFault> {
        restore::read(self, each)
    }

    /// Reads all of its files; tells of those that cannot be read, and returns how many files there are and how
    /// many bytes the others have.
    ///
    /// # Errors
    /// Those of the manifest and of reading it.
    pub fn verify(&self, bad: &mut dyn FnMut(Bad)) -> Result<(u64, u64), ArtifactFault> {
        let (mut files, mut bytes) = (0, 0);
        self.entries(&mut |entry| {
            let What::File { key, size, .. } = entry.what else {
                return Ok(());
            };
            files += 1;
            match self.file(&key, size, &mut std::io::sink()) {
                Ok(()) => bytes += size,
                Err(fault) => {
                    let path = entry.path;
                    bad(Bad { path, key, fault });
                }
            }
            Ok(())
        })?;
        Ok((files, bytes))
    }
}

impl Source for Directory<'_> {
    fn manifest(
        &self,
        each: &mut dyn FnMut(&[u8]) -> Result<(), ArtifactFault>,
    ) -> Result<(), ArtifactFault> {
        let mut reader = self.shelves.read(&self.key)?;
        check_bytes(reader.size())?;
        while let Some(piece) = reader.piece()? {
            each(piece)?;
        }
        Ok(())
    }

    fn file(
        &self,
        key: &ContentDigest,
        size: u64,
        into: &mut dyn Write,
    ) -> Result<(), ArtifactFault> {
        let mut reader: Reader<'_> = self.shelves.read(key)?;
        if reader.size() != size {
            let found = reader.size();
            let what = format!("the manifest says that {key} has {size} bytes, and it has {found}");
            return Err(ArtifactFault::new(Code::ManifestMalformed, what));
        }
        while let Some(piece) = reader.piece()? {
            let written = into.write_all(piece);
            written.map_err(|err| ArtifactFault::from_io("write", err))?;
        }
        Ok(())
    }
}

//! Making the directory of a manifest again: whole, or not at all.
//!
//! It is made in a directory of our own beside its destination, which nobody else may enter, and gets its name
//! when all of it is there. Nothing is written through a link: names are made new, directories are those
//! made here, and links come last.

use crate::artifact::ArtifactFault;
use crate::codec::manifest::{Entry, Reader, TreePath, What};
use crate::model::{Code, ContentDigest};
use crate::store::disk::io_fault;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Where a manifest and its files are read from.
pub trait Source {
    /// Reads the manifest from its beginning, in pieces whose bytes are verified.
    ///
    /// # Errors
    /// Its own, and those of whoever takes the pieces.
    fn manifest(
        &self,
        each: &mut dyn FnMut(&[u8]) -> Result<(), ArtifactFault>,
    ) -> Result<(), ArtifactFault>;

    /// Writes the bytes of an artifact, which are those of its key and as many as that, into a new file.
    ///
    /// # Errors
    /// Its own.
    fn file(
        &self,
        key: &ContentDigest,
        size: u64,
        into: &mut dyn Write,
    ) -> Result<(), ArtifactFault>;
}

/// What was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// Regular files.
    pub files: u64,
    /// Symbolic links.
    pub links: u64,
    /// Empty directories.
    pub empty: u64,
    /// Bytes in the files.
    pub bytes: u64,
}

/// Makes the directory of a manifest.
///
/// # Errors
/// `not-empty` where something is at the destination, unless that is an empty directory; those of a manifest,
/// found before anything is made; `io`; those of the source. After each the destination is what it was.
pub fn restore(source: &impl Source, destination: &Path) -> Result<Restored, ArtifactFault> {
    check_free(destination)?;
    let restored = count(source)?;
    let site = Site::new(destination)?;
    let mut directories = Directories::new(site.tree());
    read(source, &mut |entry| {
        let path = directories.place(&entry.path)?;
        match entry.what {
            What::File {
                key,
                size,
                executable,
            } => source.file(&key, size, &mut make_file(&path, executable)?)?,
            What::Directory => make_directory(&path)?,
            What::Link(_) => {}
        }
        Ok(())
    })?;
    if restored.links > 0 {
        read(source, &mut |entry| {
            if let What::Link(target) = entry.what {
                let path = site.tree().join(entry.path.as_str());
                let made = std::os::unix::fs::symlink(target.as_str(), &path);
                made.map_err(|err| fault("create", &path, &err))?;
            }
            Ok(())
        })?;
    }
    site.finish(destination)?;
    Ok(restored)
}

/// Reads a manifest to its end.
pub(super) fn read(
    source: &impl Source,
    each: &mut dyn FnMut(Entry) -> Result<(), ArtifactFault>,
) -> Result<(), ArtifactFault> {
    let mut reader = Reader::default();
    source.manifest(&mut |piece| reader.feed(piece, each))?;
    reader.finish()?;
    Ok(())
}

/// Checks all of a manifest and says what it would make.
fn count(source: &impl Source) -> Result<Restored, ArtifactFault> {
    let mut restored = Restored::default();
    read(source, &mut |entry| {
        match entry.what {
            What::File { size, .. } => {
                restored.files += 1;
                restored.bytes += size;
            }
            What::Link(_) => restored.links += 1,
            What::Directory => restored.empty += 1,
        }
        Ok(())
    })?;
    Ok(restored)
}

fn fault(tried: &str, path: &Path, err: &io::Error) -> ArtifactFault {
    io_fault(tried, path, err).into()
}

fn check_free(destination: &Path) -> Result<(), ArtifactFault> {
    let taken = match fs::symlink_metadata(destination) {
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(()),
        Err(err) => return Err(fault("read", destination, &err)),
        Ok(meta) if meta.is_dir() => fs::read_dir(destination)
            .map_err(|err| fault("list", destination, &err))?
            .next()
            .is_some(),
        Ok(_) => true,
    };
    match taken {
        true => Err(not_empty(destination)),
        false => Ok(()),
    }
}

fn not_empty(destination: &Path) -> ArtifactFault {
    let path = destination.display();
    let what = format!("expected a new or empty directory, found something at `{path}`");
    ArtifactFault::new(Code::NotEmpty, what)
}

fn make_file(path: &Path, executable: bool) -> Result<File, ArtifactFault> {
    let mode = if executable { 0o755 } else { 0o644 };
    // Where anything has that name already, a link too, this fails.
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    file.map_err(|err| fault("create", path, &err))
}

fn make_directory(path: &Path) -> Result<(), ArtifactFault> {
    fs::create_dir(path).map_err(|err| fault("create", path, &err))
}

/// Directories that were made on the way to the entry that came last.
struct Directories<'a> {
    root: &'a Path,
    above: Vec<String>,
}

impl<'a> Directories<'a> {
    fn new(root: &'a Path) -> Self {
        let above = Vec::new();
        Self { root, above }
    }

    /// Where the entry goes. Its directories are made, unless the entry before had them too: those below one
    /// directory follow each other.
    fn place(&mut self, path: &TreePath) -> Result<PathBuf, ArtifactFault> {
        let mut place = self.root.to_owned();
        let mut parts = path.parts().peekable();
        let mut depth = 0;
        while let Some(part) = parts.next() {
            place.push(part);
            if parts.peek().is_none() {
                break;
            }
            if self.above.get(depth).is_none_or(|made| made != part) {
                self.above.truncate(depth);
                make_directory(&place)?;
                self.above.push(part.to_owned());
            }
            depth += 1;
        }
        self.above.truncate(depth);
        Ok(place)
    }
}

/// A directory beside the destination that only we may enter, and in it the tree. It goes when dropped.
struct Site {
    outer: PathBuf,
    tree: PathBuf,
}

impl Site {
    fn new(destination: &Path) -> Result<Self, ArtifactFault> {
        let beside = match destination.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => return Err(not_empty(destination)),
        };
        for _ in 0..8 {
            let random = getrandom::u64()
                .map_err(|err| ArtifactFault::new(Code::Io, format!("no random numbers: {err}")))?;
            let outer = beside.join(format!(".folio-get-{random:016x}"));
            match DirBuilder::new().mode(0o700).create(&outer) {
                Ok(()) => {
                    let site = Self {
                        tree: outer.join("tree"),
                        outer,
                    };
                    make_directory(&site.tree)?;
                    return Ok(site);
                }
                Err(err) if err.kind() == ErrorKind::AlreadyExists => {}
                Err(err) => return Err(fault("create", &outer, &err)),
            }
        }
        let what = format!("no free name in `{}`", beside.display());
        Err(ArtifactFault::new(Code::Io, what))
    }

    fn tree(&self) -> &Path {
        &self.tree
    }

    /// Gives the tree its name. An empty directory there gives way; anything that came meanwhile does not.
    fn finish(self, destination: &Path) -> Result<(), ArtifactFault> {
        fs::rename(&self.tree, destination).map_err(|err| match err.kind() {
            ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                not_empty(destination)
            }
            _ => fault("rename to", destination, &err),
        })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // What cannot be removed is in nobody's way: its name is random.
        let _ = fs::remove_dir_all(&self.outer);
    }
}

//! Reading a directory: what is in it, in one order, and whether it stayed as it was meanwhile.

use crate::artifact::ArtifactFault;
use crate::codec::manifest::names::Names;
use crate::codec::manifest::{Entry, HEADER, LinkTarget, TreePath, What, Writer};
use crate::model::{Code, ContentDigest, limits};
use crate::store::disk::io_fault;
use std::fs::{self, Metadata};
use std::io::{self, Cursor, Read};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// What a file or directory looked like. One that still looks so was not written in the meantime, as far as
/// the system's clock tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    file: u64,
    mode: u32,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            file: meta.ino(),
            mode: meta.mode(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// A file, link or empty directory that was found.
#[derive(Debug)]
pub struct Found {
    /// Where it is in the directory.
    pub path: TreePath,
    /// What it is.
    pub kind: Kind,
    stamp: Stamp,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File {
        /// How many bytes it had.
        size: u64,
        /// Whether its owner may run it.
        executable: bool,
    },
    /// A symbolic link, which is not followed.
    Link(LinkTarget),
    /// A directory with nothing in it.
    Directory,
}

/// All that is in a directory, sorted as a manifest is.
#[derive(Debug)]
pub struct Walk {
    root: PathBuf,
    entries: Vec<Found>,
    directories: Vec<(PathBuf, Stamp)>,
}

impl Walk {
    /// Walks through a directory. Every name is checked before anything is read; nothing is followed but the
    /// path of the directory itself.
    ///
    /// # Errors
    ///
    /// `special-file`, `path-unsafe`, `path-collision`, each with the name; `too-large`; `io`.
    pub fn new(root: &Path) -> Result<Self, ArtifactFault> {
        let meta = fs::metadata(root).map_err(|err| io_fault("read", root, &err))?;
        let (mut entries, mut names) = (Vec::new(), 0);
        let mut directories = vec![(root.to_owned(), Stamp::of(&meta))];
        let mut waiting = vec![(0, None::<TreePath>)];
        while let Some((at, above)) = waiting.pop() {
            let (dir, stamp) = directories[at].clone();
            let mut empty = true;
            let listed = fs::read_dir(&dir).map_err(|err| gone("list", &dir, &err))?;
            for name in listed {
                empty = false;
                names += 1;
                if names > limits::MANIFEST_NAMES {
                    return Err(too_many(root));
                }
                let name = name
                    .map_err(|err| io_fault("list", &dir, &err))?
                    .file_name();
                let path = path_of(above.as_ref(), &name)?;
                let file = dir.join(&name);
                let meta = fs::symlink_metadata(&file).map_err(|err| gone("read", &file, &err))?;
                if meta.is_dir() {
                    waiting.push((directories.len(), Some(path)));
                    directories.push((file, Stamp::of(&meta)));
                } else {
                    entries.push(found(path, &file, &meta)?);
                }
            }
            if let (true, Some(path)) = (empty, above) {
                let kind = Kind::Directory;
                entries.push(Found { path, kind, stamp });
            }
        }
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        let mut taken = Names::default();
        for (line, entry) in (2..).zip(&entries) {
            let claimed = taken.take(&entry.path, line);
            claimed.map_err(|fault| ArtifactFault::new(fault.code, fault.what))?;
        }
        Ok(Self {
            root: root.to_owned(),
            entries,
            directories,
        })
    }

    /// What was found, sorted by path.
    pub fn entries(&self) -> &[Found] {
        &self.entries
    }

    /// The files among it: where they lie, and their sizes.
    pub fn files(&self) -> impl Iterator<Item = (PathBuf, u64)> {
        self.entries.iter().filter_map(|found| match found.kind {
            Kind::File { size, .. } => Some((self.place(found), size)),
            _ => None,
        })
    }

    fn place(&self, found: &Found) -> PathBuf {
        self.root.join(found.path.as_str())
    }

    /// Looks whether everything is still as it was found.
    ///
    /// # Errors
    ///
    /// `file-changed` with the first name that came, went or changed.
    pub fn check_unchanged(&self) -> Result<(), ArtifactFault> {
        let files = self
            .entries
            .iter()
            .map(|found| (self.place(found), found.stamp));
        // The directory itself may be named by a link.
        let root = fs::metadata(&self.root);
        let root = root.map_err(|err| gone("read", &self.root, &err))?;
        if Stamp::of(&root) != self.directories[0].1 {
            return Err(changed(&self.root));
        }
        for (path, stamp) in self.directories[1..].iter().cloned().chain(files) {
            let meta = fs::symlink_metadata(&path).map_err(|err| gone("read", &path, &err))?;
            if Stamp::of(&meta) != stamp {
                return Err(changed(&path));
            }
        }
        Ok(())
    }

    /// The bytes of its manifest, once the keys of its files are known, in the order of [`Walk::files`].
    pub fn manifest(&self, keys: impl IntoIterator<Item = ContentDigest>) -> impl Read {
        let (mut keys, mut writer) = (keys.into_iter(), Writer::default());
        let lines = self.entries.iter().map(move |found| {
            let what = match &found.kind {
                Kind::File { size, executable } => What::File {
                    key: keys.next().expect("each file has a key"),
                    size: *size,
                    executable: *executable,
                },
                Kind::Link(target) => What::Link(target.clone()),
                Kind::Directory => What::Directory,
            };
            let path = found.path.clone();
            Ok(writer.line(&Entry { path, what })?)
        });
        Lines {
            lines: std::iter::once(Ok(HEADER.to_owned())).chain(lines),
            line: Cursor::default(),
        }
    }
}

/// Lines that are made while they are read.
struct Lines<I> {
    lines: I,
    line: Cursor<String>,
}

impl<I: Iterator<Item = Result<String, ArtifactFault>>> Read for Lines<I> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.line.read(into)?;
            if count > 0 || into.is_empty() {
                return Ok(count);
            }
            match self.lines.next() {
                Some(line) => self.line = Cursor::new(line?),
                None => return Ok(0),
            }
        }
    }
}

fn path_of(above: Option<&TreePath>, name: &std::ffi::OsStr) -> Result<TreePath, ArtifactFault> {
    let path = match (above, name.to_str()) {
        (_, None) => {
            let name = name.to_string_lossy();
            let what = format!("expected names in UTF-8, found `{name}`");
            return Err(ArtifactFault::new(Code::PathUnsafe, what));
        }
        (None, Some(name)) => name.to_owned(),
        (Some(above), Some(name)) => format!("{above}/{name}"),
    };
    Ok(TreePath::new(path)?)
}

fn found(path: TreePath, file: &Path, meta: &Metadata) -> Result<Found, ArtifactFault> {
    let (kind, stamp) = (meta.file_type(), Stamp::of(meta));
    let kind = if kind.is_file() {
        Kind::File {
            size: meta.size(),
            executable: meta.mode() & 0o100 != 0,
        }
    } else if kind.is_symlink() {
        let target = fs::read_link(file).map_err(|err| gone("read", file, &err))?;
        let Some(target) = target.to_str() else {
            let what = format!("`{path}` leads to a name that is not UTF-8");
            return Err(ArtifactFault::new(Code::PathUnsafe, what));
        };
        Kind::Link(LinkTarget::new(&path, target)?)
    } else {
        let word = match kind {
            _ if kind.is_socket() => "a socket",
            _ if kind.is_fifo() => "a pipe",
            _ => "a device",
        };
        return Err(ArtifactFault::new(
            Code::SpecialFile,
            format!("`{path}` is {word}"),
        ));
    };
    Ok(Found { path, kind, stamp })
}

fn too_many(root: &Path) -> ArtifactFault {
    let (most, root) = (limits::MANIFEST_NAMES, root.display());
    let what = format!("expected at most {most} files and directories in `{root}`, found more");
    ArtifactFault::new(Code::TooLarge, what)
}

fn changed(path: &Path) -> ArtifactFault {
    let what = format!("`{}` changed while it was read", path.display());
    ArtifactFault::new(Code::FileChanged, what)
}

/// A fault on a path that was there a moment ago.
fn gone(tried: &str, path: &Path, err: &io::Error) -> ArtifactFault {
    match err.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            let what = format!("`{}` vanished while it was read", path.display());
            ArtifactFault::new(Code::FileChanged, what)
        }
        _ => io_fault(tried, path, err).into(),
    }
}

//! The few things Folio asks of a file system, each with its fault in words.

use super::{Steps, StoreFault};
use crate::model::Code;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A fault of the system: what was tried on which path, and the system's words.
pub(crate) fn io_fault(tried: &str, path: &Path, err: &io::Error) -> StoreFault {
    StoreFault::new(
        Code::Io,
        format!("cannot {tried} `{}`: {err}", path.display()),
    )
}

/// Makes the entries of a directory (names that came, went or were renamed) survive a crash.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), StoreFault> {
    File::open(dir)
        .and_then(|handle| handle.sync_all())
        .map_err(|err| io_fault("sync", dir, &err))
}

/// Creates a directory and its missing ancestors; returns the directories that got a new entry and so
/// need [`sync_dir`], outermost first.
pub(crate) fn create_dirs(dir: &Path) -> Result<Vec<PathBuf>, StoreFault> {
    try_create_dirs(dir).map_err(|err| io_fault("create", dir, &err))
}

/// As [`create_dirs`], for whoever knows what to do about a fault.
pub(crate) fn try_create_dirs(dir: &Path) -> io::Result<Vec<PathBuf>> {
    if dir.is_dir() {
        return Ok(Vec::new());
    }
    let missing: Vec<&Path> = dir.ancestors().take_while(|d| !d.is_dir()).collect();
    fs::create_dir_all(dir)?;
    let parents = missing.iter().rev().filter_map(|d| d.parent());
    Ok(parents
        .map(|d| {
            if d.as_os_str().is_empty() {
                Path::new(".")
            } else {
                d
            }
            .to_owned()
        })
        .collect())
}

/// Reads a whole file; `None` if there is none, also when a part of its path is a file or it is a
/// directory itself.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, StoreFault> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(err) if is_absent(&err) => Ok(None),
        Err(err) => Err(io_fault("read", path, &err)),
    }
}

/// Whether the error says that no file has that path.
pub(crate) fn is_absent(err: &io::Error) -> bool {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    matches!(err.kind(), NotFound | NotADirectory | IsADirectory)
}

/// Removes a file; it is no fault if there is none.
pub(crate) fn remove_if_there(path: &Path) -> Result<(), StoreFault> {
    match fs::remove_file(path) {
        Err(err) if !is_absent(&err) => Err(io_fault("remove", path, &err)),
        _ => Ok(()),
    }
}

/// Bytes written to a file at a time by [`Pieces`].
const PIECE: usize = 64 * 1024;

/// Writes to a file that many will map and look up a little in, a piece at a time.
///
/// Linux keeps what comes in one write in one piece of memory, of up to 2 MiB, and gives the whole piece to a process
/// that maps the file and looks at a byte of it. Of 27 MB that were written at once, a process held all after fifty looks at
/// random places, and 3 MB where they were written like this. Smaller pieces gain nothing: 64 KiB are mapped around a
/// look in any case, where that much is in memory.
pub(crate) struct Pieces<W>(pub(crate) W);

impl<W: Write> Write for Pieces<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(&bytes[..bytes.len().min(PIECE)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A file that is removed when dropped, unless [`TempFile::rename_to`] gave it its name. When the
/// process is playing dead it stays, as after a real crash.
pub(crate) struct TempFile<'a> {
    path: PathBuf,
    file: File,
    steps: &'a dyn Steps,
    kept: bool,
}

impl<'a> TempFile<'a> {
    /// Creates `<dir>/<prefix><random>`. git's own prefixes `tmp_pack_` and `tmp_idx_` let `git gc`
    /// remove what a crash left.
    pub(crate) fn create(
        dir: &Path,
        prefix: &str,
        steps: &'a dyn Steps,
    ) -> Result<Self, StoreFault> {
        for _ in 0..8 {
            let random = getrandom::u64()
                .map_err(|err| StoreFault::new(Code::Io, format!("no random numbers: {err}")))?;
            let path = dir.join(format!("{prefix}{random:016x}"));
            match File::create_new(&path) {
                Ok(file) => {
                    // Tells the collector that its writer lives; goes with the process. One that looks at the file
                    // in this very moment, or has removed it already, takes it for a dead one's: the next, then.
                    let taken = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
                    if taken || !path.exists() {
                        fs::remove_file(&path).ok();
                        continue;
                    }
                    let kept = false;
                    return Ok(Self {
                        path,
                        file,
                        steps,
                        kept,
                    });
                }
                Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {}
                Err(err) => return Err(io_fault("create", &path, &err)),
            }
        }
        let what = format!("no free name in `{}`", dir.display());
        Err(StoreFault::new(Code::Io, what))
    }

    /// Where it is now.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Makes the bytes survive a crash and the file read-only, as git does with packs.
    pub(crate) fn seal(&self) -> Result<(), StoreFault> {
        self.protect()?;
        let synced = self.file.sync_all();
        synced.map_err(|err| io_fault("sync", &self.path, &err))
    }

    /// Makes the file read-only.
    pub(crate) fn protect(&self) -> Result<(), StoreFault> {
        let protected = self.file.metadata().and_then(|meta| {
            let mut mode = meta.permissions();
            mode.set_readonly(true);
            self.file.set_permissions(mode)
        });
        protected.map_err(|err| io_fault("make read-only", &self.path, &err))
    }

    /// Gives the file its name, replacing whatever had it.
    pub(crate) fn rename_to(mut self, target: &Path) -> Result<(), StoreFault> {
        fs::rename(&self.path, target).map_err(|err| io_fault("rename to", target, &err))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for TempFile<'_> {
    fn drop(&mut self) {
        if !self.kept && !self.steps.dead() {
            fs::remove_file(&self.path).ok();
        }
        // Closing it is not enough while a program is being started: see `locked`.
        self.file.unlock().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What came, write by write.
    #[derive(Default)]
    struct Writes(Vec<Vec<u8>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_large_is_written_in_pieces() {
        for len in [0, 1, PIECE, PIECE + 1, 5 * PIECE + 7] {
            let bytes: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
            let mut writes = Pieces(Writes::default());
            writes.write_all(&bytes).unwrap();
            let Writes(came) = writes.0;
            assert_eq!(came.len(), len.div_ceil(PIECE));
            assert!(came.iter().all(|piece| piece.len() <= PIECE));
            assert_eq!(came.concat(), bytes);
        }
    }
}

//! Files below `refs/`: what they hold and what they may be called.

use crate::model::{Code, Oid};
use crate::store::StoreFault;
use crate::store::disk::{io_fault, is_absent};
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// Bytes beyond which a file holds no ref: an id has at most 64 digits, and a path at most 4,096 bytes.
const LONGEST: usize = 5000;

/// What a file below `refs/` holds.
pub(super) enum Loose {
    Nothing,
    At(Oid),
    Symbolic(String),
}

/// Reads a loose ref. An empty or malformed one is a fault: it may be what a crash of another program
/// left of a ref that was there, which must not pass for one that was not.
pub(super) fn read_ref_file(path: &Path, name: &str) -> Result<Loose, StoreFault> {
    if fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink()) {
        return Ok(Loose::Symbolic("a symbolic link".into()));
    }
    parse_ref_file(path, name)
}

/// As [`read_ref_file`], where the file is known not to be a symbolic link.
pub(super) fn parse_ref_file(path: &Path, name: &str) -> Result<Loose, StoreFault> {
    let Some(bytes) = read_short(path)? else {
        return Ok(Loose::Nothing);
    };
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_ascii();
    if let Some(to) = text.strip_prefix("ref:") {
        return Ok(Loose::Symbolic(to.trim_ascii().to_owned()));
    }
    let malformed = |_| {
        let found = bytes.len();
        let what = format!("`{name}` should hold an object id; found {found} bytes that are none");
        StoreFault::new(Code::ObjectDamaged, what)
    };
    text.parse().map(Loose::At).map_err(malformed)
}

/// The beginning of a file, longer than what any ref holds; `None` if there is no such file. Nearly always two calls
/// are enough, and where a thousand refs are loose that is felt.
fn read_short(path: &Path) -> Result<Option<Vec<u8>>, StoreFault> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(err) if is_absent(&err) => return Ok(None),
        Err(err) => return Err(io_fault("read", path, &err)),
    };
    let mut bytes = vec![0; LONGEST];
    loop {
        match file.read(&mut bytes) {
            // A file gives less than was asked for at its end only.
            Ok(filled) => {
                bytes.truncate(filled);
                return Ok(Some(bytes));
            }
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            // As for a directory of that name: it is not a ref.
            Err(err) if is_absent(&err) => return Ok(None),
            Err(err) => return Err(io_fault("read", path, &err)),
        }
    }
}

/// A file that may be a ref.
pub(super) struct Found {
    pub(super) name: String,
    /// Whether it is a symbolic link.
    pub(super) is_link: bool,
}

impl Found {
    /// What it holds, below the directory that has `refs/`.
    pub(super) fn read(&self, common_dir: &Path) -> Result<Loose, StoreFault> {
        let path = common_dir.join(&self.name);
        match self.is_link {
            true => read_ref_file(&path, &self.name),
            false => parse_ref_file(&path, &self.name),
        }
    }
}

/// Collects all files below `dir` that may be refs, `name` being that of `dir`.
pub(super) fn walk(dir: &Path, name: &str, found: &mut Vec<Found>) -> Result<(), StoreFault> {
    let mut dirs: Vec<(PathBuf, String)> = vec![(dir.to_owned(), name.to_owned())];
    while let Some((dir, name)) = dirs.pop() {
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(err) if is_absent(&err) => continue,
            Err(err) => return Err(io_fault("list", &dir, &err)),
        };
        for entry in entries {
            let entry = entry.map_err(|err| io_fault("list", &dir, &err))?;
            let Ok(part) = entry.file_name().into_string() else {
                continue;
            };
            let name = format!("{name}/{part}");
            let kind = entry
                .file_type()
                .map_err(|err| io_fault("list", &dir, &err))?;
            if kind.is_dir() {
                dirs.push((entry.path(), name));
            } else if check_name(&name).is_ok() {
                let is_link = kind.is_symlink();
                found.push(Found { name, is_link });
            }
        }
    }
    Ok(())
}

/// git's rules for full names of shared refs (`git check-ref-format`). What Folio accepts is narrower
/// and decided elsewhere; this keeps names inside `refs/`.
pub(super) fn check_name(name: &str) -> Result<(), StoreFault> {
    let part_ok = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.ends_with(".lock")
    };
    let special = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
    let sound = name.starts_with("refs/")
        && name.split('/').all(part_ok)
        && !name.contains(special)
        && !name.contains("..")
        && !name.contains("@{");
    if sound {
        return Ok(());
    }
    let what = format!("`{}` is not the full name of a ref", name.escape_debug());
    Err(StoreFault::new(Code::RefInvalid, what))
}

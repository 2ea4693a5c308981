//! Two lists of artifacts that belong to this repository alone: those that somebody wants kept, and those whose
//! bytes were erased here and are not to come back.

use crate::artifact::ArtifactFault;
use crate::model::{Code, ContentDigest};
use crate::store::EveryStep;
use crate::store::disk::{TempFile, create_dirs, io_fault, read_if_there, sync_dir};
use crate::store::locked::Locked;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Kept by hand.
    Kept,
    /// Erased here.
    Purged,
}

impl List {
    fn file(self) -> &'static str {
        match self {
            List::Kept => "kept",
            List::Purged => "purged",
        }
    }
}

/// What is on it.
///
/// # Errors
/// `cannot-mark` for a file that is no list of keys: then it is not known what is meant; `io`.
pub fn read(folio: &Path, list: List) -> Result<BTreeSet<ContentDigest>, ArtifactFault> {
    let path = folio.join(list.file());
    let bytes = read_if_there(&path)?.unwrap_or_default();
    let keys: Option<_> = std::str::from_utf8(&bytes).ok().and_then(|text| {
        let keys = text.lines().map(str::parse);
        keys.collect::<Result<BTreeSet<ContentDigest>, _>>().ok()
    });
    keys.ok_or_else(|| {
        let what = format!("expected keys, one a line, in `{}`", path.display());
        ArtifactFault::new(Code::CannotMark, what)
    })
}

/// Puts keys on it or takes them off, durably; whether that changed anything.
///
/// # Errors
/// As [`read`].
pub fn change(
    folio: &Path,
    list: List,
    keys: &[ContentDigest],
    on: bool,
) -> Result<bool, ArtifactFault> {
    for parent in create_dirs(folio)? {
        sync_dir(&parent)?;
    }
    let path = folio.join(list.file());
    let lock = path.with_extension("lock");
    let _held = Locked::wait(&lock)?;
    let before = read(folio, list)?;
    let mut after = before.clone();
    for key in keys {
        match on {
            true => after.insert(*key),
            false => after.remove(key),
        };
    }
    if after == before {
        return Ok(false);
    }
    let text: String = after.iter().map(|key| format!("{key}\n")).collect();
    let temp = TempFile::create(folio, "tmp_list_", &EveryStep)?;
    let written = temp.file().write_all(text.as_bytes());
    written.map_err(|err| io_fault("write", &path, &err))?;
    temp.seal()?;
    temp.rename_to(&path)?;
    sync_dir(folio)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_change_key_by_key() {
        let dir = tempfile::tempdir().unwrap();
        let folio = dir.path();
        let key = |n: u8| ContentDigest([n; 32]);
        assert!(change(folio, List::Kept, &[key(1), key(2)], true).unwrap());
        assert!(!change(folio, List::Kept, &[key(1)], true).unwrap());
        assert!(change(folio, List::Kept, &[key(1)], false).unwrap());
        assert_eq!(read(folio, List::Kept).unwrap(), [key(2)].into());
        assert!(read(folio, List::Purged).unwrap().is_empty());
        std::fs::write(folio.join("purged"), "x\n").unwrap();
        assert_eq!(
            read(folio, List::Purged).unwrap_err().code,
            Code::CannotMark
        );
    }
}

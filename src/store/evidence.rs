//! Evidence files on disk: written once, whole, and never overwritten.

use super::disk::{TempFile, create_dirs, io_fault, read_if_there, sync_dir};
use super::{EveryStep, StoreFault};
use crate::journal::evidence::Evidence;
use crate::model::Code;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Keeps evidence in a directory (`<gitdir>/folio/evidence`), which is made where it is missing, and says
/// where. The name follows from the contents, so what is kept already is left as it is. When it returns,
/// the file survives a crash.
///
/// # Errors
/// `io`, with the path and the system's words.
pub fn keep(dir: &Path, evidence: &Evidence) -> Result<PathBuf, StoreFault> {
    for parent in create_dirs(dir)? {
        sync_dir(&parent)?;
    }
    let bytes = evidence.encode();
    // Where the short name is taken by other bytes, damaged ones or not, those stay as they are.
    let mut names = [evidence.file_name(), evidence.long_file_name()].into_iter();
    let path = loop {
        let Some(name) = names.next() else {
            let what = format!("`{}` holds other evidence by this name", dir.display());
            return Err(StoreFault::new(Code::Io, what));
        };
        let path = dir.join(name);
        match read_if_there(&path)? {
            Some(found) if found == bytes => return Ok(path),
            Some(_) => {}
            None => break path,
        }
    };
    let steps = EveryStep;
    let temp = TempFile::create(dir, "tmp_evidence_", &steps)?;
    let mut file = temp.file();
    file.write_all(&bytes)
        .map_err(|err| io_fault("write", &path, &err))?;
    temp.seal()?;
    temp.rename_to(&path)?;
    sync_dir(dir)?;
    Ok(path)
}

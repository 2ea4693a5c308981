//! The directories of the newest state in a pack of their own, as they are.
//!
//! Whoever receives a page has git look whether anything is missing, and that reads all directories of the page before. What it
//! takes is looking each up, and unpacking it. In a pack that holds nothing else the index is short; and what is neither a
//! delta nor compressed is unpacked in a fraction of the time. Directories are ids for the most part, so they are hardly larger.

use super::source::Source;
use super::zip::{Effort, Zip};
use super::{Writer, entry_header, reverse};
use crate::model::ObjectFormat;
use crate::store::{Steps, StoreFault};
use std::path::{Path, PathBuf};

/// From this many directories on: fewer are read in less time than a process takes to start.
pub(super) const WORTH: usize = 1024;

/// Writes these objects of a pack into one of their own in the directory `objects/pack`, in this order, and returns its path.
///
/// # Errors
/// `object-damaged` if an entry is not what the index says; `io`.
pub(super) fn write(
    dir: &Path,
    format: ObjectFormat,
    source: &mut Source,
    numbers: &[u32],
    steps: &dyn Steps,
) -> Result<PathBuf, StoreFault> {
    let mut writer = Writer::create(dir, format, numbers.len(), steps)?;
    let mut zip = Zip::new();
    for n in numbers {
        let content = source.content(*n)?;
        let header = entry_header(content.kind, content.bytes.len() as u64);
        let stream = zip.pack(&content.bytes, Effort::Dense);
        writer.add(source.id(*n), &[&header, stream])?;
    }
    let path = writer.finish()?;
    reverse::write(dir, format, &path, steps)?;
    Ok(path)
}

#[cfg(test)]
#[path = "apart_tests.rs"]
mod tests;

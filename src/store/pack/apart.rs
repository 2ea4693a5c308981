//! The directories of the newest state in a pack of their own, as they are.
//!
//! Whoever receives a page has git look whether anything is missing, and that reads all directories of the page before. What it
//! takes is looking each up, and unpacking it. In a pack that holds nothing else the index is short; and what is neither a
//! delta nor compressed is unpacked in a fraction of the time. Directories are ids for the most part, which cannot be compressed: whole they
//! take a third more so. As deltas of each other they would take far less, but the newest of each has to be whole in any case, and
//! versions before it then have a whole one of their own.

use super::source::{Shape, Source};
use super::zip::{Effort, Zip};
use super::{Writer, entry_header, likeness, reverse};
use crate::model::ObjectFormat;
use crate::store::{Steps, StoreFault};
use std::path::{Path, PathBuf};

/// From this many directories of the newest state on: fewer are read in less time than a process takes to start.
pub(super) const WORTH: usize = 1024;

/// Those of these objects that belong here, and those that are too large to: whoever proposes decides what a directory holds.
pub(super) fn fitting(
    source: &mut Source,
    all: Vec<u32>,
) -> Result<(Vec<u32>, Vec<u32>), StoreFault> {
    let (mut fitting, mut large) = (Vec::with_capacity(all.len()), Vec::new());
    for n in all {
        let entry = source.entry(n)?;
        let is_large =
            matches!(entry.shape, Shape::Whole(_)) && entry.size > likeness::LARGEST as u64;
        match is_large {
            true => large.push(n),
            false => fitting.push(n),
        }
    }
    Ok((fitting, large))
}

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

//! Making a pack anew without some of its objects. Entries are copied as they are; a delta becomes the whole object, for
//! what it is made of may be what goes.

use super::source::{Shape, Source};
use super::zip::Zip;
use super::{Writer, effort, entry_header};
use crate::model::{Code, ObjectFormat, Oid};
use crate::store::{Steps, StoreFault};
use std::path::{Path, PathBuf};

/// Writes a pack of those objects of another one that are to stay; `None` if none are. The old one stays where it
/// is.
///
/// # Errors
/// `object-damaged` if an entry is not what the index says; `io`.
pub fn filter(
    dir: &Path,
    format: ObjectFormat,
    pack: &Path,
    stays: &dyn Fn(&Oid) -> bool,
    steps: &dyn Steps,
) -> Result<Option<PathBuf>, StoreFault> {
    let Some(mut source) = Source::open(pack, format)? else {
        let what = format!("the pack `{}` cannot be read", pack.display());
        return Err(StoreFault::new(Code::ObjectDamaged, what));
    };
    let all = 0..source.len() as u32;
    let staying: Vec<u32> = all.filter(|n| stays(&source.id(*n))).collect();
    if staying.is_empty() {
        return Ok(None);
    }
    let mut writer = Writer::create(dir, format, staying.len(), steps)?;
    let mut zip = Zip::new();
    for n in staying {
        let (id, entry) = (source.id(n), source.entry(n)?);
        if let Shape::Whole(_) = entry.shape {
            writer.add(id, &[&entry.raw])?;
            continue;
        }
        let content = source.content(n)?;
        let header = entry_header(content.kind, content.bytes.len() as u64);
        let stream = zip.pack(&content.bytes, effort(content.kind));
        writer.add(id, &[&header, stream])?;
    }
    writer.finish().map(Some)
}

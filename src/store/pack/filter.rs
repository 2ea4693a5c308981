//! Making a pack anew without some of its objects. Entries are copied as they are.

use super::Writer;
use super::idx;
use crate::model::{Code, ObjectFormat, Oid};
use crate::store::disk::io_fault;
use crate::store::{Steps, StoreFault};
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Writes a pack of those objects of another one that are to stay; `None` if none are. The old one stays where it
/// is. Only for packs of whole objects: where there is a delta it is `unsupported`.
///
/// # Errors
/// `object-damaged` if an entry is not what the index says; `io`, `unsupported`.
pub fn filter(
    dir: &Path,
    format: ObjectFormat,
    pack: &Path,
    stays: &dyn Fn(&Oid) -> bool,
    steps: &dyn Steps,
) -> Result<Option<PathBuf>, StoreFault> {
    let path = pack.with_extension("idx");
    let index = fs::read(&path).map_err(|err| io_fault("read", &path, &err))?;
    let mut placed = idx::decode(format, &index)?;
    placed.sort_by_key(|one| one.offset);
    let file = File::open(pack).map_err(|err| io_fault("open", pack, &err))?;
    let size = file
        .metadata()
        .map_err(|err| io_fault("read", pack, &err))?;
    let end = size.len().saturating_sub(format.id_len() as u64);
    let count = placed.iter().filter(|one| stays(&one.id)).count();
    if count == 0 {
        return Ok(None);
    }
    let mut writer = Writer::create(dir, format, count, steps)?;
    for (n, one) in placed.iter().enumerate() {
        if !stays(&one.id) {
            continue;
        }
        let next = placed.get(n + 1).map_or(end, |next| next.offset);
        let raw = read_entry(&file, pack, one, next)?;
        writer.add(one.id, &[&raw])?;
    }
    writer.finish().map(Some)
}

fn read_entry(
    file: &File,
    pack: &Path,
    one: &idx::Placed,
    next: u64,
) -> Result<Vec<u8>, StoreFault> {
    let (id, shown) = (one.id, pack.display());
    let mut raw = vec![0; next.saturating_sub(one.offset) as usize];
    file.read_exact_at(&mut raw, one.offset)
        .map_err(|err| io_fault("read", pack, &err))?;
    let mut crc = flate2::Crc::new();
    crc.update(&raw);
    if crc.sum() != one.crc {
        let what = format!("object {id} in `{shown}` is not what the index says");
        return Err(StoreFault::new(Code::ObjectDamaged, what));
    }
    // Kinds 1 to 4 are whole objects, 6 and 7 deltas.
    match raw.first().map(|byte| byte >> 4 & 7) {
        Some(1..=4) => Ok(raw),
        _ => {
            let what = format!("object {id} in `{shown}` is a delta");
            Err(StoreFault::new(Code::Unsupported, what))
        }
    }
}

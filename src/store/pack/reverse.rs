//! `.rev` beside a pack: its objects in the order in which they lie.

use super::{checksum, idx};
use crate::model::ObjectFormat;
use crate::store::disk::{Pieces, TempFile, io_fault, read_if_there, sync_dir};
use crate::store::{Steps, StoreFault};
use std::io::Write as _;
use std::path::Path;

/// Writes the `.rev` beside a pack, which says in which order its objects lie: git needs it whenever it copies entries,
/// and computes it each time where it is missing. So a crash before it costs time only.
pub(super) fn write(
    dir: &Path,
    format: ObjectFormat,
    pack: &Path,
    steps: &dyn Steps,
) -> Result<(), StoreFault> {
    let path = pack.with_extension("idx");
    let index = read_if_there(&path)?.unwrap_or_default();
    let placed = idx::decode(format, &index)?;
    let mut order: Vec<(u64, u32)> = (0u32..)
        .zip(&placed)
        .map(|(n, one)| (one.offset, n))
        .collect();
    order.sort_unstable();
    let mut out = b"RIDX\0\0\0\x01".to_vec();
    let hash: u32 = match format {
        ObjectFormat::Sha1 => 1,
        ObjectFormat::Sha256 => 2,
    };
    out.extend_from_slice(&hash.to_be_bytes());
    for (_, n) in order {
        out.extend_from_slice(&n.to_be_bytes());
    }
    // An index ends in the checksum of its pack and its own.
    let len = format.id_len();
    let sum = index
        .len()
        .checked_sub(2 * len)
        .and_then(|at| index.get(at..at + len));
    out.extend_from_slice(sum.unwrap_or_default());
    let mut hash = checksum::Sum::new(format);
    hash.update(&out);
    out.extend_from_slice(hash.finish()?.as_bytes());
    let temp = TempFile::create(dir, "tmp_rev_", steps)?;
    let written = Pieces(temp.file()).write_all(&out);
    written.map_err(|err| io_fault("write in", dir, &err))?;
    steps.step("rev-sync")?;
    temp.seal()?;
    steps.step("rev-rename")?;
    temp.rename_to(&pack.with_extension("rev"))?;
    sync_dir(dir)
}

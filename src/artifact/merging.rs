//! Few sheets: a new one takes in those of about its size, so that each record is copied a logarithmic number of
//! times.

use super::ArtifactFault;
use super::index::Index;
use crate::codec::sheet::{Record, Sheet};
use crate::model::{Oid, limits};
use crate::store::{GitStore, Kind, Objects as _};

/// Bytes of sheets that are united, at most: they are held in memory.
const BYTES: u64 = 8 * 1024 * 1024;

/// A sheet's records, and the sheets that it stands for.
pub(super) struct United {
    pub(super) records: Vec<Record>,
    pub(super) replaced: Vec<Oid>,
}

/// Adds to new records those of the sheets that are to be united with them.
pub(super) fn unite(
    store: &GitStore,
    index: &Index,
    mut records: Vec<Record>,
) -> Result<United, ArtifactFault> {
    let sizes = index.listed().into_iter().zip(index.sizes());
    let mut sheets: Vec<(u64, u64, Oid)> = sizes
        .map(|(sheet, (id, bytes))| (sheet.entries, bytes, id))
        .collect();
    sheets.sort();
    let replaced = choose(records.len() as u64, &sheets);
    for id in &replaced {
        let bytes = store.read(id, Kind::Blob, limits::SHEET_BYTES)?;
        records.extend(Sheet::parse(store.object_format(), &bytes)?.records());
    }
    // Stable: of two records of one key the new one stays.
    records.sort_by_key(|record| record.key);
    records.dedup_by_key(|record| record.key);
    Ok(United { records, replaced })
}

/// Which sheets, given as (entries, bytes, id) from the smallest on, to unite with a new one: as long as the next is
/// less than twice as large as what there is so far.
fn choose(new: u64, sheets: &[(u64, u64, Oid)]) -> Vec<Oid> {
    let (mut entries, mut total) = (new, 0);
    let mut chosen = Vec::new();
    for (count, bytes, id) in sheets {
        entries += count;
        total += bytes;
        let alike = *count < 2 * (entries - count);
        if !alike || entries > u64::from(limits::SHEET_MERGED) || total > BYTES {
            break;
        }
        chosen.push(*id);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniting_is_geometric_and_bounded() {
        let count = |new, sizes: &[(u64, u64)]| {
            let id = Oid::from_bytes(&[1; 20]).unwrap();
            let sheets: Vec<_> = sizes
                .iter()
                .map(|(entries, bytes)| (*entries, *bytes, id))
                .collect();
            choose(new, &sheets).len()
        };
        assert_eq!(count(1, &[]), 0);
        assert_eq!(count(1, &[(1, 1)]), 1);
        assert_eq!(count(1, &[(2, 1)]), 0);
        assert_eq!(count(1, &[(1, 1), (2, 1), (4, 1), (8, 1)]), 4);
        assert_eq!(count(1000, &[(1, 1), (900, 1), (5000, 1)]), 2);
        assert_eq!(count(40_000, &[(30_000, 1)]), 0);
        assert_eq!(count(1, &[(1, BYTES), (1, 1)]), 1);
        assert_eq!(count(1, &[(1, BYTES + 1)]), 0);
    }
}

//! Finding a key among the sorted entries of a sheet.

use super::ArtifactFault;
use super::index::SheetFile;
use crate::codec::sheet::{ENTRY, Entry};
use crate::model::ContentDigest;

/// Entries read at a time: one page of memory.
const WINDOW: u32 = 64;

/// Guesses by where the key should be; afterwards what is left is halved, so that no choice of keys makes it slow.
const GUESSES: u32 = 4;

/// The entry of a key. Keys are hashes, so the first bytes of one say about where it stands.
pub(super) fn find(sheet: &SheetFile, key: &ContentDigest) -> Result<Option<Entry>, ArtifactFault> {
    let (mut low, mut high) = (0, sheet.entries());
    // The keys that bound what is left, as far as they are known.
    let (mut below, mut above) = (0u64, u64::MAX);
    let wanted = prefix(&key.0);
    for round in 0.. {
        if low >= high {
            return Ok(None);
        }
        let middle = match round < GUESSES && above > below {
            true => {
                let part = u128::from(wanted.saturating_sub(below)) * u128::from(high - low);
                low + (part / (u128::from(above - below) + 1)) as u32
            }
            false => low + (high - low) / 2,
        };
        let first = middle.saturating_sub(WINDOW / 2).max(low);
        let window = sheet.rows(first, WINDOW.min(high - first))?;
        let (rows, _) = window.as_chunks::<ENTRY>();
        let key_of =
            |row: &[u8; ENTRY]| -> [u8; 32] { *row.first_chunk().expect("32 of 64 bytes") };
        let (Some(start), Some(end)) = (rows.first().map(key_of), rows.last().map(key_of)) else {
            return Ok(None);
        };
        if key.0 < start {
            (high, above) = (first, prefix(&start));
        } else if key.0 > end {
            (low, below) = (first + rows.len() as u32, prefix(&end));
        } else {
            let found = rows.binary_search_by_key(&key.0, key_of).ok();
            return found.map(|n| sheet.entry(&rows[n])).transpose();
        }
    }
    Ok(None)
}

/// The number of the first entry whose key is not below this one.
pub(super) fn first_from(sheet: &SheetFile, key: &ContentDigest) -> Result<u32, ArtifactFault> {
    let (mut low, mut high) = (0, sheet.entries());
    while low < high {
        let middle = low + (high - low) / 2;
        match sheet.window(middle, 1)?.first() {
            Some(entry) if entry.key < *key => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

fn prefix(key: &[u8; 32]) -> u64 {
    u64::from_be_bytes(*key.first_chunk().expect("8 of 32 bytes"))
}

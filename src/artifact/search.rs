//! Finding a key among the sorted entries of a sheet.

use super::ArtifactFault;
use super::index::SheetFile;
use crate::codec::sheet::Entry;
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
    let wanted = prefix(key);
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
        let window = sheet.window(first, WINDOW.min(high - first))?;
        let (Some(start), Some(end)) = (window.first(), window.last()) else {
            return Ok(None);
        };
        if *key < start.key {
            (high, above) = (first, prefix(&start.key));
        } else if *key > end.key {
            (low, below) = (first + window.len() as u32, prefix(&end.key));
        } else {
            let found = window.binary_search_by_key(key, |entry| entry.key);
            return Ok(found.ok().map(|n| window[n]));
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

fn prefix(key: &ContentDigest) -> u64 {
    u64::from_be_bytes(key.0[..8].try_into().expect("8 bytes"))
}

//! The index of a pack, read at the few places that a look-up needs.
//!
//! Ids are hashes, so among those with the same first byte each lies about where its next bytes say.

use super::idx::{MAGIC, TABLES};
use crate::model::Oid;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Ids that are read at once around the place where one is looked for.
const WINDOW: usize = 96;

/// An open index of version 2.
#[derive(Debug)]
pub struct Ids {
    file: File,
    /// Running counts of ids by their first byte.
    fan: Vec<u32>,
    /// Bytes of an id.
    len: usize,
}

impl Ids {
    /// Opens an index of ids that are `len` bytes long; `None` where it is of no use, which is not for us to judge.
    pub fn open(path: &Path, len: usize) -> Option<Self> {
        let file = File::open(path).ok()?;
        let mut head = [0; TABLES];
        file.read_exact_at(&mut head, 0).ok()?;
        let words = head.strip_prefix(MAGIC.as_slice())?;
        let words = words.chunks_exact(4);
        let fan: Vec<u32> = words
            .map(|word| u32::from_be_bytes(word.try_into().expect("4 bytes")))
            .collect();
        fan.is_sorted().then_some(Self { file, fan, len })
    }

    /// Whether the pack has the object.
    pub fn has(&self, id: &Oid) -> bool {
        self.find(id).is_some()
    }

    /// Where the entry of an object starts in the pack.
    pub fn offset(&self, id: &Oid) -> Option<u64> {
        let nth = self.find(id)?;
        let count = self.fan[255] as usize;
        let offsets = TABLES + count * (self.len + 4);
        let mut word = [0; 4];
        self.read(&mut word, offsets + nth as usize * 4)?;
        let small = u32::from_be_bytes(word);
        if small < 1 << 31 {
            return Some(u64::from(small));
        }
        let nth = (small & !(1 << 31)) as usize;
        let mut large = [0; 8];
        self.read(&mut large, offsets + count * 4 + nth * 8)?;
        Some(u64::from_be_bytes(large))
    }

    /// The place of an id in the sorted list.
    fn find(&self, id: &Oid) -> Option<u32> {
        let wanted = id.as_bytes();
        let first = usize::from(wanted[0]);
        let mut low = if first == 0 { 0 } else { self.fan[first - 1] };
        let mut high = self.fan[first];
        let next = u32::from_be_bytes([0, wanted[1], wanted[2], wanted[3]]);
        let mut window = [0; WINDOW * 32];
        while low < high {
            let guess = (u64::from(high - low) * u64::from(next)) >> 24;
            let from = (low + guess as u32).saturating_sub(WINDOW as u32 / 2);
            let from = from.clamp(low, high.saturating_sub(WINDOW as u32).max(low));
            let upto = high.min(from + WINDOW as u32);
            let window = &mut window[..(upto - from) as usize * self.len];
            self.read(window, TABLES + from as usize * self.len)?;
            let mut ids = window.chunks_exact(self.len);
            if let Some(nth) = ids.clone().position(|other| other == wanted) {
                return Some(from + nth as u32);
            }
            // Where the guess was wrong, which hashes rarely make it, the rest is halved.
            let (lowest, highest) = (ids.next()?, ids.next_back());
            if wanted < lowest {
                high = from;
            } else if highest.is_some_and(|highest| wanted > highest) {
                low = upto;
            } else {
                return None;
            }
            let middle = low + (high - low) / 2;
            if (high - low) as usize > WINDOW {
                let mut one = [0; 32];
                self.read(&mut one[..self.len], TABLES + middle as usize * self.len)?;
                match one[..self.len] <= *wanted {
                    true => low = middle,
                    false => high = middle,
                }
            }
        }
        None
    }

    fn read(&self, into: &mut [u8], at: usize) -> Option<()> {
        self.file.read_exact_at(into, at as u64).ok()
    }
}

#[cfg(test)]
#[path = "ids_tests.rs"]
mod tests;

//! All keys of a shelf in order, without holding them in memory.

use super::ArtifactFault;
use super::index::Index;
use super::search;
use crate::codec::sheet::Entry;
use crate::model::ContentDigest;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::rc::Rc;

/// Entries of one sheet read at a time.
const WINDOW: u32 = 256;

/// A key on a shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// BLAKE3 of the artifact's bytes.
    pub key: ContentDigest,
    /// How many they are.
    pub size: u64,
    /// Whether it is the manifest of a directory.
    pub manifest: bool,
}

/// The keys of a shelf, ascending, each once.
pub struct Keys {
    index: Rc<Index>,
    sheets: Vec<Cursor>,
    next: BinaryHeap<Reverse<(ContentDigest, usize)>>,
    last: Option<ContentDigest>,
}

struct Cursor {
    read: u32,
    window: VecDeque<Entry>,
}

impl Keys {
    pub(super) fn new(index: Rc<Index>, first: &ContentDigest) -> Result<Self, ArtifactFault> {
        let count = index.sheets().len();
        let cursor = |sheet| {
            let read = search::first_from(sheet, first)?;
            let window = VecDeque::new();
            Ok(Cursor { read, window })
        };
        let sheets = index.sheets().iter().map(cursor);
        let sheets = sheets.collect::<Result<_, ArtifactFault>>()?;
        let mut keys = Self {
            index,
            sheets,
            next: BinaryHeap::with_capacity(count),
            last: None,
        };
        (0..count).try_for_each(|n| keys.queue(n))?;
        Ok(keys)
    }

    /// Puts the next key of a sheet among those that are compared.
    fn queue(&mut self, n: usize) -> Result<(), ArtifactFault> {
        let (sheet, cursor) = (&self.index.sheets()[n], &mut self.sheets[n]);
        let left = sheet.entries() - cursor.read;
        if cursor.window.is_empty() && left > 0 {
            let window = sheet.window(cursor.read, left.min(WINDOW))?;
            cursor.read += window.len() as u32;
            cursor.window.extend(window);
        }
        if let Some(entry) = cursor.window.front() {
            self.next.push(Reverse((entry.key, n)));
        }
        Ok(())
    }
}

impl Iterator for Keys {
    type Item = Result<Key, ArtifactFault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Reverse((key, n)) = self.next.pop()?;
            let entry = self.sheets[n].window.pop_front()?;
            if let Err(fault) = self.queue(n) {
                self.next.clear();
                return Some(Err(fault));
            }
            if self.last < Some(key) {
                self.last = Some(key);
                let Entry { size, manifest, .. } = entry;
                return Some(Ok(Key {
                    key,
                    size,
                    manifest,
                }));
            }
        }
    }
}

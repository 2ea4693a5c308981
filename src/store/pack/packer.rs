//! Objects on their way into a pack, as deltas of those that are in it where that pays.

use super::likeness::{Likeness, marks};
use super::zip::{Packed, Piece, Zip};
use super::{Effort, effort, entry_header};
use crate::model::{ObjectFormat, Oid};
use crate::store::{Kind, StoreFault};

/// Which earlier objects one may be a delta of, by their numbers.
type Bases = [Option<u32>; 2];

/// An object to write.
pub(super) struct Item<'a> {
    pub(super) id: Oid,
    pub(super) kind: Kind,
    /// Its contents.
    pub(super) bytes: &'a [u8],
    pub(super) effort: Effort,
    /// The earlier objects that it may be a delta of, with their contents.
    pub(super) bases: [Option<(u32, &'a [u8])>; 2],
}

impl<'a> Item<'a> {
    fn piece(&self) -> Piece<'a> {
        Piece {
            bytes: self.bytes,
            effort: self.effort,
            bases: self.bases.map(|base| base.map(|(_, bytes)| bytes)),
        }
    }
}

/// Where the entries of a pack go, one behind the other.
pub(super) trait Entries {
    /// Where the next one begins.
    fn offset(&self) -> u64;

    /// Adds an entry: its header and its compressed bytes, in as many parts as they come.
    fn add(&mut self, id: Oid, parts: &[&[u8]]) -> Result<(), StoreFault>;
}

/// A pack that grows object by object.
pub(super) struct Packer<E> {
    entries: E,
    likeness: Likeness,
    /// Where each object's entry begins.
    offsets: Vec<u64>,
    /// How many deltas each object takes at most to be read.
    depths: Vec<u8>,
    deepest: u8,
}

impl<E: Entries> Packer<E> {
    /// For about so many objects, none of which takes more than `deepest` deltas to be read.
    pub(super) fn new(entries: E, objects: usize, deepest: u8) -> Self {
        Self {
            entries,
            likeness: Likeness::new(objects),
            offsets: Vec::with_capacity(objects),
            depths: Vec::with_capacity(objects),
            deepest,
        }
    }

    /// How many objects have their numbers.
    pub(super) fn planned(&self) -> usize {
        self.depths.len()
    }

    /// Gives the next object its number, and says what it may be a delta of, where `earlier` tells the contents of a
    /// number. Objects are written in the order in which they are planned.
    pub(super) fn plan<'a>(
        &mut self,
        format: ObjectFormat,
        (id, kind, bytes): (Oid, Kind, &'a [u8]),
        earlier: impl Fn(u32) -> &'a [u8],
    ) -> Item<'a> {
        debug_assert_eq!(id, crate::store::git::object_id(format, kind, bytes));
        let bases = self.bases(format, kind, bytes);
        Item {
            id,
            kind,
            bytes,
            effort: effort(kind),
            bases: bases.map(|base| base.map(|n| (n, earlier(n)))),
        }
    }

    fn bases(&mut self, format: ObjectFormat, kind: Kind, bytes: &[u8]) -> Bases {
        let n = self.depths.len() as u32;
        let Some(marks) = marks(format, kind, bytes) else {
            self.depths.push(0);
            return [None, None];
        };
        let depth = |n: u32| self.depths[n as usize];
        let shallow = |n: &u32| depth(*n) < self.deepest;
        let bases = self.likeness.find(kind, &marks);
        let bases = bases.map(|base| base.filter(shallow));
        let deep = bases.iter().flatten().map(|n| depth(*n) + 1).max();
        self.depths.push(deep.unwrap_or(0));
        self.likeness.learn(&marks, n);
        bases
    }

    /// Writes what was planned.
    pub(super) fn write(&mut self, zip: &mut Zip, items: &[Item<'_>]) -> Result<(), StoreFault> {
        let Self {
            entries, offsets, ..
        } = self;
        let pieces: Vec<Piece<'_>> = items.iter().map(Item::piece).collect();
        zip.pack_each(&pieces, |at, packed| {
            let item = &items[at];
            offsets.push(entries.offset());
            let Packed { delta, stream } = packed;
            if let Some((nth, len)) = delta {
                let (base, _) = item.bases[nth].expect("it is one of those that were given");
                let back = entries.offset() - offsets[base as usize];
                let header = delta_header(len as u64, back);
                return entries.add(item.id, &[&header, stream]);
            }
            let header = entry_header(item.kind, item.bytes.len() as u64);
            entries.add(item.id, &[&header, stream])
        })
    }

    /// All that was written.
    pub(super) fn into_entries(self) -> E {
        self.entries
    }
}

/// The header of a delta whose base begins so many bytes before it.
pub(super) fn delta_header(size: u64, back: u64) -> Vec<u8> {
    let mut header = super::sized_header(6, size);
    let mut digits = vec![(back & 0x7f) as u8];
    let mut rest = back >> 7;
    // Each longer spelling begins where the shorter ones end, so there is one spelling of each number.
    while rest > 0 {
        rest -= 1;
        digits.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    header.extend(digits.iter().rev());
    header
}

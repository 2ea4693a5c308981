//! Objects out of packs, one after another as a history is read, in memory that does not grow with the packs.
//!
//! gix maps packs into memory, where what was touched counts as the process's, and looks for each object twice: for
//! its header, and for its contents. What lies together is asked for together, so a few blocks of the files are kept
//! here, and a few objects that others are deltas of. Whatever is unusual is left to
//! [`GitStore`](crate::store::GitStore): the answer is `None`, which says nothing about the object.

use super::delta;
use crate::model::{ObjectFormat, Oid};
use crate::store::Kind;
use crate::store::git::packs::{Indexes, PackIndex, packs};
use crate::store::git::recent::Recent;
use flate2::{Decompress, FlushDecompress, Status};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// Bytes that are read at a time.
const BLOCK: usize = 4 * 1024;

/// Blocks that are kept: pages, proposals, trees and rows lie in different places.
const BLOCKS: usize = 512;

/// Blocks that are kept at first. To take memory from the system costs about as much as to read a block again, and only
/// whoever goes through a long history comes back to many.
const BLOCKS_AT_FIRST: usize = 64;

/// After so many blocks were read, more are kept.
const LONG: usize = 8192;

/// Objects that are kept because others are deltas of them: a collected history has long chains.
const BASES: usize = 2048;

/// Objects that are kept for that at first.
const BASES_AT_FIRST: usize = 256;

/// After so many of them were given up for others, more are kept.
const CROWDED: usize = 2048;

/// The most bytes of one; most objects are a few hundred.
const BASE: usize = 16 * 1024;

/// Of so many objects one is a delta, where few are.
const FEW: u32 = 4;

/// Pieces of memory that are kept for the next deltas.
const SPARES: usize = 8;

/// Deltas on the way to an object, at most; git writes 50 where nobody asks for more.
const CHAIN: usize = 64;

/// The most bytes of an object on the way.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The packs that were there at one time, for one thread.
pub struct DirectReader {
    packs: Arc<[Pack]>,
    /// Neighbours lie in one pack.
    recent: Recent,
    blocks: Blocks,
    /// Empty until the first object is kept.
    bases: Vec<Based>,
    /// How many of them were given up for others.
    displaced: usize,
    /// Of each pack, what its entries were so far.
    met: Vec<Met>,
    inflate: Decompress,
    spare: Spare,
}

/// Entries of a pack that were read.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    objects: u32,
    deltas: u32,
}

impl Met {
    /// Whether what was asked for may be what the next one is a delta of. Where few are deltas of others, to keep each takes
    /// longer than to read one again now and then.
    fn expects_deltas(self) -> bool {
        self.deltas >= self.objects / FEW
    }
}

/// The way from an object to what it is made of.
struct Way {
    /// Where the entry begins that was come to.
    at: u64,
    /// Where each began that was a delta, and what it says.
    deltas: Vec<(u64, Vec<u8>)>,
    /// What the entry holds, unless it is kept as a base of others.
    whole: Option<Vec<u8>>,
}

impl Way {
    fn from(at: u64) -> Self {
        Self {
            at,
            deltas: Vec::new(),
            whole: None,
        }
    }
}

/// Memory of small pieces that were read and are not needed any more.
#[derive(Default)]
struct Spare(Vec<Vec<u8>>);

impl Spare {
    /// Some that is empty.
    fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_default()
    }

    fn give(&mut self, mut memory: Vec<u8>) {
        if self.0.len() < SPARES && memory.capacity() <= BASE {
            memory.clear();
            self.0.push(memory);
        }
    }
}

/// A pack and its index; opened by whoever needs it first.
struct Pack {
    path: PathBuf,
    index: Arc<PackIndex>,
    file: OnceLock<Option<File>>,
}

/// The last parts of files that were read.
#[derive(Default)]
struct Blocks {
    kept: Vec<Block>,
    /// How many were read.
    read: usize,
}

/// A part of a file.
#[derive(Clone, Default)]
struct Block {
    /// Which pack, counted from 1, and which of its blocks.
    of: (usize, u64),
    bytes: Vec<u8>,
}

/// An object that was made.
#[derive(Default)]
struct Based {
    /// Which pack, counted from 1, and where its entry begins.
    of: (usize, u64),
    kind: Option<Kind>,
    bytes: Vec<u8>,
}

/// The beginning of an entry.
struct Head {
    shape: Shape,
    size: u64,
    /// Where its stream begins.
    stream: u64,
}

enum Shape {
    Whole(Kind),
    /// A delta of the entry that begins there.
    Delta(u64),
}

impl std::fmt::Debug for DirectReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DirectReader({} packs)", self.packs.len())
    }
}

impl Clone for DirectReader {
    /// For another thread: the same packs, nothing read of them yet.
    fn clone(&self) -> Self {
        Self::of(Arc::clone(&self.packs))
    }
}

impl DirectReader {
    /// Looks which packs there are in these directories. What cannot be read is left out.
    pub fn open(dirs: &[PathBuf], format: ObjectFormat, indexes: &Indexes) -> Self {
        let found = dirs.iter().flat_map(|dir| packs(dir).unwrap_or_default());
        let opened = found.filter_map(|pack| {
            Some(Pack {
                index: indexes.open(&pack.path, format).ok()?,
                path: pack.path,
                file: OnceLock::new(),
            })
        });
        Self::of(opened.collect())
    }

    fn of(packs: Arc<[Pack]>) -> Self {
        Self {
            recent: Recent::new(packs.len()),
            met: vec![Met::default(); packs.len()],
            packs,
            blocks: Blocks::default(),
            bases: Vec::new(),
            displaced: 0,
            inflate: Decompress::new(true),
            spare: Spare::default(),
        }
    }

    /// The contents of an object of that kind and of at most `max` bytes. That they have this id is for the caller
    /// to see. `None`: somebody else has to look.
    pub fn read(&mut self, id: &Oid, kind: Kind, max: u64) -> Option<Vec<u8>> {
        let (pack, offset) = self.find(id)?;
        let mut way = Way::from(offset);
        self.met[pack].objects = self.met[pack].objects.saturating_add(1);
        let found = self.go_down(pack, &mut way, max)?;
        let bytes = self.come_up(pack, &mut way, found);
        for (_, delta) in way.deltas {
            self.spare.give(delta);
        }
        bytes.filter(|bytes| found == kind && bytes.len() as u64 <= max)
    }

    /// Reads the deltas down to an object that is whole or was made before, and says of what kind it is.
    fn go_down(&mut self, pack: usize, way: &mut Way, max: u64) -> Option<Kind> {
        loop {
            let at = way.at;
            if let Some((kind, made)) = self.recall(pack, at) {
                // Others are made of it where it is.
                way.whole = way.deltas.is_empty().then(|| made.to_vec());
                return Some(kind);
            }
            let head = head(&mut self.blocks, &self.packs[pack], pack, at)?;
            let limit = if way.deltas.is_empty() { max } else { LARGEST };
            if head.size > limit.min(LARGEST) {
                return None;
            }
            match head.shape {
                Shape::Whole(of) => {
                    let bytes = self.unpack(pack, &head, Vec::new())?;
                    // Commits are many, and seldom what others are deltas of.
                    let may_be_base = of != Kind::Commit && self.met[pack].expects_deltas();
                    if may_be_base || !way.deltas.is_empty() {
                        self.remember(pack, at, of, &bytes);
                    }
                    way.whole = Some(bytes);
                    return Some(of);
                }
                Shape::Delta(base) => {
                    self.met[pack].deltas = self.met[pack].deltas.saturating_add(1);
                    let memory = self.spare.take();
                    way.deltas.push((at, self.unpack(pack, &head, memory)?));
                    way.at = base;
                }
            }
            if way.deltas.len() > CHAIN {
                return None;
            }
        }
    }

    /// Applies the deltas, the last one first.
    fn come_up(&mut self, pack: usize, way: &mut Way, kind: Kind) -> Option<Vec<u8>> {
        let mut made = way.whole.take();
        for (nth, (at, delta)) in way.deltas.iter().enumerate().rev() {
            // What is handed out is no larger than it has to be.
            let mut out = match nth {
                0 => Vec::new(),
                _ => self.spare.take(),
            };
            let base = match &made {
                Some(bytes) => bytes,
                None => self.recall(pack, way.at)?.1,
            };
            if !delta::apply_into(&mut out, base, delta, LARGEST) {
                return None;
            }
            if nth > 0 || self.met[pack].expects_deltas() {
                self.remember(pack, *at, kind, &out);
            }
            if let Some(base) = made.replace(out) {
                self.spare.give(base);
            }
        }
        made
    }

    /// Which pack has the object, and where its entry begins.
    fn find(&mut self, id: &Oid) -> Option<(usize, u64)> {
        let packs = &self.packs;
        self.recent.find(|at| packs[at].index.offset(id))
    }

    /// The contents of an entry's zlib stream, which must be exactly of the size that it says, in this memory.
    fn unpack(&mut self, pack: usize, head: &Head, mut out: Vec<u8>) -> Option<Vec<u8>> {
        let inflate = &mut self.inflate;
        inflate.reset(true);
        let (mut offset, size) = (head.stream, head.size);
        // One byte more, so that a stream that goes on is seen.
        out.reserve_exact(usize::try_from(size).ok()? + 1);
        loop {
            let (read, made) = (inflate.total_in(), inflate.total_out());
            let input = self.blocks.at(&self.packs[pack], pack, offset)?;
            let status = inflate.decompress_vec(input, &mut out, FlushDecompress::None);
            offset += inflate.total_in() - read;
            match status.ok()? {
                Status::StreamEnd if inflate.total_out() == size => break,
                Status::Ok if (inflate.total_in(), inflate.total_out()) != (read, made) => {}
                _ => return None,
            }
        }
        Some(out)
    }

    fn recall(&self, pack: usize, at: u64) -> Option<(Kind, &[u8])> {
        let len = self.bases.len();
        let based = self.bases.get(slot(at, len.max(1)))?;
        (based.of == (pack + 1, at)).then_some((based.kind?, &based.bytes))
    }

    fn remember(&mut self, pack: usize, at: u64, kind: Kind, bytes: &[u8]) {
        if bytes.len() > BASE {
            return;
        }
        let most = match self.displaced {
            ..CROWDED => BASES_AT_FIRST,
            _ => BASES,
        };
        self.bases.resize_with(most, Based::default);
        let based = &mut self.bases[slot(at, most)];
        let of = (pack + 1, at);
        self.displaced += usize::from(based.kind.is_some() && based.of != of);
        based.of = of;
        based.kind = Some(kind);
        // In the memory of what was there before.
        based.bytes.clear();
        based.bytes.extend_from_slice(bytes);
    }
}

impl Blocks {
    /// What is in a file from an offset on, as far as its block goes; nothing at its end.
    fn at(&mut self, file: &Pack, pack: usize, offset: u64) -> Option<&[u8]> {
        let most = match self.read {
            ..LONG => BLOCKS_AT_FIRST,
            _ => BLOCKS,
        };
        self.kept.resize(most, Block::default());
        let number = offset / BLOCK as u64;
        let of = (pack + 1, number);
        let block = &mut self.kept[(number as usize).wrapping_add(pack * 17) % most];
        if block.of != of {
            self.read += 1;
            block.of = Default::default();
            block.bytes.resize(BLOCK, 0);
            let open = || File::open(&file.path).ok();
            let file = file.file.get_or_init(open).as_ref()?;
            let len = fill(file, &mut block.bytes, number * BLOCK as u64)?;
            block.bytes.truncate(len);
            block.of = of;
        }
        let from = (offset % BLOCK as u64) as usize;
        Some(block.bytes.get(from..).unwrap_or_default())
    }
}

/// Reads the beginning of an entry.
fn head(blocks: &mut Blocks, file: &Pack, pack: usize, offset: u64) -> Option<Head> {
    let mut at = offset;
    let mut byte = || {
        let byte = *blocks.at(file, pack, at)?.first()?;
        at += 1;
        Some(byte)
    };
    let mut next = byte()?;
    let kind = next >> 4 & 7;
    let (mut size, mut shift) = (u64::from(next & 0x0f), 4);
    while next & 0x80 != 0 {
        next = byte()?;
        if shift > 56 {
            return None;
        }
        size |= u64::from(next & 0x7f) << shift;
        shift += 7;
    }
    let shape = match kind {
        1 => Shape::Whole(Kind::Commit),
        2 => Shape::Whole(Kind::Tree),
        3 => Shape::Whole(Kind::Blob),
        4 => Shape::Whole(Kind::Tag),
        6 => {
            let mut next = byte()?;
            let mut back = u64::from(next & 0x7f);
            while next & 0x80 != 0 {
                next = byte()?;
                back = (back + 1).checked_mul(128)? | u64::from(next & 0x7f);
            }
            // A base lies before what is made of it, so this ends.
            Shape::Delta(offset.checked_sub(back).filter(|_| back > 0)?)
        }
        _ => return None,
    };
    Some(Head {
        shape,
        size,
        stream: at,
    })
}

/// Where of that many places the object is kept whose entry begins there.
fn slot(offset: u64, places: usize) -> usize {
    (offset.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % places
}

/// Reads as much as there is; says how much.
fn fill(file: &File, into: &mut [u8], from: u64) -> Option<usize> {
    let mut len = 0;
    while len < into.len() {
        match file.read_at(&mut into[len..], from + len as u64).ok()? {
            0 => break,
            more => len += more,
        }
    }
    Some(len)
}

#[cfg(test)]
#[path = "direct_tests.rs"]
mod tests;

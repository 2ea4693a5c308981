//! A pack of which everything is read, entry after entry.

use super::idx::{self, Placed};
use super::{delta, parse_entry_head};
use crate::model::{Code, ObjectFormat, Oid};
use crate::store::disk::{io_fault, read_if_there};
use crate::store::{Kind, StoreFault};
use flate2::{Decompress, FlushDecompress, Status};
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of contents that are remembered, because others are deltas of them.
const REMEMBERED: usize = 96 * 1024 * 1024;

/// What is declared to be larger is not read into memory.
const LARGEST: u64 = 512 * 1024 * 1024;

/// Bytes that are read at a time where one entry is asked for after the other.
const AHEAD: usize = 256 * 1024;

/// A pack and the places of its entries, which are numbered in the order in which they lie.
pub(super) struct Source {
    path: PathBuf,
    file: File,
    format: ObjectFormat,
    /// By offset.
    placed: Vec<Placed>,
    /// Where the last entry ends.
    end: u64,
    inflate: Decompress,
    /// What was read last, and where it begins.
    ahead: (u64, Vec<u8>),
    memory: [HashMap<u32, Arc<Content>>; 2],
    remembered: usize,
}

/// An entry as it lies there.
pub(super) struct Entry {
    pub(super) shape: Shape,
    /// Of the contents, or of the delta.
    pub(super) size: u64,
    /// Header and stream.
    pub(super) raw: Vec<u8>,
    /// Where the stream begins.
    pub(super) head: usize,
}

/// Whether an object lies there whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Whole(Kind),
    /// A delta of the entry of that number.
    Delta(u32),
}

/// What an entry says of itself before its stream.
pub(super) struct Head {
    pub(super) base: HeadBase,
    pub(super) size: u64,
    pub(super) len: usize,
}

/// What it is, or of what it is a delta.
pub(super) enum HeadBase {
    Whole(Kind),
    /// The base begins so many bytes before.
    Back(u64),
    /// The base has the id that follows.
    Named,
}

/// An object.
pub(super) struct Content {
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

impl Source {
    /// Opens a pack; `None` if it or its index has gone, or cannot be understood.
    pub(super) fn open(path: &Path, format: ObjectFormat) -> Result<Option<Self>, StoreFault> {
        let index = read_if_there(&path.with_extension("idx"))?;
        let (Some(index), Ok(file)) = (index, File::open(path)) else {
            return Ok(None);
        };
        let Ok(mut placed) = idx::decode(format, &index) else {
            return Ok(None);
        };
        placed.sort_by_key(|one| one.offset);
        let meta = file
            .metadata()
            .map_err(|err| io_fault("read", path, &err))?;
        Ok(Some(Self {
            path: path.to_owned(),
            file,
            format,
            placed,
            end: meta.len().saturating_sub(format.id_len() as u64),
            inflate: Decompress::new(true),
            ahead: Default::default(),
            memory: Default::default(),
            remembered: 0,
        }))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn len(&self) -> usize {
        self.placed.len()
    }

    pub(super) fn id(&self, n: u32) -> Oid {
        self.placed[n as usize].id
    }

    /// The entry of that number, compared with the checksum that its index has.
    pub(super) fn entry(&mut self, n: u32) -> Result<Entry, StoreFault> {
        let one = self.placed[n as usize];
        let raw = self.raw(n).unwrap_or_default();
        let mut crc = flate2::Crc::new();
        crc.update(&raw);
        if raw.is_empty() || crc.sum() != one.crc {
            return Err(self.damaged(n));
        }
        let head = parse_entry_head(&raw).ok_or_else(|| self.damaged(n))?;
        let (shape, len) = match head.base {
            HeadBase::Whole(kind) => (Some(Shape::Whole(kind)), head.len),
            HeadBase::Back(back) => {
                let base = one.offset.checked_sub(back).filter(|_| back > 0);
                let base = base.and_then(|at| self.at(at));
                (base.map(Shape::Delta), head.len)
            }
            HeadBase::Named => {
                let len = head.len + self.format.id_len();
                let id = raw
                    .get(head.len..len)
                    .and_then(|id| Oid::from_bytes(id).ok());
                let base = id.and_then(|id| self.number(&id));
                (base.map(Shape::Delta), len)
            }
        };
        Ok(Entry {
            shape: shape.ok_or_else(|| self.damaged(n))?,
            size: head.size,
            raw,
            head: len,
        })
    }

    /// Header and stream; `None` where the pack ends before.
    fn raw(&mut self, n: u32) -> Option<Vec<u8>> {
        let from = self.placed[n as usize].offset;
        let next = self.placed.get(n as usize + 1);
        let end = next.map_or(self.end, |next| next.offset);
        let len = usize::try_from(end.checked_sub(from)?).ok()?;
        let (start, held) = &mut self.ahead;
        let place = from.checked_sub(*start).map(|at| at as usize);
        if let Some(raw) = place.and_then(|at| held.get(at..at.checked_add(len)?)) {
            return Some(raw.to_vec());
        }
        // Bases lie behind. What is read of them must not take the place of what comes next.
        if place.is_none() || end > self.end {
            let mut raw = vec![0; len.min(self.end as usize)];
            self.file.read_exact_at(&mut raw, from).ok()?;
            return Some(raw);
        }
        let left = self.end.saturating_sub(from) as usize;
        held.resize(len.max(AHEAD).min(left), 0);
        *start = from;
        self.file.read_exact_at(held, from).ok()?;
        Some(held[..len].to_vec())
    }

    /// The entry that begins there.
    fn at(&self, offset: u64) -> Option<u32> {
        let n = self.placed.binary_search_by_key(&offset, |one| one.offset);
        n.ok().map(|n| n as u32)
    }

    /// Few packs name bases by their ids, and these are small: those that git completed after a transfer.
    fn number(&self, id: &Oid) -> Option<u32> {
        let n = self.placed.iter().position(|one| one.id == *id);
        n.map(|n| n as u32)
    }

    /// The object of that number, whatever it is a delta of.
    pub(super) fn content(&mut self, n: u32) -> Result<Arc<Content>, StoreFault> {
        let mut chain = Vec::new();
        let mut at = n;
        let mut made = loop {
            if let Some(content) = self.recall(at) {
                break content;
            }
            let entry = self.entry(at)?;
            let bytes = self.unpack(at, &entry)?;
            match entry.shape {
                Shape::Whole(kind) => {
                    let content = Arc::new(Content { kind, bytes });
                    self.remember(at, &content);
                    break content;
                }
                Shape::Delta(base) => {
                    chain.push((at, bytes));
                    // A chain that bites its tail, in a damaged pack, is longer than the pack.
                    if chain.len() > self.placed.len() {
                        return Err(self.damaged(n));
                    }
                    at = base;
                }
            }
        };
        for (at, delta) in chain.into_iter().rev() {
            let bytes = delta::apply(&made.bytes, &delta, LARGEST);
            let bytes = bytes.ok_or_else(|| self.damaged(at))?;
            let kind = made.kind;
            made = Arc::new(Content { kind, bytes });
            self.remember(at, &made);
        }
        Ok(made)
    }

    fn recall(&mut self, n: u32) -> Option<Arc<Content>> {
        let [new, old] = &mut self.memory;
        if let Some(content) = new.get(&n) {
            return Some(Arc::clone(content));
        }
        let content = old.remove(&n)?;
        self.remember(n, &content);
        Some(content)
    }

    /// What was not asked for during the last half of the memory is forgotten.
    fn remember(&mut self, n: u32, content: &Arc<Content>) {
        self.remembered += content.bytes.len() + 128;
        if self.remembered > REMEMBERED / 2 {
            self.remembered = 0;
            self.memory.swap(0, 1);
            self.memory[0].clear();
        }
        self.memory[0].insert(n, Arc::clone(content));
    }

    fn unpack(&mut self, n: u32, entry: &Entry) -> Result<Vec<u8>, StoreFault> {
        if entry.size > LARGEST {
            let what = format!("an object of {} bytes", entry.size);
            return Err(StoreFault::new(Code::TooLarge, what));
        }
        // One byte more, so that a stream that goes on is seen.
        let mut out = vec![0; entry.size as usize + 1];
        self.inflate.reset(true);
        let stream = &entry.raw[entry.head..];
        let done = self
            .inflate
            .decompress(stream, &mut out, FlushDecompress::Finish);
        let whole = matches!(done, Ok(Status::StreamEnd)) && self.inflate.total_out() == entry.size;
        if !whole {
            return Err(self.damaged(n));
        }
        out.truncate(entry.size as usize);
        Ok(out)
    }

    pub(super) fn damaged(&self, n: u32) -> StoreFault {
        let (id, path) = (self.id(n), self.path.display());
        let what = format!("object {id} in `{path}` is not what the index says");
        StoreFault::new(Code::ObjectDamaged, what)
    }
}

//! Small artifacts, many to a block. Those that nothing compresses lie apart from the others, so that a block is
//! either worth compressing or stored as it is.

use crate::codec::sheet::{Extent, Record};
use crate::model::{ContentDigest, Oid, limits};
use crate::store::pack::is_even;

/// Bytes of an artifact that are looked at.
const SAMPLE: usize = 1024;

/// The blocks that are being filled.
#[derive(Default)]
pub(super) struct Batches {
    words: Batch,
    noise: Batch,
}

/// A block being filled.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) members: Vec<Member>,
}

/// An artifact in a block.
pub(super) struct Member {
    key: ContentDigest,
    manifest: bool,
    offset: u32,
    length: u32,
}

impl Batches {
    /// Puts an artifact into a block; returns one that has no room for it and is to be written.
    pub(super) fn add(
        &mut self,
        bytes: &[u8],
        key: ContentDigest,
        manifest: bool,
    ) -> Option<Batch> {
        let batch = match is_even(&bytes[..bytes.len().min(SAMPLE)]) {
            true => &mut self.noise,
            false => &mut self.words,
        };
        let full = batch.bytes.len() + bytes.len() > limits::SMALL_ARTIFACT as usize;
        let closed = full.then(|| std::mem::take(batch));
        batch.members.push(Member {
            key,
            manifest,
            offset: batch.bytes.len() as u32,
            length: bytes.len() as u32,
        });
        batch.bytes.extend_from_slice(bytes);
        closed.filter(|batch| !batch.members.is_empty())
    }

    /// What is left, to be written in the end.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Batch> + use<> {
        let left = std::mem::take(self);
        [left.words, left.noise]
            .into_iter()
            .filter(|batch| !batch.members.is_empty())
    }
}

impl Member {
    /// Where it is, now that its block has an id.
    pub(super) fn record(self, block: Oid) -> Record {
        Record {
            key: self.key,
            size: u64::from(self.length),
            manifest: self.manifest,
            extents: vec![Extent {
                block,
                offset: self.offset,
                length: self.length,
            }],
            groups: Vec::new(),
        }
    }
}

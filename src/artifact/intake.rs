//! Adding artifacts: streams in, blocks and sheets out.
//!
//! One thread reads, cuts, hashes for the key and writes; a crew computes object ids and compresses. Blocks are
//! written in the order in which they were cut, so the same input gives the same packs. About every 256 MiB a pack is
//! closed, and the artifacts that are complete by then become visible: who is interrupted and starts again finds
//! its blocks there.

use super::chunk::Chunker;
use super::crew::{Crew, Loaded, Packed, Reply};
use super::flush::Fresh;
use super::gate::Gate;
use super::shelf::Shelf;
use super::small::{Batch, Batches, Member};
use super::{ArtifactFault, Imprint};
use crate::codec::manifest;
use crate::codec::sheet::{Extent, Record};
use crate::crypto::groups::{self, GroupHasher};
use crate::model::{Code, ContentDigest, limits};
use crate::store::GitStore;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of blocks that are under way at a time.
const IN_FLIGHT: usize = 8 * 1024 * 1024;

/// Files that a thread looks at in one go.
const FILES: usize = 16;

/// Bytes in a pack before the next one is started.
pub const PACK: u64 = 256 * 1024 * 1024;

/// How artifacts are added.
#[derive(Clone)]
pub struct Options<'a> {
    /// Who writes the catalog, and when.
    pub imprint: Imprint<'a>,
    /// Threads that hash and compress; 0 for one per core.
    pub threads: usize,
    /// Bytes in a pack before the next one is started; [`PACK`] for all but tests.
    pub pack: u64,
    /// Told how many more bytes were read.
    pub progress: Option<&'a dyn Fn(u64)>,
}

impl<'a> Options<'a> {
    /// The usual ones.
    pub fn new(imprint: Imprint<'a>) -> Self {
        Self {
            imprint,
            threads: 0,
            pack: PACK,
            progress: None,
        }
    }
}

/// An artifact that was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// BLAKE3 of its bytes.
    pub key: ContentDigest,
    /// How many they are.
    pub size: u64,
    /// Whether it was on the shelf before, or came before in the same intake.
    pub already: bool,
}

/// Adds artifacts to one shelf. What was added counts once [`Intake::finish`] returned.
pub struct Intake<'a> {
    options: Options<'a>,
    crew: Crew,
    small: Batches,
    /// What is under way, in the order in which it is written.
    queue: VecDeque<Waiting>,
    in_flight: usize,
    /// The extents of the large artifact under way.
    extents: Vec<Extent>,
    fresh: Fresh<'a>,
}

enum Waiting {
    Block {
        reply: Reply<Result<Packed, ArtifactFault>>,
        size: usize,
        /// Small artifacts in it; none for a chunk of a large one.
        members: Vec<Member>,
    },
    /// The large artifact whose chunks came before is complete.
    End(Record),
}

impl<'a> Intake<'a> {
    /// Starts to add to a shelf, which is made where it is missing.
    ///
    /// # Errors
    /// `io`, and those of reading the shelf.
    pub fn new(shelf: &'a Shelf, options: Options<'a>) -> Result<Self, ArtifactFault> {
        let store: &GitStore = shelf.store_to_write()?;
        let gate = Arc::new(Gate::open(shelf, store)?);
        Ok(Self {
            crew: Crew::new(options.threads, store.object_format(), &gate),
            small: Batches::default(),
            queue: VecDeque::new(),
            in_flight: 0,
            extents: Vec::new(),
            fresh: Fresh::new(shelf, store, gate)?,
            options,
        })
    }

    /// Adds the bytes of a stream.
    ///
    /// # Errors
    /// `too-large`, `io`, `object-damaged` for bytes that carry a SHA-1 collision attack. After an error the intake
    /// must not be used any more; what was flushed before stays.
    pub fn add(&mut self, from: &mut dyn Read) -> Result<Added, ArtifactFault> {
        let mut chunker = Chunker::new(from);
        if let Some(bytes) = chunker.whole()? {
            let key = groups::digest(&bytes);
            return self.add_small(&bytes, key);
        }
        let mut hasher = GroupHasher::default();
        let mut manifest = false;
        while let Some(chunk) = chunker.next()? {
            if hasher.size() == 0 {
                manifest = manifest::is_one(&chunk);
            }
            hasher.update(&chunk);
            if hasher.size() > limits::ARTIFACT {
                let most = limits::ARTIFACT;
                let what = format!("expected an artifact of at most {most} bytes");
                return Err(ArtifactFault::new(Code::TooLarge, what));
            }
            self.tell(chunk.len());
            self.submit(chunk, Vec::new())?;
        }
        let size = hasher.size();
        let (key, groups) = hasher.finish();
        self.queue.push_back(Waiting::End(Record {
            key,
            size,
            manifest,
            extents: Vec::new(),
            groups,
        }));
        let already = self.is_here(&key)?;
        self.fresh.expect(key);
        Ok(Added { key, size, already })
    }

    /// Adds files, small ones on all cores; `each` is told of every one, in order, by its place in the list.
    ///
    /// # Errors
    /// Those of [`Intake::add`], and `io` for a file that cannot be read; those before it count.
    pub fn add_all(
        &mut self,
        paths: &[PathBuf],
        each: &mut dyn FnMut(usize, Added),
    ) -> Result<(), ArtifactFault> {
        let mut batches = paths.chunks(FILES);
        let mut loading = VecDeque::new();
        let mut done = 0;
        loop {
            while loading.len() <= self.crew.size()
                && let Some(batch) = batches.next()
            {
                loading.push_back(self.crew.load(batch.to_vec())?);
            }
            let Some(batch) = loading.pop_front() else {
                return Ok(());
            };
            for loaded in batch.wait()? {
                let added = match loaded? {
                    Loaded::Small(bytes, key) => self.add_small(&bytes, key)?,
                    Loaded::Large => self.add_file(&paths[done])?,
                };
                each(done, added);
                done += 1;
            }
        }
    }

    fn add_file(&mut self, path: &Path) -> Result<Added, ArtifactFault> {
        let fault = |err| ArtifactFault::from_io(&format!("read `{}`", path.display()), err);
        let mut file = File::open(path).map_err(fault)?;
        self.add(&mut file)
    }

    fn add_small(&mut self, bytes: &[u8], key: ContentDigest) -> Result<Added, ArtifactFault> {
        let (size, manifest) = (bytes.len() as u64, manifest::is_one(bytes));
        self.tell(bytes.len());
        let already = self.is_here(&key)?;
        if already {
            return Ok(Added { key, size, already });
        }
        self.fresh.expect(key);
        if bytes.is_empty() {
            self.fresh.record(Record {
                key,
                size,
                manifest,
                extents: Vec::new(),
                groups: Vec::new(),
            });
            return Ok(Added { key, size, already });
        }
        if let Some(Batch { bytes, members }) = self.small.add(bytes, key, manifest) {
            self.submit(bytes, members)?;
        }
        Ok(Added { key, size, already })
    }

    fn tell(&self, bytes: usize) {
        if let Some(progress) = self.options.progress {
            progress(bytes as u64);
        }
    }

    fn is_here(&self, key: &ContentDigest) -> Result<bool, ArtifactFault> {
        self.fresh.knows(key)
    }

    fn submit(&mut self, bytes: Vec<u8>, members: Vec<Member>) -> Result<(), ArtifactFault> {
        let size = bytes.len();
        while self.in_flight + size > IN_FLIGHT {
            self.settle_one()?;
        }
        self.in_flight += size;
        let reply = self.crew.block(bytes)?;
        self.queue.push_back(Waiting::Block {
            reply,
            size,
            members,
        });
        Ok(())
    }

    /// Takes over the oldest of what is under way.
    fn settle_one(&mut self) -> Result<(), ArtifactFault> {
        match self.queue.pop_front() {
            None => return Ok(()),
            Some(Waiting::End(mut record)) => {
                record.extents = std::mem::take(&mut self.extents);
                self.fresh.record(record);
            }
            Some(Waiting::Block {
                reply,
                size,
                members,
            }) => {
                let Packed { id, stream } = reply.wait()??;
                self.in_flight -= size;
                if let Some(stream) = stream {
                    self.fresh.block(id, size as u64, &stream)?;
                }
                if members.is_empty() {
                    self.extents.push(Extent {
                        block: id,
                        offset: 0,
                        length: size as u32,
                    });
                }
                for member in members {
                    self.fresh.record(member.record(id));
                }
            }
        }
        if self.fresh.is_full(self.options.pack) {
            self.fresh.flush(&self.options.imprint)?;
        }
        Ok(())
    }

    /// Makes everything that was added visible and durable.
    ///
    /// # Errors
    /// Those of [`Intake::add`]; `race-lost` if other writers never let it come through.
    pub fn finish(mut self) -> Result<(), ArtifactFault> {
        for Batch { bytes, members } in self.small.take() {
            self.submit(bytes, members)?;
        }
        while !self.queue.is_empty() {
            self.settle_one()?;
        }
        self.fresh.flush(&self.options.imprint)?;
        self.fresh.tidy()
    }
}

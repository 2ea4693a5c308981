//! Cutting large artifacts by their contents, so that versions of one share most of their blocks.

use super::ArtifactFault;
use crate::model::limits;
use fastcdc::v2020::{FastCDC, Normalization};
use std::io::{self, Read};

/// Bytes held at a time: enough that most chunks are cut without moving what is left.
const BUFFER: usize = 4 * limits::BLOCK;

/// A stream, cut into chunks.
pub(super) struct Chunker<'r> {
    from: &'r mut dyn Read,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
}

impl<'r> Chunker<'r> {
    pub(super) fn new(from: &'r mut dyn Read) -> Self {
        Self {
            from,
            buffer: Vec::new(),
            start: 0,
            ended: false,
        }
    }

    /// All bytes, if they are few enough for a small artifact.
    pub(super) fn whole(&mut self) -> Result<Option<Vec<u8>>, ArtifactFault> {
        self.fill(limits::SMALL_ARTIFACT as usize + 1)?;
        let small = self.buffer.len() as u64 <= limits::SMALL_ARTIFACT;
        Ok(small.then(|| std::mem::take(&mut self.buffer)))
    }

    /// The next chunk; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, ArtifactFault> {
        // Where a chunk ends depends on nothing but its own bytes, so as many as it may have must be at hand.
        if self.buffer.len() - self.start < limits::BLOCK && !self.ended {
            self.buffer.drain(..self.start);
            self.start = 0;
            self.fill(BUFFER)?;
        }
        let rest = &self.buffer[self.start..];
        if rest.is_empty() {
            return Ok(None);
        }
        let chunk = rest[..cut(rest)].to_vec();
        self.start += chunk.len();
        Ok(Some(chunk))
    }

    fn fill(&mut self, upto: usize) -> Result<(), ArtifactFault> {
        let missing = upto.saturating_sub(self.buffer.len());
        let mut limited = Read::take(&mut *self.from, missing as u64);
        let read = limited.read_to_end(&mut self.buffer);
        let read =
            read.map_err(|err: io::Error| ArtifactFault::from_io("read what to add", err))?;
        self.ended = read < missing;
        Ok(())
    }
}

/// How long the first chunk of these bytes is.
fn cut(bytes: &[u8]) -> usize {
    let chunker = FastCDC::with_level(
        bytes,
        limits::CHUNK_MIN,
        limits::CHUNK_AVERAGE,
        limits::BLOCK,
        Normalization::Level2,
    );
    chunker.cut(0, bytes.len()).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        blake3::Hasher::new().finalize_xof().fill(&mut out);
        out
    }

    /// A reader that gives a few bytes at a time.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(into.len()).min(self.0.len());
            into[..most].copy_from_slice(&self.0[..most]);
            self.0 = &self.0[most..];
            Ok(most)
        }
    }

    fn lengths(bytes: &[u8], at_a_time: usize) -> Vec<usize> {
        let mut from = Drops(bytes, at_a_time);
        let mut chunker = Chunker::new(&mut from);
        let mut back = Vec::new();
        let mut lengths = Vec::new();
        assert!(chunker.whole().unwrap().is_none());
        while let Some(chunk) = chunker.next().unwrap() {
            lengths.push(chunk.len());
            back.extend(chunk);
        }
        assert_eq!(back, bytes);
        lengths
    }

    #[test]
    fn chunks_depend_on_the_bytes_alone() {
        let bytes = noise(6_000_000);
        let at_once = lengths(&bytes, usize::MAX);
        assert_eq!(lengths(&bytes, 70_001), at_once);
        // The cut points are part of the format: versions share blocks across programs.
        assert_eq!(at_once[..4], [531_215, 294_424, 305_508, 316_312]);
        let (last, others) = at_once.split_last().unwrap();
        let sizes = limits::CHUNK_MIN..=limits::BLOCK;
        assert!(*last <= limits::BLOCK && others.iter().all(|len| sizes.contains(len)));
        assert!(lengths(&vec![0; 3 * limits::BLOCK + 1], usize::MAX).contains(&limits::BLOCK));
    }

    #[test]
    fn small_ones_stay_whole() {
        let small = limits::SMALL_ARTIFACT as usize;
        for len in [0, 1, small] {
            let bytes = noise(len);
            assert_eq!(
                Chunker::new(&mut &bytes[..]).whole().unwrap(),
                Some(bytes.clone())
            );
        }
        assert_eq!(
            Chunker::new(&mut &noise(small + 1)[..]).whole().unwrap(),
            None
        );
    }
}

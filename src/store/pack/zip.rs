//! zlib, as fast as it can be without wasting space.

use flate2::{Compress, Compression, FlushCompress, Status};

/// For small objects: half the time of level 3 or 6, and 5,000 rows come out no larger.
const SMALL_LEVEL: u32 = 1;

/// For larger ones, where matches are worth looking for.
const LARGE_LEVEL: u32 = 4;

/// For blocks of artifacts, of which there may be gigabytes.
const QUICK_LEVEL: u32 = 1;

/// From this many bytes on an object is a larger one, and a part of it is tried first.
const LARGE: usize = 4096;

/// How many bytes of it, in its middle and at both ends.
const SAMPLE: usize = 1024;

/// How much work an object is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// As usual.
    Usual,
    /// As little as pays.
    Quick,
}

/// Compresses one object after another; making a new compressor for each costs more than the work.
pub struct Zip {
    small: Compress,
    large: Compress,
    quick: Compress,
    store: Compress,
    out: Vec<u8>,
}

impl Default for Zip {
    fn default() -> Self {
        Self::new()
    }
}

impl Zip {
    /// For objects of all sizes.
    pub fn new() -> Self {
        let level = |level| Compress::new(Compression::new(level), true);
        Self {
            small: level(SMALL_LEVEL),
            large: level(LARGE_LEVEL),
            quick: level(QUICK_LEVEL),
            store: level(0),
            out: Vec::new(),
        }
    }

    /// The zlib stream of these bytes; incompressible ones are stored in it as they are.
    pub fn pack(&mut self, bytes: &[u8], effort: Effort) -> &[u8] {
        let len = self.fill(bytes, effort);
        &self.out[..len]
    }

    /// Writes the stream into the output, and says how long it is.
    fn fill(&mut self, bytes: &[u8], effort: Effort) -> usize {
        let (size, out) = (bytes.len(), &mut self.out);
        if size < LARGE {
            return deflate(&mut self.small, bytes, out);
        }
        if is_noise(bytes, &mut self.small, out) {
            return deflate(&mut self.store, bytes, out);
        }
        let mut len = usize::MAX;
        if effort == Effort::Quick {
            len = deflate(&mut self.quick, bytes, out);
        }
        // The quickest way has one code for all bytes, so it makes nothing of digits, for example.
        if len > size / 4 * 3 {
            len = deflate(&mut self.large, bytes, out);
        }
        match len > size / 32 * 31 {
            true => deflate(&mut self.store, bytes, out),
            false => len,
        }
    }
}

/// Whether compressing would not pay, as far as a few samples tell: all byte values come about equally often, and
/// nothing returns.
fn is_noise(bytes: &[u8], quick: &mut Compress, out: &mut Vec<u8>) -> bool {
    let last = bytes.len() - SAMPLE;
    [last / 2, 0, last].into_iter().all(|at| {
        let sample = &bytes[at..][..SAMPLE];
        is_even(sample) && deflate(quick, sample, out) > SAMPLE * 15 / 16
    })
}

/// Whether no few values make up most of a sample of at most a mebibyte. Of n random bytes each of the 256 values
/// comes about n / 256 times, so the sum of the squares is near n + n * n / 256; of text it is far above.
pub fn is_even(sample: &[u8]) -> bool {
    let mut counts = [0u64; 256];
    for byte in sample {
        counts[usize::from(*byte)] += 1;
    }
    let squares: u64 = counts.iter().map(|count| count * count).sum();
    let n = sample.len() as u64;
    squares < 2 * (n + n * n / 256)
}

/// Writes a stream to the beginning of `out`, which only grows: what was there is overwritten and never cleared.
fn deflate(how: &mut Compress, bytes: &[u8], out: &mut Vec<u8>) -> usize {
    how.reset();
    let room = bytes.len() + bytes.len() / 1000 + 64;
    if out.len() < room {
        out.resize(room, 0);
    }
    loop {
        let (read, made) = (how.total_in() as usize, how.total_out() as usize);
        let status = how
            .compress(&bytes[read..], &mut out[made..], FlushCompress::Finish)
            .expect("compressing into memory cannot fail");
        if status == Status::StreamEnd {
            return how.total_out() as usize;
        }
        out.resize(out.len() * 2, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn words_are_told_from_noise() {
        for len in [64, 100, 1024] {
            let mut noise = vec![0; len];
            blake3::Hasher::new().finalize_xof().fill(&mut noise);
            assert!(is_even(&noise), "{len}");
            let words = b"some words that a person may have written, or a program that logs ";
            assert!(!is_even(&words.repeat(20)[..len]), "{len}");
        }
    }

    #[test]
    fn streams_round_trip_and_noise_does_not_grow() {
        let mut zip = Zip::new();
        let noise: Vec<u8> = (0..3000u32)
            .flat_map(|n| *blake3::hash(&n.to_le_bytes()).as_bytes())
            .collect();
        let text = b"a line like all the others\n".repeat(4000);
        // No two bytes alike nearby, and still all of it returns.
        let wheel: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
        let hex: Vec<u8> = data_encoding::HEXLOWER.encode(&noise).into_bytes();
        for effort in [Effort::Usual, Effort::Quick] {
            for bytes in [&b""[..], b"x", &noise, &text, &noise[..LARGE], &wheel, &hex] {
                let packed = zip.pack(bytes, effort).to_vec();
                let mut back = Vec::new();
                flate2::read::ZlibDecoder::new(&packed[..])
                    .read_to_end(&mut back)
                    .unwrap();
                assert_eq!(back, bytes);
            }
            assert!(zip.pack(&noise, effort).len() < noise.len() + noise.len() / 1000 + 16);
            assert!(zip.pack(&text, effort).len() < text.len() / 20);
            assert!(zip.pack(&wheel, effort).len() < wheel.len() / 20);
            assert!(zip.pack(&hex, effort).len() < hex.len() * 3 / 4);
        }
    }
}

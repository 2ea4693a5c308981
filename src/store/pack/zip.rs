//! zlib, as fast as it can be without wasting space.

use flate2::{Compress, Compression, FlushCompress, Status};

/// For small objects: half the time of level 3 or 6, and 5,000 rows come out no larger.
const SMALL_LEVEL: u32 = 1;

/// For larger ones, where matches are worth looking for.
const LARGE_LEVEL: u32 = 4;

/// For blocks of artifacts, of which there may be gigabytes.
const BLOCK_LEVEL: u32 = 1;

/// From this many bytes on an object is a larger one, and a part of it is tried first.
const LARGE: usize = 4096;

/// How many bytes of it, in its middle and at both ends.
const SAMPLE: usize = 1024;

/// Compresses one object after another; making a new compressor for each costs more than the work.
pub struct Zip {
    small: Compress,
    large: Compress,
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
        Self::with_level(LARGE_LEVEL)
    }

    /// For blocks of artifacts.
    pub fn for_blocks() -> Self {
        Self::with_level(BLOCK_LEVEL)
    }

    fn with_level(large: u32) -> Self {
        Self {
            small: Compress::new(Compression::new(SMALL_LEVEL), true),
            large: Compress::new(Compression::new(large), true),
            store: Compress::new(Compression::none(), true),
            out: Vec::new(),
        }
    }

    /// The zlib stream of these bytes; incompressible ones are stored in it as they are.
    pub fn pack(&mut self, bytes: &[u8]) -> &[u8] {
        let how = if bytes.len() < LARGE {
            &mut self.small
        } else {
            if self.is_noise(bytes) {
                &mut self.store
            } else {
                &mut self.large
            }
        };
        deflate(how, bytes, &mut self.out);
        &self.out
    }
}

impl Zip {
    /// Whether compressing would not pay, as far as a few samples tell.
    fn is_noise(&mut self, bytes: &[u8]) -> bool {
        let last = bytes.len() - SAMPLE;
        [last / 2, 0, last].into_iter().all(|at| {
            deflate(&mut self.small, &bytes[at..][..SAMPLE], &mut self.out);
            self.out.len() > SAMPLE * 15 / 16
        })
    }
}

fn deflate(how: &mut Compress, bytes: &[u8], out: &mut Vec<u8>) {
    how.reset();
    out.clear();
    out.reserve(bytes.len() / 2 + 64);
    loop {
        let done = how.total_in() as usize;
        let status = how
            .compress_vec(&bytes[done..], out, FlushCompress::Finish)
            .expect("compressing into memory cannot fail");
        if status == Status::StreamEnd {
            return;
        }
        out.reserve(out.capacity().max(64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn streams_round_trip_and_noise_does_not_grow() {
        let mut zip = Zip::new();
        let noise: Vec<u8> = (0..3000u32)
            .flat_map(|n| *blake3::hash(&n.to_le_bytes()).as_bytes())
            .collect();
        let text = b"a line like all the others\n".repeat(4000);
        for bytes in [&b""[..], b"x", &noise, &text, &noise[..LARGE]] {
            let packed = zip.pack(bytes).to_vec();
            let mut back = Vec::new();
            flate2::read::ZlibDecoder::new(&packed[..])
                .read_to_end(&mut back)
                .unwrap();
            assert_eq!(back, bytes);
        }
        assert!(zip.pack(&noise).len() < noise.len() + noise.len() / 1000 + 16);
        assert!(zip.pack(&text).len() < text.len() / 20);
    }
}

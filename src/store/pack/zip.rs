//! zlib, as fast as it can be without wasting space.

use flate2::{Compress, Compression, FlushCompress, Status};

/// For small objects: half the time of level 3 or 6, and 5,000 rows come out no larger.
const SMALL_LEVEL: u32 = 1;

/// For larger ones, where matches are worth looking for.
const LARGE_LEVEL: u32 = 4;

/// From this many bytes on an object is a larger one, and a part of it is tried first.
const LARGE: usize = 4096;

/// From this many objects on, threads are worth starting.
const MANY: usize = 256;

/// Objects compressed before they are written, so that memory stays bounded.
pub(super) const AT_ONCE: usize = 4096;

/// How many bytes of it, from its middle.
const SAMPLE: usize = 1024;

/// Compresses one object after another; making a new compressor for each costs more than the work.
pub(super) struct Zip {
    small: Compress,
    large: Compress,
    store: Compress,
    out: Vec<u8>,
}

impl Zip {
    pub(super) fn new() -> Self {
        Self {
            small: Compress::new(Compression::new(SMALL_LEVEL), true),
            large: Compress::new(Compression::new(LARGE_LEVEL), true),
            store: Compress::new(Compression::none(), true),
            out: Vec::new(),
        }
    }

    /// Calls `each` with the place and the zlib stream of each of these contents, in their order. Many are
    /// compressed on all cores; what is written does not depend on how many there are.
    pub(super) fn pack_each<E>(
        &mut self,
        contents: &[&[u8]],
        mut each: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        if contents.len() < MANY || threads == 1 {
            let mut all = contents.iter().enumerate();
            return all.try_for_each(|(at, bytes)| each(at, self.pack(bytes)));
        }
        let size = contents.len().div_ceil(threads);
        let packed: Vec<Vec<Vec<u8>>> = std::thread::scope(|scope| {
            let part = |part: &'_ [&[u8]]| {
                let mut zip = Zip::new();
                part.iter().map(|bytes| zip.pack(bytes).to_vec()).collect()
            };
            let parts = contents.chunks(size);
            let running: Vec<_> = parts.map(|some| scope.spawn(move || part(some))).collect();
            let done = running.into_iter().map(|thread| thread.join());
            done.map(|part| part.expect("compressing does not panic"))
                .collect()
        });
        let mut all = packed.into_iter().flatten().enumerate();
        all.try_for_each(|(at, packed)| each(at, &packed))
    }

    /// The zlib stream of these bytes; incompressible ones are stored in it as they are.
    pub(super) fn pack(&mut self, bytes: &[u8]) -> &[u8] {
        let how = if bytes.len() < LARGE {
            &mut self.small
        } else {
            let sample = &bytes[(bytes.len() - SAMPLE) / 2..][..SAMPLE];
            deflate(&mut self.small, sample, &mut self.out);
            let noise = self.out.len() > SAMPLE * 15 / 16;
            if noise {
                &mut self.store
            } else {
                &mut self.large
            }
        };
        deflate(how, bytes, &mut self.out);
        &self.out
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

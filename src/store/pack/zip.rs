//! zlib, as fast as it can be without wasting space.

use crate::store::Kind;
use flate2::{Compress, Compression, FlushCompress, Status};

/// For small objects: half the time of level 3 or 6, and 5,000 rows come out no larger.
const SMALL_LEVEL: u32 = 1;

/// For larger ones, where matches are worth looking for.
const LARGE_LEVEL: u32 = 4;

/// From this many bytes on an object is a larger one, and a part of it is tried first. Buckets are smaller.
const LARGE: usize = 32 * 1024;

/// Bytes in one block that is stored as it is, at most.
const BLOCK: usize = 0xffff;

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
    out: Vec<u8>,
}

impl Zip {
    pub(super) fn new() -> Self {
        Self {
            small: Compress::new(Compression::new(SMALL_LEVEL), true),
            large: Compress::new(Compression::new(LARGE_LEVEL), true),
            out: Vec::new(),
        }
    }

    /// Calls `each` with the place and the zlib stream of each of these contents, in their order. Many are
    /// compressed on all cores; what is written does not depend on how many there are.
    pub(super) fn pack_each<E>(
        &mut self,
        contents: &[(Kind, &[u8])],
        mut each: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        if contents.len() < MANY || threads == 1 {
            let mut all = contents.iter().enumerate();
            return all.try_for_each(|(at, (kind, bytes))| each(at, self.pack(*kind, bytes)));
        }
        let size = contents.len().div_ceil(threads);
        let packed: Vec<Vec<Vec<u8>>> = std::thread::scope(|scope| {
            let part = |part: &'_ [(Kind, &[u8])]| {
                let mut zip = Zip::new();
                let packed = part
                    .iter()
                    .map(|(kind, bytes)| zip.pack(*kind, bytes).to_vec());
                packed.collect()
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

    /// The zlib stream of an object's bytes; incompressible ones are stored in it as they are. So are commits and
    /// trees: they are signatures and ids for the most part, a seventh would be gained, and both to write and to
    /// read them would take twice as long.
    pub(super) fn pack(&mut self, kind: Kind, bytes: &[u8]) -> &[u8] {
        let dense = matches!(kind, Kind::Commit | Kind::Tree);
        if bytes.len() < LARGE {
            match dense {
                true => store(bytes, &mut self.out),
                false => deflate(&mut self.small, bytes, &mut self.out),
            }
            return &self.out;
        }
        let sample = &bytes[(bytes.len() - SAMPLE) / 2..][..SAMPLE];
        deflate(&mut self.small, sample, &mut self.out);
        match self.out.len() > SAMPLE * 15 / 16 {
            true => store(bytes, &mut self.out),
            false => deflate(&mut self.large, bytes, &mut self.out),
        }
        &self.out
    }
}

/// A zlib stream of blocks that are stored as they are (RFC 1950, 1951). A compressor would be made ready for each,
/// which costs more than all the rest.
fn store(bytes: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&[0x78, 0x01]);
    let mut rest = bytes;
    loop {
        let (block, more) = rest.split_at(rest.len().min(BLOCK));
        let len = u16::try_from(block.len()).expect("cut to 65,535 bytes");
        out.push(more.is_empty().into());
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&(!len).to_le_bytes());
        out.extend_from_slice(block);
        rest = more;
        if rest.is_empty() {
            break;
        }
    }
    out.extend_from_slice(&adler32(bytes).to_be_bytes());
}

/// The checksum at the end of a zlib stream.
fn adler32(bytes: &[u8]) -> u32 {
    const PRIME: u32 = 65_521;
    let (mut a, mut b) = (1u32, 0u32);
    // As many bytes as fit before the sums have to be reduced.
    for part in bytes.chunks(5552) {
        for byte in part {
            a += u32::from(*byte);
            b += a;
        }
        (a, b) = (a % PRIME, b % PRIME);
    }
    b << 16 | a
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
        let of = [
            &b""[..],
            b"x",
            &noise,
            &text,
            &noise[..LARGE],
            &noise[..BLOCK],
        ];
        let kinds = [Kind::Blob, Kind::Tree, Kind::Commit];
        let all: Vec<(Kind, &[u8])> = of
            .iter()
            .flat_map(|bytes| kinds.map(|kind| (kind, *bytes)))
            .collect();
        for (kind, bytes) in &all {
            let packed = zip.pack(*kind, bytes).to_vec();
            let mut back = Vec::new();
            flate2::read::ZlibDecoder::new(&packed[..])
                .read_to_end(&mut back)
                .unwrap();
            assert_eq!(back, *bytes);
        }
        let mut len = |bytes: &[u8]| zip.pack(Kind::Blob, bytes).len();
        assert!(len(&noise) < noise.len() + noise.len() / 1000 + 16);
        assert!(len(&text) < text.len() / 20);
    }

    #[test]
    fn what_is_written_does_not_depend_on_the_number_of_cores() {
        let texts: Vec<String> = (0..3 * MANY).map(|n| format!("{n} ").repeat(n)).collect();
        let kinds = [Kind::Blob, Kind::Tree].into_iter().cycle();
        let contents = kinds
            .zip(&texts)
            .map(|(kind, text)| (kind, text.as_bytes()));
        let contents: Vec<(Kind, &[u8])> = contents.collect();
        let mut zip = Zip::new();
        let one_by_one: Vec<Vec<u8>> = contents
            .iter()
            .map(|(kind, bytes)| zip.pack(*kind, bytes).to_vec())
            .collect();
        let mut together = Vec::new();
        let each = |at: usize, packed: &[u8]| {
            assert_eq!(at, together.len());
            together.push(packed.to_vec());
            Ok::<(), ()>(())
        };
        zip.pack_each(&contents, each).unwrap();
        assert_eq!(together, one_by_one);
    }
}

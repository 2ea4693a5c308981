//! zlib, as fast as it can be without wasting space.

use super::delta::Differ;
use crate::cores;
use flate2::{Compress, Compression, FlushCompress, Status};
use std::ops::Range;

/// For small objects: half the time of level 3 or 6, and 5,000 rows come out no larger.
const SMALL_LEVEL: u32 = 1;

/// How far back matches are looked for in them, in bits: all of them are below [`LARGE`]. A compressor that looks farther takes
/// 28 pages of memory more, and one page of a journal has one such object.
const SMALL_WINDOW: u8 = 12;

/// For larger ones, where matches are worth looking for.
const LARGE_LEVEL: u32 = 4;

/// For blocks of artifacts, of which there may be gigabytes.
const QUICK_LEVEL: u32 = 1;

/// For what is packed once and kept for years.
const THRIFTY_LEVEL: u32 = 9;

/// How far back matches are looked for, in bits, where nothing else is said.
const WINDOW: u8 = 15;

/// Deltas below this are ids for the most part; a compressor is not made ready for them.
const SHORT: usize = 96;

/// From this many bytes on an object is a larger one, and a part of it is tried first.
const LARGE: usize = 4096;

/// Nearly all buckets of rows are below this, and compress as well with little work.
const BUCKET: usize = 32 * 1024;

/// Bytes that a short stream has besides its contents, where these are stored.
const STORED: usize = 11;

/// Bytes in one block that is stored as it is, at most.
const BLOCK: usize = 0xffff;

/// From this many objects on, threads are worth starting.
const MANY: usize = 256;

/// Objects compressed before they are written, so that memory stays bounded.
pub(super) const AT_ONCE: usize = 4096;

/// How many bytes of it, in its middle and at both ends.
const SAMPLE: usize = 1024;

/// How much work an object is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// As usual.
    Usual,
    /// As little as pays.
    Quick,
    /// None for what is not large: it would not shrink by much.
    Dense,
    /// All that helps.
    Thrifty,
}

/// An object on its way into a pack, and others that it may be a version of.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) effort: Effort,
    pub(super) bases: [Option<&'a [u8]>; 2],
}

/// What is written for a piece.
pub(super) struct Packed<'a> {
    /// Which of the bases the stream holds a delta of, and that delta's length.
    pub(super) delta: Option<(usize, usize)>,
    /// The zlib stream.
    pub(super) stream: &'a [u8],
}

/// Compresses one object after another; making a new compressor for each costs more than the work. Each is made by who
/// needs it first: a single page needs two of them at most.
pub struct Zip {
    least: Level,
    small: Level,
    large: Level,
    quick: Level,
    thrifty: Level,
    differ: Differ,
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
        Self {
            least: Level {
                window: SMALL_WINDOW,
                ..Level::new(SMALL_LEVEL)
            },
            small: Level::new(SMALL_LEVEL),
            large: Level::new(LARGE_LEVEL),
            quick: Level::new(QUICK_LEVEL),
            thrifty: Level::new(THRIFTY_LEVEL),
            differ: Differ::default(),
            out: Vec::new(),
        }
    }

    /// The zlib stream of these bytes; incompressible ones are stored in it as they are.
    pub fn pack(&mut self, bytes: &[u8], effort: Effort) -> &[u8] {
        let len = self.fill(bytes, effort);
        &self.out[..len]
    }

    /// An object as a delta of one of its bases where that pays, else whole.
    pub(super) fn pack_piece(&mut self, piece: &Piece<'_>) -> Packed<'_> {
        let Piece { bytes, effort, .. } = *piece;
        let mut best: Option<(usize, Vec<u8>)> = None;
        let mut most = bytes.len() / 2;
        for (nth, base) in piece.bases.into_iter().enumerate() {
            let delta = base.and_then(|base| self.differ.encode(base, bytes, most));
            if let Some(delta) = delta {
                most = delta.len();
                best = Some((nth, delta));
            }
        }
        let (delta, len) = match best {
            None => (None, self.fill(bytes, effort)),
            Some((nth, delta)) => {
                let len = match delta.len() < SHORT {
                    true => store(&delta, &mut self.out),
                    false => self.fill(&delta, effort),
                };
                (Some((nth, delta.len())), len)
            }
        };
        let stream = &self.out[..len];
        Packed { delta, stream }
    }

    /// Calls `each` with the place of each of these pieces and what to write for it, in their order. Many are compressed on
    /// all cores; what is written does not depend on how many there are.
    pub(super) fn pack_each<E>(
        &mut self,
        pieces: &[Piece<'_>],
        mut each: impl FnMut(usize, Packed<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if pieces.len() < MANY {
            let mut all = pieces.iter().enumerate();
            return all.try_for_each(|(at, piece)| each(at, self.pack_piece(piece)));
        }
        let packed = cores::parts(pieces, MANY, |_, some| Part::pack(some));
        let mut at = 0;
        for part in &packed {
            for (delta, range) in &part.each {
                let (delta, stream) = (*delta, &part.bytes[range.clone()]);
                each(at, Packed { delta, stream })?;
                at += 1;
            }
        }
        Ok(())
    }

    /// Writes the stream into the output, and says how long it is.
    fn fill(&mut self, bytes: &[u8], effort: Effort) -> usize {
        let (size, out) = (bytes.len(), &mut self.out);
        if effort == Effort::Thrifty && size < SHORT {
            return store(bytes, out);
        }
        if effort == Effort::Thrifty {
            let len = deflate(&mut self.thrifty, bytes, out);
            return match len < size + STORED {
                true => len,
                false => store(bytes, out),
            };
        }
        if effort == Effort::Dense && size < BUCKET {
            return store(bytes, out);
        }
        if size < LARGE {
            return deflate(&mut self.least, bytes, out);
        }
        if is_noise(bytes, &mut self.small, out) {
            return store(bytes, out);
        }
        if effort == Effort::Usual && size < BUCKET {
            return deflate(&mut self.small, bytes, out);
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
            true => store(bytes, out),
            false => len,
        }
    }
}

/// A compressor that is made when it is needed.
struct Level {
    level: u32,
    window: u8,
    made: Option<Compress>,
}

impl Level {
    fn new(level: u32) -> Self {
        Self {
            level,
            window: WINDOW,
            made: None,
        }
    }

    fn get(&mut self) -> &mut Compress {
        let level = Compression::new(self.level);
        let make = || Compress::new_with_window_bits(level, true, self.window);
        self.made.get_or_insert_with(make)
    }
}

type Entry = (Option<(usize, usize)>, Range<usize>);

/// What one thread packed, in one piece of memory.
#[derive(Default)]
struct Part {
    bytes: Vec<u8>,
    /// Which base and how long a delta, if it is one; and where its stream is.
    each: Vec<Entry>,
}

impl Part {
    fn pack(pieces: &[Piece<'_>]) -> Self {
        let (mut zip, mut part) = (Zip::new(), Self::default());
        for piece in pieces {
            let packed = zip.pack_piece(piece);
            let from = part.bytes.len();
            part.bytes.extend_from_slice(packed.stream);
            part.each.push((packed.delta, from..part.bytes.len()));
        }
        part
    }
}

/// Whether compressing would not pay, as far as a few samples tell: all byte values come about equally often, and
/// nothing returns.
fn is_noise(bytes: &[u8], quick: &mut Level, out: &mut Vec<u8>) -> bool {
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

/// Writes a zlib stream of blocks that are stored as they are (RFC 1950, 1951) to the beginning of `out`. A compressor
/// would be made ready for each, which costs more than all the rest.
fn store(bytes: &[u8], out: &mut Vec<u8>) -> usize {
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
    out.len()
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

/// Writes a stream to the beginning of `out`, which only grows: what was there is overwritten and never cleared.
fn deflate(how: &mut Level, bytes: &[u8], out: &mut Vec<u8>) -> usize {
    let how = how.get();
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
        for effort in [Effort::Usual, Effort::Quick, Effort::Dense, Effort::Thrifty] {
            let cut = [&noise[..LARGE], &noise[..BLOCK], &noise[..BUCKET - 1]];
            for bytes in [&b""[..], b"x", &noise, &text, &wheel, &hex]
                .into_iter()
                .chain(cut)
            {
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

    #[test]
    fn small_objects_come_back_however_far_they_repeat_themselves() {
        let mut zip = Zip::new();
        // Noise, and itself once more: what is looked for lies as far back as it can.
        let noise: Vec<u8> = (0..LARGE as u32)
            .map(|n| blake3::hash(&n.to_le_bytes()).as_bytes()[0])
            .collect();
        let words = b"a line like all the others\n".repeat(LARGE);
        let half = LARGE / 2;
        let sizes = [
            1,
            SHORT - 1,
            SHORT,
            SHORT + 1,
            half,
            3833,
            3834,
            3835,
            LARGE - 1,
        ];
        for size in sizes {
            let back = [1, 2, 100, half, 3833, 3834, 3835];
            let repeated = back.map(|back| {
                let from = noise[..back.min(size)].iter().cycle();
                from.take(size).copied().collect::<Vec<u8>>()
            });
            for bytes in repeated.iter().map(Vec::as_slice).chain([&words[..size]]) {
                let packed = zip.pack(bytes, Effort::Usual).to_vec();
                let mut again = Vec::new();
                flate2::read::ZlibDecoder::new(&packed[..])
                    .read_to_end(&mut again)
                    .unwrap();
                assert_eq!(again, bytes, "{size}");
            }
        }
        let packed = zip.pack(&words[..LARGE - 1], Effort::Usual).len();
        assert!(packed < LARGE / 20, "{packed}");
    }

    #[test]
    fn what_is_written_does_not_depend_on_the_number_of_cores() {
        let texts: Vec<String> = (0..3 * MANY).map(|n| format!("{n} ").repeat(n)).collect();
        let efforts = [Effort::Usual, Effort::Dense, Effort::Thrifty];
        let piece = |n: usize| Piece {
            bytes: texts[n].as_bytes(),
            effort: efforts[n % 3],
            bases: [n.checked_sub(1), n.checked_sub(2)].map(|n| n.map(|n| texts[n].as_bytes())),
        };
        let pieces: Vec<Piece<'_>> = (0..texts.len()).map(piece).collect();
        let mut zip = Zip::new();
        let one_by_one: Vec<_> = pieces
            .iter()
            .map(|piece| {
                let packed = zip.pack_piece(piece);
                (packed.delta, packed.stream.to_vec())
            })
            .collect();
        let mut together = Vec::new();
        let each = |at: usize, packed: Packed<'_>| {
            assert_eq!(at, together.len());
            together.push((packed.delta, packed.stream.to_vec()));
            Ok::<(), ()>(())
        };
        zip.pack_each(&pieces, each).unwrap();
        assert_eq!(together, one_by_one);
    }
}

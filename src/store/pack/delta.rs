//! Deltas as packs have them: an object as copies of parts of another one, and what is new between them.
//!
//! Versions of a directory, of a bucket of rows and of a commit's message differ in one place or a few, so the common
//! ends are cut off first and only what is between them is looked for.

/// Bytes that are compared at a time while matches are looked for.
const WINDOW: usize = 8;

/// Less than this is an id for the most part, and is not searched for.
const WORTH: usize = 32;

/// Bytes on both sides of what changed that are looked at for parts of it: a new row has words of its neighbours, and
/// to look at all of a bucket for one row takes longer than all else.
const NEAR: usize = 1024;

/// Bytes that are compared at a time at the common ends.
const BLOCK: usize = 16;

/// Bits of a place in the table of windows.
const BITS: u32 = 12;

/// A shorter copy costs as much as the bytes themselves.
const SHORTEST: usize = 5;

/// Bytes that one operation copies at most; packs allow one more.
const COPIED: usize = 0xffff;

/// Bytes that one operation brings along at most.
const BROUGHT: usize = 0x7f;

/// Makes deltas, one after the other in the same memory.
#[derive(Default)]
pub(super) struct Differ {
    /// Where in the middle of the base a window may be, plus one.
    places: Vec<u16>,
}

impl Differ {
    /// How `target` is made of `base`, if that takes fewer than `most` bytes.
    pub(super) fn encode(&mut self, base: &[u8], target: &[u8], most: usize) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(96);
        put_size(&mut out, base.len());
        put_size(&mut out, target.len());
        let head = long_enough(common_head(base, target));
        let (old, new) = (&base[head..], &target[head..]);
        let tail = long_enough(common_tail(old, new));
        let new = &new[..new.len() - tail];
        put_copy(&mut out, 0, head);
        let from = head.saturating_sub(NEAR);
        let to = (base.len() - tail + NEAR).min(base.len());
        self.middle(&mut out, (from, &base[from..to]), new, most)?;
        put_copy(&mut out, base.len() - tail, tail);
        (out.len() < most).then_some(out)
    }

    /// What is between the ends, made of a part of the base, which begins at `start`. `None` if it takes too many bytes.
    fn middle(
        &mut self,
        out: &mut Vec<u8>,
        (start, old): (usize, &[u8]),
        new: &[u8],
        most: usize,
    ) -> Option<()> {
        if new.len() < WORTH || !(WINDOW..usize::from(u16::MAX)).contains(&old.len()) {
            put_new(out, new);
            return Some(());
        }
        self.learn(old);
        // Before `brought` everything is written.
        let (mut at, mut brought) = (0, 0);
        while at + WINDOW <= new.len() {
            let place = usize::from(self.places[slot(&new[at..])]);
            if place == 0 || old[place - 1..][..WINDOW] != new[at..][..WINDOW] {
                at += 1;
                continue;
            }
            let from = place - 1;
            let before = common_tail(&old[..from], &new[brought..at]);
            let length = common_head(&old[from..], &new[at..]);
            put_new(out, &new[brought..at - before]);
            put_copy(out, start + from - before, before + length);
            at += length;
            brought = at;
            if out.len() >= most {
                return None;
            }
        }
        put_new(out, &new[brought..]);
        Some(())
    }

    /// Remembers the first place of each window.
    fn learn(&mut self, old: &[u8]) {
        self.places.clear();
        self.places.resize(1 << BITS, 0);
        for at in (0..=old.len() - WINDOW).rev() {
            self.places[slot(&old[at..])] = at as u16 + 1;
        }
    }
}

fn slot(bytes: &[u8]) -> usize {
    let window = bytes[..WINDOW].try_into().expect("cut to eight bytes");
    let mixed = u64::from_le_bytes(window).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (64 - BITS)) as usize
}

/// How many are the same from the beginning on.
fn same<T: PartialEq>(a: impl Iterator<Item = T>, b: impl Iterator<Item = T>) -> usize {
    a.zip(b).take_while(|(a, b)| a == b).count()
}

/// How many of the first bytes are the same.
fn common_head(a: &[u8], b: &[u8]) -> usize {
    let (a_blocks, _) = a.as_chunks::<BLOCK>();
    let (b_blocks, _) = b.as_chunks::<BLOCK>();
    let whole = BLOCK * same(a_blocks.iter(), b_blocks.iter());
    whole + same(a[whole..].iter(), b[whole..].iter())
}

/// How many of the last bytes are the same.
fn common_tail(a: &[u8], b: &[u8]) -> usize {
    let (_, a_blocks) = a.as_rchunks::<BLOCK>();
    let (_, b_blocks) = b.as_rchunks::<BLOCK>();
    let whole = BLOCK * same(a_blocks.iter().rev(), b_blocks.iter().rev());
    let (a, b) = (&a[..a.len() - whole], &b[..b.len() - whole]);
    whole + same(a.iter().rev(), b.iter().rev())
}

fn long_enough(length: usize) -> usize {
    if length < SHORTEST { 0 } else { length }
}

fn put_size(out: &mut Vec<u8>, mut size: usize) {
    while size > 0x7f {
        out.push(size as u8 | 0x80);
        size >>= 7;
    }
    out.push(size as u8);
}

fn put_new(out: &mut Vec<u8>, bytes: &[u8]) {
    for part in bytes.chunks(BROUGHT) {
        out.push(part.len() as u8);
        out.extend_from_slice(part);
    }
}

fn put_copy(out: &mut Vec<u8>, mut from: usize, mut length: usize) {
    while length > 0 {
        let some = length.min(COPIED);
        let (op, mut bits) = (out.len(), 0x80);
        out.push(0);
        // Bytes of zero are left out, and the operation says which are there.
        for (nth, byte) in (from as u32).to_le_bytes().into_iter().enumerate() {
            if byte != 0 {
                bits |= 1 << nth;
                out.push(byte);
            }
        }
        for (nth, byte) in (some as u16).to_le_bytes().into_iter().enumerate() {
            if byte != 0 {
                bits |= 0x10 << nth;
                out.push(byte);
            }
        }
        out[op] = bits;
        (from, length) = (from + some, length - some);
    }
}

/// Makes the object that a delta describes; `None` if the delta is not one of this base, or its object is larger than
/// `most` bytes.
pub(super) fn apply(base: &[u8], delta: &[u8], most: u64) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    apply_into(&mut out, base, delta, most).then_some(out)
}

/// As [`apply`], into memory that was used before; what is in it after a `false` means nothing.
pub(super) fn apply_into(out: &mut Vec<u8>, base: &[u8], delta: &[u8], most: u64) -> bool {
    out.clear();
    let size = put_together(out, base, delta, most);
    size.is_some_and(|size| out.len() as u64 == size)
}

/// Says how long the object should be.
fn put_together(out: &mut Vec<u8>, base: &[u8], delta: &[u8], most: u64) -> Option<u64> {
    let mut rest = delta;
    if take_size(&mut rest)? != base.len() as u64 {
        return None;
    }
    let size = take_size(&mut rest).filter(|size| *size <= most)?;
    out.reserve_exact(usize::try_from(size).ok()?);
    while let Some((op, more)) = rest.split_first() {
        rest = more;
        if op & 0x80 == 0 {
            // An operation of zero means nothing.
            let (bytes, more) = rest
                .split_at_checked(usize::from(*op))
                .filter(|_| *op > 0)?;
            out.extend_from_slice(bytes);
            rest = more;
            continue;
        }
        let from = take_word(&mut rest, op & 0x0f)?;
        let length = match take_word(&mut rest, op >> 4 & 7)? {
            0 => 0x1_0000,
            length => length,
        };
        out.extend_from_slice(base.get(from..from.checked_add(length)?)?);
        if out.len() as u64 > size {
            return None;
        }
    }
    Some(size)
}

/// A number of which only the bytes are there that the bits say, the lowest first.
fn take_word(rest: &mut &[u8], bits: u8) -> Option<usize> {
    let mut word = 0;
    for nth in 0..4 {
        if bits >> nth & 1 == 1 {
            let (byte, more) = rest.split_first()?;
            word |= usize::from(*byte) << (8 * nth);
            *rest = more;
        }
    }
    Some(word)
}

fn take_size(rest: &mut &[u8]) -> Option<u64> {
    let (mut size, mut shift) = (0, 0);
    loop {
        let (byte, more) = rest.split_first()?;
        *rest = more;
        size |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(size);
        }
        shift += 7;
        if shift > 56 {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u32, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.finalize_xof().fill(&mut bytes);
        bytes
    }

    fn round(base: &[u8], target: &[u8]) -> usize {
        let delta = Differ::default().encode(base, target, usize::MAX).unwrap();
        assert_eq!(apply(base, &delta, u64::MAX).unwrap(), target);
        assert_eq!(apply(base, &delta, target.len() as u64).unwrap(), target);
        if !target.is_empty() {
            assert_eq!(apply(base, &delta, target.len() as u64 - 1), None);
        }
        delta.len()
    }

    #[test]
    fn a_changed_id_costs_the_id_and_a_few_bytes() {
        let old = noise(1, 28 * 16);
        for at in [0, 28 * 7, 28 * 15] {
            let mut new = old.clone();
            new[at + 8..][..20].copy_from_slice(&noise(2, 20));
            assert!(round(&old, &new) <= 20 + 14, "{at}");
        }
        assert!(round(&old, &old) < 10);
    }

    #[test]
    fn common_ends_are_as_long_as_they_are() {
        let old = noise(1, 100);
        for at in 0..100 {
            let mut new = old.clone();
            new[at] ^= 1;
            assert_eq!(common_head(&old, &new), at);
            assert_eq!(common_tail(&old, &new), 99 - at);
            assert_eq!(common_head(&old, &old[..at]), at);
            assert_eq!(common_tail(&old[at..], &old), 100 - at);
        }
    }

    #[test]
    fn a_new_row_among_many_has_words_of_its_neighbours() {
        let row =
            |n: u32| format!("{{\"alias\":\"names/of/things/{n:05}\",\"target\":\"t{n}\"}}\n");
        for at in [0, 1, 50, 298, 299] {
            let old: String = (0..300).filter(|n| *n != at).map(row).collect();
            let new: String = (0..300).map(row).collect();
            assert!(old.len() > 4 * NEAR);
            assert!(round(old.as_bytes(), new.as_bytes()) < 48, "{at}");
        }
    }

    #[test]
    fn changes_in_several_places_are_found() {
        let old = noise(3, 900);
        let mut new = old.clone();
        for at in [40, 100, 300, 700] {
            new[at..at + 20].copy_from_slice(&noise(at as u32, 20));
        }
        new.splice(500..500, noise(9, 33));
        assert!(round(&old, &new) < 4 * 30 + 33 + 40);
    }

    #[test]
    fn anything_becomes_anything() {
        let large = noise(4, 200_000);
        let cases = [
            vec![],
            vec![1],
            noise(5, 4),
            noise(5, 127),
            noise(5, 128),
            noise(6, 70_000),
            [&large[100_000..], &large[..100_000]].concat(),
            vec![0; 0x1_0000],
            vec![0; 0x2_0001],
            large,
        ];
        for base in &cases {
            for target in &cases {
                round(base, target);
            }
        }
    }

    #[test]
    fn too_long_a_delta_is_none() {
        let (old, new) = (noise(7, 500), noise(8, 500));
        assert_eq!(Differ::default().encode(&old, &new, 400), None);
    }

    #[test]
    fn damaged_deltas_never_make_more_than_they_say() {
        let old = noise(1, 448);
        let mut new = old.clone();
        new[100..120].copy_from_slice(&noise(2, 20));
        let delta = Differ::default().encode(&old, &new, usize::MAX).unwrap();
        for at in 0..delta.len() {
            assert_eq!(apply(&old, &delta[..at], u64::MAX), None, "cut at {at}");
            for bit in 0..8 {
                let mut bad = delta.clone();
                bad[at] ^= 1 << bit;
                if let Some(made) = apply(&old, &bad, 500) {
                    assert!(made.len() <= 500);
                }
            }
        }
        assert_eq!(apply(&old[1..], &delta, u64::MAX), None);
        assert_eq!(apply(&old, &[&delta[..], &[0]].concat(), u64::MAX), None);
    }
}

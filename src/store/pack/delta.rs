//! Objects as changes of others, as packs have them.

/// Makes the object that a delta describes; `None` if the delta is not one of this base, or its object is larger than
/// `most` bytes.
pub(super) fn apply(base: &[u8], delta: &[u8], most: u64) -> Option<Vec<u8>> {
    let mut rest = delta;
    if take_size(&mut rest)? != base.len() as u64 {
        return None;
    }
    let size = take_size(&mut rest).filter(|size| *size <= most)?;
    let mut out = Vec::with_capacity(usize::try_from(size).ok()?);
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
    (out.len() as u64 == size).then_some(out)
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

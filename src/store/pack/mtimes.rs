//! `.mtimes` beside a pack: since when each of its objects is needed by nothing that git knows of. The format is
//! git's, version 1.

use super::super::git::Hasher;
use crate::model::{Code, ObjectFormat, Oid};
use crate::store::StoreFault;

const MAGIC: &[u8; 8] = b"MTME\0\0\0\x01";

fn hash_word(format: ObjectFormat) -> u32 {
    match format {
        ObjectFormat::Sha1 => 1,
        ObjectFormat::Sha256 => 2,
    }
}

/// The file for a pack with this checksum; the times, in seconds since 1970, stand in the order of the sorted ids.
///
/// # Errors
/// `object-damaged` for bytes that carry a SHA-1 collision attack.
pub fn encode(format: ObjectFormat, times: &[u32], checksum: &Oid) -> Result<Vec<u8>, StoreFault> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&hash_word(format).to_be_bytes());
    for time in times {
        out.extend_from_slice(&time.to_be_bytes());
    }
    out.extend_from_slice(checksum.as_bytes());
    let mut hash = Hasher::new(format);
    hash.update(&out);
    out.extend_from_slice(hash.finish()?.as_bytes());
    Ok(out)
}

/// The times of a pack of so many objects.
///
/// # Errors
/// `object-damaged` for anything but what [`encode`] makes.
pub fn decode(format: ObjectFormat, bytes: &[u8], count: u32) -> Result<Vec<u32>, StoreFault> {
    let damaged = || {
        let what = "the times beside a pack of unreachable objects are damaged";
        StoreFault::new(Code::ObjectDamaged, what)
    };
    let table = 12..12 + count as usize * 4;
    let len = format.id_len();
    let whole = bytes.len() == table.end + 2 * len;
    let head = bytes.get(..12).ok_or_else(damaged)?;
    if !whole || head[..8] != MAGIC[..] || head[8..] != hash_word(format).to_be_bytes() {
        return Err(damaged());
    }
    let mut hash = Hasher::new(format);
    hash.update(&bytes[..table.end + len]);
    if hash.finish()?.as_bytes() != &bytes[table.end + len..] {
        return Err(damaged());
    }
    let times = bytes[table].as_chunks::<4>().0;
    Ok(times.iter().map(|time| u32::from_be_bytes(*time)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_round_trip_and_damage_is_seen() {
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            let id = Oid::from_bytes(&vec![7; format.id_len()]).unwrap();
            let times = [5, u32::MAX, 0];
            let bytes = encode(format, &times, &id).unwrap();
            assert_eq!(decode(format, &bytes, 3).unwrap(), times);
            assert!(decode(format, &bytes, 2).is_err());
            for at in 0..bytes.len() {
                let mut bad = bytes.clone();
                bad[at] ^= 1;
                assert!(decode(format, &bad, 3).is_err(), "byte {at}");
            }
        }
    }
}

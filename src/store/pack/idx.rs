//! Pack indexes, version 2: 256 running counts, then ids, checksums and offsets, each in a table.

use super::checksum::Sum;
use crate::model::{Code, ObjectFormat, Oid};
use crate::store::StoreFault;

pub(super) const MAGIC: &[u8; 8] = b"\xfftOc\0\0\0\x02";

/// Bytes before the table of ids.
pub(super) const TABLES: usize = 8 + 256 * 4;

/// Where an object lies in its pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) id: Oid,
    /// Bytes before its entry.
    pub(super) offset: u64,
    /// CRC-32 of its entry, header and compressed bytes.
    pub(super) crc: u32,
}

/// Sorts by id.
pub(super) fn sort(placed: &mut [Placed]) {
    placed.sort_unstable_by_key(|placed| placed.id);
}

/// The index of a pack with this checksum; `placed` is sorted by id.
pub(super) fn encode(
    format: ObjectFormat,
    placed: &[Placed],
    checksum: &Oid,
) -> Result<Vec<u8>, StoreFault> {
    let mut out = Vec::with_capacity(TABLES + placed.len() * (format.id_len() + 8) + 64);
    out.extend_from_slice(MAGIC);
    for first in 0..=255u8 {
        let upto = placed.partition_point(|p| p.id.as_bytes()[0] <= first);
        out.extend_from_slice(&(upto as u32).to_be_bytes());
    }
    for one in placed {
        out.extend_from_slice(one.id.as_bytes());
    }
    for one in placed {
        out.extend_from_slice(&one.crc.to_be_bytes());
    }
    // Offsets from 2^31 on lie in a table of their own, and the first one says where in it.
    let mut large: Vec<u64> = Vec::new();
    for one in placed {
        let small = u32::try_from(one.offset)
            .ok()
            .filter(|offset| *offset < 1 << 31);
        let field = small.unwrap_or_else(|| {
            large.push(one.offset);
            1 << 31 | (large.len() - 1) as u32
        });
        out.extend_from_slice(&field.to_be_bytes());
    }
    for offset in large {
        out.extend_from_slice(&offset.to_be_bytes());
    }
    out.extend_from_slice(checksum.as_bytes());
    let mut hash = Sum::new(format);
    hash.update(&out);
    out.extend_from_slice(hash.finish()?.as_bytes());
    Ok(out)
}

/// Reads an index back, sorted by id.
pub(super) fn decode(format: ObjectFormat, bytes: &[u8]) -> Result<Vec<Placed>, StoreFault> {
    let damaged = || StoreFault::new(Code::ObjectDamaged, "a pack index is damaged");
    let word = |at: usize| -> Option<u32> {
        Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    };
    if !bytes.starts_with(MAGIC) {
        return Err(damaged());
    }
    let count = word(TABLES - 4).ok_or_else(damaged)? as usize;
    let len = format.id_len();
    let large = TABLES + count * (len + 8);
    let more = bytes.len().checked_sub(large + 2 * len);
    let more = more.filter(|more| more % 8 == 0 && more / 8 <= count);
    let end = large + more.ok_or_else(damaged)?;
    let mut placed = Vec::with_capacity(count);
    for n in 0..count {
        let at = TABLES + n * len;
        let id = Oid::from_bytes(&bytes[at..at + len]).map_err(|_| damaged())?;
        let crcs = TABLES + count * len;
        let crc = word(crcs + n * 4).ok_or_else(damaged)?;
        let offset = word(crcs + count * 4 + n * 4).ok_or_else(damaged)?;
        let offset = match offset >> 31 {
            0 => u64::from(offset),
            _ => {
                let at = large + (offset & 0x7fff_ffff) as usize * 8;
                let (high, low) = (word(at), word(at + 4).filter(|_| at + 8 <= end));
                u64::from(high.ok_or_else(damaged)?) << 32 | u64::from(low.ok_or_else(damaged)?)
            }
        };
        placed.push(Placed { id, offset, crc });
    }
    Ok(placed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_round_trip_and_damage_is_seen() {
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            let id = |n: u8| Oid::from_bytes(&vec![n; format.id_len()]).unwrap();
            let placed: Vec<Placed> = (0..200)
                .map(|n| Placed {
                    id: id(n),
                    offset: 12 + u64::from(n),
                    crc: u32::from(n),
                })
                .collect();
            let bytes = encode(format, &placed, &id(7)).unwrap();
            assert_eq!(decode(format, &bytes).unwrap(), placed);
            assert!(decode(format, &bytes[..bytes.len() - 1]).is_err());
            assert!(decode(format, &[]).is_err());
        }
    }

    #[test]
    fn large_offsets_get_their_own_table() {
        let id = Oid::from_bytes(&[1; 20]).unwrap();
        let far = [Placed {
            id,
            offset: 5 << 32,
            crc: 0,
        }];
        let bytes = encode(ObjectFormat::Sha1, &far, &id).unwrap();
        let at = TABLES + 20 + 4;
        assert_eq!(bytes[at..at + 4], (1u32 << 31).to_be_bytes());
        assert_eq!(bytes[at + 4..at + 12], (5u64 << 32).to_be_bytes());
        assert_eq!(decode(ObjectFormat::Sha1, &bytes).unwrap(), far);
        assert!(decode(ObjectFormat::Sha1, &bytes[..bytes.len() - 8]).is_err());
    }
}

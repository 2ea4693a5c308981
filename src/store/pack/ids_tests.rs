use super::super::idx::{Placed, encode};
use super::*;
use crate::model::ObjectFormat;

/// Ids that are sorted and lie as hashes do, or all but one with the same beginning.
fn ids(format: ObjectFormat, count: u32, crowded: bool) -> Vec<Oid> {
    let id = |n: u32| {
        let mut bytes = blake3::hash(&n.to_le_bytes()).as_bytes()[..format.id_len()].to_vec();
        if crowded && n > 0 {
            bytes[..4].copy_from_slice(&[3, 0xff, 0xff, 0xff]);
        }
        Oid::from_bytes(&bytes).unwrap()
    };
    let mut ids: Vec<Oid> = (0..count).map(id).collect();
    ids.sort();
    ids
}

#[test]
fn every_id_is_found_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("one.idx");
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        for (count, crowded) in [
            (0, false),
            (1, false),
            (300, true),
            (5000, true),
            (70_000, false),
        ] {
            let ids = ids(format, count + 1, crowded);
            let (there, gone) = (&ids[..count as usize], &ids[count as usize]);
            let offset = |n: usize| {
                if n % 7 == 3 {
                    (n as u64) << 33
                } else {
                    n as u64
                }
            };
            let placed = there.iter().enumerate().map(|(n, id)| Placed {
                id: *id,
                offset: offset(n),
                crc: 0,
            });
            let placed: Vec<Placed> = placed.collect();
            std::fs::write(&path, encode(format, &placed, gone).unwrap()).unwrap();
            let index = Ids::open(&path, format.id_len()).unwrap();
            for (n, id) in there.iter().enumerate().step_by(13) {
                assert_eq!(index.offset(id), Some(offset(n)), "{n} of {count}");
            }
            assert!(!index.has(gone));
            for n in 0..200u32 {
                let other = blake3::hash(&(n + 1_000_000).to_le_bytes());
                let other = Oid::from_bytes(&other.as_bytes()[..format.id_len()]).unwrap();
                assert!(!index.has(&other));
            }
        }
    }
}

#[test]
fn what_is_no_index_or_ends_early_has_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("one.idx");
    let ids = ids(ObjectFormat::Sha1, 3000, false);
    let placed = ids.iter().map(|id| Placed {
        id: *id,
        offset: 12,
        crc: 0,
    });
    let placed: Vec<Placed> = placed.collect();
    let bytes = encode(ObjectFormat::Sha1, &placed, &ids[0]).unwrap();
    std::fs::write(&path, &bytes[..TABLES + 20 * 1000]).unwrap();
    let index = Ids::open(&path, 20).unwrap();
    assert!(index.has(&ids[1]) && !index.has(&ids[2999]));
    assert_eq!(index.offset(&ids[1]), None);
    std::fs::write(&path, &bytes[..TABLES - 1]).unwrap();
    assert!(Ids::open(&path, 20).is_none());
    let mut unsorted = bytes.clone();
    unsorted[8] = 0xff;
    std::fs::write(&path, &unsorted).unwrap();
    assert!(Ids::open(&path, 20).is_none());
}

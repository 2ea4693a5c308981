use super::*;
use proptest::prelude::*;

fn id(format: ObjectFormat, n: u8) -> Oid {
    Oid::from_bytes(&vec![n; format.id_len()]).unwrap()
}

fn record(format: ObjectFormat, key: u8, lengths: &[(u8, u32)]) -> Record {
    let size = lengths.iter().map(|(_, length)| u64::from(*length)).sum();
    Record {
        key: ContentDigest([key; 32]),
        size,
        manifest: key % 2 == 1,
        extents: lengths
            .iter()
            .map(|(block, length)| Extent {
                block: id(format, *block),
                offset: u32::from(key),
                length: *length,
            })
            .collect(),
        groups: (0..groups_of(size)).map(|n| [n as u8; 32]).collect(),
    }
}

fn sample(format: ObjectFormat) -> Vec<Record> {
    vec![
        record(format, 9, &[(3, 7), (1, 1_000_000), (3, 500_000)]),
        record(format, 2, &[]),
        record(format, 4, &[(2, 5)]),
    ]
}

#[test]
fn the_bytes_are_those_of_the_format() {
    let bytes = encode(
        ObjectFormat::Sha1,
        vec![record(ObjectFormat::Sha1, 5, &[(0xaa, 3)])],
    )
    .unwrap();
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    let expected = [
        "666f6c696f20736865657420310a0000",
        "0000001400000001000000010000000100000000",
        "00000000",
        &"aa".repeat(20),
        &"05".repeat(32),
        "0000000000000003",
        "00000000000000010000000000000000",
        "0000000100000000",
        "000000000000000500000003",
    ];
    assert_eq!(hex, expected.concat());
    let digest = blake3::hash(&encode(ObjectFormat::Sha256, sample(ObjectFormat::Sha256)).unwrap());
    assert_eq!(
        digest.to_hex().as_str(),
        "a2ae928520da99586db1e1a377a234d51c9ff61ca63dafae30e04b18e46b5441"
    );
}

#[test]
fn sheets_round_trip_sorted_by_key() {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        let bytes = encode(format, sample(format)).unwrap();
        let sheet = Sheet::parse(format, &bytes).unwrap();
        let mut expected = sample(format);
        expected.sort_by_key(|record| record.key);
        assert_eq!(sheet.records().collect::<Vec<_>>(), expected);
        let blocks: Vec<Oid> = sheet.blocks().collect();
        assert_eq!(blocks, [1, 2, 3].map(|n| id(format, n)));
        let other = match format {
            ObjectFormat::Sha1 => ObjectFormat::Sha256,
            ObjectFormat::Sha256 => ObjectFormat::Sha1,
        };
        assert!(Sheet::parse(other, &bytes).is_err());
        assert!(encode(other, sample(format)).is_err());
        let empty = encode(format, Vec::new()).unwrap();
        assert_eq!(Sheet::parse(format, &empty).unwrap().records().count(), 0);
    }
}

#[test]
fn records_that_no_sheet_may_hold_are_not_written() {
    let format = ObjectFormat::Sha1;
    let refused = |change: &dyn Fn(&mut Vec<Record>)| {
        let mut records = sample(format);
        change(&mut records);
        encode(format, records).unwrap_err().code
    };
    let malformed = Code::SheetMalformed;
    assert_eq!(refused(&|r| r[1].key = r[0].key), malformed);
    assert_eq!(refused(&|r| r[0].size += 1), malformed);
    assert_eq!(refused(&|r| r[0].groups.truncate(1)), malformed);
    assert_eq!(refused(&|r| r[2].groups.push([0; 32])), malformed);
    assert_eq!(refused(&|r| r[2].extents[0].length = 0), malformed);
    assert_eq!(refused(&|r| r[2].extents[0].offset = 1 << 20), malformed);
    assert_eq!(refused(&|r| r[2].extents[0].offset = u32::MAX), malformed);
}

/// Changes the number at a byte and expects a refusal.
fn refused(bytes: &[u8], at: u64, value: u32) {
    let mut changed = bytes.to_vec();
    let at = at as usize;
    changed[at..at + 4].copy_from_slice(&value.to_be_bytes());
    assert_ne!(changed, bytes, "byte {at}");
    let fault = Sheet::parse(ObjectFormat::Sha1, &changed).unwrap_err();
    assert!(
        matches!(fault.code, Code::SheetMalformed | Code::TooLarge),
        "byte {at}"
    );
}

#[test]
fn every_field_is_checked() {
    let format = ObjectFormat::Sha1;
    let bytes = encode(format, sample(format)).unwrap();
    let layout = Layout::parse(format, &bytes).unwrap();
    // Header: magic, length of ids, the four counts, what is reserved.
    for at in (0..HEADER as u64).step_by(4) {
        for value in [0x7777_7777, 1, u32::MAX] {
            let found = u32::from_be_bytes(bytes[at as usize..at as usize + 4].try_into().unwrap());
            if value != found {
                refused(&bytes, at, value);
            }
        }
    }
    // Of each entry: the size's halves, both pairs of first and count, the flags, what is reserved.
    for n in 0..layout.entries {
        for field in 0..8 {
            let at = layout.entry_at(n) + 32 + field * 4;
            refused(&bytes, at, 0x7777_7777);
        }
    }
    // Keys and block ids out of order, or twice.
    refused(&bytes, layout.entry_at(1), 0x0a0a_0a0a);
    refused(&bytes, layout.block_at(1), 0x0404_0404);
    let mut twice = bytes.clone();
    let (first, second) = (layout.block_at(0) as usize, layout.block_at(1) as usize);
    twice.copy_within(first..first + 20, second);
    assert!(Sheet::parse(format, &twice).is_err());
    // Extents: a block that is not there, one that nothing is left in, beyond a block's end, no bytes.
    let extent = layout.extent_at(0);
    refused(&bytes, extent, 3);
    refused(&bytes, extent, 0);
    refused(&bytes, extent + 4, 1 << 20);
    refused(&bytes, extent + 8, 0);
    refused(&bytes, extent + 8, 6);
}

#[test]
fn lying_counts_are_refused_before_anything_is_allocated() {
    let mut header = encode(ObjectFormat::Sha1, Vec::new()).unwrap();
    for (field, code) in [
        (1, Code::TooLarge),
        (2, Code::TooLarge),
        (3, Code::TooLarge),
        (4, Code::TooLarge),
    ] {
        let at = 16 + field * 4;
        header[at..at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        let fault = Layout::parse(ObjectFormat::Sha1, &header).unwrap_err();
        assert_eq!(fault.code, code);
        header[at..at + 4].copy_from_slice(&[0; 4]);
    }
}

proptest! {
    #[test]
    fn any_records_round_trip_and_no_truncation_or_addition_is_a_sheet(
        lengths in proptest::collection::btree_map(
            any::<u8>(),
            proptest::collection::vec((0u8..6, 1u32..300_000), 0..6),
            0..8,
        ),
        cut in any::<proptest::sample::Index>(),
    ) {
        let format = ObjectFormat::Sha256;
        let records: Vec<Record> = lengths.iter().map(|(key, parts)| record(format, *key, parts)).collect();
        let bytes = encode(format, records.clone()).unwrap();
        let sheet = Sheet::parse(format, &bytes).unwrap();
        prop_assert_eq!(sheet.records().collect::<Vec<_>>(), records);
        let cut = cut.index(bytes.len());
        prop_assert!(Sheet::parse(format, &bytes[..cut]).is_err());
        prop_assert!(Sheet::parse(format, &[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), at in any::<proptest::sample::Index>(), value: u8) {
        Sheet::parse(ObjectFormat::Sha1, &bytes).ok();
        bytes = encode(ObjectFormat::Sha1, sample(ObjectFormat::Sha1)).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(sheet) = Sheet::parse(ObjectFormat::Sha1, &bytes) {
            // Whatever is accepted is the one encoding of what was read.
            let records = sheet.records().collect();
            prop_assert_eq!(encode(ObjectFormat::Sha1, records).unwrap(), bytes);
        }
    }
}

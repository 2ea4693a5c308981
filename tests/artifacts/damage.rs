//! Damage is found, named and never handed out.

use super::world::*;
use folio::artifact::ArtifactFault;
use folio::model::{Code, ContentDigest};
use folio::store::Objects as _;
use std::fs;

const MIB: usize = 1 << 20;

#[track_caller]
fn damaged(world: &World, key: &ContentDigest) -> ArtifactFault {
    let fault = world.read(key).unwrap_err();
    assert_eq!(fault.code, Code::ArtifactDamaged, "{}", fault.what);
    assert!(fault.what.contains(&key.to_hex()), "{}", fault.what);
    fault
}

#[test]
fn a_flipped_bit_in_a_pack_is_never_handed_out() {
    let world = World::sha1();
    let bytes = noise(1, 2 * MIB + 1000);
    let key = world.add(&[&bytes])[0].key;
    let pack = world.packs()[0].clone();
    let whole = fs::read(&pack).unwrap();
    let mut found = 0;
    for at in (12..whole.len() as u64).step_by(whole.len() / 25) {
        flip(&pack, at);
        let shelves = world.shelves();
        match read(&shelves, &key) {
            // The bit lay in a checksum or in an object of the catalog that nobody asks about here.
            Ok(back) => assert!(back == bytes),
            Err(fault) => {
                found += 1;
                assert_eq!(fault.code, Code::ArtifactDamaged, "{}", fault.what);
                let words = fault.what;
                assert!(
                    words.contains("block ") && words.contains("at byte "),
                    "{words}"
                );
                // Other parts are read all the same, and what is read is good.
                let mut reader = shelves.read(&key).unwrap();
                let mut at = 0;
                while let Ok(Some(piece)) = reader.piece() {
                    assert!(piece == &bytes[at..at + piece.len()]);
                    at += piece.len();
                }
                assert!(at < bytes.len());
            }
        }
        fs::remove_file(&pack).unwrap();
        fs::write(&pack, &whole).unwrap();
    }
    assert!(found > 15, "{found}");
    assert!(world.read(&key).unwrap() == bytes);
}

#[test]
fn a_truncated_or_missing_pack_is_damage_and_says_where() {
    let world = World::sha1();
    let (large, small) = (noise(1, 2 * MIB), text(1, 900));
    let keys: Vec<_> = world.add(&[&large, &small]).iter().map(|a| a.key).collect();
    let packs = world.packs();
    // The catalog may be in it as well; its derived files are enough to read artifacts.
    let pack = &packs[0];
    let whole = fs::read(pack).unwrap();
    fs::remove_file(pack).unwrap();
    fs::write(pack, &whole[..whole.len() / 3]).unwrap();
    damaged(&world, &keys[0]);
    fs::remove_file(pack).unwrap();
    damaged(&world, &keys[0]);
    fs::write(pack, &whole).unwrap();
    assert!(world.read(&keys[0]).unwrap() == large);
    assert_eq!(world.read(&keys[1]).unwrap(), small);
}

#[test]
fn swapped_blocks_are_found() {
    for format in FORMATS {
        let world = World::new(format);
        let bytes = noise(4, 2 * MIB);
        let key = world.add(&[&bytes])[0].key;
        // The index of the pack names each block by the other's place.
        let index = world.packs()[0].with_extension("idx");
        let mut swapped = fs::read(&index).unwrap();
        let count =
            u32::from_be_bytes(swapped[8 + 255 * 4..8 + 256 * 4].try_into().unwrap()) as usize;
        let offsets = 8 + 256 * 4 + count * (format.id_len() + 4);
        let last = offsets + (count - 1) * 4;
        for n in 0..4 {
            swapped.swap(offsets + n, last + n);
        }
        fs::remove_file(&index).unwrap();
        fs::write(&index, swapped).unwrap();
        match world.read(&key) {
            Ok(back) => assert!(back == bytes, "the swapped ones were no blocks"),
            Err(fault) => assert_eq!(fault.code, Code::ArtifactDamaged),
        }
        for n in 1..count {
            let mut turned = fs::read(&index).unwrap();
            turned[offsets..offsets + count * 4].rotate_left(4);
            fs::write(&index, &turned).unwrap();
            if n + 1 < count {
                assert_eq!(damaged(&world, &key).code, Code::ArtifactDamaged);
            }
        }
    }
}

#[test]
fn a_damaged_block_with_a_good_copy_elsewhere_is_read() {
    let world = World::sha1();
    let bytes = noise(4, 700_000);
    let key = world.add(&[&bytes])[0].key;
    let pack = world.packs()[0].clone();
    // The same pack once more, under another name.
    for end in ["pack", "idx"] {
        let from = pack.with_extension(end);
        fs::copy(
            &from,
            from.with_file_name(format!("pack-{}.{end}", "0".repeat(40))),
        )
        .unwrap();
    }
    for victim in world.packs() {
        let whole = fs::read(&victim).unwrap();
        flip(&victim, 300_000);
        assert!(world.read(&key).unwrap() == bytes);
        fs::remove_file(&victim).unwrap();
        fs::write(&victim, whole).unwrap();
    }
}

#[test]
fn the_index_can_go_or_be_torn_at_any_time() {
    let world = World::sha1();
    let all: Vec<Vec<u8>> = (0..30)
        .map(|n| text(n, 50 + n as usize))
        .chain([noise(1, 3 * MIB)])
        .collect();
    let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    let keys: Vec<_> = world.add(&all).iter().map(|added| added.key).collect();
    let check = |what: &str| {
        let shelves = world.shelves();
        for (key, bytes) in keys.iter().zip(&all) {
            let back = read(&shelves, key).unwrap_or_else(|fault| panic!("{what}: {fault}"));
            assert!(back == *bytes, "{what}");
        }
    };
    check("untouched");
    fs::remove_dir_all(world.dir.path().join("folio/artifacts")).unwrap();
    check("removed");
    let sheet = fs::read_dir(world.index())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let whole = fs::read(&sheet).unwrap();
    for cut in [0, 10, 40, whole.len() / 2, whole.len() - 1] {
        fs::remove_file(&sheet).unwrap();
        fs::write(&sheet, &whole[..cut]).unwrap();
        check(&format!("cut to {cut}"));
    }
    assert_eq!(fs::read(&sheet).unwrap(), whole);
    for at in (0..whole.len() as u64).step_by(47) {
        flip(&sheet, at);
        check(&format!("bit flipped at {at}"));
    }
}

#[test]
fn the_index_is_not_trusted_while_a_shelf_is_open() {
    let world = World::sha1();
    let bytes = noise(1, 3 * MIB);
    let key = world.add(&[&bytes])[0].key;
    let shelves = world.shelves();
    assert!(read(&shelves, &key).unwrap() == bytes);
    let sheet = fs::read_dir(world.index())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let len = fs::metadata(&sheet).unwrap().len();
    // A chaining value, an extent, the key itself.
    for at in [len - 5, len - 3 * 32 - 6, 40 + 20 * 9 + 3] {
        flip(&sheet, at.min(len - 1));
        assert!(read(&world.shelves(), &key).unwrap() == bytes, "{at}");
        assert!(read(&shelves, &key).unwrap() == bytes, "{at}");
    }
}

#[test]
fn a_sheet_that_is_none_is_refused() {
    let world = World::sha1();
    world.add(&[b"something"]);
    let shelves = world.shelves();
    let shelf = shelves.internal();
    let old = shelf.catalog().unwrap();
    let store = shelf.store().unwrap();
    let id = store.id_of(folio::store::Kind::Blob, b"no sheet");
    store
        .write_all(&[(id, folio::store::Kind::Blob, b"no sheet".to_vec())])
        .unwrap();
    let fault = shelf.replace(&old, &[id], &imprint()).unwrap_err();
    assert_eq!(fault.code, Code::SheetMalformed);
    assert_eq!(shelf.catalog().unwrap(), old);
    // Going back to what was, or to nothing, is a matter of the caller; a lost race changes nothing.
    let new = shelf.replace(&old, &[], &imprint()).unwrap();
    assert_eq!(
        shelf
            .replace(&old, &old.sheets, &imprint())
            .unwrap_err()
            .code,
        Code::RaceLost
    );
    assert_eq!(shelf.catalog().unwrap(), new);
    assert!(shelves.find(&key_of(b"something")).unwrap().is_none());
    shelf.replace(&new, &old.sheets, &imprint()).unwrap();
    assert_eq!(world.read(&key_of(b"something")).unwrap(), b"something");
}

#[test]
fn a_derived_file_that_is_whole_survives_the_search_for_damage_elsewhere() {
    use std::os::unix::fs::MetadataExt as _;
    let world = World::sha1();
    let key = world.add(&[&noise(1, 2 * MIB)])[0].key;
    let inodes = || {
        let files = fs::read_dir(world.index()).unwrap();
        let files = files.map(|file| file.unwrap());
        let mut inodes: Vec<_> = files
            .map(|file| (file.file_name(), file.metadata().unwrap().ino()))
            .collect();
        inodes.sort();
        inodes
    };
    let before = inodes();
    assert!(!before.is_empty());
    flip(&world.packs()[0], MIB as u64);
    // It may be all that is left of a sheet that lay in the damaged pack too.
    damaged(&world, &key);
    assert_eq!(inodes(), before);
}

use super::*;
use crate::store::pack::{Effort, PackStream, Zip};
use crate::store::testing::{FORMATS, git, new_store};
use crate::store::{EveryStep, GitStore, Objects as _, object_id};

const MAX: u64 = 1 << 20;

/// Writes a pack of blobs that say they have `size` bytes; returns their ids.
fn packed(store: &GitStore, blobs: &[Vec<u8>], size: impl Fn(usize) -> u64) -> Vec<Oid> {
    let format = store.object_format();
    let mut stream = PackStream::create(&store.pack_dir(), format, &EveryStep).unwrap();
    let mut zip = Zip::new();
    let ids = blobs.iter().map(|bytes| {
        let id = object_id(format, Kind::Blob, bytes);
        let packed = zip.pack(bytes, Effort::Quick);
        stream
            .add(id, Kind::Blob, size(bytes.len()), packed)
            .unwrap();
        id
    });
    let ids = ids.collect();
    stream.finish().unwrap();
    ids
}

fn blobs() -> Vec<Vec<u8>> {
    let noise = |n: u32| {
        blake3::hash(&n.to_le_bytes())
            .as_bytes()
            .repeat(1 + n as usize % 5)
    };
    let mut blobs: Vec<Vec<u8>> = (0..3000).map(noise).collect();
    blobs.extend([Vec::new(), vec![7; MAX as usize], b"text ".repeat(40_000)]);
    blobs
}

#[test]
fn streamed_packs_are_gits_own_and_every_blob_is_found_by_pieces() {
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, format);
        let blobs = blobs();
        let ids = packed(&store, &blobs, |len| len as u64);
        git(dir.path(), &["fsck", "--strict", "--full"]);
        let mut reader = PackReader::open(&store.pack_dir(), format).unwrap();
        for (id, bytes) in ids.iter().zip(&blobs) {
            assert!(reader.holds(id));
            assert_eq!(
                reader.read(id, MAX, &|_| true).unwrap().as_ref(),
                Some(bytes)
            );
        }
        let none = object_id(format, Kind::Blob, b"not there");
        assert!(!reader.holds(&none));
        assert_eq!(reader.read(&none, MAX, &|_| true).unwrap(), None);
        // More than was asked for is not read, and what fails the check is none.
        let large = &ids[3001];
        assert_eq!(reader.read(large, MAX - 1, &|_| true).unwrap(), None);
        assert_eq!(reader.read(large, MAX, &|_| false).unwrap(), None);
        // Cruft packs do not count as a place to stay.
        let packs = std::fs::read_dir(store.pack_dir())
            .unwrap()
            .map(|e| e.unwrap().path());
        for pack in packs.filter(|path| path.extension().unwrap() == "pack") {
            std::fs::write(pack.with_extension("mtimes"), "").unwrap();
        }
        reader.refresh().unwrap();
        assert!(!reader.holds(large));
        assert!(reader.read(large, MAX, &|_| true).unwrap().is_some());
    }
}

#[test]
fn lying_sizes_give_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let blobs = vec![vec![1; 100_000], b"some words".to_vec(), vec![2; 5000]];
    for lie in [
        |len| len as u64 - 1,
        |len| len as u64 + 1,
        |_| 0,
        |_| 1 << 40,
        |_| u64::MAX >> 3,
    ] {
        let ids = packed(&store, &blobs, lie);
        let mut reader = PackReader::open(&store.pack_dir(), ObjectFormat::Sha1).unwrap();
        for id in &ids {
            assert_eq!(reader.read(id, MAX, &|_| true).unwrap(), None);
            assert!(store.read(id, Kind::Blob, MAX).is_err());
        }
        std::fs::remove_dir_all(store.pack_dir()).unwrap();
    }
}

use super::*;
use crate::store::git::packs::Indexes;
use crate::store::testing::{commit_of, git, new_store};
use crate::store::{GitStore, Objects as _};

const MAX: u64 = 1 << 20;

/// Texts of some KiB that have most lines in common, in one pack, as git packs them with that window.
fn packed(store: &GitStore, count: usize, window: &str) -> Vec<(Oid, Vec<u8>)> {
    let noise = |n: usize| blake3::hash(&n.to_le_bytes()).to_hex().to_string() + "\n";
    let mut lines: Vec<String> = (0..60).map(noise).collect();
    let texts = (0..count).map(|n| {
        let at = n % 8;
        lines[at] = noise(1000 + n);
        (format!("{n:08}"), lines.concat())
    });
    let texts: Vec<(String, String)> = texts.collect();
    let files: Vec<(&str, &str)> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let mut objects = commit_of(store, None, &files);
    store.write_all(&objects).unwrap();
    let tip = objects.last().expect("the commit").0.to_hex();
    let dir = store.pack_dir().join("../..");
    git(&dir, &["update-ref", "refs/heads/main", &tip]);
    git(&dir, &["repack", "-adfq", "--depth=20", window]);
    objects.truncate(count);
    objects
        .into_iter()
        .map(|(id, _, bytes)| (id, bytes))
        .collect()
}

fn open(store: &GitStore) -> DirectReader {
    DirectReader::open(&[store.pack_dir()], store.format(), &Indexes::default())
}

/// Reads all of them, neighbours far from each other, and says how many blocks were read for that.
fn round(reader: &mut DirectReader, blobs: &[(Oid, Vec<u8>)]) -> usize {
    let before = reader.blocks.read;
    for n in 0..blobs.len() {
        let (id, bytes) = &blobs[n * 173 % blobs.len()];
        assert_eq!(reader.read(id, Kind::Blob, MAX).as_ref(), Some(bytes));
    }
    reader.blocks.read - before
}

#[test]
fn whoever_reads_long_keeps_more_blocks_and_reads_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let blobs = packed(&store, 400, "--window=0");
    let mut reader = open(&store);
    round(&mut reader, &blobs);
    while reader.blocks.read < LONG {
        assert_eq!(reader.blocks.kept.len(), BLOCKS_AT_FIRST);
        assert!(round(&mut reader, &blobs) > 100, "it has room for few");
    }
    round(&mut reader, &blobs);
    assert_eq!(reader.blocks.kept.len(), BLOCKS);
    assert_eq!(round(&mut reader, &blobs), 0, "all of it is kept");
}

#[test]
fn whoever_gives_up_many_bases_keeps_more_and_makes_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let blobs = packed(&store, 400, "--window=10");
    let mut reader = open(&store);
    round(&mut reader, &blobs);
    assert!(reader.met[0].expects_deltas() && reader.displaced > 0);
    while reader.displaced < CROWDED {
        assert_eq!(reader.bases.len(), BASES_AT_FIRST);
        let before = reader.displaced;
        round(&mut reader, &blobs);
        assert!(reader.displaced > before);
    }
    // Few blocks were read for that, for the pack is small.
    assert_eq!(reader.blocks.kept.len(), BLOCKS_AT_FIRST);
    round(&mut reader, &blobs);
    assert_eq!(reader.bases.len(), BASES);
    let before = reader.displaced;
    round(&mut reader, &blobs);
    assert!(reader.displaced - before < blobs.len() / 2);
}

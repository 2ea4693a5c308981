use super::*;
use crate::store::git::packs::Indexes;
use crate::store::testing::{commit_of, git, new_store};
use crate::store::{GitStore, Objects as _};

const MAX: u64 = 1 << 20;

/// Texts of some KiB, each of which differs from the one before in one line, in one pack, as git packs them.
fn packed(store: &GitStore, count: usize) -> Vec<(Oid, Vec<u8>)> {
    let noise = |n: usize| blake3::hash(&n.to_le_bytes()).to_hex().to_string() + "\n";
    let mut lines: Vec<String> = (0..60).map(noise).collect();
    let texts = (0..count).map(|n| {
        let at = n % lines.len();
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
    git(&dir, &["repack", "-adfq", "--depth=20"]);
    objects.truncate(count);
    objects
        .into_iter()
        .map(|(id, _, bytes)| (id, bytes))
        .collect()
}

#[test]
fn whoever_reads_long_keeps_more_and_reads_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path(), true, ObjectFormat::Sha1);
    let blobs = packed(&store, 400);
    let open = || DirectReader::open(&[store.pack_dir()], store.format(), &Indexes::default());
    let mut long = open();
    let mut rounds = 0;
    while long.blocks.read <= LONG {
        rounds += 1;
        for n in 0..blobs.len() {
            // Neighbours lie far from each other.
            let (id, bytes) = &blobs[n * 173 % blobs.len()];
            assert_eq!(long.read(id, Kind::Blob, MAX).as_ref(), Some(bytes));
            let first = long.blocks.kept.len() == BLOCKS_AT_FIRST;
            assert!(first || long.blocks.read >= LONG);
        }
        assert!(rounds < 1000, "nothing is read any more");
    }
    assert!(long.met[0].deltas > 0);
    assert_eq!((long.blocks.kept.len(), long.bases.len()), (BLOCKS, BASES));
    // What is kept then is not read again, as long as it has room.
    let few = &blobs[..20];
    let mut again = || {
        let before = long.blocks.read;
        for (id, bytes) in few {
            assert_eq!(long.read(id, Kind::Blob, MAX).as_ref(), Some(bytes));
        }
        long.blocks.read - before
    };
    again();
    assert_eq!(again(), 0);
}

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
    // Neighbours lie far from each other.
    let round = |reader: &mut DirectReader| {
        let before = reader.blocks.read;
        for n in 0..blobs.len() {
            let (id, bytes) = &blobs[n * 173 % blobs.len()];
            assert_eq!(reader.read(id, Kind::Blob, MAX).as_ref(), Some(bytes));
            let many = reader.blocks.kept.len() == BLOCKS;
            assert!(many || reader.blocks.kept.len() == BLOCKS_AT_FIRST);
            assert!(!many || reader.blocks.read >= LONG);
            let many = reader.bases.len() == BASES;
            assert!(!many || reader.displaced >= CROWDED);
        }
        reader.blocks.read - before
    };
    let mut long = open();
    let first = round(&mut long);
    assert!(
        round(&mut long) > 100,
        "it has room for few, and read {first}"
    );
    let mut rounds = 0;
    while long.blocks.read <= LONG || long.displaced <= CROWDED {
        round(&mut long);
        rounds += 1;
        assert!(rounds < 1000, "nothing is read any more");
    }
    assert!(long.met[0].deltas > 0);
    round(&mut long);
    assert_eq!((long.blocks.kept.len(), long.bases.len()), (BLOCKS, BASES));
    assert_eq!(round(&mut long), 0, "all of it is kept");
}

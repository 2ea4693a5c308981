//! Directories as artifacts: any tree comes back as it was, and so do Folio's own sources.

#![allow(clippy::unwrap_used, reason = "a test")]

use folio::artifact::ArtifactFault;
use folio::artifact::directory::{Source, Walk, restore};
use folio::model::{Code, ContentDigest};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// Artifacts in memory.
#[derive(Default)]
struct Shelf {
    manifest: String,
    files: BTreeMap<ContentDigest, Vec<u8>>,
}

impl Source for Shelf {
    fn manifest(
        &self,
        each: &mut dyn FnMut(&[u8]) -> Result<(), ArtifactFault>,
    ) -> Result<(), ArtifactFault> {
        self.manifest.as_bytes().chunks(4096).try_for_each(each)
    }

    fn file(&self, key: &ContentDigest, _: u64, into: &mut dyn Write) -> Result<(), ArtifactFault> {
        into.write_all(&self.files[key]).unwrap();
        Ok(())
    }
}

fn add(dir: &Path) -> Result<Shelf, ArtifactFault> {
    let walk = Walk::new(dir)?;
    let mut shelf = Shelf::default();
    let mut keys = Vec::new();
    for (path, _) in walk.files() {
        let bytes = fs::read(path).unwrap();
        let key = ContentDigest(*blake3::hash(&bytes).as_bytes());
        shelf.files.insert(key, bytes);
        keys.push(key);
    }
    walk.check_unchanged()?;
    let read = walk.manifest(keys).read_to_string(&mut shelf.manifest);
    read.map_err(|err| ArtifactFault::from_io("read", err))?;
    Ok(shelf)
}

/// What is at each path: `None` for a directory, the target or the bytes, and whether it can be run.
type Picture = BTreeMap<PathBuf, Option<(bool, Vec<u8>)>>;

fn picture(dir: &Path, at: &Path, into: &mut Picture) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let (path, at) = (entry.path(), at.join(entry.file_name()));
        let meta = fs::symlink_metadata(&path).unwrap();
        let what = if meta.is_dir() {
            picture(&path, &at, into);
            None
        } else if meta.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            Some((false, target.into_os_string().into_encoded_bytes()))
        } else {
            Some((meta.mode() & 0o100 != 0, fs::read(&path).unwrap()))
        };
        into.insert(at, what);
    }
}

#[track_caller]
fn comes_back(dir: &Path, scratch: &Path) -> u64 {
    let shelf = add(dir).unwrap();
    let to = scratch.join("restored");
    let restored = restore(&shelf, &to).unwrap();
    let (mut before, mut after) = (Picture::new(), Picture::new());
    picture(dir, Path::new(""), &mut before);
    picture(&to, Path::new(""), &mut after);
    assert!(before == after, "file by file");
    assert_eq!(add(&to).unwrap().manifest, shelf.manifest);
    restored.files
}

/// One thing in a tree.
#[derive(Debug, Clone)]
enum Thing {
    File(Vec<u8>, bool),
    Directory,
    Link(String),
}

fn thing() -> impl Strategy<Value = Thing> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..50);
    prop_oneof![
        4 => (bytes, any::<bool>()).prop_map(|(bytes, run)| Thing::File(bytes, run)),
        1 => Just(Thing::Directory),
        1 => "[a-c]{1,2}(/[a-c.]{1,2}x){0,2}/?".prop_map(Thing::Link),
    ]
}

/// Few names, so that they meet; some that sort around `/`, some with quotes and other alphabets.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]",
        "[a-b][-.+][a-b]?",
        "[ \"'*~#$%&é日и]{1,3}",
        ".g[a-c]?",
        "\\PC{1,8}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_comes_back(things in proptest::collection::vec(
        (proptest::collection::vec(name(), 1..5), thing()), 0..16)
    ) {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().join("tree");
        fs::create_dir(&dir).unwrap();
        for (parts, thing) in things {
            // What the format refuses is not made; what does not fit on what is there neither.
            let Ok(path) = folio::codec::manifest::TreePath::new(parts.join("/")) else {
                continue;
            };
            let path = dir.join(path.as_str());
            let real = path.parent().unwrap().ancestors().take_while(|above| *above != dir);
            if path.symlink_metadata().is_ok() || real.clone().any(Path::is_symlink)
                || fs::create_dir_all(path.parent().unwrap()).is_err() {
                continue;
            }
            match thing {
                Thing::File(bytes, run) => {
                    fs::write(&path, bytes).unwrap();
                    let mode = if run { 0o755 } else { 0o644 };
                    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
                }
                Thing::Directory => fs::create_dir(&path).unwrap(),
                Thing::Link(target) => symlink(target, &path).unwrap(),
            }
        }
        // Two names that fold to one are refused; everything else comes back.
        match add(&dir) {
            Ok(_) => { comes_back(&dir, scratch.path()); }
            Err(fault) => prop_assert_eq!(fault.code, Code::PathCollision),
        }
    }
}

#[test]
fn folios_own_sources_come_back() {
    for part in ["src", "docs"] {
        let scratch = tempfile::tempdir().unwrap();
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(part);
        assert!(comes_back(&dir, scratch.path()) > 10);
    }
}

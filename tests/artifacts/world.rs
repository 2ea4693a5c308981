//! A repository with shelves, and bytes to put there.

use folio::artifact::{Added, ArtifactFault, Imprint, Intake, Options, Shelf, Shelves};
use folio::codec::commit::{Ident, Zone};
use folio::model::{ContentDigest, ObjectFormat, SpaceId};
use folio::store::{GitStore, Steps};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub const FORMATS: [ObjectFormat; 2] = [ObjectFormat::Sha1, ObjectFormat::Sha256];

pub struct World {
    pub dir: tempfile::TempDir,
}

impl World {
    pub fn new(format: ObjectFormat) -> Self {
        let dir = tempfile::tempdir().unwrap();
        GitStore::init(dir.path(), true, format, &[]).unwrap();
        Self { dir }
    }

    pub fn sha1() -> Self {
        Self::new(ObjectFormat::Sha1)
    }

    pub fn store(&self) -> GitStore {
        GitStore::open(self.dir.path()).unwrap()
    }

    /// What a new process sees.
    pub fn shelves(&self) -> Shelves {
        Shelves::open(&self.store()).unwrap()
    }

    pub fn shelves_with(&self, steps: impl Steps + 'static) -> Shelves {
        Shelves::open(&self.store().with_steps(Arc::new(steps))).unwrap()
    }

    pub fn internal(&self) -> PathBuf {
        self.dir.path().join("folio/internal.git")
    }

    pub fn index(&self) -> PathBuf {
        self.dir.path().join("folio/artifacts/internal")
    }

    /// Adds to the internal shelf.
    pub fn add(&self, all: &[&[u8]]) -> Vec<Added> {
        add(self.shelves().internal(), all).unwrap()
    }

    pub fn read(&self, key: &ContentDigest) -> Result<Vec<u8>, ArtifactFault> {
        read(&self.shelves(), key)
    }

    /// The packs of the internal shelf, largest first.
    pub fn packs(&self) -> Vec<PathBuf> {
        let dir = self.internal().join("objects/pack");
        let entries = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
        let mut packs: Vec<PathBuf> = entries
            .filter(|p| {
                p.extension().is_some_and(|end| end == "pack") && p.with_extension("idx").exists()
            })
            .collect();
        packs.sort_by_key(|path| std::cmp::Reverse(path.metadata().unwrap().len()));
        packs
    }
}

pub fn imprint() -> Imprint<'static> {
    Imprint {
        space: SpaceId([7; 32]),
        ident: Ident {
            name: "folio".into(),
            email: "folio@localhost".into(),
            seconds: 1_767_225_600,
            zone: Zone::UTC,
        },
        signer: None,
    }
}

/// Small packs, so that a test comes across several.
pub fn options() -> Options<'static> {
    Options {
        pack: 1 << 20,
        threads: 2,
        ..Options::new(imprint())
    }
}

pub fn add(shelf: &Shelf, all: &[&[u8]]) -> Result<Vec<Added>, ArtifactFault> {
    let mut intake = Intake::new(shelf, options())?;
    let mut added = Vec::new();
    for mut bytes in all.iter().copied() {
        added.push(intake.add(&mut bytes)?);
    }
    intake.finish()?;
    Ok(added)
}

pub fn read(shelves: &Shelves, key: &ContentDigest) -> Result<Vec<u8>, ArtifactFault> {
    let mut bytes = Vec::new();
    let read = shelves.read(key)?.read_to_end(&mut bytes);
    read.map_err(|err| ArtifactFault::from_io("read", err))?;
    Ok(bytes)
}

/// Bytes that nothing compresses, different for each seed.
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut out);
    out
}

pub fn text(seed: u64, len: usize) -> Vec<u8> {
    let line = |n: u64| format!("line {n} of the text {seed}, and some words\n");
    let mut bytes: Vec<u8> = (0..).flat_map(|n| line(n).into_bytes()).take(len).collect();
    bytes.truncate(len);
    bytes
}

pub fn key_of(bytes: &[u8]) -> ContentDigest {
    ContentDigest(*blake3::hash(bytes).as_bytes())
}

/// Changes one byte of a file, which may be read-only.
pub fn flip(path: &Path, at: u64) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at as usize] ^= 0x10;
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}

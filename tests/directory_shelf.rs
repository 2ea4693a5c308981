//! Directories on the shelves of a real repository.

mod common;

use common::TestSpace;
use folio::artifact::directory::{self, Directory, Walk, restore};
use folio::artifact::{Added, ArtifactFault, Imprint, Intake, Options, Shelves};
use folio::codec::commit::{Ident, Zone};
use folio::codec::manifest::{HEADER, What};
use folio::model::{Code, ContentDigest, ObjectFormat};
use folio::store::GitStore;
use std::cell::Cell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

struct World {
    dir: tempfile::TempDir,
    space: TestSpace<GitStore>,
    shelves: Shelves,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = GitStore::init(&dir.path().join("space"), true, ObjectFormat::Sha1, &[]);
        let space = TestSpace::found(store.unwrap()).unwrap();
        let shelves = Shelves::open(&space.store).unwrap();
        Self {
            dir,
            space,
            shelves,
        }
    }

    fn imprint(&self) -> Imprint<'static> {
        Imprint {
            space: self.space.id,
            ident: Ident {
                name: "folio".into(),
                email: "folio@localhost".into(),
                seconds: common::DATE,
                zone: Zone::UTC,
            },
            signer: None,
        }
    }

    /// Adds a directory; `meanwhile` happens when the first bytes were read.
    fn add(&self, name: &str, meanwhile: &dyn Fn()) -> Result<Added, ArtifactFault> {
        let begun = Cell::new(false);
        let progress = |_| {
            if !begun.replace(true) {
                meanwhile();
            }
        };
        let options = Options {
            progress: Some(&progress),
            ..Options::new(self.imprint())
        };
        let mut intake = Intake::new(self.shelves.internal(), options)?;
        let added = directory::add(&mut intake, &Walk::new(&self.path(name))?)?;
        intake.finish()?;
        Ok(added)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Small and large files, equal ones, an empty one, a link and an empty directory.
    fn example(&self) {
        let large: Vec<u8> = (0..700_000u32).flat_map(u32::to_le_bytes).collect();
        self.write("tree/large", &large);
        self.write("tree/d/small", b"small");
        self.write("tree/d/same", b"small");
        self.write("tree/empty", b"");
        fs::create_dir(self.path("tree/d/none")).unwrap();
        symlink("../large", self.path("tree/d/link")).unwrap();
    }

    fn bytes(&self, key: &ContentDigest) -> Vec<u8> {
        let mut reader = self.shelves.read(key).unwrap();
        let mut bytes = Vec::new();
        while let Some(piece) = reader.piece().unwrap() {
            bytes.extend_from_slice(piece);
        }
        bytes
    }
}

fn same(a: &Path, b: &Path) {
    let ran = std::process::Command::new("diff")
        .args(["-r", "--no-dereference"])
        .args([a, b])
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stdout)
    );
}

#[test]
fn a_directory_goes_onto_a_shelf_and_comes_back() {
    let world = World::new();
    world.example();
    let added = world.add("tree", &|| ()).unwrap();
    assert!(!added.already);
    let found = world.shelves.find(&added.key).unwrap().unwrap();
    assert!(found.record.manifest);
    let tree = Directory::new(&world.shelves, added.key);
    let restored = restore(&tree, &world.path("again")).unwrap();
    assert_eq!((restored.files, restored.links, restored.empty), (4, 1, 1));
    same(&world.path("tree"), &world.path("again"));
    let mut lines = Vec::new();
    tree.entries(&mut |entry| {
        let mode = entry.what.mode();
        lines.push(format!("{mode} {}", entry.path));
        if let What::File { key, .. } = entry.what {
            let bytes = fs::read(world.path("tree").join(entry.path.as_str())).unwrap();
            assert_eq!(world.bytes(&key), bytes);
        }
        Ok(())
    })
    .unwrap();
    let expected = [
        "120000 d/link",
        "040000 d/none",
        "100644 d/same",
        "100644 d/small",
        "100644 empty",
        "100644 large",
    ];
    assert_eq!(lines, expected);
    assert_eq!(
        tree.verify(&mut |bad| panic!("{bad:?}")).unwrap(),
        (4, 2_800_010)
    );
    // The same again is there already, under the same key.
    let again = world.add("again", &|| ()).unwrap();
    assert_eq!((again.key, again.already), (added.key, true));
}

#[test]
fn a_directory_that_changes_while_it_is_added_has_no_manifest() {
    for change in ["d/small", "d/new"] {
        let world = World::new();
        world.example();
        let fault = world.add("tree", &|| world.write(&format!("tree/{change}"), b"SMALL"));
        assert_eq!(fault.unwrap_err().code, Code::FileChanged);
        let gone = world.add("tree", &|| {
            let _ = fs::remove_dir_all(world.path("tree/d"));
        });
        assert_eq!(gone.unwrap_err().code, Code::FileChanged);
        let keys = world.shelves.internal().keys().unwrap();
        assert_eq!(keys.count(), 0, "nothing half");
    }
}

#[test]
fn a_manifest_that_came_as_a_file_is_a_manifest() {
    let world = World::new();
    world.example();
    let intake = || Intake::new(world.shelves.internal(), Options::new(world.imprint())).unwrap();
    let text = HEADER.as_bytes();
    let mut taking = intake();
    let added = taking.add(&mut &text[..]).unwrap();
    taking.finish().unwrap();
    fs::create_dir(world.path("none")).unwrap();
    assert_eq!(world.add("none", &|| ()).unwrap().key, added.key);
    assert!(
        world
            .shelves
            .find(&added.key)
            .unwrap()
            .unwrap()
            .record
            .manifest
    );
}

#[test]
fn what_is_missing_or_lied_about_is_named() {
    let world = World::new();
    let line = |path: &str, bytes: &[u8], size: usize| {
        let key = blake3::hash(bytes).to_hex();
        format!(
            "{{\"artifact\":\"{key}\",\"mode\":\"100644\",\"path\":\"{path}\",\"size\":{size}}}\n"
        )
    };
    let text = [
        HEADER,
        &line("a", b"here", 4),
        &line("b", b"gone", 4),
        &line("c", b"here", 5),
    ]
    .concat();
    let mut intake = Intake::new(world.shelves.internal(), Options::new(world.imprint())).unwrap();
    intake.add(&mut &b"here"[..]).unwrap();
    let added = intake.add(&mut text.as_bytes()).unwrap();
    intake.finish().unwrap();
    let tree = Directory::new(&world.shelves, added.key);
    let mut bad = Vec::new();
    let count = tree.verify(&mut |one| bad.push((one.path.to_string(), one.fault.code)));
    assert_eq!(count.unwrap(), (3, 4));
    let expected = [
        ("b".to_owned(), Code::NotFound),
        ("c".to_owned(), Code::ManifestMalformed),
    ];
    assert_eq!(bad, expected);
    let fault = restore(&tree, &world.path("again")).unwrap_err();
    assert_eq!(fault.code, Code::NotFound);
    assert!(!world.path("again").exists());
}

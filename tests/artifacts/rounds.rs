//! What goes in comes out.

use super::world::*;
use folio::artifact::{Intake, Options};
use folio::codec::commit::Commit;
use folio::codec::message::{CatalogMessage, Message};
use folio::crypto::keyfile::KeyPair;
use folio::crypto::{Sign as _, seal};
use folio::store::{Kind, Objects as _};
use proptest::prelude::*;
use std::io::Read as _;

const MIB: usize = 1 << 20;

#[test]
fn all_sizes_round_trip_in_both_formats() {
    for format in FORMATS {
        let world = World::new(format);
        let sizes = [
            0,
            1,
            4096,
            256 * 1024,
            256 * 1024 + 1,
            MIB,
            MIB + 1,
            3 * MIB + 17,
        ];
        let all: Vec<Vec<u8>> = sizes
            .iter()
            .flat_map(|size| [noise(1, *size), text(1, *size)])
            .collect();
        let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        let added = world.add(&all);
        let shelves = world.shelves();
        for (bytes, added) in all.iter().zip(&added) {
            assert_eq!((added.key, added.size), (key_of(bytes), bytes.len() as u64));
            assert_eq!(read(&shelves, &added.key).unwrap(), *bytes);
        }
        let mut keys: Vec<_> = added.iter().map(|added| added.key).collect();
        keys.sort();
        keys.dedup();
        let listed = shelves
            .internal()
            .keys()
            .unwrap()
            .map(|key| key.unwrap().key);
        assert_eq!(listed.collect::<Vec<_>>(), keys);
        assert!(shelves.published().keys().unwrap().next().is_none());
        assert!(world.add(&all).iter().all(|added| added.already));
        assert!(shelves.find(&key_of(b"something else")).unwrap().is_none());
    }
}

#[test]
fn every_range_is_the_part_it_names() {
    let world = World::sha1();
    let bytes = noise(3, 3 * MIB + 500);
    let key = world.add(&[&bytes, b"small"])[0].key;
    let shelves = world.shelves();
    let ends = [
        0,
        1,
        70_000,
        MIB - 1,
        MIB,
        MIB + 1,
        2 * MIB,
        3 * MIB + 499,
        bytes.len(),
    ];
    for from in ends {
        for to in ends.into_iter().filter(|to| *to >= from) {
            let mut part = Vec::new();
            let mut reader = shelves.read(&key).unwrap().range(from as u64, to as u64);
            reader.read_to_end(&mut part).unwrap();
            assert!(part == bytes[from..to], "{from}..{to}");
        }
    }
    let beyond = shelves
        .read(&key)
        .unwrap()
        .range(u64::MAX - 1, u64::MAX)
        .piece()
        .unwrap()
        .is_none();
    assert!(beyond);
}

#[test]
fn versions_share_their_blocks() {
    let world = World::sha1();
    let first = noise(5, 12 * MIB);
    let mut second = first.clone();
    second.splice(6 * MIB..6 * MIB, noise(6, 1000));
    world.add(&[&first]);
    let before: u64 = world
        .packs()
        .iter()
        .map(|p| p.metadata().unwrap().len())
        .sum();
    let key = world.add(&[&second])[0].key;
    let after: u64 = world
        .packs()
        .iter()
        .map(|p| p.metadata().unwrap().len())
        .sum();
    assert!(
        after - before < MIB as u64,
        "{} bytes for 1000",
        after - before
    );
    assert_eq!(world.read(&key).unwrap(), second);
}

#[test]
fn equal_bytes_are_kept_once() {
    let world = World::sha1();
    let large = noise(8, 2 * MIB);
    let added = world.add(&[b"same", &large, b"same", &large]);
    let already: Vec<bool> = added.iter().map(|added| added.already).collect();
    assert_eq!(already, [false, false, true, true]);
    let packed: u64 = world
        .packs()
        .iter()
        .map(|p| p.metadata().unwrap().len())
        .sum();
    assert!(packed < 3 * MIB as u64, "{packed}");
}

#[test]
fn what_is_added_depends_on_the_bytes_and_not_on_threads() {
    let all: Vec<Vec<u8>> = (0..40)
        .map(|n| text(n, 1000 * n as usize * n as usize))
        .collect();
    let sheets = [1, 4].map(|threads| {
        let world = World::sha1();
        let shelves = world.shelves();
        let options = Options {
            threads,
            ..options()
        };
        let mut intake = Intake::new(shelves.internal(), options).unwrap();
        for bytes in &all {
            intake.add(&mut &bytes[..]).unwrap();
        }
        intake.finish().unwrap();
        let packs: Vec<_> = world
            .packs()
            .iter()
            .map(|p| p.file_name().unwrap().to_owned())
            .collect();
        (shelves.internal().catalog().unwrap(), packs)
    });
    assert_eq!(sheets[0], sheets[1]);
}

#[test]
fn adding_one_by_one_leaves_few_sheets_and_few_packs() {
    let world = World::sha1();
    for n in 0..40u64 {
        world.add(&[&text(n, 100)]);
    }
    let sheets = world.shelves().internal().catalog().unwrap().sheets.len();
    assert!(sheets <= 6, "{sheets} sheets");
    assert!(world.packs().len() <= 17, "{} packs", world.packs().len());
    assert_eq!(world.shelves().internal().keys().unwrap().count(), 40);
    for n in 0..40 {
        assert_eq!(world.read(&key_of(&text(n, 100))).unwrap(), text(n, 100));
    }
    // Files of the index follow the catalog.
    assert_eq!(std::fs::read_dir(world.index()).unwrap().count(), sheets);
}

#[test]
fn the_published_shelf_travels_by_plain_git() {
    for format in FORMATS {
        let world = World::new(format);
        let pair = KeyPair::from_seed([3; 32]);
        let shelves = world.shelves();
        let imprint = folio::artifact::Imprint {
            signer: Some(&pair),
            ..imprint()
        };
        let (large, other) = (noise(1, 2 * MIB), text(2, 5000));
        for bytes in [&large, &other] {
            let options = Options {
                imprint: imprint.clone(),
                ..options()
            };
            let mut intake = Intake::new(shelves.published(), options).unwrap();
            intake.add(&mut &bytes[..]).unwrap();
            intake.finish().unwrap();
        }
        let store = world.store();
        let catalog = shelves.published().catalog().unwrap();
        let commit = |id: &folio::model::Oid| {
            let bytes = store.read(id, Kind::Commit, 10_000).unwrap();
            let commit = Commit::parse(&bytes, format).unwrap();
            assert_eq!(seal::open(&commit).unwrap(), pair.public_key());
            let Message::Catalog(CatalogMessage { artifacts: 2, .. }) =
                Message::parse(&commit.message).unwrap()
            else {
                panic!("{}", commit.message)
            };
            commit
        };
        let (c, p) = (catalog.commit.unwrap(), catalog.placement.unwrap());
        assert!(commit(&c).parents.is_empty());
        assert_eq!(commit(&p).parents, [c]);
        // A clone of the refs has everything, and git is content with it.
        let clone = tempfile::tempdir().unwrap();
        git(
            clone.path(),
            &[
                "init",
                "-q",
                "--bare",
                "--object-format",
                format.as_str(),
                ".",
            ],
        );
        let from = world.dir.path().to_str().unwrap();
        git(
            clone.path(),
            &[
                "-c",
                "fetch.fsckObjects=true",
                "fetch",
                "-q",
                from,
                "refs/artifacts/*:refs/artifacts/*",
            ],
        );
        git(clone.path(), &["fsck", "--strict", "--full"]);
        git(clone.path(), &["repack", "-adfq"]);
        let there =
            folio::artifact::Shelves::open(&folio::store::GitStore::open(clone.path()).unwrap())
                .unwrap();
        for bytes in [&large, &other] {
            assert_eq!(read(&there, &key_of(bytes)).unwrap(), *bytes);
        }
    }
}

#[test]
fn plain_git_refuses_the_internal_repository() {
    let world = World::sha1();
    world.add(&[b"nobody else's business"]);
    use std::os::unix::fs::PermissionsExt as _;
    let mode = world.internal().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    for args in [
        &["rev-parse", "--git-dir"][..],
        &["upload-pack", "."],
        &["log", "refs/artifacts/internal"],
        &["fsck"],
    ] {
        let output = try_git(&world.internal(), args);
        let words = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert!(
            !output.status.success() && words.contains("extension"),
            "{args:?}: {words}"
        );
        assert!(output.stdout.is_empty());
    }
    // Nothing of it is in the space's own store.
    let listed = git(world.dir.path(), &["count-objects", "-v"]);
    assert!(
        listed.contains("in-pack: 0") && listed.contains("count: 0"),
        "{listed}"
    );
    assert!(git(world.dir.path(), &["for-each-ref"]).is_empty());
}

fn try_git(dir: &std::path::Path, args: &[&str]) -> std::process::Output {
    let mut git = std::process::Command::new("git");
    git.args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    git.stdin(std::process::Stdio::null()).output().unwrap()
}

fn git(dir: &std::path::Path, args: &[&str]) -> String {
    let output = try_git(dir, args);
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Gives what it has in pieces of changing size.
struct Drops<'a>(&'a [u8], Vec<usize>, usize);

impl std::io::Read for Drops<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.2 += 1;
        let most = self.1[self.2 % self.1.len()]
            .min(into.len())
            .min(self.0.len());
        into[..most].copy_from_slice(&self.0[..most]);
        self.0 = &self.0[most..];
        Ok(most)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_bytes_however_they_come_are_the_same_afterwards(
        parts in proptest::collection::vec((any::<u64>(), 0usize..700_000, any::<bool>()), 0..5),
        drops in proptest::collection::vec(1usize..300_000, 1..4),
        range in (any::<proptest::sample::Index>(), any::<proptest::sample::Index>()),
    ) {
        let bytes: Vec<u8> = parts
            .iter()
            .flat_map(|(seed, len, plain)| if *plain { vec![*seed as u8; *len] } else { noise(*seed, *len) })
            .collect();
        let world = World::sha1();
        let shelves = world.shelves();
        let mut intake = Intake::new(shelves.internal(), options()).unwrap();
        let added = intake.add(&mut Drops(&bytes, drops, 0)).unwrap();
        intake.finish().unwrap();
        prop_assert_eq!(added.key, key_of(&bytes));
        prop_assert!(read(&shelves, &added.key).unwrap() == bytes);
        let (a, b) = (range.0.index(bytes.len() + 1), range.1.index(bytes.len() + 1));
        let (from, to) = (a.min(b), a.max(b));
        let mut part = Vec::new();
        let reader = shelves.read(&added.key).unwrap();
        prop_assert!(!reader.is_manifest());
        reader.range(from as u64, to as u64).read_to_end(&mut part).unwrap();
        prop_assert!(part == bytes[from..to]);
    }
}

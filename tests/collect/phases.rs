//! The two phases, and what keeps an artifact from each of them.

use super::world::{World, key_of, noise, options, read, text};
use super::{DAY, NOW, gc, packed, terms, try_gc};
use folio::artifact::collect::lists::{List, change};
use folio::artifact::collect::purge::purge;
use folio::artifact::collect::{self, Condemned};
use folio::artifact::{Intake, Shelves};
use folio::model::{Code, ContentDigest};
use folio::store::collector::Collecting;
use folio::store::{EveryStep, Steps, StoreFault};
use std::fs;
use std::io::Read as _;
use std::sync::atomic::{AtomicBool, Ordering};

fn keep(world: &World, bytes: &[u8]) {
    let folio = world.dir.path().join("folio");
    change(&folio, List::Kept, &[key_of(bytes)], true).unwrap();
}

fn is_here(world: &World, key: &ContentDigest) -> bool {
    world.shelves().find_surely(key).unwrap().is_some()
}

#[test]
fn what_nothing_names_is_condemned_and_goes_in_a_later_run_after_the_grace() {
    let world = World::sha1();
    let (large, small, kept) = (noise(1, 3 << 20), text(2, 1000), noise(3, 2 << 20));
    world.add(&[&large, &small, &kept]);
    keep(&world, &kept);
    let before = packed(&world);
    let first = gc(&world, 0, NOW);
    assert_eq!((first.removed, first.condemned, first.objects), (0, 2, 0));
    assert_eq!(world.read(&key_of(&large)).unwrap(), large);
    let early = gc(&world, DAY, NOW + DAY - 1);
    assert_eq!((early.removed, early.condemned), (0, 2));
    let late = gc(&world, DAY, NOW + DAY);
    assert_eq!((late.removed, late.condemned), (2, 0));
    assert!(late.bytes > 3 << 20, "{late:?}");
    assert!(packed(&world) < before - (3 << 20));
    for gone in [&large, &small] {
        assert!(!is_here(&world, &key_of(gone)));
    }
    assert_eq!(world.read(&key_of(&kept)).unwrap(), kept);
    let log = fs::read_to_string(world.dir.path().join("folio/gc.log")).unwrap();
    assert!(
        log.contains(&format!(" artifact {}\n", key_of(&large))),
        "{log}"
    );
    assert!(log.contains(" block "), "{log}");
    // What was collected can be added again.
    world.add(&[&large]);
    assert_eq!(world.read(&key_of(&large)).unwrap(), large);
}

#[test]
fn what_was_added_again_is_condemned_anew() {
    let world = World::sha1();
    let bytes = noise(1, 500_000);
    world.add(&[&bytes]);
    gc(&world, DAY, NOW);
    assert!(world.add(&[&bytes])[0].already);
    let run = gc(&world, DAY, NOW + DAY);
    assert_eq!((run.removed, run.condemned), (0, 1));
    let run = gc(&world, DAY, NOW + 2 * DAY - 1);
    assert_eq!((run.removed, run.condemned), (0, 1));
    assert_eq!(gc(&world, DAY, NOW + 2 * DAY).removed, 1);
}

#[test]
fn drafts_keep_and_directories_keep_their_files() {
    let world = World::sha1();
    let (file, patch, stray) = (noise(1, 300_000), text(2, 400), text(3, 400));
    world.add(&[&file, &patch, &stray]);
    let source = tempfile::tempdir().unwrap();
    fs::write(source.path().join("a"), &file).unwrap();
    let walk = folio::artifact::directory::Walk::new(source.path()).unwrap();
    let shelves = world.shelves();
    let mut intake = Intake::new(shelves.internal(), options()).unwrap();
    let dir = folio::artifact::directory::add(&mut intake, &walk).unwrap();
    intake.finish().unwrap();
    drop(shelves);
    let folio = world.dir.path().join("folio");
    fs::create_dir_all(folio.join("drafts")).unwrap();
    let publish = format!(
        r#"{{"media":"text/plain","op":"artifact.publish","artifact":"{}","size":400}}"#,
        key_of(&patch)
    );
    let line = folio::fold::Decision::parse_lenient(&publish)
        .unwrap()
        .to_line();
    fs::write(folio.join("drafts/alice.jsonl"), format!("{line}\n")).unwrap();
    change(&folio, List::Kept, &[dir.key], true).unwrap();
    let first = gc(&world, 0, NOW);
    assert_eq!(first.condemned, 1, "{first:?}");
    assert_eq!(gc(&world, 0, NOW).removed, 1);
    for bytes in [&file, &patch] {
        assert_eq!(world.read(&key_of(bytes)).unwrap(), *bytes);
    }
    assert!(!is_here(&world, &key_of(&stray)));
}

#[test]
fn where_something_cannot_be_read_nothing_goes_and_it_is_named() {
    let world = World::sha1();
    let bytes = noise(1, 300_000);
    world.add(&[&bytes]);
    gc(&world, 0, NOW);
    let folio = world.dir.path().join("folio");
    let refused = |named: &str| {
        let fault = try_gc(&world, 0, NOW + DAY, &EveryStep).unwrap_err();
        assert_eq!(fault.code, Code::CannotMark, "{fault}");
        assert!(fault.what.contains(named), "{fault}");
        assert!(is_here(&world, &key_of(&bytes)));
    };
    fs::create_dir_all(folio.join("drafts")).unwrap();
    fs::write(folio.join("drafts/bob.jsonl"), "{\"op\":").unwrap();
    refused("bob.jsonl");
    fs::remove_file(folio.join("drafts/bob.jsonl")).unwrap();
    fs::write(folio.join("kept"), "what?\n").unwrap();
    refused("kept");
    fs::remove_file(folio.join("kept")).unwrap();
    // The bytes of what says where everything is.
    for pack in world.packs() {
        fs::rename(&pack, pack.with_extension("aside")).unwrap();
    }
    let fault = try_gc(&world, 0, NOW + DAY, &EveryStep).unwrap_err();
    assert_eq!(fault.code, Code::CannotMark, "{fault}");
}

#[test]
fn a_manifest_that_is_none_keeps_what_it_names_all_the_same() {
    let world = World::sha1();
    let (named, other) = (text(1, 400), text(2, 400));
    let header = folio::codec::manifest::HEADER;
    let rubbish = format!("{header}rubbish {}\n", key_of(&named));
    world.add(&[&named, &other, rubbish.as_bytes()]);
    keep(&world, rubbish.as_bytes());
    gc(&world, 0, NOW);
    assert_eq!(gc(&world, 0, NOW).removed, 1);
    assert_eq!(world.read(&key_of(&named)).unwrap(), named);
    assert!(!is_here(&world, &key_of(&other)));
}

/// Does something once when a step is reached.
struct At<F: Fn() + Send + Sync>(&'static str, F, AtomicBool);

fn at<F: Fn() + Send + Sync>(step: &'static str, act: F) -> At<F> {
    At(step, act, AtomicBool::new(false))
}

impl<F: Fn() + Send + Sync> Steps for At<F> {
    fn step(&self, name: &'static str) -> Result<(), StoreFault> {
        if name == self.0 && !self.2.swap(true, Ordering::SeqCst) {
            (self.1)();
        }
        Ok(())
    }
}

#[test]
fn what_comes_to_be_needed_after_the_marking_stays() {
    for step in ["gc-artifacts-write", "gc-artifacts-alone"] {
        let world = World::sha1();
        let (bytes, other) = (text(1, 5000), text(2, 5000));
        world.add(&[&bytes, &other]);
        gc(&world, 0, NOW);
        let (dir, key) = (world.dir.path().join("folio"), key_of(&bytes));
        let rescue = at(step, move || {
            change(&dir, List::Kept, &[key], true).unwrap();
        });
        let run = try_gc(&world, 0, NOW + DAY, &rescue).unwrap();
        assert!(rescue.2.load(Ordering::SeqCst), "{step} is reached");
        assert_eq!(run.removed, 1, "{step}");
        assert_eq!(world.read(&key).unwrap(), bytes, "{step}");
        assert!(!is_here(&world, &key_of(&other)), "{step}");
    }
}

#[test]
fn what_a_writer_finds_there_stays_while_it_lives() {
    let world = World::sha1();
    let bytes = noise(1, 400_000);
    world.add(&[&bytes]);
    gc(&world, 0, NOW);
    let shelves = world.shelves();
    let mut writer = Intake::new(shelves.internal(), options()).unwrap();
    assert!(writer.add(&mut &bytes[..]).unwrap().already);
    for day in 1..4 {
        let run = gc(&world, 0, NOW + day * DAY);
        assert_eq!(run.removed, 0, "{run:?}");
    }
    writer.finish().unwrap();
    assert_eq!(world.read(&key_of(&bytes)).unwrap(), bytes);
    // Its end counts as adding it again.
    assert_eq!(gc(&world, 0, NOW + 9 * DAY).removed, 0);
    assert_eq!(gc(&world, 0, NOW + 10 * DAY).removed, 1);
}

#[test]
fn a_writer_that_has_looked_before_the_collector_writes_what_went() {
    // The pack is open in the writer when it is removed: that it has the block there says nothing.
    let world = World::sha1();
    let (bytes, other) = (noise(1, 2 << 20), noise(2, 2 << 20));
    world.add(&[&bytes]);
    gc(&world, 0, NOW);
    let shelves = world.shelves();
    let mut writer = Intake::new(shelves.internal(), options()).unwrap();
    writer.add(&mut &other[..]).unwrap();
    let gone = gc(&world, 0, NOW + DAY);
    assert_eq!(gone.removed, 1, "{gone:?}");
    assert!(!writer.add(&mut &bytes[..]).unwrap().already);
    writer.finish().unwrap();
    drop(shelves);
    assert_eq!(world.read(&key_of(&bytes)).unwrap(), bytes);
    assert_eq!(world.read(&key_of(&other)).unwrap(), other);
}

#[test]
fn small_artifacts_leave_the_blocks_that_are_mostly_dead() {
    let world = World::sha1();
    let all: Vec<Vec<u8>> = (0..40).map(|n| noise(n, 5000)).collect();
    let refs: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    world.add(&refs);
    for bytes in &all[..4] {
        keep(&world, bytes);
    }
    gc(&world, 0, NOW);
    let run = gc(&world, 0, NOW);
    assert_eq!(run.removed, 36);
    for bytes in &all[..4] {
        assert_eq!(world.read(&key_of(bytes)).unwrap(), *bytes);
    }
    // The block that they left is condemned since it was left.
    gc(&world, 0, NOW);
    assert!(packed(&world) < 60_000, "{}", packed(&world));
    for bytes in &all[..4] {
        assert_eq!(world.read(&key_of(bytes)).unwrap(), *bytes);
    }
}

#[test]
fn a_reader_in_the_middle_goes_on_while_bytes_are_moved_and_packs_go() {
    let world = World::sha1();
    let (long, dead) = (noise(1, 6 << 20), noise(2, 4 << 20));
    let all: Vec<Vec<u8>> = (10..50).map(|n| noise(n, 5000)).collect();
    world.add(&[&long, &dead]);
    let refs: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    world.add(&refs);
    keep(&world, &long);
    keep(&world, &all[0]);
    let shelves = world.shelves();
    let mut reader = shelves.read(&key_of(&long)).unwrap();
    let mut small = shelves.read(&key_of(&all[0])).unwrap();
    let mut start = vec![0; 100_000];
    reader.read_exact(&mut start).unwrap();
    for _ in 0..4 {
        gc(&world, 0, NOW);
    }
    assert!(!is_here(&world, &key_of(&dead)));
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert!([start, rest].concat() == long);
    let mut found = Vec::new();
    small.read_to_end(&mut found).unwrap();
    assert!(found == all[0]);
}

#[test]
fn a_dry_run_changes_no_byte() {
    let world = World::sha1();
    let (bytes, kept) = (noise(1, 300_000), text(2, 500));
    world.add(&[&bytes, &kept]);
    keep(&world, &kept);
    let look = |now| {
        let store = world.store().for_collecting();
        fs::remove_dir_all(world.index()).ok();
        let before = super::tree(world.dir.path());
        let report = collect::preview(&store, &terms(DAY, now, &EveryStep)).unwrap();
        assert!(before == super::tree(world.dir.path()));
        (report.removed, report.condemned)
    };
    assert_eq!(look(NOW), (0, 1));
    gc(&world, DAY, NOW);
    assert_eq!(look(NOW + 1), (0, 1));
    assert_eq!(look(NOW + DAY), (1, 0));
    assert_eq!(gc(&world, DAY, NOW + DAY).removed, 1);
}

#[test]
fn purging_erases_at_once_and_spares_the_neighbours() {
    let world = World::sha1();
    let all: Vec<Vec<u8>> = (0..10).map(|n| noise(n, 5000)).collect();
    let large = noise(77, 3 << 20);
    let refs: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    world.add(&refs);
    world.add(&[&large]);
    let store = world.store().for_collecting();
    for victim in [&all[3], &large] {
        keep(&world, victim);
        let turn = Collecting::begin(store.common_dir()).unwrap();
        let terms = terms(0, NOW, &EveryStep);
        let purged = purge(&store, &turn, &key_of(victim), &terms, &terms.imprint).unwrap();
        assert_eq!(purged.shelves, ["internal"]);
        assert!(!is_here(&world, &key_of(victim)));
        // Not a byte of it is left in any pack: noise is stored as it is.
        for pack in world.packs() {
            let bytes = fs::read(pack).unwrap();
            let part = &victim[1000..1032];
            assert!(!bytes.windows(32).any(|window| window == part));
        }
        drop(turn);
    }
    for (n, bytes) in all.iter().enumerate().filter(|(n, _)| *n != 3) {
        assert_eq!(world.read(&key_of(bytes)).unwrap(), *bytes, "{n}");
    }
    let shelves = Shelves::open(&store).unwrap();
    let fault = read(&shelves, &key_of(&all[3])).unwrap_err();
    assert_eq!(fault.code, Code::NotFound);
    let turn = Collecting::begin(store.common_dir()).unwrap();
    let terms = terms(0, NOW, &EveryStep);
    let again = purge(&store, &turn, &key_of(&large), &terms, &terms.imprint);
    assert_eq!(again.unwrap_err().code, Code::NotFound);
}

#[test]
fn purging_spares_what_a_writer_has_just_added() {
    let world = World::sha1();
    let bytes = noise(1, 400_000);
    world.add(&[&bytes]);
    let shelves = world.shelves();
    let mut writer = Intake::new(shelves.internal(), options()).unwrap();
    writer.add(&mut &bytes[..]).unwrap();
    let store = world.store().for_collecting();
    let turn = Collecting::begin(store.common_dir()).unwrap();
    let terms = terms(0, NOW, &EveryStep);
    let refused = purge(&store, &turn, &key_of(&bytes), &terms, &terms.imprint);
    assert_eq!(refused.unwrap_err().code, Code::Busy);
    assert_eq!(world.read(&key_of(&bytes)).unwrap(), bytes);
}

#[test]
fn blocks_that_nothing_names_yet_are_found_again_until_they_go() {
    let world = World::sha1();
    let bytes = noise(1, 12 << 20);
    // A stream that ends in an error: packs that were full are there, and nothing names what is in them.
    let shelves = world.shelves();
    let mut intake = Intake::new(shelves.internal(), options()).unwrap();
    let torn = &mut bytes.as_slice().chain(Torn);
    intake.add(torn).unwrap_err();
    drop(intake);
    drop(shelves);
    assert!(!world.packs().is_empty(), "a full pack is there");
    gc(&world, DAY, NOW);
    let condemned = Condemned::read(&world.dir.path().join("folio")).unwrap();
    assert!(!condemned.objects.is_empty());
    gc(&world, DAY, NOW + DAY - 1);
    assert!(packed(&world) > 0);
    let run = gc(&world, DAY, NOW + DAY);
    assert_eq!(run.objects, condemned.objects.len());
    assert!(world.packs().is_empty());
}

struct Torn;

impl std::io::Read for Torn {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("torn"))
    }
}

//! Many small artifacts.

use super::world::*;
use folio::artifact::Intake;

fn files_below(dir: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { files_below(&path) } else { 1 })
        .sum()
}

#[test]
fn many_small_ones_leave_few_files() {
    let world = World::sha1();
    let shelves = world.shelves();
    let mut intake =
        Intake::new(shelves.internal(), folio::artifact::Options::new(imprint())).unwrap();
    for n in 0..5000u64 {
        intake.add(&mut &noise(n, 64)[..]).unwrap();
    }
    intake.finish().unwrap();
    assert_eq!(shelves.internal().keys().unwrap().count(), 5000);
    for n in (0..5000).step_by(97) {
        assert_eq!(
            read(&shelves, &key_of(&noise(n, 64))).unwrap(),
            noise(n, 64)
        );
    }
    let digits = key_of(&noise(17, 64)).to_hex();
    for len in [6, 20, 64] {
        assert_eq!(
            shelves.starting_with(&digits[..len], 2).unwrap(),
            [key_of(&noise(17, 64))]
        );
    }
    assert!(shelves.starting_with("zz", 2).is_err());
    assert!(files_below(world.dir.path()) < 40);
}

/// `cargo test --release --test artifacts -- --ignored hundred_thousand`
#[test]
#[ignore = "takes some seconds in release mode"]
fn hundred_thousand_of_a_kibibyte_leave_fewer_than_200_files() {
    let world = World::sha1();
    let shelves = world.shelves();
    let mut intake =
        Intake::new(shelves.internal(), folio::artifact::Options::new(imprint())).unwrap();
    for n in 0..100_000u64 {
        intake.add(&mut &noise(n, 1024)[..]).unwrap();
    }
    intake.finish().unwrap();
    assert_eq!(shelves.internal().keys().unwrap().count(), 100_000);
    let files = files_below(world.dir.path());
    assert!(files < 200, "{files} files");
}

/// `cargo test --release --test artifacts -- --ignored --nocapture million`
#[test]
#[ignore = "takes a minute in release mode, and measures"]
fn one_key_among_a_million_is_found_at_once() {
    let fixture = super::cli::Fixture::bare();
    let store = folio::store::GitStore::open(&fixture.space).unwrap();
    let shelves = folio::artifact::Shelves::open(&store).unwrap();
    let mut intake =
        Intake::new(shelves.internal(), folio::artifact::Options::new(imprint())).unwrap();
    for n in 0..1_000_000u64 {
        intake.add(&mut &n.to_le_bytes()[..]).unwrap();
    }
    intake.finish().unwrap();
    let keys = (0..1_000_000u64)
        .step_by(997)
        .map(|n| key_of(&n.to_le_bytes()));
    let keys: Vec<_> = keys.collect();
    let started = std::time::Instant::now();
    for key in &keys {
        assert!(shelves.find(key).unwrap().is_some());
    }
    let warm = started.elapsed() / keys.len() as u32;
    let sheets = shelves.internal().catalog().unwrap().sheets.len();
    let started = std::time::Instant::now();
    for key in &keys[..20] {
        fixture
            .run("alice", &["artifact", "stat", &key.to_hex()])
            .ok();
    }
    let cold = started.elapsed() / 20;
    eprintln!("{sheets} sheets, warm {warm:?}, a process {cold:?}");
    assert!(warm.as_micros() < 1000 && cold.as_millis() < 10);
}

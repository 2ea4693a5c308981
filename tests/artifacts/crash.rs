//! Killed at any step of an add.

use super::world::*;
use folio::store::Script;

const MIB: usize = 1 << 20;

#[test]
fn an_add_that_is_killed_at_any_step_can_be_run_again() {
    let all = [
        noise(1, 1_500_000),
        text(2, 3000),
        noise(3, 900_000),
        text(4, 20),
    ];
    let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    for n in 1.. {
        let world = World::sha1();
        let before = text(9, 500);
        world.add(&[&before]);
        let script = Script::new();
        let shelves = world.shelves_with(script.clone());
        script.fail_at(n);
        let done = add(shelves.internal(), &all);
        assert_eq!(done.is_err(), script.is_dead());
        drop(shelves);
        // Another process: what was there is there, and what is listed can be read.
        assert_eq!(world.read(&key_of(&before)).unwrap(), before);
        let now = world.shelves();
        for key in now.internal().keys().unwrap() {
            let key = key.unwrap().key;
            assert_eq!(key_of(&read(&now, &key).unwrap()), key);
        }
        for added in world.add(&all) {
            assert_eq!(key_of(&world.read(&added.key).unwrap()), added.key);
        }
        if done.is_ok() {
            assert!(n > 15, "{n} steps are too few");
            break;
        }
    }
}

#[test]
fn an_interrupted_add_goes_on_where_it_was() {
    let world = World::sha1();
    let bytes = noise(1, 6 * MIB);
    let script = Script::new();
    let shelves = world.shelves_with(script.clone());
    // Packs of 1 MiB have 7 steps each: in the middle of the fourth.
    script.fail_at(26);
    add(shelves.internal(), &[&bytes]).unwrap_err();
    let flushed: u64 = world
        .packs()
        .iter()
        .map(|p| p.metadata().unwrap().len())
        .sum();
    assert!(flushed > 2 * MIB as u64, "{flushed}");
    assert!(world.shelves().find(&key_of(&bytes)).unwrap().is_none());
    let added = world.add(&[&bytes]);
    assert!(!added[0].already);
    let all: u64 = world
        .packs()
        .iter()
        .map(|p| p.metadata().unwrap().len())
        .sum();
    assert!(all < 6 * MIB as u64 + 200_000, "{all}");
    assert!(world.read(&added[0].key).unwrap() == bytes);
}

#[test]
fn what_was_flushed_before_a_failure_counts() {
    let world = World::sha1();
    let (first, second) = (noise(1, 3 * MIB), noise(2, 10 * MIB));
    let shelves = world.shelves();
    let mut intake = folio::artifact::Intake::new(shelves.internal(), options()).unwrap();
    intake.add(&mut &first[..]).unwrap();
    intake.add(&mut &second[..]).unwrap();
    drop(intake);
    // Two packs of a MiB or more were closed; the second artifact was not complete.
    assert!(world.read(&key_of(&first)).unwrap() == first);
    assert!(world.shelves().find(&key_of(&second)).unwrap().is_none());
    let left = std::fs::read_dir(world.internal().join("objects/pack")).unwrap();
    let left = left.filter(|e| {
        e.as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("tmp_")
    });
    assert_eq!(left.count(), 0);
    assert_eq!(
        std::fs::read_dir(world.dir.path().join("folio/pins"))
            .unwrap()
            .count(),
        0
    );
}

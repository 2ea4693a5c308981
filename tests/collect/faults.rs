//! Killed at every step of a collection.

use super::world::{World, key_of, noise, text};
use super::{DAY, NOW, gc, packed, try_gc};
use folio::artifact::collect::lists::{List, change};
use folio::store::Script;
use std::process::Command;

/// Living and dead, small and large; the dead ones may go at `NOW + DAY`.
fn world() -> (World, Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let world = World::sha1();
    let mut kept: Vec<Vec<u8>> = (0..3).map(|n| noise(n, 4000)).collect();
    kept.push(text(9, 700_000));
    let mut dead: Vec<Vec<u8>> = (20..30).map(|n| noise(n, 6000)).collect();
    dead.push(noise(40, 1 << 20));
    let all: Vec<&[u8]> = kept.iter().chain(&dead).map(Vec::as_slice).collect();
    world.add(&all);
    let keys: Vec<_> = kept.iter().map(|bytes| key_of(bytes)).collect();
    change(&world.dir.path().join("folio"), List::Kept, &keys, true).unwrap();
    gc(&world, DAY, NOW);
    (world, kept, dead)
}

fn copy(world: &World) -> World {
    let other = World::sha1();
    let from = world.dir.path().join(".");
    let mut cp = Command::new("cp");
    let done = cp.arg("-r").arg(from).arg(other.dir.path()).status();
    assert!(done.unwrap().success());
    other
}

#[test]
fn a_collection_that_is_killed_at_any_step_loses_nothing_and_the_next_one_goes_on() {
    let (before, kept, dead) = world();
    let mut steps = 0;
    for n in 1.. {
        let world = copy(&before);
        let script = Script::new();
        script.fail_at(n);
        let ended = try_gc(&world, DAY, NOW + DAY, &script);
        assert_eq!(ended.is_err(), script.is_dead(), "step {n}: {ended:?}");
        let taken = script.taken();
        let here = |bytes: &Vec<u8>| {
            let found = world.read(&key_of(bytes));
            found.is_ok_and(|found| found == *bytes)
        };
        assert!(kept.iter().all(here), "step {n}: {taken:?}");
        for day in 1..4 {
            gc(&world, DAY, NOW + day * DAY);
        }
        assert!(kept.iter().all(here), "step {n} and again: {taken:?}");
        let shelves = world.shelves();
        for bytes in &dead {
            let found = shelves.find_surely(&key_of(bytes)).unwrap();
            assert!(found.is_none(), "step {n}");
        }
        let left = packed(&world);
        assert!(left < 400_000, "step {n}: {left} bytes");
        if ended.is_ok() {
            steps = n;
            break;
        }
    }
    assert!(steps > 12, "only {steps} steps");
}

//! Collection: what is referred to stays readable, whatever happens in between.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../common/cli.rs"]
mod cli;
mod faults;
mod phases;
mod processes;
mod program;
mod sequences;
#[path = "../artifacts/world.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod world;

use folio::artifact::ArtifactFault;
use folio::artifact::collect::{self, Report, Terms};
use folio::store::collector::Collecting;
use folio::store::{EveryStep, Steps};
use std::path::{Path, PathBuf};
use world::World;

/// Some moment.
pub(crate) const NOW: u64 = 1_767_225_600;
pub(crate) const DAY: u64 = 86_400;

/// Collects the internal shelf.
pub(crate) fn try_gc(
    world: &World,
    grace: u64,
    now: u64,
    steps: &dyn Steps,
) -> Result<Report, ArtifactFault> {
    let store = world.store().for_collecting();
    let turn = Collecting::begin(store.common_dir())?;
    collect::run(&store, &turn, &terms(grace, now, steps))
}

pub(crate) fn gc(world: &World, grace: u64, now: u64) -> Report {
    try_gc(world, grace, now, &EveryStep).unwrap()
}

pub(crate) fn terms(grace: u64, now: u64, steps: &dyn Steps) -> Terms<'_> {
    Terms {
        grace,
        now,
        steps,
        imprint: world::imprint(),
    }
}

/// Bytes of all packs of the internal shelf.
pub(crate) fn packed(world: &World) -> u64 {
    let dir = world.internal().join("objects/pack");
    let paths = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let packs = paths.filter(|path| path.extension().is_some_and(|end| end == "pack"));
    packs.map(|path| path.metadata().unwrap().len()).sum()
}

/// Every file below a directory with its bytes, sorted.
pub(crate) fn tree(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.push((path.clone(), Vec::new()));
                dirs.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}

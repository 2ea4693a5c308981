//! What the dead left behind.

use super::super::leftovers;
use super::*;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn what_the_dead_left_goes_and_what_the_living_write_stays() {
    let (dir, ..) = repository(true, ObjectFormat::Sha1);
    let pack = dir.path().join("objects/pack");
    let left = [
        "objects/pack/tmp_pack_0123456789abcdef",
        "objects/pack/tmp_idx_0123456789abcdef",
        "objects/pack/.tmp-17-pack-abc.pack",
        "objects/pack/pack-1234.pack",
        "objects/pack/pack-5678.mtimes",
        "objects/tmp_objdir-incoming-abc/pack/x",
        "objects/aa/tmp_obj_abc",
    ];
    for name in left {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    sync_dir(&pack).unwrap();
    let living = fs::File::create(pack.join("tmp_pack_fedcba9876543210")).unwrap();
    living.lock().unwrap();
    let now = fs::metadata(pack.join("pack-1234.pack")).unwrap();
    let now = now
        .modified()
        .unwrap()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    // What others write is left alone for a day; of ours it is known whether its writer lives.
    let names = |report: &Report| -> Vec<String> {
        let paths = report.leftovers.iter();
        paths
            .map(|left| left.path.to_str().unwrap().to_owned())
            .collect()
    };
    let early = gc(dir.path(), 0, now + 60);
    assert_eq!(names(&early), [left[1], left[0]]);
    let late = gc(dir.path(), 0, now + DAY + 60);
    let rest = [
        left[6],
        left[2],
        left[3],
        left[4],
        "objects/tmp_objdir-incoming-abc",
    ];
    assert_eq!(names(&late), rest);
    assert!(pack.join("tmp_pack_fedcba9876543210").exists());
    living.unlock().unwrap();
    drop(living);
    assert_eq!(gc(dir.path(), 0, now + DAY + 60).leftovers.len(), 1);
}

/// A writer that comes to lock its file after it was found, and before it is removed.
struct Late(std::path::PathBuf, std::sync::Mutex<Option<fs::File>>);

impl crate::store::Steps for Late {
    fn step(&self, name: &'static str) -> Result<(), StoreFault> {
        if name == "gc-leftover" {
            let file = fs::File::open(&self.0).unwrap();
            file.lock().unwrap();
            *self.1.lock().unwrap() = Some(file);
        }
        Ok(())
    }
}

#[test]
fn what_its_writer_locks_after_it_was_found_stays() {
    let (dir, ..) = repository(true, ObjectFormat::Sha1);
    let path = dir.path().join("objects/pack/tmp_pack_fedcba9876543210");
    fs::write(&path, "x").unwrap();
    let late = Late(path.clone(), Default::default());
    let report = try_gc(dir.path(), &terms(0, NOW, &late)).unwrap();
    assert!(late.1.lock().unwrap().is_some());
    assert_eq!(report.leftovers, []);
    assert!(path.exists());
}

#[test]
fn the_lock_of_a_git_that_was_killed_goes_and_another_gits_stays() {
    let (dir, ..) = repository(true, ObjectFormat::Sha1);
    gc(dir.path(), 0, NOW);
    let lock = dir
        .path()
        .join("objects/info/commit-graphs/commit-graph-chain.lock");
    fs::write(&lock, "").unwrap();
    let report = gc(dir.path(), 0, NOW);
    assert!(!report.repacked.graph && lock.exists(), "somebody else's");
    assert_eq!(report.notes.len(), 1);
    fs::write(dir.path().join("folio/gc.graph"), "").unwrap();
    let report = gc(dir.path(), 0, NOW);
    assert!(report.repacked.graph && !lock.exists());
    assert!(!dir.path().join("folio/gc.graph").exists());
}

/// A program that is being started has a copy of every handle until it runs.
#[test]
fn looking_at_what_the_dead_left_does_not_hold_it() {
    let (dir, ..) = repository(true, ObjectFormat::Sha1);
    let store = GitStore::open(dir.path()).unwrap();
    fs::write(
        dir.path().join("objects/pack/tmp_pack_fedcba9876543210"),
        "x",
    )
    .unwrap();
    let terms = terms(0, NOW, &EveryStep);
    let found = while_programs_are_started(|| {
        let looks = (0..2000).map(|_| leftovers::find(&store, dir.path(), &terms).unwrap().len());
        looks.sum::<usize>()
    });
    assert_eq!(found, 2000);
}

fn while_programs_are_started<T>(work: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _end = OnDrop(&over);
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                Command::new("true").status().unwrap();
            }
        });
        work()
    })
}

/// Says that it is over, also where the work panics.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

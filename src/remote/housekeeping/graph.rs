//! git's commit graph, which makes walks through the history faster and can be made again at any time.

use super::survey::entries;
use crate::model::Code;
use crate::remote::Git;
use crate::store::disk::{io_fault, remove_if_there};
use crate::store::{GitStore, Steps, StoreFault};
use std::fs::{self, File};
use std::path::Path;

/// How much of it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it anew, for commits may be gone.
    Whole,
    /// What came since, beside what is there.
    New,
}

/// Tells what is removed, before it is.
pub(super) type Log<'a> = dyn Fn(&[String]) -> Result<(), StoreFault> + 'a;

/// Writes it; whether it was. One that another git is writing is left to that.
///
/// A git that is killed leaves its lock, which nobody may take for anybody's. So a note says that ours is at work:
/// who has the turn after it knows that it is dead, for a git that lives on has a handle of the turn's lock.
pub(super) fn write(
    store: &GitStore,
    extent: Extent,
    git: &Git,
    steps: &dyn Steps,
    log: &Log<'_>,
) -> Result<bool, StoreFault> {
    steps.step("gc-graph")?;
    let note = note(store.common_dir());
    if note.exists() {
        for path in locks(store)? {
            log(&[format!("leftover {}", path.display())])?;
            remove_if_there(&path)?;
        }
    }
    File::create(&note).map_err(|err| io_fault("create", &note, &err))?;
    let args = [
        "commit-graph",
        "write",
        "--reachable",
        match extent {
            Extent::Whole => "--split=replace",
            Extent::New => "--split",
        },
        "--no-progress",
    ];
    let written = match git.run(&args) {
        Err(fault) if fault.code == Code::GitFailed => false,
        written => written.map(|_| true)?,
    };
    remove_if_there(&note)?;
    Ok(written)
}

fn note(common_dir: &Path) -> std::path::PathBuf {
    common_dir.join("folio/gc.graph")
}

/// Locks of the graph's files, in both ways in which git lays it out.
fn locks(store: &GitStore) -> Result<Vec<std::path::PathBuf>, StoreFault> {
    let packs = store.pack_dir();
    let info = packs.with_file_name("info");
    let mut found = Vec::new();
    for dir in [info.join("commit-graphs"), info] {
        let inside = entries(&dir)?.into_iter();
        let locks = inside.filter(|(name, path)| {
            let lock = name.starts_with("commit-graph") && name.ends_with(".lock");
            lock && fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file())
        });
        found.extend(locks.map(|(_, path)| path));
    }
    Ok(found)
}

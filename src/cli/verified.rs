//! What was verified here before: nothing is numbered on top of a page that was not.

use super::context::Context;
use super::ui::Ui;
use crate::journal::Space;
use crate::journal::accept::Numbered;
use crate::journal::verify;
use crate::model::{Number, Oid};
use crate::store::{GitStore, Index};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

fn path(context: &Context) -> PathBuf {
    context.folio_dir().join("verified")
}

/// The newest snapshot that was verified or made here: number and commit.
pub fn last(context: &Context) -> Option<(Number, Oid)> {
    let text = std::fs::read_to_string(path(context)).ok()?;
    let (number, commit) = text.trim_end().split_once(' ')?;
    Some((Number(number.parse().ok()?), commit.parse().ok()?))
}

/// Verifies what came since the last time: O(new).
pub fn require(
    context: &Context,
    space: &Space<'_, GitStore>,
    index: &mut Index,
    ui: &Ui,
) -> anyhow::Result<()> {
    let history = context.history(space, index, ui)?;
    let from = match last(context) {
        Some((number, commit)) if history.contains(number, &commit) => number.next(),
        _ => Number(1),
    };
    if from > history.len() {
        return Ok(());
    }
    let mut progress = ui.progress("Verifying");
    verify::verify(space, &history, from, &mut |done, total| {
        progress.at(done, total)
    })?;
    remember(context, history.len(), history.commit_of(history.len())?)
}

/// Remembers the pages that were made here, where they stand on what is verified: a page of somebody else
/// that came in between is verified by the next run.
pub fn remember_own(context: &Context, numbered: &[Numbered]) -> anyhow::Result<()> {
    let (Some(first), Some(newest)) = (numbered.first(), numbered.last()) else {
        return Ok(());
    };
    let without_gap = newest.number.0 - first.number.0 + 1 == numbered.len() as u64;
    match last(context) {
        Some((verified, _)) if without_gap && verified.next() == first.number => {
            remember(context, newest.number, newest.commit)
        }
        _ => Ok(()),
    }
}

/// Remembers that everything up to a snapshot is verified. Lost or stale, it costs a new verification and
/// nothing else.
pub fn remember(context: &Context, number: Number, commit: Oid) -> anyhow::Result<()> {
    let path = path(context);
    let line = format!("{number} {commit}\n");
    if written_over(&path, line.as_bytes()).is_ok_and(|done| done) {
        return Ok(());
    }
    let dir = context.folio_dir();
    std::fs::create_dir_all(&dir)?;
    let mut file = tempfile::NamedTempFile::new_in(&dir)?;
    file.write_all(line.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Writes over a file of the same length, in one call; `false` where it has another length. A new file in its place takes
/// forty times as long, for the system has to let go of the old one. Whoever reads half of each line finds a snapshot that
/// there is not, and verifies anew.
fn written_over(path: &Path, line: &[u8]) -> std::io::Result<bool> {
    let file = File::options().write(true).open(path)?;
    let fits = file.metadata()?.len() == line.len() as u64;
    Ok(fits && file.write_at(line, 0)? == line.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn a_line_of_the_same_length_is_written_over_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("verified");
        assert!(written_over(&path, b"9 a\n").is_err(), "it is not made");
        std::fs::write(&path, "8 b\n").unwrap();
        let file = || std::fs::metadata(&path).unwrap().ino();
        let before = file();
        assert!(written_over(&path, b"9 a\n").unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"9 a\n");
        assert_eq!(file(), before);
        assert!(!written_over(&path, b"10 a\n").unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"9 a\n");
    }
}

//! What was verified here before: nothing is numbered on top of a page that was not.

use super::context::Context;
use super::ui::Ui;
use crate::journal::Space;
use crate::journal::accept::Numbered;
use crate::journal::verify;
use crate::model::{Number, Oid};
use crate::store::{GitStore, Index};
use std::path::PathBuf;

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
    let dir = context.folio_dir();
    std::fs::create_dir_all(&dir)?;
    let file = tempfile::NamedTempFile::new_in(&dir)?;
    std::fs::write(file.path(), format!("{number} {commit}\n"))?;
    file.persist(path(context)).map_err(|error| error.error)?;
    Ok(())
}

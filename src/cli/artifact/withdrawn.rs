//! What the newest state says of artifacts to whoever reads or lists them.

use crate::cli::context::{Context, view_of};
use crate::codec::rows;
use crate::fold::{Scene, artifacts};
use crate::journal::Page;
use crate::model::rows::ArtifactRow;
use crate::model::{ContentDigest, Table};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Refuses an artifact that is withdrawn, unless its reader wants it all the same. Its bytes stay: a restore lifts
/// the tombstone.
pub fn require_standing(
    context: &Context,
    key: &ContentDigest,
    anyway: bool,
) -> anyhow::Result<()> {
    if anyway {
        return Ok(());
    }
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let scene_of = view_of(&space.tables, &page);
    Ok(artifacts::require_standing(&Scene::new(&scene_of), key)?)
}

/// Every row of an artifact in the newest state, by key.
pub fn rows(context: &Context) -> anyhow::Result<BTreeMap<ContentDigest, ArtifactRow>> {
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let mut found = BTreeMap::new();
    let root = Some(page.tree());
    let ended = space.tables.iter(root, Table::Artifacts, |_, row| {
        match rows::decode::<ArtifactRow>(row) {
            Ok(row) => {
                found.insert(row.artifact, row);
                ControlFlow::Continue(())
            }
            Err(fault) => ControlFlow::Break(fault),
        }
    })?;
    match ended {
        ControlFlow::Continue(()) => Ok(found),
        ControlFlow::Break(fault) => Err(fault.into()),
    }
}

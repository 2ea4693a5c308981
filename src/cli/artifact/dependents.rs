//! What needs an artifact: asked before it is withdrawn, and by whoever wonders why it is kept.

use crate::cli::ui::escape;
use crate::codec::rows;
use crate::fold::Scene;
use crate::model::rows::LayerRow;
use crate::model::{ContentDigest, Oid, Row, RowKey, Table};
use crate::state::Tables;
use crate::store::GitStore;
use serde::Serialize;
use std::ops::ControlFlow;

/// An overlay layer whose patch the artifact is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dependent {
    /// The artifact's key.
    pub key: String,
    /// What the layer lies on.
    pub target: String,
    /// The layer's id.
    pub layer: String,
}

impl Dependent {
    fn of(row: &LayerRow) -> Self {
        Self {
            key: row.patch.to_hex(),
            target: row.target.to_string(),
            layer: row.id.to_hex(),
        }
    }

    /// In words, escaped.
    pub fn words(&self) -> String {
        let (target, layer) = (escape(&self.target), &self.layer[..12]);
        format!("{} is the patch of layer {layer} on `{target}`", self.key)
    }
}

/// The layers that need one of these artifacts in a scene on the state with that root; sorted. It reads the
/// whole table of layers once, since rows say what they need and not what needs them.
pub fn of(
    tables: &Tables<'_, GitStore>,
    root: Oid,
    scene: &Scene<'_>,
    keys: &[ContentDigest],
) -> anyhow::Result<Vec<Dependent>> {
    let mut found = Vec::new();
    let mut look = |row: &Row| -> anyhow::Result<()> {
        let layer: LayerRow = rows::decode(row)?;
        if keys.contains(&layer.patch) {
            found.push(Dependent::of(&layer));
        }
        Ok(())
    };
    let changed = |key: &RowKey| scene.edits().get(Table::Overlays, key).is_some();
    let flow = tables.iter(Some(root), Table::Overlays, |key, row| {
        if changed(key) {
            return ControlFlow::Continue(());
        }
        match look(row) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    })?;
    if let ControlFlow::Break(error) = flow {
        return Err(error);
    }
    for ((table, _), row) in scene.edits().iter() {
        if let (Table::Overlays, Some(row)) = (table, row) {
            look(row)?;
        }
    }
    found.sort();
    Ok(found)
}

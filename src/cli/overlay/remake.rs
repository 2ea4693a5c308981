//! Making a layer again for another base.

use super::bytes;
use super::patch::{Kind, Ready};
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::ui::Ui;
use crate::fold::{Scene, artifacts};
use crate::model::rows::LayerRow;
use crate::model::{Code, MediaType};
use crate::overlay::{self, Labels, LayerKind, Merged, Patch};

/// What became of it.
pub enum Remade {
    /// A new patch.
    Patch(Ready),
    /// The new base is already what the layer would make of it.
    Nothing(LayerRow),
    /// Both changed the same lines.
    Conflicts {
        /// The merge with git's markers.
        bytes: Vec<u8>,
        /// How many places.
        count: usize,
        /// The layer.
        row: LayerRow,
    },
}

/// What the two sides of a conflict are called.
fn labels(row: &LayerRow, base: &str) -> Labels {
    Labels {
        ours: format!("layer {}", row.id.short()),
        theirs: base.to_owned(),
    }
}

/// The three-way merge of what the layer made of the old base with the new base.
pub fn merge(
    context: &Context,
    scene: &Scene<'_>,
    row: &LayerRow,
    [old, new]: [&[u8]; 2],
    base: &str,
    kind: Kind,
    ui: &Ui,
) -> anyhow::Result<Remade> {
    let patch = bytes::of_key(context, scene, &row.patch)?;
    let was = kind_of(scene, row, &patch)?;
    let made = match was {
        LayerKind::Whole => patch,
        LayerKind::Diff => {
            let applied = Patch::parse(&patch)?.apply(old).map_err(|fault| {
                let what = format!("the layer does not apply to the old base: {}", fault.what);
                Problem::new(fault.code, what).hint(
                    "the old base is what lies right below the layer: `folio overlay show TARGET --below LAYER` makes it",
                )
            })?;
            for moved in &applied.moved {
                ui.warn(format!(
                    "hunk {} of the layer applies at line {} of the old base, not {}",
                    moved.hunk, moved.found, moved.stated
                ));
            }
            applied.bytes
        }
    };
    match overlay::merge(old, &made, new, &labels(row, base))? {
        Merged::Clean(bytes) => remade(row, new, bytes, kind.remade(was)),
        Merged::Conflicts { bytes, count } => Ok(Remade::Conflicts {
            bytes,
            count,
            row: row.clone(),
        }),
    }
}

/// The layer that makes what somebody decided of the new base.
pub fn merged(
    context: &Context,
    scene: &Scene<'_>,
    row: &LayerRow,
    new: &[u8],
    decided: Vec<u8>,
    base: &str,
    kind: Kind,
) -> anyhow::Result<Remade> {
    if let Some(line) = overlay::left_marker(&decided, &labels(row, base)) {
        let what = format!("line {line} still marks a conflict");
        return Err(Problem::new(Code::MergeConflict, what)
            .hint("write what should stand there, without the markers")
            .into());
    }
    let patch = bytes::of_key(context, scene, &row.patch)?;
    let was = kind_of(scene, row, &patch)?;
    remade(row, new, decided, kind.remade(was))
}

fn remade(row: &LayerRow, new: &[u8], made: Vec<u8>, kind: Kind) -> anyhow::Result<Remade> {
    if made == new {
        return Ok(Remade::Nothing(row.clone()));
    }
    let bytes = match kind.is_diff() {
        true => overlay::make(new, &made, row.target.as_str())?,
        false => Some(made),
    };
    Ok(match bytes {
        Some(bytes) => Remade::Patch(Ready::new(bytes, kind)),
        None => Remade::Nothing(row.clone()),
    })
}

fn kind_of(scene: &Scene<'_>, row: &LayerRow, bytes: &[u8]) -> anyhow::Result<LayerKind> {
    let media = artifacts::row(scene, &row.patch)?.and_then(|row| row.media);
    Ok(LayerKind::of(media.as_ref().map(MediaType::as_str), bytes))
}

//! Layers as people name them.

use crate::cli::error::Problem;
use crate::cli::ui::escape;
use crate::fold::Scene;
use crate::model::rows::LayerRow;
use crate::model::{Code, Name};

/// The one layer of a target whose id starts so.
pub fn find(scene: &Scene<'_>, target: &Name, id: &str) -> anyhow::Result<LayerRow> {
    let hex = id.bytes().all(|b| b.is_ascii_hexdigit());
    if id.len() < 4 || !hex {
        let what = format!(
            "expected at least 4 hexadecimal digits of a layer's id, found `{}`",
            escape(id)
        );
        return Err(Problem::new(Code::BadRequest, what).into());
    }
    let start = id.to_ascii_lowercase();
    let mut layers: Vec<LayerRow> = scene.list(target.as_str())?;
    layers.retain(|layer| layer.id.to_hex().starts_with(&start));
    match layers.len() {
        1 => {
            let layer = layers.remove(0);
            match is_numbered(scene, &layer) {
                true => Ok(layer),
                false => Err(unnumbered(target)),
            }
        }
        0 => {
            let what = format!("`{}` has no layer {start}", escape(target.as_str()));
            Err(Problem::new(Code::NoSuchLayer, what).into())
        }
        n => {
            let what = format!("{n} layers have an id that starts with {start}");
            Err(Problem::new(Code::BadRequest, what)
                .hint("write more digits")
                .into())
        }
    }
}

/// Whether a layer stands in the state itself, not only in the draft.
pub fn is_numbered(scene: &Scene<'_>, layer: &LayerRow) -> bool {
    let base = Scene::new(scene.base());
    let below: Vec<LayerRow> = base.list(layer.target.as_str()).unwrap_or_default();
    below.iter().any(|row| row.id == layer.id)
}

/// A layer's id is made from its proposal's digest, so nothing in the same proposal can name it.
pub fn unnumbered(target: &Name) -> anyhow::Error {
    let what = format!(
        "the draft adds a layer to `{}` already, and that has no id before it is numbered",
        escape(target.as_str())
    );
    Problem::new(Code::NoSuchLayer, what)
        .hint("folio propose -m MESSAGE, and after it is numbered go on with the next layer")
        .into()
}

//! `folio overlay`: draft layers over what others own.

use crate::cli::args::Global;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::names::entity;
use crate::cli::one;
use crate::cli::ui::{Ui, escape};
use crate::fold::rules::{Ending, OverlayAdd, OverlayDrop, OverlayRebase};
use crate::fold::{Decision, Scene};
use crate::model::rows::LayerRow;
use crate::model::{Code, ContentDigest, Name, Version};
use clap::{Subcommand, ValueEnum};

/// Draft overlay layers: add, rebase, drop
#[derive(Debug, clap::Args)]
#[command(
    after_help = "`folio overlays TARGET` lists layers with their ids; 4 digits of one are enough."
)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// A new layer on top
    Add {
        /// What it lies on
        target: String,
        #[command(flatten)]
        patch: Patch,
    },
    /// A layer is made again for another version of its target
    Rebase {
        /// What it lies on
        target: String,
        /// The layer, or the beginning of its id
        id: String,
        #[command(flatten)]
        patch: Patch,
    },
    /// A layer leaves the stack
    Drop {
        /// What it lies on
        target: String,
        /// The layer, or the beginning of its id
        id: String,
        /// How it ended
        #[arg(long = "as", value_name = "ENDING")]
        ending: End,
    },
}

#[derive(Debug, clap::Args)]
struct Patch {
    /// The version of the target that the patch was made for
    #[arg(long, value_name = "VERSION")]
    base: String,
    /// The patch artifact: its BLAKE3 digest
    #[arg(long, value_name = "DIGEST")]
    patch: String,
}

impl Patch {
    fn parse(&self) -> anyhow::Result<(Version, ContentDigest)> {
        let patch = self.patch.parse().map_err(|fault| {
            Problem::new(Code::BadRequest, format!("--patch: {fault}"))
                .hint("b3sum FILE prints the digest")
        })?;
        Ok((Version::new(self.base.as_str())?, patch))
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum End {
    Applied,
    Rejected,
    Withdrawn,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    one::draft(global, ui, |scene| match &arguments.action {
        Action::Add { target, patch } => add(scene, entity(scene, target, ui)?, patch),
        Action::Rebase { target, id, patch } => {
            let target = entity(scene, target, ui)?;
            rebase(layer(scene, &target, id)?, target, patch)
        }
        Action::Drop { target, id, ending } => {
            let target = entity(scene, target, ui)?;
            Ok(Decision::OverlayDrop(OverlayDrop {
                id: layer(scene, &target, id)?.id,
                target,
                was: None,
                ending: match ending {
                    End::Applied => Ending::Applied,
                    End::Rejected => Ending::Rejected,
                    End::Withdrawn => Ending::Withdrawn,
                },
            }))
        }
    })
}

fn add(scene: &Scene<'_>, target: Name, patch: &Patch) -> anyhow::Result<Decision> {
    let (base, patch) = patch.parse()?;
    let layers: Vec<LayerRow> = scene.list(target.as_str())?;
    if layers.iter().any(|layer| !is_numbered(scene, layer)) {
        return Err(unnumbered(&target));
    }
    Ok(Decision::OverlayAdd(OverlayAdd {
        after: None,
        base,
        patch,
        target,
    }))
}

fn rebase(layer: LayerRow, target: Name, patch: &Patch) -> anyhow::Result<Decision> {
    let (base, patch) = patch.parse()?;
    Ok(Decision::OverlayRebase(OverlayRebase {
        base,
        from: layer.base,
        id: layer.id,
        patch,
        target,
        was: None,
    }))
}

/// The one layer of a target whose id starts so.
fn layer(scene: &Scene<'_>, target: &Name, id: &str) -> anyhow::Result<LayerRow> {
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
fn is_numbered(scene: &Scene<'_>, layer: &LayerRow) -> bool {
    let base = Scene::new(scene.base());
    let below: Vec<LayerRow> = base.list(layer.target.as_str()).unwrap_or_default();
    below.iter().any(|row| row.id == layer.id)
}

/// A layer's id is made from its proposal's digest, so nothing in the same proposal can name it.
fn unnumbered(target: &Name) -> anyhow::Error {
    let what = format!(
        "the draft adds a layer to `{}` already, and that has no id before it is numbered",
        escape(target.as_str())
    );
    Problem::new(Code::NoSuchLayer, what)
        .hint("folio propose -m MESSAGE, and after it is numbered go on with the next layer")
        .into()
}

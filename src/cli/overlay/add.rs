//! `folio overlay add`: a new layer on top.

use super::layer;
use super::patch::{Kind, Ready};
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::names::entity;
use crate::cli::ui::Ui;
use crate::cli::{draft, report};
use crate::fold::Decision;
use crate::fold::rules::OverlayAdd;
use crate::model::Version;
use crate::model::rows::LayerRow;

/// A new layer on top
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A patch is a unified diff of one file, as `diff -u` and `git diff` print it, or a whole file, which \
replaces everything below. Which of them it is shows in its first lines; --whole and --diff say it. Its bytes are kept \
here, and the draft publishes them."
)]
pub struct Arguments {
    /// What it lies on
    target: String,
    /// The version of the target that the patch was made for; may be an artifact's key
    #[arg(long, value_name = "VERSION")]
    base: String,
    /// The patch: a file, - for standard input, or an artifact's key
    #[arg(long, value_name = "FILE")]
    patch: String,
    #[command(flatten)]
    kind: Kind,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let base = Version::new(arguments.base.as_str())?;
    let context = Context::open(global)?;
    let patch = Ready::named(&context, global, &arguments.patch, arguments.kind)?;
    let (_, added) = draft::with_drafting(&context, global, |drafting, space, _| {
        let scene = drafting.scene();
        let target = entity(scene, &arguments.target, ui)?;
        let layers: Vec<LayerRow> = scene.list(target.as_str())?;
        if layers.iter().any(|row| !layer::is_numbered(scene, row)) {
            return Err(layer::unnumbered(&target));
        }
        let layer = Decision::OverlayAdd(OverlayAdd {
            after: None,
            base,
            patch: patch.key,
            target,
        });
        patch.draft(&context, global, drafting, space, layer, ui)
    })?;
    report::drafted(ui, added)
}

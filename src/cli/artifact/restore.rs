//! `folio artifact restore`: draft that tombstones are lifted.

use super::keys;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::cli::{draft, report};
use crate::fold::Decision;
use crate::fold::rules::ArtifactRestore;

/// Draft: tombstones are lifted
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The keys of withdrawn artifacts
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let keys = keys::parse(&arguments.keys)?;
    let context = Context::open(global)?;
    let (_, added) = draft::with_drafting(&context, global, |drafting, _, _| {
        for artifact in keys {
            let was = None;
            let decision = Decision::ArtifactRestore(ArtifactRestore { artifact, was });
            drafting.add(decision, true)?;
        }
        Ok(())
    })?;
    report::drafted(ui, added)
}

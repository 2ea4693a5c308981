//! `folio unmerge`: draft that a merge goes.

use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::names::entity;
use crate::cli::one;
use crate::cli::ui::Ui;
use crate::fold::Decision;
use crate::fold::rules::Unmerge;

/// Draft: take a merge back
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The entity that was merged away
    from: String,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    one::draft(global, ui, |scene| {
        Ok(Decision::Unmerge(Unmerge {
            from: entity(scene, &arguments.from, ui)?,
            was: None,
        }))
    })
}

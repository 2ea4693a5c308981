//! `folio unpin-name`: draft that a preference goes.

use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::names::entity;
use crate::cli::one;
use crate::cli::ui::Ui;
use crate::fold::Decision;
use crate::fold::rules::Unpin;

/// Draft: take a preference back
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The entity
    name: String,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    one::draft(global, ui, |scene| {
        Ok(Decision::Unpin(Unpin {
            name: entity(scene, &arguments.name, ui)?,
            was: None,
        }))
    })
}

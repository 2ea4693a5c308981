//! `folio bind`: draft that two entities are the same.

use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::names::entity;
use crate::cli::one;
use crate::cli::ui::Ui;
use crate::fold::Decision;
use crate::fold::rules::Bind;

/// Draft: two entities are the same
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// One entity; of an alias the entity it stands for
    a: String,
    /// The other
    b: String,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    one::draft(global, ui, |scene| {
        Ok(Decision::Bind(Bind {
            a: entity(scene, &arguments.a, ui)?,
            b: entity(scene, &arguments.b, ui)?,
        }))
    })
}

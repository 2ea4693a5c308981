//! `folio merge`: draft that an entity has become another name for a second one.

use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::names::entity;
use crate::cli::one;
use crate::cli::ui::Ui;
use crate::fold::Decision;
use crate::fold::rules::Merge;

/// Draft: an entity has become another name for a second one
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The entity that is merged away; of an alias the entity it stands for
    from: String,
    /// The entity it is merged into
    into: String,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    one::draft(global, ui, |scene| {
        let into = entity(scene, &arguments.into, ui)?;
        Ok(Decision::Merge(Merge {
            from: entity(scene, &arguments.from, ui)?,
            // Filled in when it is added, as `was` is.
            resolved: into.clone(),
            into,
            was: None,
        }))
    })
}

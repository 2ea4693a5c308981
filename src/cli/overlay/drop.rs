//! `folio overlay drop`: a layer leaves the stack.

use super::layer;
use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::names::entity;
use crate::cli::one;
use crate::cli::ui::Ui;
use crate::fold::Decision;
use crate::fold::rules::{Ending, OverlayDrop};
use clap::ValueEnum;

/// A layer leaves the stack
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What it lies on
    target: String,
    /// The layer, or the beginning of its id
    id: String,
    /// How it ended
    #[arg(long = "as", value_name = "ENDING")]
    ending: End,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum End {
    Applied,
    Rejected,
    Withdrawn,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    one::draft(global, ui, |scene| {
        let target = entity(scene, &arguments.target, ui)?;
        Ok(Decision::OverlayDrop(OverlayDrop {
            id: layer::find(scene, &target, &arguments.id)?.id,
            target,
            was: None,
            ending: match arguments.ending {
                End::Applied => Ending::Applied,
                End::Rejected => Ending::Rejected,
                End::Withdrawn => Ending::Withdrawn,
            },
        }))
    })
}

//! What `folio artifact` drafts: publish, tombstone, restore.

use super::{publish, restore, tombstone};
use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::Subcommand;

/// The actions that draft decisions.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Draft: whoever has the space may have the bytes
    Publish(publish::Arguments),
    /// Draft: artifacts are withdrawn, with the reason
    Tombstone(tombstone::Arguments),
    /// Draft: tombstones are lifted
    Restore(restore::Arguments),
}

/// Runs one.
pub fn run(action: &Action, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    match action {
        Action::Publish(arguments) => publish::run(arguments, global, ui),
        Action::Tombstone(arguments) => tombstone::run(arguments, global, ui),
        Action::Restore(arguments) => restore::run(arguments, global, ui),
    }
}

//! `folio overlay`: layers over what others own.

use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::overlay::{add, drop, rebase, show};
use crate::cli::ui::Ui;
use clap::Subcommand;

/// Layers over what others own: add, show, rebase, drop
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
    /// Draft a new layer on top
    Add(add::Arguments),
    /// Lay the layers on a base
    Show(show::Arguments),
    /// Draft a layer again, for another version of its target
    Rebase(rebase::Arguments),
    /// Draft that a layer leaves the stack
    Drop(drop::Arguments),
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    match &arguments.action {
        Action::Add(arguments) => add::run(arguments, global, ui),
        Action::Show(arguments) => show::run(arguments, global, ui),
        Action::Rebase(arguments) => rebase::run(arguments, global, ui),
        Action::Drop(arguments) => drop::run(arguments, global, ui),
    }
}

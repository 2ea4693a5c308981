//! `folio gc`: collection, and how it stands.

use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::gc::{packs, run, status};
use crate::cli::ui::Ui;
use clap::Subcommand;

/// Pack what is needed; remove what nothing refers to any more
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "What nothing refers to is put aside by one run and removed by a later one, after the grace. \
Other commands go on meanwhile. Reflogs, indexes of work trees and everything below refs/ count as referring."
)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    run: run::Arguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// What is kept, what is put aside since when, when it ran last
    Status(status::Arguments),
    /// Merge packs, and no more: what commands start by themselves
    Packs,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    match &arguments.action {
        Some(Action::Status(arguments)) => status::run(arguments, global, ui),
        Some(Action::Packs) => packs::run(global, ui),
        None => run::run(&arguments.run, global, ui),
    }
}

//! `folio artifact`: what of bytes is decided.

use crate::cli::args::Global;
use crate::cli::artifact::decide;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;

/// Draft what is published and withdrawn: publish, tombstone, restore
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: decide::Action,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    decide::run(&arguments.action, global, ui)
}

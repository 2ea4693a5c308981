//! `folio evidence`: what shows others that a witness or a mirror was dishonest.

use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::cli::{evidence_check, evidence_list, evidence_make, evidence_show};
use clap::Subcommand;

/// Check, show, list and make evidence files
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say what a file proves
    Check(evidence_check::Arguments),
    /// Show what is in a file
    Show(evidence_show::Arguments),
    /// List the files that are kept here
    List,
    /// Make a file of one refused page, or of two pages
    Make(evidence_make::Arguments),
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    match &arguments.action {
        Action::Check(arguments) => evidence_check::run(arguments, global, ui),
        Action::Show(arguments) => evidence_show::run(arguments, global, ui),
        Action::List => evidence_list::run(global, ui),
        Action::Make(arguments) => evidence_make::run(arguments, global, ui),
    }
}

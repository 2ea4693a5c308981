//! `folio key`: make, show and list signing keys.

use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::cli::{key_list, key_new, key_show};
use clap::Subcommand;

/// Make, show and list signing keys
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key
    New(key_new::Arguments),
    /// Show a public key, its fingerprint and whose it is
    Show(key_show::Arguments),
    /// List the keys that there are
    List,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    match &arguments.action {
        Action::New(arguments) => key_new::run(arguments, global, ui),
        Action::Show(arguments) => key_show::run(arguments, global, ui),
        Action::List => key_list::run(global, ui),
    }
}

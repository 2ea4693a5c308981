//! `folio queue`

use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

/// Runs it.
pub fn run(_arguments: &Arguments, _global: &Global, _ui: &Ui) -> anyhow::Result<Exit> {
    anyhow::bail!("not there yet")
}

//! `folio alias sync`: the smallest draft that makes a scope of aliases equal a file.

use super::args::Global;
use super::context::Context;
use super::exit::Exit;
use super::ui::Ui;

/// Arguments of `alias sync`.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

/// Runs it.
pub fn run(
    _context: &Context,
    _arguments: &Arguments,
    _global: &Global,
    _ui: &Ui,
) -> anyhow::Result<Exit> {
    anyhow::bail!("not there yet")
}

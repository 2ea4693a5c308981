//! `folio artifact cat`: artifacts to stdout.

use super::{key, pour, withdrawn};
use crate::artifact::Shelves;
use crate::cli::args::Global;
use crate::cli::exchange::artifacts::demand;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use std::io;

/// Write artifacts to stdout
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The artifacts: keys, or 6 or more digits of each
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
    /// Only these bytes of each: `A..B`, counted from 0, without B
    #[arg(long, value_name = "A..B", value_parser = key::span)]
    range: Option<key::Span>,
    /// Also what is withdrawn
    #[arg(long)]
    withdrawn: bool,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let (context, _) = super::open(global)?;
    let shelves = Shelves::open(&context.store)?;
    for text in &arguments.keys {
        let key = key::named(&shelves, text)?;
        withdrawn::require_standing(&context, &key, arguments.withdrawn)?;
        demand::ensure(&context, global, &shelves, &key, ui)?;
        let mut reader = pour::part(shelves.read(&key)?, arguments.range);
        pour::into(&mut reader, &mut io::stdout().lock())?;
    }
    Ok(Exit::Done)
}

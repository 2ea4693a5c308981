//! `folio artifact`: bytes by their BLAKE3 key.

use crate::cli::args::Global;
use crate::cli::artifact::{add, cat, decide, get, keep, ls, purge, stat, verify, why};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::Subcommand;

/// Bytes by their BLAKE3 key: add, get, cat, stat, ls, verify; what of them is decided: publish, tombstone, restore
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add files and directories; prints the key of each as b3sum does
    Add(add::Arguments),
    /// Write an artifact to a file, or make its directory again
    Get(get::Arguments),
    /// Write artifacts to stdout
    Cat(cat::Arguments),
    /// Say what is known of an artifact
    Stat(stat::Arguments),
    /// List the artifacts that are here, or what is in a directory
    Ls(ls::Arguments),
    /// Read artifacts and compare every byte with the key
    Verify(verify::Arguments),
    /// Say what keeps an artifact, or when it may be collected
    Why(why::Arguments),
    /// Keep artifacts here although nothing refers to them
    Keep(keep::Arguments),
    /// Take that back
    Unkeep(keep::Arguments),
    /// Erase an artifact's bytes here, and here only
    Purge(purge::Arguments),
    #[command(flatten)]
    Decide(decide::Action),
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    match &arguments.action {
        Action::Add(arguments) => add::run(arguments, global, ui),
        Action::Get(arguments) => get::run(arguments, global, ui),
        Action::Cat(arguments) => cat::run(arguments, global, ui),
        Action::Stat(arguments) => stat::run(arguments, global, ui),
        Action::Ls(arguments) => ls::run(arguments, global, ui),
        Action::Verify(arguments) => verify::run(arguments, global, ui),
        Action::Why(arguments) => why::run(arguments, global, ui),
        Action::Keep(arguments) => keep::run(arguments, true, global, ui),
        Action::Unkeep(arguments) => keep::run(arguments, false, global, ui),
        Action::Purge(arguments) => purge::run(arguments, global, ui),
        Action::Decide(action) => decide::run(action, global, ui),
    }
}

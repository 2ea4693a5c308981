//! `folio artifact`: bytes by their BLAKE3 key.

use crate::cli::args::Global;
use crate::cli::artifact::{add, cat, decide, get, keep, ls, purge, stat, verify, why};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::Subcommand;

/// Add, read, list and check artifacts: bytes by their BLAKE3 key
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add files; prints the key of each as b3sum does
    Add(add::Arguments),
    /// Write an artifact, or a part of it, to a file
    Get(get::Arguments),
    /// Write artifacts to stdout
    Cat(cat::Arguments),
    /// Say what is known of an artifact
    Stat(stat::Arguments),
    /// List the artifacts that are here
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

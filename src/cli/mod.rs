//! The command line: one file per command. Data goes to stdout, talk to stderr.

pub mod alias_file;
pub mod alias_plan;
pub mod alias_sync;
pub mod allowed_signers;
pub mod args;
pub mod changes;
pub mod commands;
pub mod context;
pub mod draft;
pub mod error;
pub mod exit;
pub mod identity;
pub mod key_list;
pub mod key_new;
pub mod key_show;
pub mod keys;
pub mod names;
pub mod one;
pub mod policy_show;
pub mod proposals;
pub mod refusals;
pub mod report;
pub mod signing;
pub mod trial;
pub mod ui;
pub mod verified;
pub mod view;
pub mod worktree;

use args::Cli;
use clap::Parser as _;
use exit::Exit;
use std::process::ExitCode;
use ui::Ui;

/// Parses the command line, runs it, and turns what came of it into an exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return error::usage(&error),
    };
    let ui = Ui::new(&cli.global);
    match commands::run(&cli, &ui) {
        Ok(exit) => exit.into(),
        Err(error) if error::is_closed_pipe(&error) => Exit::Done.into(),
        Err(error) => error::report(&ui, &error).into(),
    }
}

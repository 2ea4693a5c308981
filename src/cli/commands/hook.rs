//! `folio hook`: the hooks of git, on a server and in a clone.

use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::hook::{install, post, push, receive, status, transaction};
use crate::cli::ui::Ui;
use clap::Subcommand;

/// Hooks for git: a server that takes only what is valid, a clone that warns
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The hooks enforce the same rules as every reader; docs/servers.md says what that promises on which \
kind of server. The other subcommands are what the hooks call."
)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Put the hooks into the repository
    Install(install::Arguments),
    /// Take them away again
    Uninstall,
    /// Say which are in place
    Status,
    /// Judge a push before anything of it is taken
    #[command(hide = true)]
    PreReceive,
    /// After a push: wake the witness
    #[command(hide = true)]
    PostReceive,
    /// Judge a move of main by plain git
    #[command(hide = true)]
    ReferenceTransaction,
    /// Judge what is about to be sent
    #[command(hide = true)]
    PrePush,
    /// Verify what a pull brought
    #[command(hide = true)]
    PostMerge,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    match &arguments.action {
        Action::Install(arguments) => install::run(arguments, global, ui),
        Action::Uninstall => install::uninstall(global, ui),
        Action::Status => status::run(global, ui),
        Action::PreReceive => receive::run(global, ui),
        Action::PostReceive => Ok(post::received(global, ui)),
        Action::ReferenceTransaction => transaction::run(global, ui),
        Action::PrePush => push::run(global, ui),
        Action::PostMerge => Ok(post::merged(global, ui)),
    }
}

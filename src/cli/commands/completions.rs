//! `folio completions`: what a shell needs to complete our words.

use crate::cli::args::{Cli, Global};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::CommandFactory as _;
use clap_complete::Shell;
use std::io::Write as _;

/// Shell completions
#[derive(Debug, clap::Args)]
#[command(
    after_help = "For bash: folio completions bash > ~/.local/share/bash-completion/completions/folio"
)]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

/// Runs it.
pub fn run(arguments: &Arguments, _global: &Global, _ui: &Ui) -> anyhow::Result<Exit> {
    // Made in memory: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "folio", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(Exit::Done)
}

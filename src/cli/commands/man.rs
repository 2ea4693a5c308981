//! `folio man`: manual pages.

use crate::cli::args::{Cli, Global};
use crate::cli::exit::Exit;
use crate::cli::ui::{Ui, escape};
use clap::CommandFactory as _;
use serde::Serialize;
use std::path::PathBuf;

/// Manual pages
#[derive(Debug, clap::Args)]
#[command(after_help = "Without --out the page of `folio` itself is printed: folio man | man -l -")]
pub struct Arguments {
    /// Write a page for every command into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Written {
    directory: String,
    pages: usize,
}

/// What `-h` leaves out for want of room is in the manual; the generator would skip its words.
fn complete(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| argument.hide_short_help(false));
    command.mut_subcommands(complete)
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let Some(out) = &arguments.out else {
        clap_mangen::Man::new(complete(Cli::command())).render(&mut std::io::stdout().lock())?;
        return Ok(Exit::Done);
    };
    let directory = global.dir().join(out);
    std::fs::create_dir_all(&directory)?;
    clap_mangen::generate_to(complete(Cli::command()), &directory)?;
    let entries = std::fs::read_dir(&directory)?.filter_map(Result::ok);
    let is_page = |entry: &std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with("folio") && name.ends_with(".1")
    };
    let pages = entries.filter(is_page).count();
    let directory = directory.display().to_string();
    if ui.json() {
        ui.answer("man", &Written { directory, pages })?;
    } else {
        ui.say(format!("{pages} pages in {}", escape(&directory)));
    }
    Ok(Exit::Done)
}

//! `folio artifact get`: an artifact into a file.

use super::{key, pour};
use crate::artifact::Shelves;
use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::ui::{Ui, escape};
use serde::Serialize;
use std::io;
use std::path::PathBuf;

/// Write an artifact, or a part of it, to a file
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The artifact: its key, or 6 or more digits of it
    key: String,
    /// The file; `-` is stdout [default: the key, in this directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only these bytes: `A..B`, counted from 0, without B
    #[arg(long, value_name = "A..B", value_parser = key::span)]
    range: Option<key::Span>,
}

#[derive(Serialize)]
struct Answer {
    key: String,
    size: u64,
    written: u64,
    file: String,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let (context, _) = super::open(global)?;
    let shelves = Shelves::open(&context.store)?;
    let key = key::named(&shelves, &arguments.key)?;
    let mut reader = pour::part(shelves.read(&key)?, arguments.range);
    let default = PathBuf::from(key.to_hex());
    let file = arguments.output.as_ref().unwrap_or(&default);
    if file.as_os_str() == "-" {
        pour::into(&mut reader, &mut io::stdout().lock())?;
        return Ok(Exit::Done);
    }
    let written = pour::into_file(&mut reader, file)?;
    if ui.json() {
        let answer = Answer {
            key: key.to_hex(),
            size: reader.size(),
            written,
            file: file.to_string_lossy().into_owned(),
        };
        ui.answer("artifact-get", &answer)?;
    } else {
        let file = escape(&file.to_string_lossy());
        ui.say(format!("{written} bytes in `{file}`, verified"));
    }
    Ok(Exit::Done)
}

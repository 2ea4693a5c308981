//! `folio artifact get`: an artifact into a file, or a directory made again.

use super::{key, pour, withdrawn};
use crate::artifact::Shelves;
use crate::artifact::directory::{Directory, restore};
use crate::cli::args::Global;
use crate::cli::exchange::artifacts::demand;
use crate::cli::exit::Exit;
use crate::cli::report::count;
use crate::cli::ui::{Ui, escape};
use crate::model::ContentDigest;
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};

/// Write an artifact to a file, or make its directory again
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The artifact: its key, or 6 or more digits of it
    #[arg(value_name = "KEY")]
    artifact: String,
    /// The file, or the new directory; `-` is stdout [default: the key, in this directory]
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Only these bytes: `A..B`, counted from 0, without B
    #[arg(long, value_name = "A..B", value_parser = key::span)]
    range: Option<key::Span>,
    /// Of a directory its manifest, as it is
    #[arg(long)]
    raw: bool,
    /// Also what is withdrawn
    #[arg(long)]
    withdrawn: bool,
}

#[derive(Serialize)]
struct Answer {
    key: String,
    size: u64,
    written: u64,
    file: String,
}

#[derive(Serialize)]
struct Tree {
    key: String,
    directory: String,
    files: u64,
    links: u64,
    empty: u64,
    written: u64,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let (context, _) = super::open(global)?;
    let shelves = Shelves::open(&context.store)?;
    let key = key::named(&shelves, &arguments.artifact)?;
    withdrawn::require_standing(&context, &key, arguments.withdrawn)?;
    demand::ensure(&context, global, &shelves, &key, ui)?;
    let reader = shelves.read(&key)?;
    let default = PathBuf::from(key.to_hex());
    let file = arguments.output.as_ref().unwrap_or(&default);
    let stream = file.as_os_str() == "-";
    if reader.is_manifest() && !arguments.raw && arguments.range.is_none() && !stream {
        return tree(ui, &shelves, key, file);
    }
    let mut reader = pour::part(reader, arguments.range);
    if stream {
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

/// Makes a directory again.
fn tree(ui: &Ui, shelves: &Shelves, key: ContentDigest, to: &Path) -> anyhow::Result<Exit> {
    let waiting = ui.spinner("Writing");
    let made = restore(&Directory::new(shelves, key), to)?;
    drop(waiting);
    if ui.json() {
        let answer = Tree {
            key: key.to_hex(),
            directory: to.to_string_lossy().into_owned(),
            files: made.files,
            links: made.links,
            empty: made.empty,
            written: made.bytes,
        };
        ui.answer("artifact-get", &answer)?;
    } else {
        let files = count(usize::try_from(made.files)?, "file");
        let (bytes, to) = (made.bytes, escape(&to.to_string_lossy()));
        ui.say(format!("{files} of {bytes} bytes in `{to}`, verified"));
    }
    Ok(Exit::Done)
}

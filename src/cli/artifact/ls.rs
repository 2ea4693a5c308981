//! `folio artifact ls`: the artifacts that are here, or what is in a directory.

use super::{entries, key, kind_word};
use crate::artifact::{Shelf, Shelves};
use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use serde::Serialize;
use std::io::{self, Write as _};

/// List the artifacts that are here, or what is in a directory
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A directory: its key, or 6 or more digits of it
    #[arg(value_name = "KEY", conflicts_with_all = ["internal", "published"])]
    tree: Option<String>,
    /// Only what never leaves this repository
    #[arg(long, conflicts_with = "published")]
    internal: bool,
    /// Only what was published
    #[arg(long)]
    published: bool,
}

#[derive(Serialize)]
struct Answer {
    artifacts: Vec<View>,
}

#[derive(Serialize)]
struct View {
    key: String,
    size: u64,
    kind: &'static str,
    shelf: &'static str,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let (context, _) = super::open(global)?;
    let shelves = Shelves::open(&context.store)?;
    if let Some(text) = &arguments.tree {
        return entries::list(ui, &shelves, key::named(&shelves, text)?);
    }
    let mut asked = Vec::new();
    if !arguments.published {
        asked.push(shelves.internal());
    }
    if !arguments.internal {
        asked.push(shelves.published());
    }
    match ui.json() {
        true => answer(ui, &asked)?,
        false => list(&asked)?,
    }
    Ok(Exit::Done)
}

fn list(shelves: &[&Shelf]) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for shelf in shelves {
        let word = shelf.place().word();
        for key in shelf.keys()? {
            let key = key?;
            let kind = kind_word(key.manifest);
            writeln!(out, "{}  {word:9}  {kind:8}  {}", key.key, key.size)?;
        }
    }
    out.flush()?;
    Ok(())
}

fn answer(ui: &Ui, shelves: &[&Shelf]) -> anyhow::Result<()> {
    let mut artifacts = Vec::new();
    for shelf in shelves {
        for key in shelf.keys()? {
            let key = key?;
            artifacts.push(View {
                key: key.key.to_hex(),
                size: key.size,
                kind: kind_word(key.manifest),
                shelf: shelf.place().word(),
            });
        }
    }
    ui.answer("artifact-ls", &Answer { artifacts })
}

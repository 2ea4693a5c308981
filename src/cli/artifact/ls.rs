//! `folio artifact ls`: artifacts, where their bytes are and what was decided; or what is in a directory.

use super::{entries, key, kind_word, withdrawn};
use crate::artifact::{Shelf, Shelves};
use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::ui::{Ui, escape};
use crate::model::ContentDigest;
use crate::model::rows::ArtifactRow;
use serde::Serialize;
use std::collections::BTreeMap;
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
    /// Nothing where nobody said it.
    size: Option<u64>,
    /// Nothing where its bytes are not here.
    kind: Option<&'static str>,
    /// `internal`, `published`; `none` where its bytes are not here.
    shelf: &'static str,
    /// Why it is withdrawn.
    withdrawn: Option<String>,
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
    let rows = withdrawn::rows(&context)?;
    if ui.json() {
        let mut artifacts = Vec::new();
        each(&asked, &shelves, &rows, arguments, &mut |view| {
            artifacts.push(view);
            Ok(())
        })?;
        ui.answer("artifact-ls", &Answer { artifacts })?;
        return Ok(Exit::Done);
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    each(&asked, &shelves, &rows, arguments, &mut |view| {
        let size = view.size.map_or("?".to_owned(), |size| size.to_string());
        let (shelf, kind) = (view.shelf, view.kind.unwrap_or("?"));
        write!(out, "{}  {shelf:9}  {kind:8}  {size}", view.key)?;
        match &view.withdrawn {
            Some(reason) => writeln!(out, "  withdrawn: {}", escape(reason))?,
            None => writeln!(out)?,
        }
        Ok(())
    })?;
    out.flush()?;
    Ok(Exit::Done)
}

/// What is on the shelves, in the order of the keys; then what was decided about keys whose bytes are not here.
fn each(
    asked: &[&Shelf],
    shelves: &Shelves,
    rows: &BTreeMap<ContentDigest, ArtifactRow>,
    arguments: &Arguments,
    take: &mut dyn FnMut(View) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let reason = |row: &ArtifactRow| row.tombstone.as_ref().map(ToString::to_string);
    for shelf in asked {
        for key in shelf.keys()? {
            let key = key?;
            take(View {
                key: key.key.to_hex(),
                size: Some(key.size),
                kind: Some(kind_word(key.manifest)),
                shelf: shelf.place().word(),
                withdrawn: rows.get(&key.key).and_then(reason),
            })?;
        }
    }
    for (key, row) in rows {
        if !arguments.internal && shelves.find(key)?.is_none() {
            take(View {
                key: key.to_hex(),
                size: row.size,
                kind: None,
                shelf: "none",
                withdrawn: reason(row),
            })?;
        }
    }
    Ok(())
}

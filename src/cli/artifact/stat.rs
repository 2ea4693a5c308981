//! `folio artifact stat`: what is known of an artifact.

use super::{key, kind_word};
use crate::artifact::Shelves;
use crate::cli::args::Global;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::report::count;
use crate::cli::ui::Ui;
use crate::model::Code;
use serde::Serialize;
use std::collections::BTreeSet;

/// Say what is known of an artifact
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The artifact: its key, or 6 or more digits of it
    #[arg(value_name = "KEY")]
    artifact: String,
}

#[derive(Serialize)]
struct Answer {
    key: String,
    size: u64,
    kind: &'static str,
    shelves: Vec<OnShelf>,
}

#[derive(Serialize)]
struct OnShelf {
    shelf: &'static str,
    extents: usize,
    blocks: usize,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let (context, _) = super::open(global)?;
    let shelves = Shelves::open(&context.store)?;
    let key = key::named(&shelves, &arguments.artifact)?;
    let mut answer = None;
    for shelf in [shelves.internal(), shelves.published()] {
        let Some(record) = shelf.find_surely(&key)? else {
            continue;
        };
        let blocks: BTreeSet<_> = record.extents.iter().map(|extent| extent.block).collect();
        let answer = answer.get_or_insert_with(|| Answer {
            key: key.to_hex(),
            size: record.size,
            kind: kind_word(record.manifest),
            shelves: Vec::new(),
        });
        answer.shelves.push(OnShelf {
            shelf: shelf.place().word(),
            extents: record.extents.len(),
            blocks: blocks.len(),
        });
    }
    let Some(answer) = answer else {
        let what = format!("there are no bytes of {key} here");
        return Err(Problem::new(Code::NotFound, what)
            .hint("`folio artifact ls` lists the keys that are here")
            .into());
    };
    if ui.json() {
        ui.answer("artifact-stat", &answer)?;
        return Ok(Exit::Done);
    }
    ui.line(&answer.key)?;
    ui.line(format!("  size   {}", answer.size))?;
    ui.line(format!("  kind   {}", answer.kind))?;
    for on in &answer.shelves {
        let (parts, blocks) = (count(on.extents, "part"), count(on.blocks, "block"));
        ui.line(format!("  shelf  {}: {parts} in {blocks}", on.shelf))?;
    }
    Ok(Exit::Done)
}

//! `folio artifact stat`: what is known of an artifact.

use super::{key, kind_word};
use crate::artifact::Shelves;
use crate::cli::args::Global;
use crate::cli::context::{Context, view_of};
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::published;
use crate::cli::report::count;
use crate::cli::ui::{Ui, escape};
use crate::fold::{Scene, artifacts};
use crate::journal::Page;
use crate::model::{Code, ContentDigest};
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
    size: Option<u64>,
    /// Known of bytes that are here.
    kind: Option<&'static str>,
    /// `here`, `elsewhere` or `purged`.
    bytes: &'static str,
    /// Why it is withdrawn.
    withdrawn: Option<String>,
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
    let answer = look(&context, &shelves, &key)?;
    if ui.json() {
        ui.answer("artifact-stat", &answer)?;
        return Ok(Exit::Done);
    }
    print(&answer, ui)?;
    Ok(Exit::Done)
}

fn look(context: &Context, shelves: &Shelves, key: &ContentDigest) -> anyhow::Result<Answer> {
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let row = artifacts::row(&Scene::new(&view_of(&space.tables, &page)), key)?;
    let mut answer = Answer {
        key: key.to_hex(),
        size: row.as_ref().and_then(|row| row.size),
        kind: None,
        bytes: "elsewhere",
        withdrawn: None,
        shelves: Vec::new(),
    };
    for shelf in [shelves.internal(), shelves.published()] {
        let Some(record) = shelf.find_surely(key)? else {
            continue;
        };
        let blocks: BTreeSet<_> = record.extents.iter().map(|extent| extent.block).collect();
        (answer.size, answer.bytes) = (Some(record.size), "here");
        answer.kind = Some(kind_word(record.manifest));
        answer.shelves.push(OnShelf {
            shelf: shelf.place().word(),
            extents: record.extents.len(),
            blocks: blocks.len(),
        });
    }
    if answer.shelves.is_empty() && row.is_none() {
        let what = format!("there are no bytes of {key} here");
        return Err(Problem::new(Code::NotFound, what)
            .hint("`folio artifact ls` lists the keys that are here")
            .into());
    }
    if answer.shelves.is_empty() && published::purged(context)?.contains(key) {
        answer.bytes = "purged";
    }
    let reason = row.and_then(|row| row.tombstone);
    answer.withdrawn = reason.map(|reason| reason.to_string());
    Ok(answer)
}

fn print(answer: &Answer, ui: &Ui) -> anyhow::Result<()> {
    ui.line(&answer.key)?;
    if let Some(size) = answer.size {
        ui.line(format!("  size   {size}"))?;
    }
    if let Some(kind) = answer.kind {
        ui.line(format!("  kind   {kind}"))?;
    }
    ui.line(format!("  bytes  {}", answer.bytes))?;
    if let Some(reason) = &answer.withdrawn {
        ui.line(format!("  withdrawn: {}", escape(reason)))?;
    }
    for on in &answer.shelves {
        let (parts, blocks) = (count(on.extents, "part"), count(on.blocks, "block"));
        ui.line(format!("  shelf  {}: {parts} in {blocks}", on.shelf))?;
    }
    Ok(())
}

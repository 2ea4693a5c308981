//! `folio artifact keep` and `unkeep`: artifacts that stay although nothing refers to them.

use super::key;
use crate::artifact::Shelves;
use crate::artifact::collect::lists::{self, List};
use crate::cli::args::Global;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::report::count;
use crate::cli::ui::Ui;
use crate::model::Code;
use serde::Serialize;

/// Keep artifacts here although nothing refers to them, or take that back
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The artifacts: keys, or 6 or more digits of one
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    keys: Vec<String>,
    kept: bool,
    changed: bool,
}

/// Runs it.
pub fn run(arguments: &Arguments, keep: bool, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let (context, _) = super::open(global)?;
    // What is here now stays until the list says so.
    context.store.begin_writing()?;
    let shelves = Shelves::open(&context.store)?;
    let mut keys = Vec::new();
    for word in &arguments.keys {
        let key = key::named(&shelves, word)?;
        if keep && shelves.find_surely(&key)?.is_none() {
            let what = format!("there are no bytes of {key} here");
            return Err(Problem::new(Code::NotFound, what)
                .hint("`folio artifact ls` lists the keys that are here")
                .into());
        }
        keys.push(key);
    }
    let changed = lists::change(&context.folio_dir(), List::Kept, &keys, keep)?;
    if ui.json() {
        let keys = keys.iter().map(|key| key.to_hex()).collect();
        let kept = keep;
        ui.answer(
            "artifact-keep",
            &Answer {
                keys,
                kept,
                changed,
            },
        )?;
        return Ok(Exit::Done);
    }
    let words = count(keys.len(), "artifact");
    ui.say(match (keep, changed) {
        (true, true) => format!("{words} kept"),
        (false, true) => format!("{words} no longer kept by hand"),
        (true, false) => "kept already".to_owned(),
        (false, false) => "not kept by hand".to_owned(),
    });
    Ok(Exit::Done)
}

//! `folio artifact why`: what keeps an artifact.

use super::key;
use super::reasons::{self, ReasonView};
use crate::artifact::Shelves;
use crate::artifact::collect::why::why;
use crate::cli::args::Global;
use crate::cli::dates::utc_day;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::gc::grace::{Grace, USUAL};
use crate::cli::ui::Ui;
use crate::model::Code;
use serde::Serialize;

/// Say what keeps an artifact, or when it may be collected
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The artifact: its key, or 6 or more digits of it
    key: String,
    /// How long what nothing refers to is left alone
    #[arg(long, value_name = "TIME", default_value = USUAL)]
    grace: Grace,
}

#[derive(Serialize)]
struct Answer {
    key: String,
    shelves: Vec<&'static str>,
    kept: bool,
    reasons: Vec<ReasonView>,
    condemned_since: Option<u64>,
    removable_from: Option<u64>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let (context, _) = super::open(global)?;
    let store = &context.store;
    let key = key::named(&Shelves::open(store)?, &arguments.key)?;
    let found = why(store, &key)?;
    let reasons = reasons::all(&found);
    if found.shelves.is_empty() && reasons.is_empty() {
        let what = format!("there are no bytes of {key} here, and nothing names it");
        return Err(Problem::new(Code::NotFound, what)
            .hint("`folio artifact ls` lists the keys that are here")
            .into());
    }
    let answer = Answer {
        key: key.to_hex(),
        kept: found.is_kept() || found.shelves.contains(&"published"),
        shelves: found.shelves,
        reasons,
        condemned_since: found.condemned,
        removable_from: found
            .condemned
            .map(|since| since.saturating_add(arguments.grace.0)),
    };
    if ui.json() {
        ui.answer("artifact-why", &answer)?;
        return Ok(Exit::Done);
    }
    for reason in &answer.reasons {
        ui.line(reason.words())?;
    }
    if answer.shelves.is_empty() {
        ui.say("its bytes are not here");
    }
    if answer.shelves.contains(&"published") {
        ui.line("it is on the published shelf, which nothing is collected from")?;
    }
    if !answer.kept {
        ui.line(match answer.removable_from {
            Some(from) => format!(
                "nothing refers to it; it may be collected after {}",
                utc_day(from)
            ),
            None => "nothing refers to it; the next `folio gc` condemns it".to_owned(),
        })?;
    }
    Ok(Exit::Done)
}

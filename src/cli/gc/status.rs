//! `folio gc status`: what is kept, what is put aside, and when it may go.

use super::grace::{Grace, USUAL};
use super::{bytes, require_known_rules};
use crate::artifact::collect::{self, Standing};
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::dates::{ago, utc_day};
use crate::cli::exit::Exit;
use crate::cli::identity;
use crate::cli::report::count;
use crate::cli::ui::{Ui, escape};
use crate::remote::housekeeping::survey::{Survey, survey};
use crate::store::collector::{Collecting, last_run};
use serde::Serialize;

/// What is kept, what is put aside since when, when it ran last
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How long what nothing refers to is left alone
    #[arg(long, value_name = "TIME", default_value = USUAL)]
    grace: Grace,
}

#[derive(Serialize)]
struct Answer {
    running: bool,
    last: Option<u64>,
    last_words: Option<String>,
    packs: usize,
    packed_bytes: u64,
    loose: usize,
    aside: usize,
    aside_bytes: u64,
    aside_since: Option<u64>,
    removable_from: Option<u64>,
    artifacts: ArtifactsView,
}

/// The internal shelf.
#[derive(Serialize)]
struct ArtifactsView {
    kept: usize,
    condemned: usize,
    condemned_since: Option<u64>,
    removable_from: Option<u64>,
    packs: usize,
    bytes: u64,
}

impl ArtifactsView {
    fn of(standing: &Standing, grace: u64) -> Self {
        Self {
            kept: standing.kept,
            condemned: standing.condemned,
            condemned_since: standing.since,
            removable_from: standing.since.map(|since| since.saturating_add(grace)),
            packs: standing.packs,
            bytes: standing.bytes,
        }
    }
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    context.space()?;
    require_known_rules(&context)?;
    let store = &context.store;
    let found: Survey = survey(store)?;
    let last = last_run(store.common_dir())?;
    let answer = Answer {
        running: Collecting::is_running(store.common_dir()),
        last: last.as_ref().map(|(time, _)| *time),
        last_words: last.map(|(_, words)| words),
        packs: found.packs,
        packed_bytes: found.packed,
        loose: found.loose,
        aside: found.aside,
        aside_bytes: found.aside_bytes,
        aside_since: found.since,
        removable_from: found
            .since
            .map(|since| since.saturating_add(arguments.grace.0)),
        artifacts: ArtifactsView::of(&collect::standing(store)?, arguments.grace.0),
    };
    match ui.json() {
        true => ui.answer("gc-status", &answer)?,
        false => show(ui, &answer, identity::now(global)?)?,
    }
    Ok(Exit::Done)
}

fn show(ui: &Ui, answer: &Answer, now: u64) -> anyhow::Result<()> {
    let since = |time: u64| {
        let age = now as i128 - i128::from(time);
        ago(age.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    };
    ui.line(match (answer.running, answer.last) {
        (true, _) => "a collection is running".to_owned(),
        (false, None) => "never ran here".to_owned(),
        (false, Some(time)) => {
            let words = answer.last_words.as_deref().unwrap_or_default();
            format!("ran {}: {}", since(time), escape(words))
        }
    })?;
    ui.line(format!(
        "kept: {} ({}), {}",
        count(answer.packs, "pack"),
        bytes(answer.packed_bytes),
        count(answer.loose, "loose object")
    ))?;
    let shelf = &answer.artifacts;
    ui.line(format!(
        "internal shelf: {} kept, {} condemned; {} ({})",
        count(shelf.kept, "artifact"),
        shelf.condemned,
        count(shelf.packs, "pack"),
        bytes(shelf.bytes)
    ))?;
    if let (Some(first), Some(from)) = (shelf.condemned_since, shelf.removable_from) {
        ui.line(format!(
            "  the first condemned {}; may go from {} on",
            since(first),
            utc_day(from)
        ))?;
    }
    let (Some(first), Some(from)) = (answer.aside_since, answer.removable_from) else {
        return ui.line("put aside: nothing");
    };
    ui.line(format!(
        "put aside: {} ({}), the first {}",
        count(answer.aside, "object"),
        bytes(answer.aside_bytes),
        since(first)
    ))?;
    ui.line(match from <= now {
        true => "the next run removes what is old enough".to_owned(),
        false => {
            let day = utc_day(from);
            format!("what nothing refers to may go from {day} on")
        }
    })
}

//! `folio gc packs`: what is done between collections. Commands start it by themselves, see [`super::background`].

use super::require_known_rules;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::identity;
use crate::cli::report::count;
use crate::cli::ui::Ui;
use crate::remote::housekeeping::between::{self, Done};
use crate::remote::require_git;
use crate::store::EveryStep;
use crate::store::collector::Merging;
use serde::Serialize;

#[derive(Serialize)]
struct Answer {
    merged: usize,
    refs: usize,
    graph: bool,
    busy: bool,
}

/// Runs it.
pub fn run(global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    context.space()?;
    require_known_rules(&context)?;
    require_git()?;
    let now = identity::now(global)?;
    let small = context.store.consolidate()?;
    let done = match Merging::begin(context.store.common_dir())? {
        Some(turn) => between::run(&context.store, &turn, now, &EveryStep)?,
        None => Done {
            gave_way: true,
            ..Done::default()
        },
    };
    let answer = Answer {
        merged: small + done.merged,
        refs: done.refs,
        graph: done.graph,
        busy: done.gave_way,
    };
    if ui.json() {
        ui.answer("gc-packs", &answer)?;
        return Ok(Exit::Done);
    }
    ui.line(format!("{} merged", count(answer.merged, "pack")))?;
    if answer.refs > 0 {
        ui.line(format!("{} packed", count(answer.refs, "ref")))?;
    }
    match (answer.busy, answer.graph) {
        (true, _) => ui.say("note: another process is at it, or collects: the rest is left to it"),
        (false, false) => ui.say("note: git's commit graph is as it was"),
        (false, true) => {}
    }
    Ok(Exit::Done)
}

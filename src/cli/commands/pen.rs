//! `folio pen`: who numbers.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::cli::{identity, pen_move, pen_status, signing};
use crate::journal::heartbeat;
use clap::Subcommand;
use serde::Serialize;

/// Who numbers: look at the pen, take it, release it
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Who holds the pen, who may take it, and how long the holder has been silent
    Status,
    /// Take the pen: from then on your key numbers
    #[command(
        after_help = "Where the policy asks for approvals, the signed proposal waits for them on its branch: others \
run `folio approve ID`, then run `folio pen take` again. It is good only for the page it was made after."
    )]
    Take(pen_move::Take),
    /// Lay the pen down: nothing but a take is numbered afterwards
    Release(pen_move::Release),
    /// Leave a heartbeat: you are here (a courtesy to those who may take the pen)
    Beat,
}

#[derive(Serialize)]
struct Beaten {
    witness: String,
    beat: u64,
    number: u64,
    commit: String,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    match &arguments.action {
        Action::Status => pen_status::run(global, ui),
        Action::Take(take) => pen_move::take(take, global, ui),
        Action::Release(release) => pen_move::release(release, global, ui),
        Action::Beat => beat(global, ui),
    }
}

fn beat(global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let signer = signing::signer(Some(&context), global)?;
    let beat = heartbeat::beat(&space, &*signer, &identity::when(global)?)?;
    if ui.json() {
        let beaten = Beaten {
            witness: beat.witness.handle.to_string(),
            beat: beat.beat,
            number: beat.page.number().0,
            commit: beat.id.to_hex(),
        };
        ui.answer("pen-beat", &beaten)?;
        return Ok(Exit::Done);
    }
    ui.line(format!(
        "Heartbeat {} of {} at common@{}",
        beat.beat,
        beat.witness.handle,
        beat.page.number()
    ))?;
    Ok(Exit::Done)
}

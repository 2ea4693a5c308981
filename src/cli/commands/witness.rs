//! `folio witness`: number what is acceptable; draft who may take the pen, and list them.

use crate::cli::args::{At, Global};
use crate::cli::context::{Context, view_of};
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::ui::{Style, Ui};
use crate::cli::{one, pen_status, view, watch, witness_run};
use crate::fold::rules::{WitnessAppoint, WitnessRetire};
use crate::fold::{Decision, Scene};
use crate::journal::check;
use crate::model::rows::{MemberRow, WitnessRow};
use crate::model::{Code, Handle, RowKey};
use clap::Subcommand;
use serde::Serialize;
use std::time::Duration;

/// Be the witness; draft who may take the pen
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Draft: a member may take the pen, as far as policy lets witnesses
    Appoint {
        /// The member
        handle: String,
    },
    /// Draft: a member may no longer take it
    Retire {
        /// The member
        handle: String,
    },
    /// Fetch, number what is acceptable, push; once, or round after round
    Run {
        /// Go on, every few seconds or when a push comes, until SIGTERM or Ctrl-C
        #[arg(long)]
        watch: bool,
        /// Seconds between two rounds
        #[arg(long, value_name = "SECONDS", default_value_t = 5, requires = "watch",
              value_parser = clap::value_parser!(u64).range(1..=86_400))]
        interval: u64,
    },
    /// The appointed witnesses
    List {
        #[command(flatten)]
        at: At,
    },
}

#[derive(Serialize)]
struct Listed {
    at: view::At,
    witnesses: Vec<WitnessView>,
}

#[derive(Serialize)]
struct WitnessView {
    member: String,
    /// Whether they hold the pen.
    holds: bool,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    match &arguments.action {
        Action::Appoint { handle } => one::draft(global, ui, |scene| {
            let member = Handle::new(handle.as_str())?;
            require::<MemberRow>(scene, &member, "member", "folio state members")?;
            Ok(Decision::WitnessAppoint(WitnessAppoint { member }))
        }),
        Action::Retire { handle } => one::draft(global, ui, |scene| {
            let member = Handle::new(handle.as_str())?;
            require::<WitnessRow>(scene, &member, "appointed witness", "folio witness list")?;
            Ok(Decision::WitnessRetire(WitnessRetire { member, was: None }))
        }),
        Action::Run { watch: false, .. } => witness_run::once(global, ui),
        Action::Run { interval, .. } => watch::watch(global, ui, Duration::from_secs(*interval)),
        Action::List { at } => list(at, global, ui),
    }
}

fn require<R: crate::model::rows::TableRow>(
    scene: &Scene<'_>,
    member: &Handle,
    what: &str,
    list: &str,
) -> anyhow::Result<()> {
    if scene.has::<R>(&RowKey::of(member))? {
        return Ok(());
    }
    let what = format!("there is no {what} `{member}`");
    Err(Problem::new(Code::NotFound, what)
        .hint(format!("{list} lists them"))
        .into())
}

fn list(at: &At, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let page = context.page(&space, at.at.as_deref(), ui)?;
    let pen = check::pen_of(&view_of(&space.tables, &page))?;
    let witnesses = pen_status::witnesses(&space, &page)?;
    if ui.json() {
        let witnesses = witnesses.iter().map(|member| WitnessView {
            member: member.to_string(),
            holds: *member == pen.member && !pen.released,
        });
        let listed = Listed {
            at: view::At::of(&page),
            witnesses: witnesses.collect(),
        };
        ui.answer("witness-list", &listed)?;
        return Ok(Exit::Done);
    }
    for member in &witnesses {
        let holds = *member == pen.member && !pen.released;
        let mark = if holds { " (holds the pen)" } else { "" };
        ui.line(format!("{}{mark}", ui.paint(Style::Id, member.as_str())))?;
    }
    Ok(Exit::Done)
}

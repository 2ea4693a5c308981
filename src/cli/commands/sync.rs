//! `folio sync`: fetch, then push.

use super::fetch;
use super::push;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exchange::artifacts::Bringing;
use crate::cli::exchange::artifacts::choice::Wish;
use crate::cli::exchange::push::What;
use crate::cli::exchange::report::FetchView;
use crate::cli::exchange::{self, Remote};
use crate::cli::exit::Exit;
use crate::cli::gc::background::keep_house;
use crate::cli::ui::Ui;
use crate::journal::Space;
use crate::store::GitStore;
use serde::Serialize;

/// Fetch, then push
#[derive(Debug, clap::Args)]
#[command(after_help = "Where the fetch ends badly, nothing is pushed to that remote.")]
pub struct Arguments {
    /// Remotes, URLs or directories [default: origin, else the only remote]
    #[arg(value_name = "REMOTE")]
    remotes: Vec<String>,
    /// With every remote
    #[arg(long, conflicts_with = "remotes")]
    all: bool,
    #[command(flatten)]
    wish: Wish,
}

#[derive(Serialize)]
struct Answer {
    fetched: Vec<FetchView>,
    pushed: Vec<push::PushView>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let remotes = exchange::chosen(&context, global, &arguments.remotes, arguments.all)?;
    let bringing = Bringing::new(&context, &arguments.wish, false)?;
    let space = context.space()?;
    let mut answer = Answer {
        fetched: Vec::new(),
        pushed: Vec::new(),
    };
    let exit = exchange::each(ui, &remotes, |remote| {
        both(&context, global, &space, remote, &bringing, &mut answer, ui)
    });
    keep_house(&context, ui);
    if ui.json() && !answer.fetched.is_empty() {
        ui.answer("sync", &answer)?;
    }
    exit
}

fn both(
    context: &Context,
    global: &Global,
    space: &Space<'_, GitStore>,
    remote: &Remote,
    bringing: &Bringing<'_>,
    answer: &mut Answer,
    ui: &Ui,
) -> anyhow::Result<Exit> {
    let (view, ended) = fetch::one(context, global, space, remote, bringing, ui)?;
    answer.fetched.push(view);
    ended?;
    let (view, ended) = push::one(context, global, space, remote, What::Everything, ui)?;
    answer.pushed.push(view);
    ended
}

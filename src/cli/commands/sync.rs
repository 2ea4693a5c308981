//! `folio sync`: fetch, then push.

use super::fetch;
use super::push;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exchange::push::What;
use crate::cli::exchange::report::FetchView;
use crate::cli::exchange::{self, Remote};
use crate::cli::exit::Exit;
use crate::cli::numbering::or_warn;
use crate::cli::settling::{self, Hand};
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
    let space = context.space()?;
    let mut answer = Answer {
        fetched: Vec::new(),
        pushed: Vec::new(),
    };
    let exit = exchange::each(ui, &remotes, |remote| {
        both(&context, &space, remote, &mut answer, global, ui)
    });
    if ui.json() && !answer.fetched.is_empty() {
        ui.answer("sync", &answer)?;
    }
    exit
}

fn both(
    context: &Context,
    space: &Space<'_, GitStore>,
    remote: &Remote,
    answer: &mut Answer,
    global: &Global,
    ui: &Ui,
) -> anyhow::Result<Exit> {
    let (view, ended) = fetch::one(context, space, remote, ui)?;
    answer.fetched.push(view);
    ended?;
    or_warn(ui, settling::settle(context, global, ui, Hand::Ask));
    let (view, ended) = push::one(context, space, remote, What::Everything, ui)?;
    answer.pushed.push(view);
    ended
}

//! `folio fetch`: what is new elsewhere, verified before anything moves.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exchange::report::{self, FetchView};
use crate::cli::exchange::{self, Remote, fetch, home};
use crate::cli::exit::Exit;
use crate::cli::numbering::or_warn;
use crate::cli::settling::{self, Hand};
use crate::cli::ui::Ui;
use crate::journal::reconcile::course::Course;
use crate::journal::{Page, Space};
use crate::model::ChainDigest;
use crate::store::GitStore;
use serde::Serialize;

/// What is new elsewhere, verified
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Brings pages, proposals, reviews and heartbeats; verifies them; then moves main forward and merges \
the branches. Two children of one page stop it (exit 4), and both are kept."
)]
pub struct Arguments {
    /// Remotes, URLs, directories or bundle files [default: origin, else the only remote]
    #[arg(value_name = "REMOTE")]
    remotes: Vec<String>,
    /// From every remote
    #[arg(long, conflicts_with = "remotes")]
    all: bool,
}

#[derive(Serialize)]
struct Answer {
    fetched: Vec<FetchView>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let remotes = exchange::chosen(&context, global, &arguments.remotes, arguments.all)?;
    let space = context.space()?;
    let mut views = Vec::new();
    let exit = exchange::each(ui, &remotes, |remote| {
        let (view, ended) = one(&context, &space, remote, ui)?;
        views.push(view);
        ended
    });
    if ui.json() && !views.is_empty() {
        ui.answer("fetch", &Answer { fetched: views })?;
    }
    or_warn(ui, settling::settle(&context, global, ui, Hand::Ask));
    exit
}

/// Fetches from one remote and says what came of it; how that ended comes back beside it.
pub fn one(
    context: &Context,
    space: &Space<'_, GitStore>,
    remote: &Remote,
    ui: &Ui,
) -> anyhow::Result<(FetchView, anyhow::Result<Exit>)> {
    let fetched = fetch::fetch(context, space, remote, ui)?;
    let view = FetchView::of(&remote.name, &fetched);
    if !ui.json() {
        view.print(ui)?;
        let mut index = context.index()?;
        if fetched.received.is_some() {
            let history = context.history(space, &mut index, ui)?;
            report::say_provisional(ui, home::provisional(context, space, &history)?);
        }
    }
    let ended = report::outcome(&remote.name, &fetched, chain_of_theirs(context, &fetched));
    Ok((view, ended))
}

/// The chain digest of the other side's newest page, where it stands beside ours.
pub fn chain_of_theirs(context: &Context, fetched: &fetch::Fetched) -> Option<ChainDigest> {
    let Some(Course::Fork(fork)) = &fetched.received.as_ref()?.course else {
        return None;
    };
    let tip = *fork.theirs.pages.last()?;
    Some(Page::read(&context.store, tip).ok()?.message.chain)
}

//! `folio fetch`: what is new elsewhere, verified before anything moves.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exchange::artifacts::choice::Wish;
use crate::cli::exchange::artifacts::view::ArtifactsView;
use crate::cli::exchange::artifacts::{self, Bringing};
use crate::cli::exchange::report::{self, FetchView};
use crate::cli::exchange::{self, Remote, fetch, home};
use crate::cli::exit::Exit;
use crate::cli::gc::background::keep_house;
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
    #[command(flatten)]
    wish: Wish,
    /// Also the bytes that others offer with their proposals; whoever numbers gets them anyway
    #[arg(long)]
    offers: bool,
}

#[derive(Serialize)]
struct Answer {
    fetched: Vec<FetchView>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let remotes = exchange::chosen(&context, global, &arguments.remotes, arguments.all)?;
    let bringing = Bringing::new(&context, &arguments.wish, arguments.offers)?;
    let space = context.space()?;
    let mut views = Vec::new();
    let exit = exchange::each(ui, &remotes, |remote| {
        let (view, ended) = one(&context, global, &space, remote, &bringing, ui)?;
        views.push(view);
        ended
    });
    keep_house(&context, ui);
    if ui.json() && !views.is_empty() {
        ui.answer("fetch", &Answer { fetched: views })?;
    }
    exit
}

/// Fetches from one remote and says what came of it; how that ended comes back beside it.
pub fn one(
    context: &Context,
    global: &Global,
    space: &Space<'_, GitStore>,
    remote: &Remote,
    bringing: &Bringing<'_>,
    ui: &Ui,
) -> anyhow::Result<(FetchView, anyhow::Result<Exit>)> {
    let fetched = fetch::fetch(context, space, remote, ui)?;
    let mut view = FetchView::of(&remote.name, &fetched);
    let there = &fetched.artifacts;
    let followed = artifacts::follow(context, global, space, remote, there, bringing, ui);
    let bytes = followed.and_then(|followed| {
        let artifacts = ArtifactsView::of(&followed);
        let ended = artifacts.outcome(&followed);
        view.followed_by(artifacts);
        ended
    });
    if !ui.json() {
        view.print(ui)?;
        let mut index = context.index()?;
        if fetched.received.is_some() {
            let history = context.history(space, &mut index, ui)?;
            report::say_provisional(ui, home::provisional(context, space, &history)?);
        }
    }
    let ended = report::outcome(&remote.name, &fetched, chain_of_theirs(context, &fetched));
    // What is wrong with pages counts for more than what is wrong with bytes.
    Ok((view, ended.and_then(|exit| bytes.map(|_| exit))))
}

/// The chain digest of the other side's newest page, where it stands beside ours.
pub fn chain_of_theirs(context: &Context, fetched: &fetch::Fetched) -> Option<ChainDigest> {
    let Some(Course::Fork(fork)) = &fetched.received.as_ref()?.course else {
        return None;
    };
    let tip = *fork.theirs.pages.last()?;
    Some(Page::read(&context.store, tip).ok()?.message.chain)
}

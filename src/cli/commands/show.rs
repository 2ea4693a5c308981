//! `folio show`: one snapshot or proposal.

use crate::cli::args::{At, Global};
use crate::cli::context::{Context, view_of};
use crate::cli::dates;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::lookup::{self, Found};
use crate::cli::numbered::{Numbered, member_of_key, print_text};
use crate::cli::rowview::{self, RowChangeView};
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::{view, words};
use crate::codec::message::Reason;
use crate::fold::Decision;
use crate::journal::proposal::Proposal;
use crate::journal::review::Review;
use crate::journal::{Page, Space};
use crate::model::{Code, Number};
use crate::state::RowChange;
use crate::store::GitStore;
use serde::Serialize;

/// One snapshot or proposal
#[derive(Debug, clap::Args)]
#[command(
    after_help = "ID is N, @N, common@N, a tag or a commit id for a snapshot; AUTHOR/SLUG, a commit id or the \
beginning of a digest for a proposal, queued or numbered."
)]
pub struct Arguments {
    /// What to show: a snapshot or a proposal [default: the snapshot of --at, else the newest]
    #[arg(value_name = "ID")]
    id: Option<String>,
    #[command(flatten)]
    at: At,
}

#[derive(Serialize)]
struct SnapshotView {
    at: view::At,
    epoch: u64,
    chain: String,
    tree: String,
    witness: String,
    date: String,
    proposal: ProposalView,
    reviews: Vec<ReviewView>,
    rows: Vec<RowChangeView>,
}

#[derive(Serialize)]
struct ProposalView {
    digest: String,
    commit: String,
    base: u64,
    /// The snapshot that numbered it, if any.
    number: Option<u64>,
    author: Option<String>,
    email: String,
    key: String,
    date: String,
    text: String,
    decisions: Vec<Decision>,
}

#[derive(Serialize)]
struct ReviewView {
    commit: String,
    reviewer: String,
    verdict: &'static str,
    reason: Option<String>,
    text: String,
}

/// What stands in the envelope for a proposal.
#[derive(Serialize)]
struct ProposalAnswer {
    proposal: ProposalView,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let at = arguments.at.at.as_deref();
    let id = arguments.id.as_deref().or(at).unwrap_or("main");
    match lookup::find(&context, &space, id, ui)? {
        Found::Snapshot(_) if arguments.id.is_some() && at.is_some() => {
            let what = "a snapshot is shown as it is: give its ID or --at, not both";
            return Err(Problem::new(Code::BadRequest, what).into());
        }
        Found::Snapshot(page) => show_snapshot(&space, *page, ui)?,
        Found::Proposal(proposal, number) => {
            // Whose key it is depends on the state that is asked.
            let page = context.page(&space, at, ui)?;
            let author = member_of_key(&view_of(&space.tables, &page), &proposal.author())?;
            let author = author.map(|handle| handle.to_string());
            let proposal_view = ProposalView::of(&proposal, author, number);
            match ui.json() {
                true => {
                    let proposal = proposal_view;
                    ui.answer("show", &ProposalAnswer { proposal })?;
                }
                false => print_proposal(ui, &proposal_view)?,
            }
        }
    }
    Ok(Exit::Done)
}

impl ProposalView {
    fn of(proposal: &Proposal, author: Option<String>, number: Option<Number>) -> Self {
        let ident = &proposal.commit().author;
        Self {
            digest: proposal.digest().to_hex(),
            commit: proposal.id().to_hex(),
            base: proposal.base().number.0,
            number: number.map(|number| number.0),
            author,
            email: ident.email.clone(),
            key: proposal.author().to_string(),
            date: dates::moment(ident),
            text: proposal.text().to_owned(),
            decisions: proposal.decisions().to_vec(),
        }
    }
}

fn show_snapshot(space: &Space<'_, GitStore>, page: Page, ui: &Ui) -> anyhow::Result<()> {
    let before = match page.previous() {
        Some(previous) => Some(Page::read(space.store, previous)?.tree()),
        None => None,
    };
    let changes = space.tables.diff(before, Some(page.tree()))?;
    let numbered = Numbered::read(space, page)?;
    let page = &numbered.page;
    let author = Some(numbered.author.to_string());
    let view = SnapshotView {
        at: view::At::of(page),
        epoch: page.message.epoch.0,
        chain: page.message.chain.to_hex(),
        tree: page.tree().to_hex(),
        witness: page.commit.committer.email.clone(),
        date: dates::moment(&page.commit.committer),
        proposal: ProposalView::of(&numbered.proposal, author, Some(page.number())),
        reviews: reviews(space, &numbered)?,
        rows: changes.iter().map(RowChangeView::of).collect(),
    };
    match ui.json() {
        true => ui.answer("show", &view),
        false => print_snapshot(ui, &view, &changes),
    }
}

fn reviews(space: &Space<'_, GitStore>, numbered: &Numbered) -> anyhow::Result<Vec<ReviewView>> {
    let state = view_of(&space.tables, &numbered.page);
    let mut views = Vec::new();
    for id in numbered.page.reviews() {
        let review = Review::authenticate(space.store, &numbered.proposal, *id)?;
        let reviewer = member_of_key(&state, &review.reviewer())?;
        let message = review.message();
        views.push(ReviewView {
            commit: review.id().to_hex(),
            reviewer: reviewer.map_or(review.reviewer().to_string(), |who| who.to_string()),
            verdict: message.verdict.as_str(),
            reason: message
                .reason
                .as_ref()
                .map(Reason::as_str)
                .map(str::to_owned),
            text: message.text.clone(),
        });
    }
    Ok(views)
}

fn print_snapshot(ui: &Ui, view: &SnapshotView, changes: &[RowChange]) -> anyhow::Result<()> {
    let number = ui.paint(Style::Id, &format!("common@{}", view.at.number));
    ui.line(format!("{number} {}", view.at.commit))?;
    ui.line(format!("Chain:    {}", view.chain))?;
    ui.line(format!("Tree:     {}", view.tree))?;
    let witness = escape(&view.witness);
    ui.line(format!(
        "Witness:  {witness}, epoch {}, {}",
        view.epoch, view.date
    ))?;
    for review in &view.reviews {
        let (who, verdict) = (escape(&review.reviewer), review.verdict);
        ui.line(format!("Review:   {verdict} by {who}"))?;
    }
    ui.line("")?;
    print_proposal(ui, &view.proposal)?;
    ui.line("")?;
    rowview::print(ui, changes)
}

fn print_proposal(ui: &Ui, view: &ProposalView) -> anyhow::Result<()> {
    let digest = ui.paint(Style::Id, &view.digest);
    ui.line(format!("proposal {digest}"))?;
    ui.line(format!("Commit:   {}", view.commit))?;
    let author = view.author.as_deref().unwrap_or("no member");
    ui.line(format!(
        "Author:   {} <{}>",
        escape(author),
        escape(&view.email)
    ))?;
    ui.line(format!("Date:     {}", view.date))?;
    let numbered = match view.number {
        Some(number) => format!("numbered as common@{number}"),
        None => "not numbered".into(),
    };
    ui.line(format!("Base:     common@{}, {numbered}", view.base))?;
    ui.line("")?;
    print_text(ui, view.text.trim_start())?;
    ui.line("")?;
    for decision in &view.decisions {
        ui.line(words::decision(decision))?;
    }
    Ok(())
}

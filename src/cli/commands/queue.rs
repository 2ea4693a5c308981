//! `folio queue`: proposals and what they would do today.

use crate::cli::args::Global;
use crate::cli::bytes::{self, BytesView};
use crate::cli::context::{Context, view_of};
use crate::cli::exit::Exit;
use crate::cli::opinions::{self, NeedView};
use crate::cli::report::count;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::{identity, keys, proposals, view};
use crate::codec::message::Reason;
use crate::fold::View;
use crate::journal::queue::{self, Candidate, Entry, Standing};
use crate::journal::tally::{self, Tally, Worth};
use crate::journal::{Fault, Page, check, history::History, refs};
use crate::model::rows::PenRow;
use crate::model::{Code, Handle};
use crate::state::Tables;
use crate::store::GitStore;
use serde::Serialize;

/// List proposals and what they would do today
#[derive(Debug, clap::Args)]
#[command(
    after_help = "`*` marks your own. Below each: approvals asked for, who rejects it, and refusals by the witness."
)]
pub struct Arguments {
    /// Only your own proposals
    #[arg(long)]
    mine: bool,
}

#[derive(Serialize)]
struct Queue {
    at: view::At,
    proposals: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    /// AUTHOR/SLUG.
    proposal: String,
    commit: String,
    own: bool,
    /// `ready`, `stale`, `refused`, `accepted` or `invalid`.
    standing: &'static str,
    digest: Option<String>,
    base: Option<u64>,
    subject: Option<String>,
    decisions: Option<usize>,
    /// How many rows would change, where it is ready.
    rows: Option<usize>,
    /// Its number, where it is accepted.
    number: Option<u64>,
    code: Option<&'static str>,
    what: Option<String>,
    /// Signed by the witness.
    refusals: Vec<RefusalView>,
    /// Approvals that the policy asks for.
    needs: Vec<NeedView>,
    /// By members who judge and do not number.
    rejections: Vec<RejectionView>,
    /// Where the bytes are of what it publishes.
    bytes: Vec<BytesView>,
}

#[derive(Serialize)]
struct RejectionView {
    by: String,
    words: String,
}

#[derive(Serialize)]
struct RefusalView {
    by: String,
    code: Option<String>,
    words: String,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let mut index = context.index()?;
    let history = context.history(&space, &mut index, ui)?;
    let entries = queue::gather(&space, &history)?;
    let page = Page::read(&context.store, space.tip()?)?;
    let view = view_of(&space.tables, &page);
    let author = identity::author(&context, global, &view)?;
    let desk = Desk {
        tables: &space.tables,
        page: &page,
        history: &history,
        pen: check::pen_of(&view)?,
        view: &view,
        own: author.map(|author| author.handle),
        bytes: bytes::Desk::open(&context)?,
    };
    let mut progress = ui.progress("Judging");
    let total = entries.len() as u64;
    let mut lines = Vec::with_capacity(entries.len());
    for (done, entry) in entries.iter().enumerate() {
        lines.push(desk.line(entry)?);
        progress.at(done as u64 + 1, total);
    }
    drop(progress);
    lines.retain(|line| line.own || !arguments.mine);
    if ui.json() {
        let at = view::At::of(&page);
        ui.answer(
            "queue",
            &Queue {
                at,
                proposals: lines,
            },
        )?;
        return Ok(Exit::Done);
    }
    for line in &lines {
        show(ui, line)?;
    }
    if lines.is_empty() {
        ui.say("the queue is empty");
    }
    Ok(Exit::Done)
}

/// What one entry is looked at with.
struct Desk<'a> {
    tables: &'a Tables<'a, GitStore>,
    page: &'a Page,
    history: &'a History<'a>,
    pen: PenRow,
    view: &'a dyn View,
    own: Option<Handle>,
    bytes: bytes::Desk,
}

impl Desk<'_> {
    fn line(&self, entry: &Entry) -> anyhow::Result<Line> {
        match entry {
            Entry::Invalid {
                name,
                commit,
                fault,
            } => {
                let author = refs::parse_proposal(name).ok().map(|(author, _)| author);
                let mut line = self.blank(name, commit.to_hex(), author.as_ref());
                line.refused("invalid", fault);
                Ok(line)
            }
            Entry::Authentic(candidate) => self.authentic(candidate),
        }
    }

    fn blank(&self, branch: &str, commit: String, author: Option<&Handle>) -> Line {
        Line {
            proposal: proposals::short_name(branch).to_owned(),
            commit,
            own: author.is_some() && self.own.as_ref() == author,
            standing: "ready",
            digest: None,
            base: None,
            subject: None,
            decisions: None,
            rows: None,
            number: None,
            code: None,
            what: None,
            refusals: Vec::new(),
            needs: Vec::new(),
            rejections: Vec::new(),
            bytes: Vec::new(),
        }
    }

    fn authentic(&self, candidate: &Candidate) -> anyhow::Result<Line> {
        let (branch, proposal) = (&candidate.branch, &candidate.proposal);
        let mut line = self.blank(&branch.name, branch.commit.to_hex(), Some(&branch.author));
        line.digest = Some(proposal.digest().to_hex());
        line.base = Some(proposal.base().number.0);
        line.subject = Some(proposal.subject().to_owned());
        line.decisions = Some(proposal.decisions().len());
        line.refusals = self.refusals(candidate)?;
        let tally = tally::tally(self.view, proposal, &candidate.reviews)?;
        line.needs = NeedView::all(&tally);
        line.rejections = self.rejections(&tally);
        line.bytes = self.bytes.views(candidate)?;
        // Nothing is written here: what judging makes is forgotten.
        let staged = self.tables.staged();
        let standing = queue::standing(self.tables, self.page, self.history, candidate);
        self.tables.discard(staged);
        match standing?.0 {
            Standing::Accepted(number) => {
                line.standing = "accepted";
                line.number = Some(number.0);
            }
            Standing::Refused(fault) if fault.code == Code::Stale => line.refused("stale", &fault),
            Standing::Refused(fault) => line.refused("refused", &fault),
            Standing::Ready { judgement } => {
                line.rows = Some(judgement.outcome.edits.len());
                if let Some(review) = queue::rejected_by(candidate, &self.pen.key) {
                    let words = queue::words_of(review);
                    line.refused("refused", &Fault::new(Code::Rejected, words));
                }
            }
        }
        Ok(line)
    }

    /// What the witness wrote, with whatever key was theirs then.
    fn refusals(&self, candidate: &Candidate) -> anyhow::Result<Vec<RefusalView>> {
        let mut found = Vec::new();
        for review in candidate.reviews.iter().filter(|review| !review.approves()) {
            let Some((by, _)) = keys::owner(self.view, &review.reviewer())? else {
                continue;
            };
            if by == self.pen.member.as_str() {
                let reason = review.message().reason.as_ref();
                found.push(RefusalView {
                    by,
                    code: reason.map(Reason::as_str).map(str::to_owned),
                    words: queue::words_of(review).to_owned(),
                });
            }
        }
        Ok(found)
    }

    /// What other members than the witness hold against it.
    fn rejections(&self, tally: &Tally) -> Vec<RejectionView> {
        let rejecting = tally.marks.iter().filter(|mark| {
            mark.worth == Worth::Rejects
                && opinions::is_opinion(&mark.review)
                && mark.member.as_ref() != Some(&self.pen.member)
        });
        let views = rejecting.filter_map(|mark| {
            Some(RejectionView {
                by: mark.member.as_ref()?.to_string(),
                words: opinions::said(&mark.review).to_owned(),
            })
        });
        views.collect()
    }
}

impl Line {
    fn refused(&mut self, standing: &'static str, fault: &Fault) {
        self.standing = standing;
        self.code = Some(fault.code.as_str());
        self.what = Some(fault.what.clone());
    }
}

fn show(ui: &Ui, line: &Line) -> anyhow::Result<()> {
    let mark = if line.own { "*" } else { " " };
    let style = match line.standing {
        "ready" => Style::Good,
        "accepted" => Style::Dim,
        _ => Style::Bad,
    };
    let standing = ui.paint(style, &format!("{:8}", line.standing));
    let name = ui.paint(Style::Id, &escape(&line.proposal));
    let id = line.digest.as_ref().unwrap_or(&line.commit);
    let mut words = format!("{mark} {standing} {name} {}", &id[..12]);
    if let (Some(base), Some(subject)) = (line.base, &line.subject) {
        words.push_str(&format!(" on @{base}: {}", escape(subject)));
    }
    match (line.number, line.rows, line.code) {
        (Some(number), _, _) => words.push_str(&format!(" (common@{number})")),
        (_, Some(rows), None) => words.push_str(&format!(" ({})", count(rows, "row"))),
        _ => {}
    }
    ui.line(words)?;
    if let (Some(code), Some(what)) = (line.code, &line.what) {
        ui.line(format!("    {code}: {}", escape(what)))?;
    }
    if !line.bytes.is_empty() {
        ui.line(format!("    {}", bytes::summary(&line.bytes)))?;
    }
    for need in &line.needs {
        ui.line(format!("    {}", need.words()))?;
    }
    for rejection in &line.rejections {
        let words: Vec<String> = rejection.words.lines().map(escape).collect();
        let words = words.join("\n        ");
        ui.line(format!(
            "    rejected by {}: {words}",
            escape(&rejection.by)
        ))?;
    }
    for refusal in &line.refusals {
        let code = refusal.code.as_deref().unwrap_or("no code");
        let by = escape(&refusal.by);
        let words: Vec<String> = refusal.words.lines().map(escape).collect();
        let words = words.join("\n        ");
        ui.line(format!("    signed by {by}: {}: {words}", escape(code)))?;
    }
    Ok(())
}

//! `folio review`: one proposal, for its reviewer.

use crate::cli::args::Global;
use crate::cli::bytes::{self, BytesView};
use crate::cli::changes;
use crate::cli::conflicts::{self, Conflict, Conflicts, OTHERS};
use crate::cli::confusable::{self, Lookalikes, ROWS};
use crate::cli::context::{Context, view_of};
use crate::cli::exit::Exit;
use crate::cli::numbered::print_text;
use crate::cli::opinions::{NeedView, ReviewView};
use crate::cli::report::count;
use crate::cli::rowview::RowChangeView;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::{keys, proposals, review_list, view, words};
use crate::fold::{Decision, Scene};
use crate::journal::queue::{self, Candidate, Entry, Standing};
use crate::journal::tally::{self, Tally};
use crate::journal::{Fault, Page, Space, history::History};
use crate::model::rows::MemberRow;
use crate::model::{Code, RowKey};
use crate::state::RowChange;
use crate::store::GitStore;
use serde::Serialize;

/// Lines of decisions and rows that are printed; `--json` gives all of them.
const LINES: usize = 20;

/// One proposal, for its reviewer
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "folio review <ID>\n       folio review --list",
    after_help = "Shows who proposes what, what it would change today, with which other proposals it cannot stand, \
names that look like others, who has reviewed it, and what is missing. Then `folio approve ID` or `folio reject ID`."
)]
pub struct Arguments {
    /// Which: AUTHOR/SLUG, or the beginning of a digest or commit id
    #[arg(required_unless_present = "list")]
    id: Option<String>,
    /// Every review that is kept here, and where its proposal is
    #[arg(long, conflicts_with = "id")]
    list: bool,
}

#[derive(Serialize)]
struct Shown {
    at: view::At,
    proposal: String,
    digest: String,
    commit: String,
    author: AuthorView,
    base: u64,
    /// Snapshots that were numbered since.
    behind: u64,
    text: String,
    decisions: Vec<Decision>,
    /// `ready`, `stale`, `refused` or `accepted`.
    standing: &'static str,
    code: Option<&'static str>,
    what: Option<String>,
    /// What would change today once it has its approvals.
    rows: Vec<RowChangeView>,
    conflicts: Vec<Conflict>,
    /// Other proposals that were not compared.
    conflicts_left_out: usize,
    lookalikes: Lookalikes,
    reviews: Vec<ReviewView>,
    needs: Vec<NeedView>,
    /// Where the bytes are of what it publishes.
    bytes: Vec<BytesView>,
}

#[derive(Serialize)]
struct AuthorView {
    handle: String,
    name: Option<String>,
    roles: Vec<String>,
    key: String,
    /// `current`, `rotated` or `removed`; null if the key is nobody's.
    key_status: Option<&'static str>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let Some(id) = arguments.id.as_deref() else {
        return review_list::run(&context, ui);
    };
    let space = context.space()?;
    let mut index = context.index()?;
    let entries = proposals::gather(&context, &space, &mut index, ui)?;
    let candidate = proposals::waiting(&context, &space, &entries, id, ui)?;
    let history = context.history(&space, &mut index, ui)?;
    let desk = Desk {
        page: Page::read(&context.store, space.tip()?)?,
        space: &space,
        history: &history,
        candidate,
        entries: &entries,
        bytes: bytes::Desk::open(&context)?,
    };
    let (shown, changes) = desk.look()?;
    match ui.json() {
        true => ui.answer("review", &shown)?,
        false => print(ui, &shown, &changes)?,
    }
    Ok(Exit::Done)
}

/// What one proposal is looked at with.
struct Desk<'a> {
    space: &'a Space<'a, GitStore>,
    page: Page,
    history: &'a History<'a>,
    candidate: &'a Candidate,
    entries: &'a [Entry],
    bytes: bytes::Desk,
}

/// What a proposal would do once it has its approvals.
struct Effect {
    refused: Option<Fault>,
    rows: Vec<RowChange>,
    conflicts: Conflicts,
}

impl Desk<'_> {
    fn look(&self) -> anyhow::Result<(Shown, Vec<RowChange>)> {
        let (space, root) = (self.space, self.page.tree());
        let view = view_of(&space.tables, &self.page);
        let proposal = &self.candidate.proposal;
        let tally = tally::tally(&view, proposal, &self.candidate.reviews)?;
        // Nothing is written here: what judging makes is forgotten.
        let staged = space.tables.staged();
        let standing = queue::standing(&space.tables, &self.page, self.history, self.candidate);
        space.tables.discard(staged);
        let effect = self.effect();
        space.tables.discard(staged);
        let effect = effect?;
        let (standing, fault) = match standing?.0 {
            Standing::Accepted(_) => ("accepted", None),
            // With its approvals it would be refused for another reason, which matters more.
            Standing::Refused(fault) if fault.code == Code::ApprovalsMissing => {
                ("refused", effect.refused.or(Some(fault)))
            }
            Standing::Refused(fault) => ("refused", Some(fault)),
            Standing::Ready { .. } => ("ready", None),
        };
        let stale = fault.as_ref().is_some_and(|f| f.code == Code::Stale);
        let scene = Scene::new(&view);
        let decisions = proposal.decisions();
        let shown = Shown {
            at: view::At::of(&self.page),
            proposal: proposals::short_name(&self.candidate.branch.name).to_owned(),
            digest: proposal.digest().to_hex(),
            commit: proposal.id().to_hex(),
            author: self.author(&scene)?,
            base: proposal.base().number.0,
            behind: self
                .page
                .number()
                .0
                .saturating_sub(proposal.base().number.0),
            text: proposal.text().to_owned(),
            decisions: decisions.to_vec(),
            standing: if stale { "stale" } else { standing },
            code: fault.as_ref().map(|fault| fault.code.as_str()),
            what: fault.map(|fault| fault.what),
            rows: effect.rows.iter().map(RowChangeView::of).collect(),
            conflicts: effect.conflicts.found,
            conflicts_left_out: effect.conflicts.left_out,
            lookalikes: confusable::find(&space.tables, root, &scene, decisions, ROWS)?,
            reviews: reviews(&tally),
            needs: NeedView::all(&tally),
            bytes: self.bytes.views(self.candidate)?,
        };
        Ok((shown, effect.rows))
    }

    fn effect(&self) -> anyhow::Result<Effect> {
        let (tables, root) = (&self.space.tables, self.page.tree());
        let judgement = match tally::foresee(tables, root, self.page.message.chain, self.candidate)
        {
            Ok(judgement) => judgement,
            Err(fault) if fault.is_environment() || fault.is_damage() => return Err(fault.into()),
            Err(fault) => {
                return Ok(Effect {
                    refused: Some(fault),
                    rows: Vec::new(),
                    conflicts: Conflicts::default(),
                });
            }
        };
        let after = judgement.tree;
        let (space, entries) = (self.space, self.entries);
        Ok(Effect {
            refused: None,
            rows: tables.diff(Some(root), Some(after))?,
            conflicts: conflicts::find(space, &self.page, after, self.candidate, entries)?,
        })
    }

    fn author(&self, scene: &Scene<'_>) -> anyhow::Result<AuthorView> {
        let key = self.candidate.proposal.author();
        let owner = keys::owner(scene.base(), &key)?;
        let handle = owner
            .as_ref()
            .map_or(self.candidate.branch.author.as_str(), |o| &o.0);
        let member: Option<MemberRow> = scene.get(&RowKey::of(handle))?;
        Ok(AuthorView {
            handle: handle.to_owned(),
            name: member.as_ref().map(|member| member.name.to_string()),
            roles: member.map_or(Vec::new(), |member| {
                member.roles.iter().map(ToString::to_string).collect()
            }),
            key: key.to_string(),
            key_status: owner.as_ref().map(|(_, status)| *status),
        })
    }
}

fn reviews(tally: &Tally) -> Vec<ReviewView> {
    tally.marks.iter().map(ReviewView::of).collect()
}

fn print(ui: &Ui, shown: &Shown, changes: &[RowChange]) -> anyhow::Result<()> {
    let name = ui.paint(Style::Id, &escape(&shown.proposal));
    ui.line(format!("{name} {}", shown.digest))?;
    print_author(ui, shown)?;
    ui.line("")?;
    print_text(ui, shown.text.trim_start())?;
    ui.line("")?;
    let decisions: Vec<String> = shown.decisions.iter().map(words::decision).collect();
    section(ui, "Decides", &decisions)?;
    print_today(ui, shown, changes)?;
    let bytes: Vec<String> = shown.bytes.iter().map(|view| view.line(ui)).collect();
    section(ui, "Bytes", &bytes)?;
    print_conflicts(ui, shown)?;
    print_lookalikes(ui, &shown.lookalikes)?;
    let lines = shown.reviews.iter().flat_map(|review| review.lines(ui));
    section(ui, "Reviews", &lines.collect::<Vec<_>>())?;
    let needs: Vec<String> = shown.needs.iter().map(NeedView::words).collect();
    section(ui, "Needs", &needs)
}

/// A heading and what stands below it; nothing where there is nothing.
fn section(ui: &Ui, heading: &str, lines: &[String]) -> anyhow::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    ui.line(format!("{}:", ui.paint(Style::Bold, heading)))?;
    for line in lines.iter().take(LINES) {
        ui.line(format!("  {line}"))?;
    }
    match lines.len().saturating_sub(LINES) {
        0 => Ok(()),
        more => ui.line(format!("  and {} more (--json)", count(more, "line"))),
    }
}

fn print_author(ui: &Ui, shown: &Shown) -> anyhow::Result<()> {
    let author = &shown.author;
    let name = author.name.as_deref().unwrap_or("no member");
    let key = match author.key_status {
        Some("current") => String::new(),
        Some(status) => format!(", key {status}"),
        None => ", key unknown".into(),
    };
    ui.line(format!(
        "Author:   {}, {} [{}]{key}",
        escape(&author.handle),
        escape(name),
        escape(&author.roles.join(", "))
    ))?;
    let behind = match shown.behind {
        0 => "the newest".to_owned(),
        n => format!("{} ago", count(n as usize, "snapshot")),
    };
    ui.line(format!("Base:     common@{}, {behind}", shown.base))
}

fn print_today(ui: &Ui, shown: &Shown, changes: &[RowChange]) -> anyhow::Result<()> {
    let style = match shown.standing {
        "ready" => Style::Good,
        _ => Style::Bad,
    };
    let standing = ui.paint(style, shown.standing);
    let mut words = format!("Today:    {standing} on common@{}", shown.at.number);
    if let (Some(code), Some(what)) = (shown.code, &shown.what) {
        words.push_str(&format!(": {code}: {}", escape(what)));
    }
    ui.line(words)?;
    let rows = changes
        .iter()
        .filter(|change| changes::says_something(change));
    let lines: Vec<String> = rows.flat_map(|change| changes::lines(ui, change)).collect();
    section(ui, "Changes", &lines)
}

fn print_conflicts(ui: &Ui, shown: &Shown) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for conflict in &shown.conflicts {
        let name = escape(&conflict.proposal);
        if let Some(then) = &conflict.then {
            let what = escape(&then.what);
            lines.push(format!("{name} becomes {}: {what}", outcome(then.code)));
        }
        if let Some(otherwise) = &conflict.otherwise {
            let what = escape(&otherwise.what);
            let code = outcome(otherwise.code);
            lines.push(format!("after {name} this becomes {code}: {what}"));
        }
    }
    section(ui, "Conflicts", &lines)?;
    if shown.conflicts_left_out > 0 {
        let left_out = count(shown.conflicts_left_out, "proposal");
        ui.warn(format!(
            "{left_out} beyond the first {OTHERS} were not compared"
        ));
    }
    Ok(())
}

fn outcome(code: &str) -> String {
    match code {
        "stale" => "stale".into(),
        code => format!("refused ({code})"),
    }
}

fn print_lookalikes(ui: &Ui, found: &Lookalikes) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for pair in &found.pairs {
        let place = match pair.place {
            "state" => "which exists",
            _ => "which it introduces too",
        };
        let (name, like) = (spelled(&pair.name), spelled(&pair.like));
        lines.push(format!("{name} looks like {like}, {place}"));
    }
    for name in &found.mixed {
        lines.push(format!("{} mixes scripts", spelled(name)));
    }
    section(ui, "Look-alikes", &lines)?;
    if found.bounded {
        ui.warn(format!(
            "new names were compared with {ROWS} rows one by one, and beyond that only as written in other alphabets"
        ));
    }
    Ok(())
}

/// A name with the code points that are not ASCII, for it looks like another one.
fn spelled(name: &str) -> String {
    let odd = name.chars().filter(|c| !c.is_ascii());
    let odd: Vec<String> = odd.take(4).map(|c| format!("U+{:04X}", c as u32)).collect();
    match odd.as_slice() {
        [] => format!("`{}`", escape(name)),
        odd => format!("`{}` ({})", escape(name), odd.join(" ")),
    }
}

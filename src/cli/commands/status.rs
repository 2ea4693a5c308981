//! `folio status`: where the space stands.

use crate::cli::args::{At, Global};
use crate::cli::context::{Context, view_of};
use crate::cli::draft::Draft;
use crate::cli::exchange::home::{self, Provisional};
use crate::cli::exchange::shallow;
use crate::cli::exit::Exit;
use crate::cli::health::{self, Warning};
use crate::cli::report::count;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::{dates, identity, memory, verified, view};
use crate::fold::Scene;
use crate::journal::kept::{self, Subject};
use crate::journal::{Page, Space, refs};
use crate::model::rows::{MemberRow, PenRow, SpaceRow};
use crate::model::{Number, Oid, RowKey};
use crate::store::{GitStore, Refs as _};
use serde::Serialize;

/// Where the space stands
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    at: At,
}

#[derive(Serialize)]
struct Status {
    space: String,
    name: String,
    description: String,
    format: u64,
    object_format: &'static str,
    home: String,
    at: view::At,
    newest: bool,
    date: String,
    chain: String,
    pen: PenView,
    /// The snapshot that asking commands stand on.
    pin: Option<u64>,
    /// Pages that home is not known to have.
    provisional: Option<Provisional>,
    /// Files of evidence that were kept.
    evidence: usize,
    /// Chains beside ours that were kept for a person to look at.
    beside: usize,
    you: Option<You>,
    waiting: usize,
    reviews_waiting: usize,
    drafted: usize,
    verified: Option<u64>,
    verified_age_seconds: Option<i64>,
    warnings: Vec<Warning>,
}

#[derive(Serialize)]
struct PenView {
    member: String,
    epoch: u64,
    released: bool,
}

#[derive(Serialize)]
struct You {
    handle: String,
    roles: Vec<String>,
}

impl You {
    fn of(member: &MemberRow) -> Self {
        Self {
            handle: member.handle.to_string(),
            roles: member.roles.iter().map(|role| role.to_string()).collect(),
        }
    }
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let status = gather(&context, global, arguments.at.at.as_deref(), ui)?;
    match ui.json() {
        true => ui.answer("status", &status)?,
        false => print(ui, &status)?,
    }
    Ok(Exit::Done)
}

fn gather(context: &Context, global: &Global, at: Option<&str>, ui: &Ui) -> anyhow::Result<Status> {
    let space = context.space()?;
    let page = context.page(&space, at, ui)?;
    let newest = page.id == space.tip()?;
    let state = view_of(&space.tables, &page);
    let scene = Scene::new(&state);
    let only = RowKey::of("");
    let missing = |what| {
        let fault = crate::state::StateFault::new(crate::model::Code::TreeMalformed, what);
        anyhow::Error::from(fault)
    };
    let row: Option<SpaceRow> = scene.get(&only)?;
    let row = row.ok_or_else(|| missing("the state has no row for the space"))?;
    let pen: Option<PenRow> = scene.get(&only)?;
    let pen = pen.ok_or_else(|| missing("the state has no row for the pen"))?;
    let you = identity::author(context, global, &state)?;
    let verified = verified::last(context);
    let mut warnings = health::check(context, &state, ui)?;
    warnings.extend(memory::ahead(context, global, &space, ui)?);
    Ok(Status {
        space: space.id.to_hex(),
        name: row.name.to_string(),
        description: row.description.to_string(),
        format: row.format,
        object_format: row.object_format.as_str(),
        home: row.home.to_string(),
        at: view::At::of(&page),
        newest,
        date: dates::moment(&page.commit.committer),
        chain: page.message.chain.to_hex(),
        pen: PenView {
            member: pen.member.to_string(),
            epoch: pen.epoch.0,
            released: pen.released,
        },
        pin: pin(context)?,
        provisional: provisional(context, &space, ui),
        evidence: evidence(context),
        beside: context.store.list(refs::OTHER)?.len(),
        you: you.as_ref().map(You::of),
        waiting: context.store.list(refs::PROPOSALS)?.len(),
        reviews_waiting: reviews_waiting(context, &space, ui)?,
        drafted: Draft::load(context, you.as_ref())?.decisions.len(),
        verified: verified.map(|(number, _)| number.0),
        verified_age_seconds: age(context, global, verified)?,
        warnings,
    })
}

fn pin(context: &Context) -> anyhow::Result<Option<u64>> {
    let pin = context.store.get(refs::PIN)?;
    let page = pin.map(|pin| Page::read(&context.store, pin)).transpose()?;
    Ok(page.map(|page| page.number().0))
}

/// The pages that home is not known to have. What cannot be read is for `verify` to name; without history there is
/// nothing to compare.
fn provisional(context: &Context, space: &Space<'_, GitStore>, ui: &Ui) -> Option<Provisional> {
    if shallow::is_shallow(context) {
        return None;
    }
    let mut index = context.index().ok()?;
    let history = context.history(space, &mut index, ui).ok()?;
    home::provisional(context, space, &history).ok()?
}

fn evidence(context: &Context) -> usize {
    let entries = std::fs::read_dir(context.folio_dir().join("evidence"));
    let names = entries.into_iter().flatten().flatten();
    names
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "json"))
        .count()
}

/// How long ago the newest verified page was made, by its own date and this clock: a mirror that freezes
/// shows in nothing else. Nothing where its commit is not here any more.
fn age(
    context: &Context,
    global: &Global,
    verified: Option<(Number, Oid)>,
) -> anyhow::Result<Option<i64>> {
    let now = identity::when(global)?.seconds;
    let page = verified.and_then(|(_, commit)| Page::read(&context.store, commit).ok());
    // Dates are below 2^33.
    Ok(page.map(|page| now as i64 - page.commit.committer.seconds as i64))
}

/// Reviews whose proposals are on no branch here: they have not come yet, or were replaced.
fn reviews_waiting(
    context: &Context,
    space: &Space<'_, GitStore>,
    ui: &Ui,
) -> anyhow::Result<usize> {
    if context.store.list(refs::REVIEWS)?.is_empty() {
        return Ok(0);
    }
    let mut index = context.index()?;
    let history = context.history(space, &mut index, ui)?;
    let kept = kept::list(space, &history)?.into_iter().flatten();
    Ok(kept
        .filter(|kept| matches!(kept.subject, Subject::Waiting))
        .count())
}

/// What is not as it usually is.
fn print_standing(ui: &Ui, status: &Status) -> anyhow::Result<()> {
    if let Some(pin) = status.pin {
        ui.line(format!("Pinned:    common@{pin} (folio advance)"))?;
    }
    if let Some(Provisional { home, .. }) = status.provisional {
        let known = match home {
            0 => "home is not known to have any page".to_owned(),
            home => format!("home is known to have common@{home}"),
        };
        ui.line(format!("Final:     {known}; newer ones are provisional"))?;
    }
    if status.beside > 0 {
        let chains = count(status.beside, "chain");
        ui.line(format!(
            "Beside:    {chains} that stand beside ours (folio evidence list, folio pin --takeover)"
        ))?;
    }
    if status.evidence > 0 {
        let files = count(status.evidence, "file");
        ui.line(format!("Evidence:  {files} (folio evidence list)"))?;
    }
    Ok(())
}

fn print(ui: &Ui, status: &Status) -> anyhow::Result<()> {
    let name = ui.paint(Style::Bold, &escape(&status.name));
    ui.line(format!(
        "Space:     {name} {}",
        ui.paint(Style::Id, &status.space)
    ))?;
    if !status.description.is_empty() {
        ui.line(format!("           {}", escape(&status.description)))?;
    }
    let (number, chain) = (status.at.number, &status.chain[..12]);
    let day = &status.date[..10];
    let which = if status.newest { "Newest:" } else { "At:    " };
    ui.line(format!("{which}    common@{number} {day}, chain {chain}"))?;
    let verified = match status.verified {
        Some(number) => match status.verified_age_seconds {
            Some(age) => format!("up to common@{number}, made {}", dates::ago(age)),
            None => format!("up to common@{number}"),
        },
        None => "nothing yet (folio verify)".into(),
    };
    ui.line(format!("Verified:  {verified}"))?;
    let pen = escape(&status.pen.member);
    let laid_down = if status.pen.released {
        ", released"
    } else {
        ""
    };
    ui.line(format!(
        "Pen:       {pen}, epoch {}{laid_down}",
        status.pen.epoch
    ))?;
    print_standing(ui, status)?;
    let you = match &status.you {
        Some(you) => format!(
            "{} [{}]",
            escape(&you.handle),
            escape(&you.roles.join(", "))
        ),
        None => "no member, by your key".into(),
    };
    ui.line(format!("You:       {you}"))?;
    ui.line(format!("Waiting:   {}", count(status.waiting, "proposal")))?;
    if status.reviews_waiting > 0 {
        let reviews = count(status.reviews_waiting, "review");
        ui.line(format!(
            "           {reviews} of proposals that are not here (folio review --list)"
        ))?;
    }
    ui.line(format!("Drafted:   {}", count(status.drafted, "decision")))?;
    if !status.home.is_empty() {
        ui.line(format!("Home:      {}", escape(&status.home)))?;
    }
    ui.line(format!(
        "Format:    {}, {}",
        status.format, status.object_format
    ))?;
    for warning in &status.warnings {
        ui.warn(escape(&warning.what));
    }
    Ok(())
}

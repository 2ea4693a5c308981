//! `folio witness run`: one round of a witness: hear what is new, number what is acceptable, tell the others.

use super::args::Global;
use super::context::Context;
use super::error::Problem;
use super::exchange::artifacts::view::ArtifactsView;
use super::exchange::artifacts::{self, Bringing};
use super::exchange::fetch::Fetched;
use super::exchange::push::{self, What};
use super::exchange::{self, Remote, fetch, home, report};
use super::exit::Exit;
use super::numbering::{self, or_warn};
use super::observed::{self, Clock};
use super::settling::Hand;
use super::ui::{Style, Ui, escape};
use super::{identity, proposals, signing, verified};
use crate::crypto::{Sign, seal};
use crate::fold::rules::TakeFrom;
use crate::fold::{Scene, policy};
use crate::journal::accept::{Choice, Pick, Report};
use crate::journal::heartbeat::{self, Heartbeat};
use crate::journal::page::read_commit;
use crate::journal::reconcile::course::Course;
use crate::journal::reconcile::{RefMap, peer};
use crate::journal::{Fault, Page, Space, check, refs};
use crate::model::{Code, PublicKey};
use crate::state::TreeView;
use crate::store::{GitStore, Refs as _};
use serde::Serialize;
use std::collections::BTreeSet;

/// One page that a round made, as it is printed.
#[derive(Debug, Serialize)]
pub struct PageView {
    /// Its number.
    number: u64,
    /// Its commit.
    commit: String,
    /// The branch it came on.
    proposal: String,
    /// The first line of the proposer's words.
    subject: String,
}

/// What one round did.
#[derive(Debug, Default, Serialize)]
pub struct Round {
    /// The pages it made.
    pub numbered: Vec<PageView>,
    /// How many proposals stay refused.
    pub refused: usize,
    /// Remotes that could not be reached, or that refused.
    pub away: Vec<String>,
    /// Whether the pen is somebody else's.
    pub standby: bool,
}

/// Does one round with every remote that `is_due` lets through. What `said` holds of refused proposals is not
/// said again; it becomes what is refused now.
pub fn round(
    global: &Global,
    ui: &Ui,
    signer: &dyn Sign,
    is_due: &dyn Fn(&str) -> bool,
    said: &mut BTreeSet<String>,
) -> anyhow::Result<Round> {
    let context = Context::open(global)?;
    let mut round = Round::default();
    let remotes: Vec<Remote> = exchange::all(&context)?
        .into_iter()
        .filter(|remote| is_due(&remote.name))
        .collect();
    for remote in &remotes {
        if !global.offline {
            hear(&context, global, remote, signer, ui, &mut round)?;
        }
    }
    let space = context.space()?;
    or_warn(ui, observed::look(&context, &space, &Clock::read()));
    if !holds(&context, signer)? {
        round.standby = true;
        return Ok(round);
    }
    let mut index = context.index()?;
    verified::require(&context, &space, &mut index, ui)?;
    let mut report = {
        // Every remote that is there was heard just now.
        let mut heard = global.clone();
        heard.offline = true;
        let pick = Pick {
            branches: None,
            choose: &|_| Choice::Take,
        };
        numbering::number(&context, &heard, ui, &space, &mut index, signer, pick)?
    };
    report.give_back();
    numbering::conclude(&context, global, ui, &space, &mut index, signer, &report);
    round.refused = report.refused.len() + report.invalid.len();
    round.numbered = pages(&report);
    print(ui, &report, said)?;
    or_warn(ui, show_life(&context, global, signer));
    for remote in &remotes {
        if !global.offline && !round.away.contains(&remote.name) {
            tell(&context, global, remote, ui, &mut round)?;
        }
    }
    if !round.numbered.is_empty() {
        let history = context.history(&space, &mut index, ui)?;
        report::say_provisional(ui, home::provisional(&context, &space, &history)?);
    }
    Ok(round)
}

/// Whether this key holds the pen now.
fn holds(context: &Context, signer: &dyn Sign) -> anyhow::Result<bool> {
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let view = TreeView::new(&space.tables, Some(page.tree()));
    let pen = check::pen_of(&view)?;
    Ok(pen.key == signer.public_key())
}

/// Fetches from one remote. One that is away holds nothing up; one that shows another chain does, for a page on
/// the wrong one can never be taken back: unless home has decided between the two.
fn hear(
    context: &Context,
    global: &Global,
    remote: &Remote,
    signer: &dyn Sign,
    ui: &Ui,
    round: &mut Round,
) -> anyhow::Result<()> {
    let space = context.space()?;
    match fetch::fetch(context, &space, remote, ui) {
        Ok(fetched) => match report::outcome(&remote.name, &fetched, None) {
            Err(error) if super::error::parts(&error).0 == Some(Code::TwoChildren) => {
                if !is_leftover(context, remote, &fetched, &signer.public_key(), ui)? {
                    return Err(error);
                }
                or_warn::<()>(ui, Err(error));
                round.away.push(remote.name.clone());
                Ok(())
            }
            Err(error) => {
                or_warn::<()>(ui, Err(error));
                Ok(())
            }
            Ok(_) => {
                let there = &fetched.artifacts;
                or_warn(ui, hear_bytes(context, global, remote, signer, there, ui));
                Ok(())
            }
        },
        // What is there could not be taken in for a reason that lies here: what would be signed now could stand
        // beside it.
        Err(error) if is_ours(&error) => Err(error),
        Err(error) => {
            or_warn::<()>(ui, Err(error));
            round.away.push(remote.name.clone());
            Ok(())
        }
    }
}

/// The bytes of what is published, and of what waits.
fn hear_bytes(
    context: &Context,
    global: &Global,
    remote: &Remote,
    signer: &dyn Sign,
    there: &RefMap,
    ui: &Ui,
) -> anyhow::Result<()> {
    let bringing = Bringing {
        choice: artifacts::choice::Choice::of(context)?,
        offers: false,
        hand: Hand::Key(signer),
    };
    let space = context.space()?;
    let followed = artifacts::follow(context, global, &space, remote, there, &bringing, ui)?;
    ArtifactsView::of(&followed).outcome(&followed).map(drop)
}

/// Whether a fetch failed here and not over there.
fn is_ours(error: &anyhow::Error) -> bool {
    let code = super::error::parts(error).0;
    matches!(
        code,
        Some(Code::WorktreeChanged | Code::Busy | Code::RaceLost | Code::Io)
    )
}

/// Whether a chain beside ours is one that home, which has ours, never had, and that somebody else signed: whoever
/// held the pen once could stop every witness after them with it.
fn is_leftover(
    context: &Context,
    remote: &Remote,
    fetched: &Fetched,
    key: &PublicKey,
    ui: &Ui,
) -> anyhow::Result<bool> {
    let course = fetched.received.as_ref().map(|received| &received.course);
    let Some(Some(Course::Fork(fork))) = course else {
        return Ok(false);
    };
    let space = context.space()?;
    let mut index = context.index()?;
    let history = context.history(&space, &mut index, ui)?;
    let home = match home::Home::of(context, &space)? {
        home::Home::Remote(home) if home == remote.key => return Ok(false),
        home::Home::Here => history.len(),
        _ => peer::final_number(&context.store, &history)?,
    };
    for id in &fork.theirs.pages {
        let page = Page::read(&context.store, *id)?;
        if seal::open(&page.commit).map_err(Fault::from)? == *key {
            return Ok(false);
        }
    }
    Ok(fork.theirs.fork < home)
}

fn tell(
    context: &Context,
    global: &Global,
    remote: &Remote,
    ui: &Ui,
    round: &mut Round,
) -> anyhow::Result<()> {
    let space = context.space()?;
    match push::push(context, global, &space, remote, What::Everything, ui) {
        Ok(sent) => {
            for pushed in sent.refs.iter().filter(|pushed| pushed.refused.is_some()) {
                let what = pushed.refused.as_deref().unwrap_or_default();
                ui.warn(format!(
                    "{} refused {}: {}",
                    remote.shown(),
                    escape(&pushed.name),
                    escape(what)
                ));
            }
        }
        Err(error) => {
            or_warn::<()>(ui, Err(error));
            round.away.push(remote.name.clone());
        }
    }
    Ok(())
}

/// A heartbeat, where policy gives those who wait for one a time to wait.
fn show_life(context: &Context, global: &Global, signer: &dyn Sign) -> anyhow::Result<()> {
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let view = TreeView::new(&space.tables, Some(page.tree()));
    let rule = policy::take_rule(&Scene::new(&view), TakeFrom::Held)?;
    let Some(ttl) = rule.ttl else {
        return Ok(());
    };
    let when = identity::when(global)?;
    if !is_fresh(&space, signer, &page, when.seconds, ttl)? {
        heartbeat::beat(&space, signer, &when)?;
    }
    Ok(())
}

/// Whether our last heartbeat stands on the newest page and is younger than a third of the time that others wait.
fn is_fresh(
    space: &Space<'_, GitStore>,
    signer: &dyn Sign,
    page: &Page,
    now: u64,
    ttl: u64,
) -> anyhow::Result<bool> {
    let view = TreeView::new(&space.tables, Some(page.tree()));
    let witness = policy::member_of(&Scene::new(&view), &signer.public_key())?;
    let Some(last) = space.store.get(&refs::heartbeat(&witness.handle))? else {
        return Ok(false);
    };
    let Ok(beat) = Heartbeat::authenticate(space, last) else {
        return Ok(false);
    };
    let made = read_commit(space.store, &last)?.committer.seconds;
    Ok(beat.page.id == page.id && now.abs_diff(made) < ttl.div_ceil(3))
}

fn pages(report: &Report) -> Vec<PageView> {
    let pages = report.numbered.iter();
    pages
        .map(|page| PageView {
            number: page.number.0,
            commit: page.commit.to_hex(),
            proposal: proposals::short_name(&page.branch).to_owned(),
            subject: page.subject.clone(),
        })
        .collect()
}

/// One line per page, and one for what is refused and was not before.
fn print(ui: &Ui, report: &Report, said: &mut BTreeSet<String>) -> anyhow::Result<()> {
    if ui.json() {
        return Ok(());
    }
    for page in &report.numbered {
        let number = ui.paint(Style::Id, &format!("common@{}", page.number));
        let name = escape(proposals::short_name(&page.branch));
        ui.line(format!("{number} {name}: {}", escape(&page.subject)))?;
    }
    let refused = report.refused.iter();
    let refused = refused.map(|(candidate, fault)| (&candidate.branch.name, fault));
    let invalid = report.invalid.iter().map(|(branch, fault)| (branch, fault));
    let lines = refused.chain(invalid).map(|(branch, fault)| {
        let name = escape(proposals::short_name(branch));
        format!("refused {name}: {}: {}", fault.code, escape(&fault.what))
    });
    let lines: BTreeSet<String> = lines.collect();
    for line in lines.difference(said) {
        ui.say(line);
    }
    *said = lines;
    Ok(())
}

/// Does one round, and ends.
pub fn once(global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let signer = signing::signer(Some(&context), global)?;
    let round = round(global, ui, &*signer, &|_| true, &mut BTreeSet::new())?;
    if ui.json() {
        ui.answer("witness", &round)?;
    }
    if round.standby {
        let what = "the pen is somebody else's";
        let hint = "`folio pen status` shows whose; `folio pen take` takes it";
        return Err(Problem::new(Code::SignerWrong, what).hint(hint).into());
    }
    if round.numbered.is_empty() {
        ui.say("nothing to number");
    }
    Ok(Exit::Done)
}

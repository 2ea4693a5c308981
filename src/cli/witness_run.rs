//! `folio witness run`: one round of a witness: hear what is new, number what is acceptable, tell the others.

use super::args::Global;
use super::context::Context;
use super::error::Problem;
use super::exchange::push::{self, What};
use super::exchange::{self, Remote, fetch, report};
use super::exit::Exit;
use super::numbering::{self, or_warn};
use super::observed::{self, Clock};
use super::ui::{Style, Ui, escape};
use super::{identity, proposals, signing, verified};
use crate::crypto::Sign;
use crate::fold::rules::TakeFrom;
use crate::fold::{Scene, policy};
use crate::journal::accept::{Choice, Report};
use crate::journal::{Page, check, heartbeat};
use crate::model::Code;
use crate::state::TreeView;
use serde::Serialize;

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

/// Does one round with every remote that `is_due` lets through.
pub fn round(
    global: &Global,
    ui: &Ui,
    signer: &dyn Sign,
    is_due: &dyn Fn(&str) -> bool,
) -> anyhow::Result<Round> {
    let context = Context::open(global)?;
    let mut round = Round::default();
    let remotes: Vec<Remote> = exchange::all(&context)?
        .into_iter()
        .filter(|remote| is_due(&remote.name))
        .collect();
    for remote in &remotes {
        if !global.offline {
            hear(&context, remote, ui, &mut round)?;
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
    let report = {
        // Every remote that is there was heard just now.
        let mut heard = global.clone();
        heard.offline = true;
        let choose = &|_: &_| Choice::Take;
        numbering::number(&context, &heard, ui, &space, &mut index, signer, choose)?
    };
    numbering::conclude(&context, global, ui, &space, &mut index, signer, &report);
    round.refused = report.refused.len() + report.invalid.len();
    round.numbered = pages(&report);
    print(ui, &report)?;
    or_warn(ui, show_life(&context, global, signer));
    for remote in &remotes {
        if !global.offline && !round.away.contains(&remote.name) {
            tell(&context, remote, ui, &mut round)?;
        }
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
/// the wrong one can never be taken back.
fn hear(context: &Context, remote: &Remote, ui: &Ui, round: &mut Round) -> anyhow::Result<()> {
    let space = context.space()?;
    match fetch::fetch(context, &space, remote, ui) {
        Ok(fetched) => match report::outcome(&remote.name, &fetched, None) {
            Err(error) if super::error::parts(&error).0 == Some(Code::TwoChildren) => Err(error),
            Err(error) => {
                or_warn::<()>(ui, Err(error));
                Ok(())
            }
            Ok(_) => Ok(()),
        },
        Err(error) => {
            or_warn::<()>(ui, Err(error));
            round.away.push(remote.name.clone());
            Ok(())
        }
    }
}

fn tell(context: &Context, remote: &Remote, ui: &Ui, round: &mut Round) -> anyhow::Result<()> {
    let space = context.space()?;
    match push::push(context, &space, remote, What::Everything, ui) {
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
    if rule.ttl.is_some() {
        heartbeat::beat(&space, signer, &identity::when(global)?)?;
    }
    Ok(())
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

/// One line per page.
fn print(ui: &Ui, report: &Report) -> anyhow::Result<()> {
    if ui.json() {
        return Ok(());
    }
    for page in &report.numbered {
        let number = ui.paint(Style::Id, &format!("common@{}", page.number));
        let name = escape(proposals::short_name(&page.branch));
        ui.line(format!("{number} {name}: {}", escape(&page.subject)))?;
    }
    for (candidate, fault) in &report.refused {
        let name = escape(proposals::short_name(&candidate.branch.name));
        ui.say(format!(
            "refused {name}: {}: {}",
            fault.code,
            escape(&fault.what)
        ));
    }
    Ok(())
}

/// Does one round, and ends.
pub fn once(global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let signer = signing::signer(Some(&context), global)?;
    let round = round(global, ui, &*signer, &|_| true)?;
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

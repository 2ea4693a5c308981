//! `folio draft`: what is drafted.

use crate::cli::args::Global;
use crate::cli::changes::{self, ChangeView};
use crate::cli::context::{Context, view_of};
use crate::cli::draft::{self, Draft};
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::identity;
use crate::cli::report::count;
use crate::cli::trial::{Trial, Verdict};
use crate::cli::ui::{Style, Ui, escape};
use crate::fold::{Decision, Refusal};
use crate::journal::Page;
use crate::model::Code;
use clap::Subcommand;
use serde::Serialize;
use std::collections::BTreeSet;

/// Show, drop or clear what is drafted
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The decisions with their numbers, and the rows they would change
    Show,
    /// Take decisions out by their numbers
    Drop {
        /// Numbers as `folio draft show` prints them
        #[arg(required = true)]
        numbers: Vec<usize>,
    },
    /// Throw the draft away
    Clear,
    /// Fill in again what is replaced and relied on, from today's state
    Refresh,
}

#[derive(Serialize)]
struct Shown {
    decisions: Vec<DecisionView>,
}

#[derive(Serialize)]
struct DecisionView {
    number: usize,
    decision: Decision,
    /// `changes`, `already` or `refused`.
    verdict: &'static str,
    changes: Vec<ChangeView>,
    code: Option<&'static str>,
    what: Option<String>,
}

#[derive(Serialize)]
struct Left {
    dropped: usize,
    refused: usize,
    left: usize,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    match arguments.action.as_ref().unwrap_or(&Action::Show) {
        Action::Show => show(&context, global, ui),
        Action::Drop { numbers } => drop_numbers(&context, global, numbers, ui),
        Action::Clear => clear(&context, global, ui),
        Action::Refresh => refresh(&context, global, ui),
    }
}

/// Tries decisions on today's state, in order.
fn tried(
    context: &Context,
    global: &Global,
    decisions: &[Decision],
    refresh: bool,
) -> anyhow::Result<(Vec<Verdict>, Vec<Decision>)> {
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let view = view_of(&space.tables, &page);
    let author = identity::author(context, global, &view)?;
    let mut trial = Trial::new(&view, page.message.chain, author);
    let verdicts = decisions
        .iter()
        .map(|decision| trial.judge(decision.clone(), refresh))
        .collect::<anyhow::Result<_>>()?;
    Ok((verdicts, trial.kept))
}

fn show(context: &Context, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let author = draft::author(context, global)?;
    let draft = Draft::load(context, author.as_ref())?;
    let (verdicts, _) = tried(context, global, &draft.decisions, false)?;
    let numbered = draft.decisions.iter().zip(&verdicts).enumerate();
    if ui.json() {
        let decisions = numbered
            .map(|(index, (decision, verdict))| view(index + 1, decision, verdict))
            .collect();
        ui.answer("draft", &Shown { decisions })?;
        return Ok(Exit::Done);
    }
    for (index, (decision, verdict)) in numbered {
        show_one(ui, index + 1, decision, verdict)?;
    }
    if draft.decisions.is_empty() {
        ui.say("nothing is drafted");
    }
    Ok(Exit::Done)
}

fn show_one(ui: &Ui, number: usize, decision: &Decision, verdict: &Verdict) -> anyhow::Result<()> {
    let number = ui.paint(Style::Id, &number.to_string());
    ui.line(format!("{number} {}", escape(&decision.to_line())))?;
    match verdict {
        Verdict::Already => ui.line("    true already")?,
        Verdict::Refused(refusal) => {
            let code = ui.paint(Style::Bad, refusal.code.as_str());
            ui.line(format!("    refused: {code}: {}", escape(&refusal.what)))?;
        }
        Verdict::Changes(rows) => {
            for change in rows.iter().filter(|change| changes::says_something(change)) {
                for line in changes::lines(ui, change) {
                    ui.line(format!("    {line}"))?;
                }
            }
        }
    }
    Ok(())
}

fn view(number: usize, decision: &Decision, verdict: &Verdict) -> DecisionView {
    let (word, rows, refusal) = match verdict {
        Verdict::Changes(rows) => ("changes", rows.as_slice(), None),
        Verdict::Already => ("already", &[][..], None),
        Verdict::Refused(refusal) => ("refused", &[][..], Some(refusal)),
    };
    DecisionView {
        number,
        decision: decision.clone(),
        verdict: word,
        changes: rows.iter().map(ChangeView::of).collect(),
        code: refusal.map(|refusal| refusal.code.as_str()),
        what: refusal.map(|refusal| refusal.what.clone()),
    }
}

fn drop_numbers(
    context: &Context,
    global: &Global,
    numbers: &[usize],
    ui: &Ui,
) -> anyhow::Result<Exit> {
    let author = draft::author(context, global)?;
    let _lock = draft::lock(context)?;
    let mut draft = Draft::load(context, author.as_ref())?;
    let drafted = draft.decisions.len();
    let gone: BTreeSet<usize> = numbers.iter().copied().collect();
    if let Some(wrong) = gone.iter().find(|number| !(1..=drafted).contains(*number)) {
        let what = format!("there is no decision {wrong}; the draft has {drafted}");
        return Err(Problem::new(Code::BadRequest, what)
            .hint("folio draft show numbers them")
            .into());
    }
    let mut number = 0;
    draft.decisions.retain(|_| {
        number += 1;
        !gone.contains(&number)
    });
    save(&mut draft)?;
    let (verdicts, _) = tried(context, global, &draft.decisions, false)?;
    let refused = say_refused(ui, &verdicts);
    if refused > 0 {
        ui.hint("they relied on what was dropped: folio draft refresh, or drop them too");
    }
    let left = draft.decisions.len();
    finish(ui, gone.len(), refused, left)?;
    Ok(Exit::Done)
}

fn clear(context: &Context, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let author = draft::author(context, global)?;
    let _lock = draft::lock(context)?;
    // What cannot be read can be cleared.
    let dropped = Draft::load(context, author.as_ref()).map_or(0, |draft| draft.decisions.len());
    let mut draft = Draft::empty(context, author.as_ref());
    draft.clear()?;
    finish(ui, dropped, 0, 0)?;
    Ok(Exit::Done)
}

/// Refused decisions stay in the draft, as they were: nothing that somebody wrote is lost.
fn refresh(context: &Context, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let author = draft::author(context, global)?;
    let _lock = draft::lock(context)?;
    let mut draft = Draft::load(context, author.as_ref())?;
    let (verdicts, kept) = tried(context, global, &draft.decisions, true)?;
    let mut fresh = kept.into_iter();
    let mut decisions = Vec::with_capacity(draft.decisions.len());
    let mut left = Vec::with_capacity(verdicts.len());
    for (old, verdict) in draft.decisions.iter().zip(verdicts) {
        match &verdict {
            Verdict::Changes(_) => decisions.extend(fresh.next()),
            Verdict::Already => continue,
            Verdict::Refused(_) => decisions.push(old.clone()),
        }
        left.push(verdict);
    }
    let dropped = draft.decisions.len() - decisions.len();
    let refused = say_refused(ui, &left);
    draft.decisions = decisions;
    save(&mut draft)?;
    if refused > 0 {
        ui.hint("folio draft drop N takes them out");
    }
    finish(ui, dropped, refused, draft.decisions.len())?;
    Ok(if refused > 0 {
        Exit::Refused
    } else {
        Exit::Done
    })
}

fn save(draft: &mut Draft) -> anyhow::Result<()> {
    match draft.decisions.is_empty() {
        true => draft.clear(),
        false => draft.save(),
    }
}

/// Warns of what is refused, by the numbers that it has in the draft now; how many there are.
fn say_refused(ui: &Ui, verdicts: &[Verdict]) -> usize {
    let refused: Vec<(usize, &Refusal)> = verdicts
        .iter()
        .enumerate()
        .filter_map(|(index, verdict)| match verdict {
            Verdict::Refused(refusal) => Some((index + 1, refusal)),
            _ => None,
        })
        .collect();
    for (number, refusal) in &refused {
        ui.warn(format!(
            "decision {number} is refused: {}: {}",
            refusal.code,
            escape(&refusal.what)
        ));
    }
    refused.len()
}

fn finish(ui: &Ui, dropped: usize, refused: usize, left: usize) -> anyhow::Result<()> {
    if ui.json() {
        return ui.answer(
            "draft",
            &Left {
                dropped,
                refused,
                left,
            },
        );
    }
    ui.say(format!(
        "{} dropped, {left} left in the draft",
        count(dropped, "decision")
    ));
    Ok(())
}

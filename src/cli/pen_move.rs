//! `folio pen take` and `folio pen release`: a proposal of its own, numbered at once where that is allowed.

use super::args::Global;
use super::context::{Context, view_of};
use super::error::Problem;
use super::exit::Exit;
use super::numbering;
use super::observed::{self, Clock};
use super::pen_status::{needs, terms};
use super::ui::{Style, Ui, escape};
use super::{draft, identity, proposals, signing, verified};
use crate::codec::message::clean_text;
use crate::crypto::Sign;
use crate::fold::Decision;
use crate::journal::accept::{Choice, Pick, Report};
use crate::journal::pen::{self, Standing};
use crate::journal::proposal::{Base, Proposal};
use crate::journal::propose::{self, Intent};
use crate::journal::{Page, Space, check, refs};
use crate::model::rows::MemberRow;
use crate::model::{Code, Oid, Slug};
use crate::store::{Expect, GitStore, Refs as _};
use serde::Serialize;
use std::collections::BTreeSet;

/// How the pen is taken.
#[derive(Debug, clap::Args)]
pub struct Take {
    /// Which of your machines takes it
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Appoint yourself as a witness first, where the policy lets you
    #[arg(long)]
    appoint: bool,
    /// Do not wait for the holder to be silent
    #[arg(long)]
    now: bool,
    /// Why
    #[arg(short, long, default_value = "Take the pen")]
    message: String,
}

/// How it is laid down.
#[derive(Debug, clap::Args)]
pub struct Release {
    /// Why
    #[arg(short, long, default_value = "Release the pen")]
    message: String,
}

#[derive(Serialize)]
struct Moved {
    proposal: String,
    digest: String,
    /// The page that moved it; none while the proposal waits.
    number: Option<u64>,
    commit: Option<String>,
    epoch: u64,
    /// What is still needed, in words.
    needs: Option<String>,
}

/// What moving the pen stands on.
struct Desk<'a, 's> {
    context: &'a Context,
    global: &'a Global,
    space: &'a Space<'s, GitStore>,
    page: &'a Page,
    standing: Standing,
    author: MemberRow,
    signer: Box<dyn Sign>,
}

/// Takes the pen.
pub fn take(arguments: &Take, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let instance = arguments.instance.as_deref().map(Slug::new).transpose()?;
    with_desk(global, ui, |desk| {
        let pen = &desk.standing.pen;
        let own = !pen.released && pen.key == desk.author.key;
        if own && (instance.is_none() || instance == pen.instance) {
            ui.say(format!("you hold the pen already, in epoch {}", pen.epoch));
            return Ok(Exit::Done);
        }
        if !arguments.now && pen.member != desk.author.handle {
            require_silence(desk)?;
        }
        let view = view_of(&desk.space.tables, desk.page);
        let appointed = pen::is_appointed(&view, &desk.author.handle)?;
        if !appointed && !arguments.appoint {
            let what = format!("`{}` is no appointed witness", desk.author.handle);
            let hint = format!(
                "folio witness appoint {} (or `folio pen take --appoint`)",
                desk.author.handle
            );
            return Err(Problem::new(Code::NotAWitness, what).hint(hint).into());
        }
        let appoint = !appointed;
        let decisions = pen::take(desk.page, pen, &desk.author, instance, appoint);
        let id = match standing_take(desk, &decisions)? {
            Some(waiting) => waiting,
            None => propose(desk, "pen-take", &arguments.message, &decisions)?,
        };
        finish(desk, ui, id, "pen-take")
    })
}

/// Lays the pen down.
pub fn release(arguments: &Release, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    with_desk(global, ui, |desk| {
        if desk.standing.pen.released {
            ui.say("the pen is released already");
            return Ok(Exit::Done);
        }
        let decision = pen::release(&view_of(&desk.space.tables, desk.page))?;
        let id = propose(desk, "pen-release", &arguments.message, &[decision])?;
        finish(desk, ui, id, "pen-release")
    })
}

fn with_desk(
    global: &Global,
    ui: &Ui,
    work: impl FnOnce(&Desk<'_, '_>) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let mut index = context.index()?;
    verified::require(&context, &space, &mut index, ui)?;
    drop(index);
    let page = Page::read(&context.store, space.tip()?)?;
    let view = view_of(&space.tables, &page);
    let source = signing::source(Some(&context), global)?;
    let author = identity::member(&view, &signing::public_of(&source)?)?;
    work(&Desk {
        standing: Standing::of(&view)?,
        context: &context,
        global,
        space: &space,
        page: &page,
        author,
        signer: signing::open(&source)?,
    })
}

/// Manners: the policy says for how long a taker waits. It is no rule, and `--now` goes past it.
fn require_silence(desk: &Desk<'_, '_>) -> anyhow::Result<()> {
    let silence = observed::look(desk.context, desk.space, &Clock::read())?;
    let (standing, holder) = (&desk.standing, &desk.standing.pen.member);
    let ttl = standing.terms.ttl.filter(|_| !standing.pen.released);
    let silent = ttl.map_or(0, |ttl| ttl.saturating_sub(silence.holder));
    let moved = standing.terms.lock_delay;
    let moved = moved.map_or(0, |delay| delay.saturating_sub(silence.pen));
    let wait = silent.max(moved);
    if wait == 0 {
        return Ok(());
    }
    let what = match silent >= moved {
        true => format!(
            "`{holder}` was seen {} s ago: takers wait for {wait} s more",
            silence.holder
        ),
        false => format!("the pen moved lately: takers wait for {wait} s more"),
    };
    Err(Problem::new(Code::PenInUse, what)
        .hint("run it again then, or folio pen take --now")
        .into())
}

fn branch(desk: &Desk<'_, '_>, slug: &str) -> anyhow::Result<String> {
    Ok(refs::proposal(&desk.author.handle, &Slug::new(slug)?))
}

/// The take that waits on its branch already, where it is this very one.
fn standing_take(desk: &Desk<'_, '_>, decisions: &[Decision]) -> anyhow::Result<Option<Oid>> {
    let Some(id) = desk.context.store.get(&branch(desk, "pen-take")?)? else {
        return Ok(None);
    };
    let (tables, store) = (&desk.space.tables, &desk.context.store);
    let old = Proposal::authenticate(tables, store, Some(&desk.space.id), id);
    Ok(old.ok().and_then(|old| {
        let same = old.author() == desk.author.key && old.decisions() == decisions;
        same.then_some(id)
    }))
}

fn propose(
    desk: &Desk<'_, '_>,
    slug: &str,
    message: &str,
    decisions: &[Decision],
) -> anyhow::Result<Oid> {
    let _lock = draft::lock(desk.context)?;
    let name = branch(desk, slug)?;
    let old = desk.context.store.get(&name)?;
    let intent = Intent {
        base: Base::of(desk.page),
        author: &desk.author,
        decisions,
        text: &clean_text(message)?,
        when: identity::when(desk.global)?,
    };
    let (tables, store) = (&desk.space.tables, &desk.context.store);
    let prepared = propose::prepare(tables, store, desk.space.id, &intent, &*desk.signer)?;
    // A crash here leaves objects that nothing refers to. An older one of one's own gives way: it was made after
    // another page, or on other terms.
    let expect = old.map_or(Expect::Absent, Expect::At);
    let (id, _) = prepared.publish(desk.space, name, expect)?;
    Ok(id)
}

/// Numbers the proposal where that is one's own to do and nothing is missing; else says what is.
fn finish(desk: &Desk<'_, '_>, ui: &Ui, id: Oid, slug: &str) -> anyhow::Result<Exit> {
    let name = branch(desk, slug)?;
    let (tables, store) = (&desk.space.tables, &desk.context.store);
    let proposal = Proposal::authenticate(tables, store, Some(&desk.space.id), id)?;
    let pen = check::pen_for(&view_of(tables, desk.page), &proposal)?;
    let mut moved = Moved {
        proposal: proposals::short_name(&name).to_owned(),
        digest: proposal.digest().to_hex(),
        number: None,
        commit: None,
        epoch: pen.epoch.0,
        needs: None,
    };
    if pen.key != desk.signer.public_key() {
        moved.needs = Some(format!("the pen's key of `{}` to number it", pen.member));
        let hint = format!("with that key: folio accept {}", moved.proposal);
        return answer(ui, slug, &moved, &hint);
    }
    let mut index = desk.context.index()?;
    let branches = BTreeSet::from([name]);
    let pick = Pick {
        branches: Some(&branches),
        choose: &|_| Choice::TakeAnyway,
    };
    let report = numbering::number(
        desk.context,
        desk.global,
        ui,
        desk.space,
        &mut index,
        &*desk.signer,
        pick,
    )?;
    numbering::settle(desk.context, desk.global, ui, &*desk.signer, &report);
    numbered(desk, ui, slug, moved, &report)
}

fn numbered(
    desk: &Desk<'_, '_>,
    ui: &Ui,
    slug: &str,
    mut moved: Moved,
    report: &Report,
) -> anyhow::Result<Exit> {
    if let Some(page) = report.numbered.first() {
        moved.number = Some(page.number.0);
        moved.commit = Some(page.commit.to_hex());
        return answer(ui, slug, &moved, "");
    }
    let fault = match (report.refused.first(), report.invalid.first()) {
        (Some((_, fault)), _) | (None, Some((_, fault))) => fault.clone(),
        (None, None) => {
            let what = "somebody else replaced the proposal meanwhile";
            return Err(Problem::new(Code::RaceLost, what).into());
        }
    };
    if fault.code != Code::ApprovalsMissing {
        return Err(fault.into());
    }
    moved.needs = Some(needs(&desk.standing));
    let hint = format!(
        "others run `folio approve {}`, then run `folio pen take` again",
        moved.proposal
    );
    ui.say(format!("to take it: {}", terms(&desk.standing)));
    answer(ui, slug, &moved, &hint)
}

fn answer(ui: &Ui, command: &str, moved: &Moved, hint: &str) -> anyhow::Result<Exit> {
    let done = moved.number.is_some();
    let exit = if done { Exit::Done } else { Exit::No };
    if ui.json() {
        ui.answer(command, moved)?;
        return Ok(exit);
    }
    let name = ui.paint(Style::Id, &escape(&moved.proposal));
    match (moved.number, &moved.needs) {
        (Some(number), _) => {
            let number = ui.paint(Style::Id, &format!("common@{number}"));
            ui.line(match command {
                "pen-take" => format!("{number} you hold the pen, in epoch {}", moved.epoch),
                _ => format!("{number} the pen is released"),
            })?;
        }
        (None, needs) => {
            let needs = needs.as_deref().unwrap_or("nothing");
            ui.line(format!("Proposed {name}, which needs {needs}"))?;
            ui.hint(hint);
        }
    }
    Ok(exit)
}

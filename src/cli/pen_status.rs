//! `folio pen status`: where the pen is.

use super::args::Global;
use super::context::{Context, view_of};
use super::exit::Exit;
use super::observed::{self, Clock};
use super::ui::{Style, Ui};
use super::view;
use crate::codec::rows;
use crate::fold::rules::TakeFrom;
use crate::journal::heartbeat::Heartbeat;
use crate::journal::pen::Standing;
use crate::journal::{Page, Space, refs};
use crate::model::rows::WitnessRow;
use crate::model::{Handle, Table};
use crate::store::{GitStore, Refs as _};
use serde::Serialize;

/// Witnesses shown at most; a space with more is a mistake.
const WITNESSES: usize = 10_000;

#[derive(Serialize)]
struct Status {
    at: view::At,
    holder: String,
    epoch: u64,
    key: String,
    instance: Option<String>,
    released: bool,
    taking: Taking,
    witnesses: Vec<String>,
    heartbeat: Option<BeatView>,
    /// Seconds in which nothing new was seen of the holder here.
    silent: u64,
}

#[derive(Serialize)]
struct Taking {
    from: &'static str,
    roles: Vec<String>,
    approvals: Vec<NeededView>,
    ttl: Option<u64>,
    lock_delay: Option<u64>,
}

#[derive(Serialize)]
struct NeededView {
    count: u64,
    role: String,
}

#[derive(Serialize)]
struct BeatView {
    beat: u64,
    number: u64,
    commit: String,
}

/// The appointed witnesses in the state of a page, sorted.
pub fn witnesses(space: &Space<'_, GitStore>, page: &Page) -> anyhow::Result<Vec<Handle>> {
    let root = Some(page.tree());
    let sorted = space.tables.sorted(root, Table::Witnesses, WITNESSES)?;
    let read = |row| rows::decode::<WitnessRow>(row).map(|row| row.member);
    let all: Result<_, _> = sorted.iter().map(|(_, row)| read(row)).collect();
    Ok(all?)
}

/// Runs it.
pub fn run(global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let standing = Standing::of(&view_of(&space.tables, &page))?;
    let silence = observed::look(&context, &space, &Clock::read())?;
    let beat = context.store.get(&refs::heartbeat(&standing.pen.member))?;
    // One that does not hold is none.
    let beat = beat.and_then(|id| Heartbeat::authenticate(&space, id).ok());
    let status = Status {
        at: view::At::of(&page),
        holder: standing.pen.member.to_string(),
        epoch: standing.pen.epoch.0,
        key: standing.pen.key.to_string(),
        instance: standing.pen.instance.as_ref().map(ToString::to_string),
        released: standing.pen.released,
        taking: taking(&standing),
        witnesses: witnesses(&space, &page)?
            .iter()
            .map(ToString::to_string)
            .collect(),
        heartbeat: beat.map(|beat| BeatView {
            beat: beat.beat,
            number: beat.page.number().0,
            commit: beat.id.to_hex(),
        }),
        silent: silence.holder,
    };
    match ui.json() {
        true => ui.answer("pen-status", &status)?,
        false => show(ui, &status, &standing)?,
    }
    Ok(Exit::Done)
}

fn taking(standing: &Standing) -> Taking {
    let needed = |(count, role): &(u64, Handle)| NeededView {
        count: *count,
        role: role.to_string(),
    };
    Taking {
        from: TakeFrom::of(&standing.pen).as_str(),
        roles: standing
            .terms
            .roles
            .iter()
            .map(ToString::to_string)
            .collect(),
        approvals: standing.approvals.iter().map(needed).collect(),
        ttl: standing.terms.ttl,
        lock_delay: standing.terms.lock_delay,
    }
}

fn show(ui: &Ui, status: &Status, standing: &Standing) -> anyhow::Result<()> {
    let holder = ui.paint(Style::Id, &status.holder);
    let epoch = status.epoch;
    ui.line(match status.released {
        true => format!("released by {holder}, who held it in epoch {epoch}"),
        false => format!("held by {holder} in epoch {epoch}"),
    })?;
    if let Some(instance) = &status.instance {
        ui.line(format!("instance   {instance}"))?;
    }
    ui.line(format!("key        {}", status.key))?;
    ui.line(format!("to take    {}", terms(standing)))?;
    ui.line(format!("witnesses  {}", status.witnesses.join(", ")))?;
    if let Some(beat) = &status.heartbeat {
        let (number, count) = (beat.number, beat.beat);
        ui.line(format!("heartbeat  {count}, at common@{number}"))?;
    }
    ui.line(format!("silent     for {} s, as seen here", status.silent))?;
    if let Some(ttl) = status.taking.ttl {
        ui.line(format!(
            "manners    takers wait until it was silent for {ttl} s"
        ))?;
    }
    if let Some(delay) = status.taking.lock_delay {
        ui.line(format!(
            "manners    takers wait for {delay} s after it moved"
        ))?;
    }
    Ok(())
}

/// Who may take the pen as it is now, in words.
pub fn terms(standing: &Standing) -> String {
    if standing.is_closed() {
        return "nobody, until it is released".into();
    }
    let roles = standing.terms.roles.iter();
    let others: Vec<&str> = roles
        .map(Handle::as_str)
        .filter(|role| *role != "witness")
        .collect();
    let mut words = "an appointed witness".to_owned();
    if others.len() == standing.terms.roles.len() {
        words.push_str(&format!(" with one of the roles [{}]", others.join(", ")));
    }
    match needs(standing).as_str() {
        "" => words,
        needs => format!("{words}, with {needs}"),
    }
}

/// The approvals that a take needs, in words; empty where there are none.
pub fn needs(standing: &Standing) -> String {
    let needed = standing.approvals.iter().map(|(count, role)| match count {
        1 => format!("1 approval of role `{role}`"),
        n => format!("{n} approvals of role `{role}`"),
    });
    needed.collect::<Vec<_>>().join(" and ")
}

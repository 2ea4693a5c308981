//! `folio policy show`: who may propose what.

use super::args::{At, Global};
use super::context::{Context, view_of};
use super::error::Problem;
use super::exit::Exit;
use super::ui::{Style, Ui, escape};
use super::view;
use crate::codec::rows;
use crate::fold::rules::{PenTake, TakeFrom};
use crate::fold::{Decision, Kind as _, Scene, policy};
use crate::model::rows::{PolicyRow, Tier};
use crate::model::{Code, Handle, Table};
use serde::Serialize;

/// Rows shown at most; a policy with more is a mistake.
const ROWS: usize = 100_000;

#[derive(Serialize)]
struct Shown {
    at: view::At,
    rows: Vec<PolicyRow>,
}

/// Runs it: all rows, those of a scope, or the one that decides about a name.
pub fn run(
    scope: Option<&str>,
    name: Option<&str>,
    at: &At,
    global: &Global,
    ui: &Ui,
) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let page = context.asked(&space, at.at.as_deref(), ui)?;
    let view = view_of(&space.tables, &page);
    let found = match (scope, name) {
        (Some(op), Some(name)) => deciding(&Scene::new(&view), op, name)?
            .into_iter()
            .collect(),
        _ => {
            let sorted = space
                .tables
                .sorted(Some(page.tree()), Table::Policy, ROWS)?;
            let mut found: Vec<PolicyRow> = sorted
                .iter()
                .map(|(_, row)| rows::decode(row))
                .collect::<Result<_, _>>()?;
            found.retain(|row| scope.is_none_or(|scope| row.scope.as_str() == scope));
            if found.is_empty() && scope == Some(PenTake::OP) {
                // No row of the policy: then what is built in decides.
                let scene = Scene::new(&view);
                for from in [TakeFrom::Released, TakeFrom::Held] {
                    found.push(policy::take_rule(&scene, from)?);
                }
            }
            found
        }
    };
    let nothing = found.is_empty();
    if ui.json() {
        let at = view::At::of(&page);
        ui.answer("policy-show", &Shown { at, rows: found })?;
    } else {
        for row in &found {
            ui.line(line(ui, row))?;
        }
        if nothing {
            ui.say("no row covers it, so nobody may propose it");
        }
    }
    Ok(if nothing { Exit::No } else { Exit::Done })
}

/// The row that decides about one kind of decision on one name.
fn deciding(scene: &Scene<'_>, op: &str, name: &str) -> anyhow::Result<Option<PolicyRow>> {
    let kind = Decision::kinds().into_iter().find(|kind| kind.op == op);
    let kind = kind.ok_or_else(|| {
        let what = format!("`{}` is no kind of decision", escape(op));
        Problem::new(Code::BadRequest, what).hint("folio help decisions lists them")
    })?;
    if kind.op == PenTake::OP {
        let from = [TakeFrom::Released, TakeFrom::Held];
        let from = from.into_iter().find(|from| from.as_str() == name);
        let from = from.ok_or_else(|| {
            let what = format!("the pen is `released` or `held`, found `{}`", escape(name));
            Problem::new(Code::BadRequest, what).hint("folio policy show pen.take held")
        })?;
        return Ok(Some(policy::take_rule(scene, from)?));
    }
    Ok(policy::rule_of(scene, kind.op, kind.family.as_str(), name)?)
}

fn line(ui: &Ui, row: &PolicyRow) -> String {
    let list = |roles: &[Handle]| {
        let words: Vec<&str> = roles.iter().map(Handle::as_str).collect();
        words.join(",")
    };
    let scope = ui.paint(Style::Bold, &escape(row.scope.as_str()));
    let mut line = match row.prefix.as_str() {
        "" => scope,
        prefix => format!("{scope} `{}`", escape(prefix)),
    };
    match row.roles.as_slice() {
        [] => line.push_str(": nobody"),
        roles => line.push_str(&format!(": {}", list(roles))),
    }
    for needed in &row.approvals {
        line.push_str(&format!(" approvals {}:{}", needed.count, needed.role));
    }
    let tier = match row.tier {
        Tier::Local => "local",
        Tier::Eventual => "eventual",
        Tier::Witness => "witness",
        Tier::Quorum => "quorum",
    };
    line.push_str(&format!(" {}", ui.paint(Style::Dim, tier)));
    if row.self_approval {
        line.push_str(" self-approval");
    }
    for (word, number) in [
        ("safe", row.safe),
        ("ttl", row.ttl),
        ("lock-delay", row.lock_delay),
    ] {
        if let Some(number) = number {
            line.push_str(&format!(" {word} {number}"));
        }
    }
    line
}

//! `folio hook pre-receive`: a push is taken whole or not at all.

use super::input;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::ui::{Ui, escape};
use crate::journal::Fault;
use crate::journal::gate::{self, Update, Verdict};
use crate::journal::refs;
use crate::model::{Code, SpaceId};
use std::collections::BTreeSet;

/// The space that a server takes pushes for, where its keeper said so before there was any.
pub const SPACE: &str = "folio.space";

/// Judges the push that git tells of.
pub fn run(global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    // git takes the locks of refs next.
    context.store.release_the_dead();
    let updates = input::updates(&input::read()?)?;
    let space = expected_space(&context)?;
    let mut index = context.index()?;
    let store = input::with_quarantine(context.store.clone())?;
    let verdicts = gate::judge(&store, &mut index, space, &updates)?;
    remember_main(&context, &updates, &verdicts);
    Ok(report(ui, &verdicts))
}

/// Leaves for `reference-transaction` what was judged here: that this `main` follows that one is as true
/// then, whatever becomes of the push. Where it is lost, the move is judged again.
fn remember_main(context: &Context, updates: &[Update], verdicts: &[Verdict]) {
    let main = |name: &str| name == refs::MAIN;
    let good = |verdict: &Verdict| main(&verdict.name) && verdict.refused.is_none();
    let Some(update) = updates.iter().find(|update| main(&update.name)) else {
        return;
    };
    let Some(new) = update.new.filter(|_| verdicts.iter().any(good)) else {
        return;
    };
    let zeros = || "0".repeat(new.as_bytes().len() * 2);
    let old = update.old.map_or_else(zeros, |old| old.to_hex());
    let line = format!("{old} {new} {}\n", refs::MAIN);
    let _ = std::fs::write(context.folio_dir().join("judged"), line);
}

/// The space that the configuration names, if it does.
pub fn expected_space(context: &Context) -> anyhow::Result<Option<SpaceId>> {
    let Some(text) = context.store.config_value(SPACE) else {
        return Ok(None);
    };
    let id = text.parse().map_err(|_| {
        let what = format!("{SPACE} is `{}`, which is no space id", escape(&text));
        Problem::new(Code::BadRequest, what).hint(format!("git config {SPACE} ID"))
    })?;
    Ok(Some(id))
}

/// Says which refs are refused and why, and what to do about each kind of refusal once.
pub fn report(ui: &Ui, verdicts: &[Verdict]) -> Exit {
    let refused = |verdict: &'_ Verdict| verdict.refused.clone();
    let refused: Vec<(&str, Fault)> = verdicts
        .iter()
        .filter_map(|verdict| Some((verdict.name.as_str(), refused(verdict)?)))
        .collect();
    let mut advised = BTreeSet::new();
    for (name, fault) in &refused {
        ui.error(fault.code.as_str(), &format!("{name}: {}", words(fault)));
        if advised.insert(fault.code) {
            ui.hint(fault.code.help());
        }
    }
    match refused.is_empty() {
        true => Exit::Done,
        false => {
            let left = verdicts.len() - refused.len();
            if left > 0 {
                ui.hint(&format!(
                    "nothing was taken; the other {left} refs may be pushed without these"
                ));
            }
            Exit::Refused
        }
    }
}

/// A fault's words and where it is, without its code.
pub fn words(fault: &Fault) -> String {
    let number = fault.number.map(|number| format!("common@{number}: "));
    let commit = fault
        .commit
        .map(|commit| format!(" (commit {})", commit.short()));
    let (number, commit) = (number.unwrap_or_default(), commit.unwrap_or_default());
    format!("{number}{}{commit}", fault.what)
}

//! `folio hook pre-push`: what the other side would refuse, said before it is sent.

use super::{input, receive};
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::ui::{Ui, escape};
use crate::cli::verified;
use crate::journal::gate::{self, Update, Verdict};
use crate::journal::{Fault, Page, refs};
use crate::model::Code;
use crate::store::{Index, Objects as _};

/// Judges what would be sent by the state that is here. A `main` that is not valid and refs that are nobody
/// else's business are held back; the rest is for the other side to refuse, and named.
pub fn run(global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let updates = pushed(&input::read()?)?;
    let mut index = context.index()?;
    let (mains, others): (Vec<Update>, Vec<Update>) = updates
        .into_iter()
        .partition(|update| update.name == refs::MAIN);
    let mut held: Vec<Verdict> = Vec::new();
    for main in mains {
        if let Some(fault) = judge_main(&context, &mut index, ui, &main)? {
            held.push(Verdict {
                name: main.name,
                refused: Some(fault),
            });
        }
    }
    let (local, others): (Vec<Update>, Vec<Update>) = others
        .into_iter()
        .partition(|update| update.name.starts_with(refs::LOCAL));
    for verdict in gate::judge(&context.store, &mut index, None, &others)? {
        if let Some(fault) = verdict.refused {
            let (name, code, words) = (verdict.name, fault.code, receive::words(&fault));
            let what = format!("{name} would be refused by a space: {code}: {words}");
            ui.warn(escape(&what));
        }
    }
    held.extend(gate::judge(&context.store, &mut index, None, &local)?);
    Ok(receive::report(ui, &held))
}

/// Lines of `<local ref> <local id> <remote ref> <remote id>`.
fn pushed(text: &str) -> anyhow::Result<Vec<Update>> {
    let lines = text.split('\n').filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let bad = || input::bad_line(line);
            // The local name is what the user typed, and may hold anything.
            let mut parts = line.rsplitn(4, ' ');
            let old = parts.next().and_then(input::id).ok_or_else(bad)?;
            let name = parts.next().ok_or_else(bad)?.to_owned();
            let new = parts.next().and_then(input::id).ok_or_else(bad)?;
            Ok(Update { name, old, new })
        })
        .collect()
}

/// What is wrong with sending this as `main`, if anything: it has to be a verified snapshot of the `main`
/// that is here, and newer than what is there as far as that is known here.
fn judge_main(
    context: &Context,
    index: &mut Index,
    ui: &Ui,
    update: &Update,
) -> anyhow::Result<Option<Fault>> {
    let Some(new) = update.new else {
        let fault = Fault::new(Code::RefProtected, "main is never deleted");
        return Ok(Some(fault));
    };
    let page = match Page::read(&context.store, new) {
        Ok(page) => page,
        Err(fault) => return Ok(Some(fault)),
    };
    let space = context.space()?;
    verified::require(context, &space, index, ui)?;
    let history = context.history(&space, index, ui)?;
    if !history.contains(page.number(), &new) {
        let what = "what is pushed is no snapshot of the main that is here";
        return Ok(Some(Fault::new(Code::NotFastForward, what).in_commit(new)));
    }
    let Some(old) = update.old else {
        return Ok(None);
    };
    if context.store.header(&old)?.is_none() {
        let what = "the other main is at a commit that is not here";
        return Ok(Some(Fault::new(Code::NotFastForward, what)));
    }
    let there = match Page::read(&context.store, old) {
        Ok(page) => page,
        // Not a space over there: it is not for us to say what may replace it.
        Err(_) => return Ok(None),
    };
    if there.number() > page.number() || !history.contains(there.number(), &old) {
        let (here, there) = (page.number(), there.number());
        let what =
            format!("the other main is at common@{there}, and common@{here} does not stand on it");
        return Ok(Some(Fault::new(Code::NotFastForward, what)));
    }
    Ok(None)
}

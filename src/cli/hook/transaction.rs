//! `folio hook reference-transaction`: `main` moved by plain git, here.

use super::{input, receive};
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::journal::{gate, refs};
use crate::store::Refs as _;

/// Judges what a transaction that is prepared would do to `main`. git holds the locks, and the old value is
/// still there.
pub fn run(global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let text = input::read()?;
    let context = Context::open(global)?;
    let old = context.store.get(refs::MAIN)?;
    // git names zeros as old value where the caller named none, so what is there counts.
    let symbolic = text.lines().any(|line| line.contains(" ref:"));
    let mut updates = match symbolic {
        true => return Err(input::bad_line(&text)),
        false => input::updates(&text)?,
    };
    updates.retain(|update| update.name == refs::MAIN && update.new != old);
    if updates.iter().any(|update| update.new.is_none()) && context.store.is_packed(refs::MAIN)? {
        // `git pack-refs` and `git gc` drop the loose file of what they have packed, and ask too.
        updates.retain(|update| update.new.is_some());
    }
    for update in &mut updates {
        update.old = old;
    }
    if updates.is_empty() {
        return Ok(Exit::Done);
    }
    let space = receive::expected_space(&context)?;
    let mut index = context.index()?;
    let store = input::with_quarantine(context.store.clone())?;
    let verdicts = gate::judge(&store, &mut index, space, &updates)?;
    Ok(receive::report(ui, &verdicts))
}

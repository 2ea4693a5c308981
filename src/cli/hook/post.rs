//! After the fact: `folio hook post-receive` and `post-merge`. What has happened is not failed any more.

use super::input;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error;
use crate::cli::exit::Exit;
use crate::cli::ui::{Ui, escape};
use crate::cli::{allowed_signers, verified};
use crate::journal::refs;

/// The file that a witness who watches looks at.
pub const WAKE: &str = "wake";

/// Wakes the witness, and brings the index and the allowed signers up to date with a new `main`.
pub fn received(global: &Global, ui: &Ui) -> Exit {
    or_warn(ui, after_push(global, ui))
}

fn after_push(global: &Global, ui: &Ui) -> anyhow::Result<()> {
    let updates = input::updates(&input::read()?)?;
    let context = Context::open(global)?;
    let dir = context.folio_dir();
    std::fs::create_dir_all(&dir)?;
    // Its contents say nothing; that it changed does.
    std::fs::write(dir.join(WAKE), format!("{}\n", updates.len()))?;
    if updates.iter().any(|update| update.name == refs::MAIN) {
        let space = context.space()?;
        context.history(&space, &mut context.index()?, ui)?;
        allowed_signers::refresh(&context)?;
    }
    Ok(())
}

/// Verifies what a merge or pull brought.
pub fn merged(global: &Global, ui: &Ui) -> Exit {
    or_warn(ui, after_merge(global, ui))
}

fn after_merge(global: &Global, ui: &Ui) -> anyhow::Result<()> {
    let context = Context::open(global)?;
    let space = context.space()?;
    verified::require(&context, &space, &mut context.index()?, ui)?;
    allowed_signers::refresh(&context)
}

fn or_warn(ui: &Ui, done: anyhow::Result<()>) -> Exit {
    if let Err(fault) = done {
        let (code, what, hint) = error::parts(&fault);
        let word = code.map_or("error", |code| code.as_str());
        ui.warn(format!("{word}: {}", escape(&what)));
        if let Some(hint) = hint.as_deref().or(code.map(|code| code.help())) {
            ui.hint(hint);
        }
    }
    Exit::Done
}

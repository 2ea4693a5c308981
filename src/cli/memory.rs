//! Where it is remembered what a key signed: in the repository, and once more outside of it.

use super::args::Global;
use super::context::Context;
use super::health::Warning;
use super::signing;
use super::ui::{Ui, escape, talk};
use crate::journal::memory::{Hand, SignerMemory as _};
use crate::journal::{Page, Space};
use crate::store::{GitStore, SignedPages};
use std::path::PathBuf;

/// The memory of whoever signs in this repository.
pub fn open(context: &Context, global: &Global, ui: &Ui) -> SignedPages {
    let copy = copy_dir(global).filter(|dir| match std::fs::create_dir_all(dir) {
        Ok(()) => true,
        Err(error) => {
            let shown = escape(&dir.display().to_string());
            ui.warn(format!(
                "what is signed is remembered in the repository only: cannot create `{shown}`: {error}"
            ));
            false
        }
    });
    let quiet = ui.is_quiet();
    SignedPages::new(&context.folio_dir(), copy).with_waiting(move || {
        if !quiet {
            talk("waiting for another process that numbers pages here ...");
        }
    })
}

/// `--state-dir`, else `$XDG_STATE_HOME/folio`, else `~/.local/state/folio`; nowhere without a home.
fn copy_dir(global: &Global) -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let named = global.state_dir.as_ref().map(|dir| global.dir().join(dir));
    let state = || set("XDG_STATE_HOME").map(PathBuf::from);
    let home = || set("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let dir = named.or_else(|| Some(state().or_else(home)?.join("folio")));
    dir.map(|dir| dir.join("signed"))
}

/// A warning where the key at hand signed pages that `main` does not have.
pub fn ahead(
    context: &Context,
    global: &Global,
    space: &Space<'_, GitStore>,
    ui: &Ui,
) -> anyhow::Result<Option<Warning>> {
    // Without a key nobody signs here.
    let Ok(key) = signing::public_key(Some(context), global) else {
        return Ok(None);
    };
    let hand = Hand {
        space: space.id,
        key,
    };
    let tip = Page::read(&context.store, space.tip()?)?;
    let signed = open(context, global, ui).recall(&hand)?.highest;
    Ok(signed
        .filter(|mark| mark.number > tip.number())
        .map(|mark| Warning {
            warning: "signed-ahead",
            what: format!(
                "your key signed common@{} (commit {}) and main ends at common@{}: `folio accept --all` publishes \
                 what a crash left; after a restored backup `folio fetch` brings what is missing",
                mark.number,
                mark.commit.short(),
                tip.number()
            ),
        }))
}

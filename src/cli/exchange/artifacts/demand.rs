//! Bringing an artifact at the moment when somebody reads it.

use super::bring::{self, From};
use super::of_artifacts;
use crate::artifact::Shelves;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exchange::home::Home;
use crate::cli::exchange::{self, Remote};
use crate::cli::published;
use crate::cli::ui::{Ui, escape};
use crate::journal::Page;
use crate::model::{Code, ContentDigest};
use std::collections::BTreeSet;

/// What is wrong with a manifest itself.
const MALFORMED: [Code; 4] = [
    Code::ManifestMalformed,
    Code::PathUnsafe,
    Code::PathCollision,
    Code::TooLarge,
];

/// Makes sure that an artifact is here, and what belongs to it, where it can be had: home is asked first, then the other
/// remotes. Whether it came shows when it is read.
///
/// # Errors
/// Those of reading what is here and of writing; a remote that cannot be asked is named and passed over.
pub fn ensure(
    context: &Context,
    global: &Global,
    shelves: &Shelves,
    key: &ContentDigest,
    ui: &Ui,
) -> anyhow::Result<()> {
    if global.offline || is_whole(shelves, key)? || published::purged(context)?.contains(key) {
        return Ok(());
    }
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    if published::one(&space, &page, key)?.is_none() {
        return Ok(());
    }
    let home = Home::of(context, &space)?;
    let mut remotes = exchange::known(context);
    remotes.sort_by_key(|remote| home != Home::Remote(remote.key.clone()));
    for remote in &remotes {
        if let Err(error) = ask(context, global, remote, key, ui) {
            let what = escape(&format!("{error:#}"));
            ui.say(format!("note: {}: {what}", remote.shown()));
        }
        if is_whole(shelves, key)? {
            break;
        }
    }
    Ok(())
}

/// Whether an artifact is here. The files of a directory are looked for too.
fn is_whole(shelves: &Shelves, key: &ContentDigest) -> anyhow::Result<bool> {
    let Some(found) = shelves.find(key)? else {
        return Ok(false);
    };
    if !found.record.manifest {
        return Ok(true);
    }
    let files = match bring::members(shelves, key) {
        // It names nothing that could be brought, and its own bytes may still be looked at.
        Err(fault) if MALFORMED.contains(&fault.code) => return Ok(true),
        files => files?,
    };
    for file in &files {
        if shelves.find(file)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn ask(
    context: &Context,
    global: &Global,
    remote: &Remote,
    key: &ContentDigest,
    ui: &Ui,
) -> anyhow::Result<()> {
    let listed = {
        let _waiting = ui.spinner("Asking");
        remote.transport(context).list()?
    };
    let there = of_artifacts(&listed);
    let from = From {
        context,
        global,
        remote,
        there: &there,
        ui,
    };
    let came = bring::some(&from, &BTreeSet::from([*key]), false)?;
    let faults = came.refused.values().chain(&came.unreadable);
    for fault in faults {
        let what = escape(&fault.what);
        ui.warn(format!("{}: {}: {what}", remote.shown(), fault.code));
    }
    Ok(())
}

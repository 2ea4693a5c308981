//! What others are known to have: remembered from sticks, so that the next bundle holds only what is new to
//! them.

use super::manifest::Manifest;
use super::{manifests, write_whole};
use crate::cli::context::Context;
use crate::journal::Page;
use crate::journal::history::History;
use crate::journal::refs;
use crate::model::{Number, Oid};
use crate::store::Objects as _;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn dir(context: &Context) -> PathBuf {
    context.folio_dir().join("receipts")
}

/// Remembers what a stick says that others have; the newest of each. Returns who they are.
pub fn learn(context: &Context, stick: &Path, me: &str) -> anyhow::Result<BTreeSet<String>> {
    let mut senders = BTreeSet::new();
    for ending in [".json", ".have.json"] {
        for (_, read) in manifests(stick, me, ending)? {
            // A torn description says nothing about what its sender has.
            let Ok(manifest) = read else { continue };
            senders.insert(manifest.sender.clone());
            remember(context, &manifest)?;
        }
    }
    Ok(senders)
}

fn remember(context: &Context, manifest: &Manifest) -> anyhow::Result<()> {
    let dir = dir(context);
    let path = dir.join(format!("{}.json", manifest.sender));
    let newer = match Manifest::read(&path, &manifest.sender) {
        Ok(known) => known.serial < manifest.serial,
        Err(_) => true,
    };
    if newer {
        std::fs::create_dir_all(&dir)?;
        write_whole(&path, &manifest.encode())?;
    }
    Ok(())
}

/// Everything that is remembered of some senders, or of all.
fn remembered(context: &Context, of: &BTreeSet<String>) -> anyhow::Result<Vec<Manifest>> {
    let all = manifests(&dir(context), "", ".json")?;
    let known = all.into_iter().filter_map(|(_, read)| read.ok());
    Ok(known
        .filter(|manifest| of.is_empty() || of.contains(&manifest.sender))
        .collect())
}

/// The commits that every one of these senders is known to have, as far as they are here: what a bundle for them
/// can leave out. Nothing where nobody is known.
pub fn in_common(
    context: &Context,
    history: &History<'_>,
    of: &BTreeSet<String>,
) -> anyhow::Result<BTreeSet<Oid>> {
    let receivers = remembered(context, of)?;
    let mut common: Option<(Number, BTreeSet<Oid>)> = None;
    for receiver in &receivers {
        let has = receiver.refs();
        let number = main_of(context, history, has.get(refs::MAIN))?;
        let ids: BTreeSet<Oid> = has.values().copied().collect();
        common = Some(match common {
            None => (number, ids),
            Some((least, some)) => (
                least.min(number),
                some.intersection(&ids).copied().collect(),
            ),
        });
    }
    let Some((number, ids)) = common else {
        return Ok(BTreeSet::new());
    };
    let here = |id: &Oid| matches!(context.store.header(id), Ok(Some(_)));
    let mut without: BTreeSet<Oid> = ids.into_iter().filter(here).collect();
    if number > Number(0) {
        without.insert(history.commit_of(number)?);
    }
    Ok(without)
}

/// The number of the newest page that a sender is known to have, where it is one of ours.
fn main_of(context: &Context, history: &History<'_>, main: Option<&Oid>) -> anyhow::Result<Number> {
    let Some(main) = main else {
        return Ok(Number(0));
    };
    // What is not here yet: the sender is ahead, or elsewhere.
    let Ok(page) = Page::read(&context.store, *main) else {
        return Ok(history.len());
    };
    Ok(match history.contains(page.number(), main) {
        true => page.number(),
        false => Number(0),
    })
}

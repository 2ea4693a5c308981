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
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn dir(context: &Context) -> PathBuf {
    context.folio_dir().join("receipts")
}

/// What each sender had when it last wrote, by its name.
pub type Receipts = BTreeMap<String, Manifest>;

/// Remembers what a stick says that others have. Returns the newest that it says of each.
pub fn learn(context: &Context, stick: &Path, me: &str) -> anyhow::Result<Receipts> {
    let mut senders = Receipts::new();
    for ending in [".json", ".have.json"] {
        for (_, read) in manifests(stick, me, ending)? {
            // A torn description says nothing about what its sender has.
            let Ok(manifest) = read else { continue };
            remember(context, &manifest)?;
            let known = senders.get(&manifest.sender);
            if known.is_none_or(|known| known.serial < manifest.serial) {
                senders.insert(manifest.sender.clone(), manifest);
            }
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

/// The serial of the newest bundle of a sender that was taken in; 0 where none was.
pub fn applied(context: &Context, sender: &str) -> u64 {
    let text = std::fs::read_to_string(applied_file(context, sender));
    let serial = text.ok().and_then(|text| text.trim_end().parse().ok());
    serial.unwrap_or(0)
}

/// Remembers that a bundle was taken in.
pub fn remember_applied(context: &Context, manifest: &Manifest) -> anyhow::Result<()> {
    if manifest.serial <= applied(context, &manifest.sender) {
        return Ok(());
    }
    std::fs::create_dir_all(dir(context))?;
    let path = applied_file(context, &manifest.sender);
    write_whole(&path, format!("{}\n", manifest.serial).as_bytes())
}

fn applied_file(context: &Context, sender: &str) -> PathBuf {
    dir(context).join(format!("{sender}.applied"))
}

/// Everything that is remembered of some senders, or of all.
fn remembered(context: &Context, of: &Receipts) -> anyhow::Result<Vec<Manifest>> {
    let all = manifests(&dir(context), "", ".json")?;
    let known = all.into_iter().filter_map(|(_, read)| read.ok());
    Ok(known
        .filter(|manifest| of.is_empty() || of.contains_key(&manifest.sender))
        .collect())
}

/// The commits that every one of these senders is known to have, as far as they are here: what a bundle for them
/// can leave out. Nothing where nobody is known. What is remembered counts only as far as the stick does not say
/// less: a receiver may have been restored from a backup.
pub fn in_common(
    context: &Context,
    history: &History<'_>,
    of: &Receipts,
) -> anyhow::Result<BTreeSet<Oid>> {
    let mut receivers = remembered(context, of)?;
    receivers.extend(of.values().cloned());
    let mut common: Option<(Number, BTreeSet<Oid>)> = None;
    for receiver in &receivers {
        let has = receiver.refs();
        let number = main_of(context, history, receiver);
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

/// The number of the newest page of ours that a sender says it has.
fn main_of(context: &Context, history: &History<'_>, receiver: &Manifest) -> Number {
    let main = receiver.refs().get(refs::MAIN).copied();
    for id in main.into_iter().chain(receiver.pages()) {
        if let Ok(page) = Page::read(&context.store, id)
            && history.contains(page.number(), &id)
        {
            return page.number();
        }
    }
    Number(0)
}

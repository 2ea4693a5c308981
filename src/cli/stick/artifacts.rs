//! Artifacts on a stick: the refs that name them, and what the others are known to have of them.

use super::manifest::Manifest;
use super::receipts::Receipts;
use super::{manifest, write_whole};
use crate::artifact::Shelves;
use crate::artifact::foreign::Foreign;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exchange::artifacts::of_artifacts;
use crate::cli::offers;
use crate::cli::ui::Ui;
use crate::journal::page::read_commit;
use crate::journal::reconcile::RefMap;
use crate::journal::{Space, refs};
use crate::model::Oid;
use crate::store::{GitStore, Objects as _, Refs as _};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Below it, in a description, by sender: what that sender published when all of it was here. No repository has a ref of
/// that name.
const TAKEN: &str = "refs/artifacts/taken/";

/// The refs of artifacts that go onto a stick: what is published, and what goes with the proposals in the queue. One's
/// own offers are made first.
pub fn carried(
    context: &Context,
    global: &Global,
    ui: &Ui,
    branches: &RefMap,
) -> anyhow::Result<RefMap> {
    let names: Vec<String> = branches.keys().cloned().collect();
    offers::prepare(context, global, ui, &names)?;
    let mut carried = RefMap::new();
    for (name, id) in context.store.list(refs::ARTIFACTS)? {
        let waits = match refs::parse_offer(&name) {
            Ok((author, slug)) => branches.contains_key(&refs::proposal(&author, &slug)),
            Err(_) => [refs::CATALOG, refs::PUBLISHED].contains(&name.as_str()),
        };
        if waits {
            carried.insert(name, id);
        }
    }
    Ok(carried)
}

/// What of them goes into a bundle, and the trees that every one of these receivers has already.
pub fn lacking(
    context: &Context,
    me: &str,
    carried: RefMap,
    receivers: &Receipts,
) -> anyhow::Result<(RefMap, BTreeSet<Oid>)> {
    let (store, mut carried) = (&context.store, carried);
    let mine = format!("{TAKEN}{me}");
    let mut taken: BTreeSet<Option<Oid>> = BTreeSet::new();
    for receiver in receivers.values() {
        taken.insert(receiver.refs.get(&mine).and_then(|id| id.parse().ok()));
    }
    let Some(Some(placement)) = taken.pop_first().filter(|_| taken.is_empty()) else {
        return Ok((carried, BTreeSet::new()));
    };
    if carried.get(refs::PUBLISHED) == Some(&placement) {
        carried.remove(refs::PUBLISHED);
        carried.remove(refs::CATALOG);
        return Ok((carried, BTreeSet::new()));
    }
    let mut trees = BTreeSet::new();
    // What we do not have any more cannot be left out.
    if store.header(&placement)?.is_some() {
        let commit = read_commit(store, &placement)?;
        trees.insert(commit.tree);
        for parent in commit.parents {
            if store.header(&parent)?.is_some() {
                trees.insert(read_commit(store, &parent)?.tree);
            }
        }
    }
    Ok((carried, trees))
}

/// Remembers that everything which a sender published is here, where that is so.
pub fn remember_taken(
    context: &Context,
    space: &Space<'_, GitStore>,
    (sender, key): (&str, &str),
    there: &RefMap,
) -> anyhow::Result<()> {
    let store = &context.store;
    let (Some(placement), Some(catalog)) = (
        there.get(refs::PUBLISHED),
        store.get(&refs::catalog_of(key))?,
    ) else {
        return Ok(());
    };
    let foreign = Foreign::open(store, &space.id, key, catalog)?;
    let shelves = Shelves::open(store)?;
    for one in foreign.keys()? {
        if shelves.published().find(&one?.key)?.is_none() {
            return Ok(());
        }
    }
    let dir = dir(context);
    std::fs::create_dir_all(&dir)?;
    write_whole(&dir.join(sender), format!("{placement}\n").as_bytes())
}

fn dir(context: &Context) -> PathBuf {
    context.folio_dir().join("receipts").join("taken")
}

/// What is here of others, as a description says it.
pub fn taken(context: &Context) -> anyhow::Result<RefMap> {
    let mut taken = RefMap::new();
    let entries = match std::fs::read_dir(dir(context)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(taken),
        Err(error) => return Err(error.into()),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(entry.path())?;
        if let (true, Ok(id)) = (manifest::is_sender(&name), text.trim_end().parse()) {
            taken.insert(format!("{TAKEN}{name}"), id);
        }
    }
    Ok(taken)
}

/// The refs of artifacts that a bundle has, as its description says.
pub fn named(manifest: &Manifest) -> RefMap {
    let parsed = |(name, id): (&String, &String)| Some((name.clone(), id.parse().ok()?));
    let refs: Vec<(String, Oid)> = manifest.refs.iter().filter_map(parsed).collect();
    of_artifacts(&refs)
}

/// How many refs in a description are neither of a space nor of its artifacts.
pub fn foreign(manifest: &Manifest) -> usize {
    let names = manifest.refs.keys();
    let foreign = names.filter(|name| {
        !crate::journal::reconcile::travels(name) && !name.starts_with(refs::ARTIFACTS)
    });
    foreign.count()
}

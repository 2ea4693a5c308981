//! Taking in what others put on a stick.

use super::create::{hash, have, or_note};
use super::manifest::{Bundle, Manifest};
use super::{artifacts, dir_of, manifests, name_on, plain_size, receipts};
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::{self, Problem};
use crate::cli::exchange::artifacts::{Bringing, Followed, follow as follow_artifacts};
use crate::cli::exchange::fetch::{self, Fetched};
use crate::cli::exchange::{Remote, address, take_in};
use crate::cli::ui::Ui;
use crate::journal::Space;
use crate::journal::reconcile::{RefMap, peer, travels};
use crate::model::Code;
use crate::remote::{Location, bundle};
use crate::store::{self, Expect, GitStore, Objects as _, RefEdit, StoreFault};
use std::path::Path;

/// What one sender's part came to.
#[derive(Debug)]
pub struct Applied {
    /// The sender.
    pub sender: String,
    /// What became of it: of its pages and branches, and of its artifacts where it has any.
    pub outcome: anyhow::Result<(Fetched, Option<Followed>)>,
}

/// What is to become of artifacts.
pub struct Bytes<'a> {
    /// The options of every command.
    pub global: &'a Global,
    /// Which ones, and who signs.
    pub bringing: Bringing<'a>,
    /// Whether those of what was taken in before are looked for again.
    pub again: bool,
}

/// Takes in everything that others put there for this space, each part verified whole or refused whole. Then
/// says on the stick what is here now.
pub fn apply(
    context: &Context,
    space: &Space<'_, GitStore>,
    stick: &Path,
    bytes: &Bytes<'_>,
    ui: &Ui,
) -> anyhow::Result<Vec<Applied>> {
    let dir = dir_of(stick, &space.id);
    let me = name_on(context, &dir)?;
    let mut applied = Vec::new();
    let mut parts = Vec::new();
    for (path, read) in manifests(&dir, &me, ".json")? {
        let sender = path.file_stem().unwrap_or_default();
        let sender = sender.to_string_lossy().into_owned();
        match read {
            Ok(manifest) => parts.push((sender, manifest)),
            Err(error) => applied.push(Applied {
                sender,
                outcome: Err(error),
            }),
        }
    }
    // What one part builds on may come with another: as long as something comes, the rest is tried again.
    while !parts.is_empty() {
        let before = parts.len();
        let (mut left, mut gaps) = (Vec::new(), Vec::new());
        for (sender, manifest) in parts {
            let outcome = one(context, space, &dir, &manifest, bytes, ui);
            let done = Applied { sender, outcome };
            match done.outcome.as_ref().is_err_and(is_gap) {
                true => {
                    left.push((done.sender.clone(), manifest));
                    gaps.push(done);
                }
                false => applied.push(done),
            }
        }
        let came = left.len() < before;
        parts = if came { left } else { Vec::new() };
        if parts.is_empty() {
            applied.extend(gaps);
        }
    }
    receipts::learn(context, &dir, &me)?;
    if dir.is_dir() {
        let mut index = context.index()?;
        let history = context.history(space, &mut index, ui)?;
        or_note(ui, have(context, space, &history, &dir, &me));
    }
    Ok(applied)
}

/// One sender's part. Where it is refused, what it brought is forgotten again.
fn one(
    context: &Context,
    space: &Space<'_, GitStore>,
    dir: &Path,
    manifest: &Manifest,
    bytes: &Bytes<'_>,
    ui: &Ui,
) -> anyhow::Result<(Fetched, Option<Followed>)> {
    if manifest.space != space.id.to_hex() {
        let what = format!(
            "expected the space {}, found another on the stick",
            space.id
        );
        return Err(Problem::new(Code::SpaceMismatch, what).into());
    }
    let sender = &manifest.sender;
    let is_older = manifest.serial < receipts::applied(context, sender);
    let key = match is_older {
        false => format!("s-{sender}"),
        // Sticks arrive in any order. An older one accuses nobody of going back, and replaces nothing newer.
        true => {
            let key = format!("o-{sender}");
            address::forget(context, &key)?;
            key
        }
    };
    let before = peer::incoming(&context.store, &key)?;
    match brought(context, space, dir, manifest, &key, ui) {
        Err(error) => {
            restore(context, &key, &before)?;
            Err(error)
        }
        Ok(fetched) => {
            let followed = follow(context, space, dir, manifest, &key, bytes, ui)?;
            receipts::remember_applied(context, manifest)?;
            Ok((fetched, followed))
        }
    }
}

/// The artifacts of one sender's part.
fn follow(
    context: &Context,
    space: &Space<'_, GitStore>,
    dir: &Path,
    manifest: &Manifest,
    key: &str,
    bytes: &Bytes<'_>,
    ui: &Ui,
) -> anyhow::Result<Option<Followed>> {
    let there = artifacts::named(manifest);
    let is_known = manifest.serial <= receipts::applied(context, &manifest.sender);
    let bundle = manifest.bundle.as_ref();
    // What was taken in before is not read again.
    let is_wanted = !there.is_empty() && (bytes.again || !is_known);
    let Some(bundle) = bundle.filter(|_| is_wanted) else {
        return Ok(None);
    };
    let path = std::path::absolute(dir.join(&bundle.file))?;
    let remote = Remote {
        name: format!("stick {}", manifest.sender),
        key: key.to_owned(),
        url: Location::path(&path)?,
    };
    require_whole(&path, bundle)?;
    let Bytes {
        global, bringing, ..
    } = bytes;
    let followed = follow_artifacts(context, global, space, &remote, &there, bringing, ui);
    let followed = followed.map_err(|error| match error.downcast_ref::<StoreFault>() {
        Some(fault) if bundle::is_partial(fault) => gap(&fault.what),
        _ => error,
    })?;
    artifacts::remember_taken(context, space, (&manifest.sender, key), &there)?;
    Ok(Some(followed))
}

fn brought(
    context: &Context,
    space: &Space<'_, GitStore>,
    dir: &Path,
    manifest: &Manifest,
    key: &str,
    ui: &Ui,
) -> anyhow::Result<Fetched> {
    let shown = manifest.refs();
    let who = format!("stick {}", manifest.sender);
    let seen = peer::seen(&context.store, key)?;
    let is_here =
        |(name, id): (&String, &_)| seen.get(name) == Some(id) && context.store.is_known(id);
    let bundle = manifest.bundle.as_ref();
    // What was taken in before is not read again.
    if let Some(bundle) = bundle.filter(|_| !shown.iter().all(is_here)) {
        let path = std::path::absolute(dir.join(&bundle.file))?;
        require_whole(&path, bundle)?;
        let remote = Remote {
            name: who.clone(),
            key: key.to_owned(),
            url: Location::path(&path)?,
        };
        bring(context, &remote, ui)?;
    }
    require_here(context, &shown)?;
    let received = take_in::take_in(context, space, key, &who, &shown, ui)?;
    Ok(Fetched {
        received: Some(received),
        artifacts: RefMap::new(),
        foreign: artifacts::foreign(manifest),
        unchecked: Vec::new(),
        frozen: false,
    })
}

/// Makes the refs below which things are brought what they were.
fn restore(context: &Context, key: &str, before: &RefMap) -> anyhow::Result<()> {
    let now = peer::incoming(&context.store, key)?;
    let names = now.keys().chain(before.keys());
    let changed = names.filter(|name| now.get(*name) != before.get(*name));
    let edits: Vec<RefEdit> = changed
        .map(|name| RefEdit {
            name: peer::incoming_ref(key, name),
            expect: Expect::Any,
            new: before.get(name).copied(),
            message: "folio: refused".into(),
        })
        .collect();
    Ok(store::apply_in_parts(&context.store, &edits)?)
}

/// A file that was cut off or altered is refused before git looks at it.
pub fn require_whole(path: &Path, bundle: &Bundle) -> anyhow::Result<()> {
    let torn = |why: String| {
        let what = format!("`{}`: {why}", path.display());
        anyhow::Error::from(Problem::new(Code::StickTorn, what))
    };
    match plain_size(path) {
        Ok(Some(found)) if found == bundle.bytes => {}
        Ok(Some(found)) => {
            let expected = bundle.bytes;
            return Err(torn(format!("expected {expected} bytes, found {found}")));
        }
        Ok(None) => return Err(torn("no ordinary file".into())),
        Err(error) => return Err(torn(error.to_string())),
    }
    let (_, found) = hash(path)?;
    match found == bundle.blake3 {
        true => Ok(()),
        false => {
            let expected = &bundle.blake3;
            Err(torn(format!("expected BLAKE3 {expected}, found {found}")))
        }
    }
}

fn bring(context: &Context, remote: &Remote, ui: &Ui) -> anyhow::Result<()> {
    let listed = remote.transport(context).list()?;
    let listed: RefMap = listed
        .into_iter()
        .filter(|(name, _)| travels(name))
        .collect();
    let brought = fetch::bring(context, remote, &listed, ui);
    // What the stick's own list names is what it shows.
    brought
        .map(drop)
        .map_err(|error| match error.downcast_ref::<StoreFault>() {
            Some(fault) if bundle::is_gap(fault) => gap(&fault.what),
            _ => error,
        })
}

fn is_gap(error: &anyhow::Error) -> bool {
    error::parts(error).0 == Some(Code::BundleGap)
}

fn gap(what: &str) -> anyhow::Error {
    let hint = "give this stick back: `folio bundle create STICK` there now sees what is here; or `--full` there";
    Problem::new(Code::BundleGap, what).hint(hint).into()
}

/// What the sender left out is what it thinks is here.
fn require_here(context: &Context, shown: &RefMap) -> anyhow::Result<()> {
    for (name, id) in shown {
        if context.store.header(id)?.is_none() {
            let what = format!("{name} is at {id}, which is neither on the stick nor here");
            return Err(gap(&what));
        }
    }
    Ok(())
}

//! Taking in what others put on a stick.

use super::create::{hash, have};
use super::manifest::Manifest;
use super::{dir_of, instance, manifests, receipts};
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exchange::fetch::{self, Fetched};
use crate::cli::exchange::{Remote, take_in};
use crate::cli::ui::{Ui, escape};
use crate::journal::Space;
use crate::journal::reconcile::RefMap;
use crate::model::Code;
use crate::remote::{Location, bundle};
use crate::store::{GitStore, Objects as _, StoreFault};
use std::path::Path;

/// What one sender's part came to.
#[derive(Debug)]
pub struct Applied {
    /// The sender.
    pub sender: String,
    /// What became of it.
    pub outcome: anyhow::Result<Fetched>,
}

/// Takes in everything that others put there for this space, each part verified whole or refused whole. Then
/// says on the stick what is here now.
pub fn apply(
    context: &Context,
    space: &Space<'_, GitStore>,
    stick: &Path,
    ui: &Ui,
) -> anyhow::Result<Vec<Applied>> {
    let me = instance(context)?;
    let dir = dir_of(stick, &space.id);
    let mut applied = Vec::new();
    for (path, read) in manifests(&dir, &me, ".json")? {
        let sender = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        let outcome = read.and_then(|manifest| one(context, space, &dir, &manifest, ui));
        applied.push(Applied {
            sender: sender.unwrap_or_default(),
            outcome,
        });
    }
    receipts::learn(context, &dir, &me)?;
    if dir.is_dir()
        && let Err(error) = have(context, space, &dir)
    {
        let what = escape(&format!("{error:#}"));
        ui.say(format!(
            "note: the stick cannot be written, so nobody learns what is here: {what}"
        ));
    }
    Ok(applied)
}

fn one(
    context: &Context,
    space: &Space<'_, GitStore>,
    dir: &Path,
    manifest: &Manifest,
    ui: &Ui,
) -> anyhow::Result<Fetched> {
    if manifest.space != space.id.to_hex() {
        let what = format!(
            "expected the space {}, found another on the stick",
            space.id
        );
        return Err(Problem::new(Code::SpaceMismatch, what).into());
    }
    let key = format!("s-{}", manifest.sender);
    if let Some(bundle) = &manifest.bundle {
        let path = std::path::absolute(dir.join(&bundle.file))?;
        require_whole(&path, bundle.bytes, &bundle.blake3)?;
        let remote = Remote {
            name: format!("stick {}", manifest.sender),
            key: key.clone(),
            url: Location::path(&path)?,
        };
        bring(context, &remote, ui)?;
    }
    let shown = manifest.refs();
    require_here(context, &shown)?;
    let who = format!("stick {}", manifest.sender);
    let received = take_in::take_in(context, space, &key, &who, &shown, ui)?;
    Ok(Fetched {
        received: Some(received),
        foreign: manifest.refs.len() - shown.len(),
        unchecked: Vec::new(),
    })
}

/// A file that was cut off or altered is refused before git looks at it.
fn require_whole(path: &Path, bytes: u64, blake3: &str) -> anyhow::Result<()> {
    let torn = |why: String| {
        let what = format!("`{}`: {why}", path.display());
        anyhow::Error::from(Problem::new(Code::StickTorn, what))
    };
    let found = std::fs::metadata(path).map(|meta| meta.len());
    match found {
        Ok(found) if found == bytes => {}
        Ok(found) => return Err(torn(format!("expected {bytes} bytes, found {found}"))),
        Err(error) => return Err(torn(error.to_string())),
    }
    let (_, found) = hash(path)?;
    match found == blake3 {
        true => Ok(()),
        false => Err(torn(format!("expected BLAKE3 {blake3}, found {found}"))),
    }
}

fn bring(context: &Context, remote: &Remote, ui: &Ui) -> anyhow::Result<()> {
    let listed = remote.transport(context).list()?;
    let listed: RefMap = listed.into_iter().collect();
    let brought = fetch::bring(context, remote, &listed, ui);
    // What the stick's own list names is what it shows.
    brought
        .map(drop)
        .map_err(|error| match error.downcast_ref::<StoreFault>() {
            Some(fault) if bundle::is_gap(fault) => gap(&fault.what),
            _ => error,
        })
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

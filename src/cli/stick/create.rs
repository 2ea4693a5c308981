//! Putting on a stick what the others lack.

use super::manifest::{Bundle, Manifest};
use super::{artifacts, dir_of, name_on, receipts, sync_parent, write_whole};
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::ui::{Ui, escape};
use crate::journal::Space;
use crate::journal::history::History;
use crate::journal::reconcile::{RefMap, peer};
use crate::remote::bundle::{self, LeaveOut};
use crate::store::GitStore;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

/// What was put there.
#[derive(Debug)]
pub struct Created {
    /// Where.
    pub path: PathBuf,
    /// The bundle, if there was anything new.
    pub bundle: Option<Bundle>,
    /// The refs.
    pub refs: usize,
}

/// Writes a bundle and its description: with `full` all of it, with `bytes` artifacts too. Whatever the stick held before stays until the new description is
/// whole.
pub fn create(
    context: &Context,
    global: &Global,
    space: &Space<'_, GitStore>,
    stick: &Path,
    (full, bytes): (bool, bool),
    ui: &Ui,
) -> anyhow::Result<Created> {
    let dir = dir_of(stick, &space.id);
    std::fs::create_dir_all(&dir)?;
    let me = name_on(context, &dir)?;
    // First what a torn attempt left: its room may be needed.
    let path = dir.join(format!("{me}.json"));
    let held = Manifest::read(&path, &me).ok().and_then(|held| held.bundle);
    clean(&dir, &me, held.as_ref().map(|held| held.file.as_str()));
    let others = receipts::learn(context, &dir, &me)?;
    let mut index = context.index()?;
    let history = context.history(space, &mut index, ui)?;
    let without = match full {
        true => BTreeSet::new(),
        false => receipts::in_common(context, &history, &others)?,
    };
    let mut refs = peer::ours(&context.store)?;
    let serial = next_serial(context)?;
    let mut manifest = describe(context, space, &me, serial, &history)?;
    let mut trees = BTreeSet::new();
    if bytes {
        let mut carried = artifacts::carried(context, global, ui, &refs)?;
        if !full {
            (carried, trees) = artifacts::lacking(context, &me, carried, &others)?;
        }
        let named = carried.iter();
        let named = named.map(|(name, id)| (name.clone(), id.to_hex()));
        manifest.refs.extend(named);
        refs.extend(carried);
    }
    let name = format!("{me}-{serial}.bundle");
    let leave_out = LeaveOut {
        commits: &without,
        trees: &trees,
    };
    manifest.bundle = write_bundle(context, &dir, &name, &refs, &leave_out, ui)?;
    // From here on the new bundle counts; a stick torn out before this holds what it held.
    write_whole(&path, &manifest.encode())?;
    clean(&dir, &me, manifest.bundle.as_ref().map(|b| b.file.as_str()));
    or_note(ui, have(context, space, &history, &dir, &me));
    Ok(Created {
        path,
        bundle: manifest.bundle,
        refs: refs.len(),
    })
}

fn write_bundle(
    context: &Context,
    dir: &Path,
    name: &str,
    refs: &RefMap,
    without: &LeaveOut<'_>,
    ui: &Ui,
) -> anyhow::Result<Option<Bundle>> {
    let _waiting = ui.spinner("Writing");
    let names: Vec<String> = refs.keys().cloned().collect();
    let path = dir.join(name);
    let part = std::path::absolute(dir.join(format!("{name}.part")))?;
    match bundle::create(context.store.common_dir(), &part, &names, without) {
        Ok(true) => {}
        Ok(false) => return Ok(None),
        Err(fault) => {
            let _ = std::fs::remove_file(&part);
            return Err(fault.into());
        }
    }
    let file = File::open(&part)?;
    file.sync_all()?;
    let (bytes, blake3) = hash(&part)?;
    std::fs::rename(&part, &path)?;
    sync_parent(&path)?;
    Ok(Some(Bundle {
        file: name.to_owned(),
        bytes,
        blake3,
        whole: without.is_nothing(),
    }))
}

/// Size and BLAKE3 of a file, read in pieces.
pub fn hash(path: &Path) -> anyhow::Result<(u64, String)> {
    let mut hasher = blake3::Hasher::new();
    let mut file = File::open(path)?;
    hasher.update_reader(&mut file)?;
    Ok((hasher.count(), hasher.finalize().to_hex().to_string()))
}

/// Leaves on a stick what this repository has, for the next bundle that is made for it.
pub fn have(
    context: &Context,
    space: &Space<'_, GitStore>,
    history: &History<'_>,
    dir: &Path,
    me: &str,
) -> anyhow::Result<()> {
    let serial = next_serial(context)?;
    let manifest = describe(context, space, me, serial, history)?;
    write_whole(&dir.join(format!("{me}.have.json")), &manifest.encode())
}

/// What this repository has.
fn describe(
    context: &Context,
    space: &Space<'_, GitStore>,
    me: &str,
    serial: u64,
    history: &History<'_>,
) -> anyhow::Result<Manifest> {
    let mut refs = peer::ours(&context.store)?;
    refs.extend(artifacts::taken(context)?);
    Manifest::new(&space.id, me, serial, &refs, history)
}

/// Says why a stick could not be told what is here. Nothing else fails by it.
pub fn or_note(ui: &Ui, told: anyhow::Result<()>) {
    if let Err(error) = told {
        let what = escape(&format!("{error:#}"));
        ui.say(format!(
            "note: the stick cannot be written, so nobody learns what is here: {what}"
        ));
    }
}

fn serial_file(context: &Context) -> PathBuf {
    context.folio_dir().join("serial")
}

/// The last number that this repository wrote on a stick.
pub fn last_serial(context: &Context) -> u64 {
    let last = std::fs::read_to_string(serial_file(context)).ok();
    let last = last.and_then(|text| text.trim_end().parse().ok());
    last.unwrap_or(0)
}

/// Numbers what this repository writes on sticks.
fn next_serial(context: &Context) -> anyhow::Result<u64> {
    let next = last_serial(context).saturating_add(1);
    write_whole(&serial_file(context), format!("{next}\n").as_bytes())?;
    Ok(next)
}

/// Removes our older bundles, and what a torn attempt left.
fn clean(dir: &Path, me: &str, keep: Option<&str>) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = name.starts_with(&format!("{me}-"));
        if ours && Some(name.as_str()) != keep {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

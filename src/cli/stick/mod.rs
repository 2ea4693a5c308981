//! Carrying a space on a stick: a directory that people bring from one machine to another.
//!
//! ```text
//! STICK/folio/<space, 12 digits>/<sender>.json            what the sender put there, and its hash
//!                                <sender>-<n>.bundle      a git bundle
//!                                <sender>.have.json       what the sender had when it last looked
//! ```
//!
//! A sender is one repository. The description of a bundle is written after the bundle and names its hash, so a
//! stick that is torn out before the end still holds what it held before, or something that is refused whole. What
//! a sender says it has is remembered: the next bundle for it leaves that out, as far as the stick at hand agrees.

pub mod apply;
mod artifacts;
pub mod create;
pub mod first;
pub mod manifest;
pub mod receipts;

use super::context::Context;
use super::error::Problem;
use crate::model::{Code, SpaceId};
use anyhow::Context as _;
use manifest::Manifest;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The directory of one space on a stick.
pub fn dir_of(stick: &Path, space: &SpaceId) -> PathBuf {
    stick.join("folio").join(&space.to_hex()[..12])
}

/// What this repository is called as a sender on a stick. Where the stick has more under that name than this
/// repository ever wrote, another copy of it is at work, or it was restored from a backup: then it takes a new
/// name, for two that share one would never read each other.
pub fn name_on(context: &Context, dir: &Path) -> anyhow::Result<String> {
    let me = instance(context)?;
    let last = create::last_serial(context);
    let is_ahead = [".json", ".have.json"].iter().any(|ending| {
        let read = Manifest::read(&dir.join(format!("{me}{ending}")), &me);
        read.is_ok_and(|manifest| manifest.serial > last)
    });
    if !is_ahead {
        return Ok(me);
    }
    std::fs::remove_file(context.folio_dir().join("instance"))?;
    instance(context)
}

/// What this repository is called as a sender: random, made once.
fn instance(context: &Context) -> anyhow::Result<String> {
    let dir = context.folio_dir();
    let path = dir.join("instance");
    if let Ok(text) = std::fs::read_to_string(&path)
        && manifest::is_sender(text.trim_end())
    {
        return Ok(text.trim_end().to_owned());
    }
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| Problem::new(Code::Io, error.to_string()))?;
    let name: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::create_dir_all(&dir)?;
    write_whole(&path, format!("{name}\n").as_bytes())?;
    Ok(name)
}

/// Writes a file so that it is there whole or not at all, and stays.
pub fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let part = path.with_extension("part");
    // What a torn attempt left. A stranger's link there is not followed either.
    let _ = std::fs::remove_file(&part);
    let write = || {
        let mut file = File::create_new(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    };
    let written = write();
    if written.is_err() {
        // A full disk needs the room.
        let _ = std::fs::remove_file(&part);
    }
    written.with_context(|| format!("`{}`", path.display()))?;
    sync_parent(path)
}

/// The size of an ordinary file; nothing for what leads elsewhere or never ends.
///
/// # Errors
/// Those of the file system.
pub fn plain_size(path: &Path) -> std::io::Result<Option<u64>> {
    let meta = std::fs::symlink_metadata(path)?;
    Ok(meta.is_file().then_some(meta.len()))
}

/// Makes sure that a name in a directory stays. Some file systems of sticks cannot sync a directory; there the
/// name stays as well as it can.
pub fn sync_parent(path: &Path) -> anyhow::Result<()> {
    if let Some(dir) = path.parent()
        && let Ok(dir) = File::open(dir)
    {
        let _ = dir.sync_all();
    }
    Ok(())
}

/// Every description on a stick of one space, by anybody else, with those that cannot be read.
pub fn manifests(
    dir: &Path,
    me: &str,
    ending: &str,
) -> anyhow::Result<Vec<(PathBuf, anyhow::Result<Manifest>)>> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error.into()),
    };
    for entry in entries {
        let path = entry?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let sender = name.as_deref().and_then(|name| name.strip_suffix(ending));
        if let Some(sender) = sender.filter(|s| manifest::is_sender(s) && *s != me) {
            let read = Manifest::read(&path, sender);
            found.push((path, read));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

//! Files that nobody will come back for: what processes had begun to write when they died.

use super::survey::entries;
use super::{Terms, is_fan};
use crate::store::collector::Collecting;
use crate::store::disk::{io_fault, remove_if_there};
use crate::store::locked::Locked;
use crate::store::{GitStore, StoreFault};
use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Files of other programs say nothing about whether their writer lives: they are left alone for a day, however
/// short the grace is.
const OTHERS: u64 = 24 * 60 * 60;

/// A file or directory that was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Where it is, from the git directory on.
    pub path: PathBuf,
    /// Its size; of a directory that of its own files.
    pub bytes: u64,
}

/// What is left over in a repository and may go; paths are shown from `root` on. Changes nothing.
///
/// # Errors
/// `io`.
pub fn find(store: &GitStore, root: &Path, terms: &Terms<'_>) -> Result<Vec<Leftover>, StoreFault> {
    let packs = store.pack_dir();
    let objects = packs.parent().expect("packs lie below the objects");
    let mut found = Vec::new();
    for (name, path) in entries(objects)? {
        if name.starts_with("tmp_") {
            found.push((path, false));
        } else if is_fan(&name) {
            let inside = entries(&path)?.into_iter();
            let left = inside.filter(|(name, _)| name.starts_with("tmp_obj_"));
            found.extend(left.map(|(_, path)| (path, false)));
        }
    }
    for (name, path) in entries(&packs)? {
        let begun = name.starts_with("tmp_") || name.starts_with(".tmp-");
        if begun || is_stray(&name, &path) {
            found.push((path, is_ours(&name)));
        }
    }
    // Files of Folio's own, also those that were made of the sheets of each shelf.
    let folio = store.common_dir().join("folio");
    let shelves = entries(&folio.join("artifacts"))?;
    let dirs = shelves.into_iter().map(|(_, dir)| dir).chain([folio]);
    for dir in dirs {
        let inside = entries(&dir)?.into_iter();
        let begun = inside.filter(|(name, _)| is_ours(name));
        found.extend(begun.map(|(_, path)| (path, true)));
    }
    let mut left = Vec::new();
    for (path, ours) in found {
        if let Some(bytes) = left_for_good(&path, ours, terms)? {
            let path = path.strip_prefix(root).unwrap_or(&path).to_owned();
            left.push(Leftover { path, bytes });
        }
    }
    left.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(left)
}

/// Removes what is left over in a repository, and says so in the log before.
///
/// # Errors
/// `io`.
pub fn clear(
    store: &GitStore,
    root: &Path,
    turn: &Collecting,
    terms: &Terms<'_>,
) -> Result<Vec<Leftover>, StoreFault> {
    let left = find(store, root, terms)?;
    if left.is_empty() {
        return Ok(left);
    }
    let line = |left: &Leftover| format!("leftover {}", left.path.display());
    turn.log(terms.now, &left.iter().map(line).collect::<Vec<_>>())?;
    let mut removed = Vec::new();
    for leftover in left {
        terms.steps.step("gc-leftover")?;
        if remove(&root.join(&leftover.path))? {
            removed.push(leftover);
        }
    }
    Ok(removed)
}

/// Removes a file or directory, unless it is a file that its writer has come to hold since it was found: a new one is
/// there for a moment before it is locked. It is held here until it is gone, so that no writer begins with it.
fn remove(path: &Path) -> Result<bool, StoreFault> {
    if path.is_dir() {
        fs::remove_dir_all(path).map_err(|err| io_fault("remove", path, &err))?;
        return Ok(true);
    }
    let held = File::open(path).map(Locked::attempt);
    if matches!(held, Ok(Err(_))) {
        return Ok(false);
    }
    remove_if_there(path)?;
    Ok(true)
}

/// `tmp_`, a word and 16 digits: ours, which is locked as long as its writer lives.
fn is_ours(name: &str) -> bool {
    let rest = name
        .strip_prefix("tmp_")
        .and_then(|rest| rest.rsplit_once('_'));
    rest.is_some_and(|(_, random)| {
        random.len() == 16 && random.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// A pack without an index, or what lies beside a pack that is not there.
fn is_stray(name: &str, path: &Path) -> bool {
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return false;
    };
    let without = |other: &str| !path.with_extension(other).exists();
    stem.starts_with("pack-")
        && match extension {
            "pack" => without("idx"),
            "rev" | "mtimes" | "bitmap" => without("pack") && without("idx"),
            _ => false,
        }
}

/// The size of a file that is old enough and that no living process holds.
fn left_for_good(path: &Path, ours: bool, terms: &Terms<'_>) -> Result<Option<u64>, StoreFault> {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return Ok(None);
    };
    let grace = if ours {
        terms.grace
    } else {
        terms.grace.max(OTHERS)
    };
    let held = || File::open(path).is_ok_and(|file| Locked::attempt(file).is_err());
    if modified(&meta).saturating_add(grace) > terms.now || meta.is_file() && held() {
        return Ok(None);
    }
    if !meta.is_dir() {
        return Ok(Some(meta.len()));
    }
    let inside = entries(path)?;
    let sizes = inside
        .iter()
        .filter_map(|(_, path)| fs::metadata(path).ok());
    Ok(Some(sizes.map(|meta| meta.len()).sum()))
}

fn modified(meta: &Metadata) -> u64 {
    let time = meta.modified().ok();
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs())
}

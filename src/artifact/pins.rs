//! Pins: what a writer is about to refer to, so that a collector leaves it alone.
//!
//! A writer writes the ids of blocks into a file of its own before it asks whether they are there, both under the
//! collector's lock, shared. Who deletes holds that lock alone and reads all pins first. The file is locked while
//! its writer lives; one that nobody holds is stale.

use super::ArtifactFault;
use crate::model::{Code, ContentDigest, Oid};
use crate::store::disk::{create_dirs, io_fault, sync_dir};
use crate::store::locked::Locked;
use crate::store::{StoreFault, Turnstile};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The lock between writers of the internal shelf and its collector, below `<gitdir>/folio`.
pub const COLLECTOR: &str = "collector";

/// The directory of pins, below `<gitdir>/folio`.
const PINS: &str = "pins";

/// One writer's pins; dropping it lets go of them.
#[derive(Debug)]
pub struct Pins {
    turnstile: Turnstile,
    file: File,
    path: PathBuf,
    folio: PathBuf,
}

/// What living writers have pinned.
#[derive(Debug, Default)]
pub struct Pinned {
    /// Objects of the internal shelf.
    pub ids: BTreeSet<Oid>,
    /// Artifacts.
    pub keys: BTreeSet<ContentDigest>,
}

/// What stands before the key of an artifact that is pinned.
const KEY: &str = "key ";

impl Pins {
    /// Starts a file of pins below `<gitdir>/folio`.
    ///
    /// # Errors
    /// `io`.
    pub fn open(folio: &Path) -> Result<Self, ArtifactFault> {
        let turnstile = Turnstile::open(folio, COLLECTOR)?;
        let dir = folio.join(PINS);
        for parent in create_dirs(&dir)? {
            sync_dir(&parent)?;
        }
        let random = getrandom::u64()
            .map_err(|err| StoreFault::new(Code::Io, format!("no random numbers: {err}")))?;
        let path = dir.join(format!("{random:016x}"));
        // Between making the file and locking it, it looks stale: nobody looks meanwhile.
        let held = turnstile.share()?;
        let file = File::create_new(&path).map_err(|err| io_fault("create", &path, &err))?;
        file.lock().map_err(|err| io_fault("lock", &path, &err))?;
        drop(held);
        Ok(Self {
            turnstile,
            file,
            path,
            folio: folio.to_owned(),
        })
    }

    /// Pins an artifact, and then looks whether it is there. If it is, and was condemned, it is to be condemned anew:
    /// whoever has just added it has as long as everybody to refer to it.
    ///
    /// # Errors
    /// `io`, and those of looking.
    pub fn pin_key(
        &mut self,
        key: &ContentDigest,
        look: impl FnOnce() -> Result<bool, ArtifactFault>,
    ) -> Result<bool, ArtifactFault> {
        let _held = self.turnstile.share()?;
        let written = self.file.write_all(format!("{KEY}{key}\n").as_bytes());
        written.map_err(|err| io_fault("write", &self.path, &err))?;
        let found = look()?;
        if found && self.folio.join(super::collect::CONDEMNED).exists() {
            let path = self.folio.join(super::collect::RENEWED);
            let file = File::options().append(true).create(true).open(&path);
            let written = file.and_then(|mut file| file.write_all(format!("{key}\n").as_bytes()));
            written.map_err(|err| io_fault("write", &path, &err))?;
        }
        Ok(found)
    }

    /// Pins these ids and then looks, while nothing can be deleted.
    ///
    /// # Errors
    /// `io`; then nothing was looked at.
    pub fn pin<T>(&mut self, ids: &[Oid], look: impl FnOnce() -> T) -> Result<T, ArtifactFault> {
        let _held = self.turnstile.share()?;
        let mut lines = String::with_capacity(ids.len() * 65);
        for id in ids {
            lines.push_str(&id.to_hex());
            lines.push('\n');
        }
        let written = self.file.write_all(lines.as_bytes());
        written.map_err(|err| io_fault("write", &self.path, &err))?;
        Ok(look())
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        // Held until the end, so that nobody takes it for another writer's. What stays is stale and found so.
        fs::remove_file(&self.path).ok();
    }
}

/// All that living writers have pinned. The caller holds the collector's lock ([`COLLECTOR`]) alone. Files of
/// writers that are gone are removed if `sweep` says so.
///
/// # Errors
/// `io`, also for a file that is no list of ids: then nothing may be deleted.
pub fn pinned(folio: &Path, sweep: bool) -> Result<Pinned, ArtifactFault> {
    let dir = folio.join(PINS);
    let mut pinned = Pinned::default();
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(pinned),
        Err(err) => return Err(io_fault("list", &dir, &err).into()),
    };
    for entry in entries {
        let path = entry.map_err(|err| io_fault("list", &dir, &err))?.path();
        let file = match File::open(&path) {
            Ok(file) => file,
            // Its writer has just ended.
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => continue,
            Err(err) => return Err(io_fault("open", &path, &err).into()),
        };
        match Locked::attempt(file) {
            Ok(_held) if sweep => {
                fs::remove_file(&path).map_err(|err| io_fault("remove", &path, &err))?
            }
            Ok(_) => {}
            Err(fs::TryLockError::WouldBlock) => read(&path, &mut pinned)?,
            Err(fs::TryLockError::Error(err)) => return Err(io_fault("lock", &path, &err).into()),
        }
    }
    Ok(pinned)
}

fn read(path: &Path, pinned: &mut Pinned) -> Result<(), ArtifactFault> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(err) => return Err(io_fault("read", path, &err).into()),
    };
    let mut known = |line: &str| match line.strip_prefix(KEY) {
        Some(key) => key.parse().is_ok_and(|key| {
            pinned.keys.insert(key);
            true
        }),
        None => line.parse().is_ok_and(|id| {
            pinned.ids.insert(id);
            true
        }),
    };
    if text.lines().all(&mut known) {
        return Ok(());
    }
    let what = format!("expected ids and keys, one a line, in `{}`", path.display());
    Err(ArtifactFault::new(Code::Io, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_count_while_their_writer_lives() {
        let folio = tempfile::tempdir().unwrap();
        let id = |n: u8| Oid::from_bytes(&[n; 20]).unwrap();
        assert!(pinned(folio.path(), true).unwrap().ids.is_empty());
        let (mut one, mut two) = (
            Pins::open(folio.path()).unwrap(),
            Pins::open(folio.path()).unwrap(),
        );
        one.pin(&[id(1), id(2)], || ()).unwrap();
        assert_eq!(two.pin(&[id(3)], || 7).unwrap(), 7);
        let alone = Turnstile::open(folio.path(), COLLECTOR).unwrap();
        let _alone = alone.alone().unwrap();
        let all = [id(1), id(2), id(3)];
        assert_eq!(pinned(folio.path(), true).unwrap().ids, all.into());
        drop(one);
        assert_eq!(pinned(folio.path(), true).unwrap().ids, [id(3)].into());
        // What a killed writer leaves is stale; it is swept away only if asked for.
        let stale = folio.path().join(PINS).join("0123456789abcdef");
        fs::write(&stale, format!("{}\n", id(9))).unwrap();
        assert_eq!(pinned(folio.path(), false).unwrap().ids, [id(3)].into());
        assert!(stale.exists());
        assert_eq!(pinned(folio.path(), true).unwrap().ids, [id(3)].into());
        assert!(!stale.exists());
    }
}

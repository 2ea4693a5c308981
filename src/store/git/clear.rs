//! Removing refs that nobody needs any more: the branches of proposals that have their numbers.
//!
//! What stands in `packed-refs` alone goes with one new version of that file, however much it is, and without a lock for
//! each ref. The lock of the file keeps its values as they are. Whoever moves one of these refs meanwhile writes a file of
//! its own for it, which counts and stays: the ref is then where they moved it. So nothing that somebody wrote is lost.

use super::GitStore;
use super::lock::{Lock, Ready};
use super::loose::{Loose, check_name};
use super::packed::{Packed, PackedIndex};
use super::refs::Logs;
use crate::cores;
use crate::model::Oid;
use crate::store::disk::{io_fault, is_absent};
use crate::store::{REFS_REMOVED_AT_ONCE, StoreFault, Unnamed};
use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A ref, and where it has to point for it to go.
type Gone = (String, Oid);

/// From so many loose refs on, several threads remove some each: what the system does for each takes longest.
const MANY: usize = 200;

/// So few refs are looked for one by one.
const FEW: usize = 16;

/// Refs whose locks one thread holds at a time: where the file system has no hard links, each keeps a file open.
const AT_ONCE: usize = 64;

/// Threads for each core: most of the time they wait for the disk to let go of what they remove.
const WAITING: usize = 4;

/// What `packed-refs` will hold once some refs are out of it, durable already.
pub(super) struct WithoutThem {
    /// What it held when that was written.
    before: Arc<Packed>,
    names: BTreeSet<String>,
    ready: Ready,
}

/// [`WithoutThem`], on its way.
struct Foretold<'s> {
    store: &'s GitStore,
    without: WithoutThem,
}

impl Unnamed for Foretold<'_> {
    fn contents(&self) -> Vec<(&Path, &File)> {
        self.without.ready.contents().into_iter().collect()
    }

    fn name(self: Box<Self>) -> Result<Vec<PathBuf>, StoreFault> {
        self.store.foretold.lock().without = Some(self.without);
        Ok(Vec::new())
    }
}

impl GitStore {
    /// What `packed-refs` will be without these; `None` if none of them stands there alone.
    pub(super) fn foretell_without(
        &self,
        gone: &[Gone],
    ) -> Result<Option<Box<dyn Unnamed + '_>>, StoreFault> {
        let before = self.packed()?;
        let names = owned(&self.split(gone, &before)?.packed);
        if names.is_empty() {
            return Ok(None);
        }
        self.steps.step("ref-foretell")?;
        let bytes = before.without(&borrowed(&names));
        let ready = Ready::write(self.common_dir(), bytes, Arc::clone(&self.steps))?;
        let without = WithoutThem {
            before,
            names,
            ready,
        };
        let store = self;
        Ok(Some(Box::new(Foretold { store, without })))
    }

    /// Removes each of these that still points there.
    ///
    /// # Errors
    /// Why some could not be removed. One that moved, or that somebody else holds, is no fault.
    pub(super) fn clear_all(&self, gone: &[Gone]) -> Result<(), StoreFault> {
        self.refuse_writing()?;
        gone.iter().try_for_each(|(name, _)| check_name(name))?;
        self.begin_writing()?;
        let told = self.foretold.lock().without.take();
        let told = told.map(|told| self.drop_foretold(gone, told));
        let loose = match told.transpose()?.flatten() {
            Some(loose) => loose,
            None => self.drop_packed(gone)?,
        };
        match loose.is_empty() {
            true => Ok(()),
            false => self.clear_loose(loose),
        }
    }

    /// Takes those out of `packed-refs` that stand there alone, and says which have files of their own, if that is what
    /// was foretold.
    fn drop_foretold<'g>(
        &self,
        gone: &'g [Gone],
        told: WithoutThem,
    ) -> Result<Option<Vec<&'g Gone>>, StoreFault> {
        let target = self.common_dir().join("packed-refs");
        let Some(mut lock) = Lock::take_ready(&target, told.ready, &*self.steps) else {
            return Ok(None);
        };
        // Nobody changes that file without this lock.
        let now = self.packed()?;
        if now != told.before {
            return Ok(None);
        }
        let split = self.split(gone, &now)?;
        if owned(&split.packed) != told.names {
            return Ok(None);
        }
        self.replace_packed(&mut lock, split.packed)?;
        Ok(Some(split.loose))
    }

    /// As [`GitStore::drop_foretold`], where nothing was.
    fn drop_packed<'g>(&self, gone: &'g [Gone]) -> Result<Vec<&'g Gone>, StoreFault> {
        let before = self.packed()?;
        let split = self.split(gone, &before)?;
        if split.packed.is_empty() {
            return Ok(split.loose);
        }
        let mut lock = self.lock_packed()?;
        let now = self.packed()?;
        let split = self.split(gone, &now)?;
        self.steps.step("packed-refs-write")?;
        lock.write(&now.without(&borrowed(&owned(&split.packed))))?;
        self.replace_packed(&mut lock, split.packed)?;
        Ok(split.loose)
    }

    /// The contents are durable, so the file is never found empty; that it has them need not be.
    fn replace_packed(&self, lock: &mut Lock<'_>, gone: Vec<&Gone>) -> Result<(), StoreFault> {
        self.steps.step("packed-refs-rename")?;
        lock.publish()?;
        let mut logs = Logs::below(self.common_dir());
        for (name, _) in gone {
            logs.remove(name);
        }
        Ok(())
    }

    /// Which of these have files of their own, and which stand in `packed-refs` alone with the right value. Those that
    /// have moved there are in neither.
    fn split<'g>(&self, gone: &'g [Gone], packed: &Packed) -> Result<Split<'g>, StoreFault> {
        let files = Files::beside(self.common_dir(), gone)?;
        let index = packed.index_for(gone.len());
        let mut split = Split::default();
        for this in gone {
            let (name, id) = this;
            if files.have(name) {
                split.loose.push(this);
            } else if index.get(name) == Some(*id) {
                split.packed.push(this);
            }
        }
        Ok(split)
    }

    /// Removes those that have files of their own, under their locks. Nobody packs meanwhile: what they say now, or said
    /// a moment ago, would show again when their files are gone. Whoever holds the lock of a ref may be waiting for that of
    /// `packed-refs`, so none of the former is waited for.
    fn clear_loose(&self, gone: Vec<&Gone>) -> Result<(), StoreFault> {
        self.steps.step("refs-clear")?;
        let nobody_packs = self.lock_packed()?;
        let packed = self.packed()?;
        let index = packed.index_for(gone.len());
        let (both, loose): (Vec<&Gone>, Vec<&Gone>) = gone
            .into_iter()
            .partition(|(name, _)| index.get(name).is_some());
        // Somebody packed them since they were looked at: their files are gone, and maybe the directories of these.
        let (both, packed): (Vec<&Gone>, Vec<&Gone>) = both
            .into_iter()
            .partition(|(name, _)| is_there(&self.common_dir().join(name)));
        let packed = packed
            .iter()
            .filter(|(name, id)| index.get(name) == Some(*id));
        let packed: BTreeSet<&str> = packed.map(|(name, _)| name.as_str()).collect();
        if !packed.is_empty() {
            self.unpack(&packed, &nobody_packs)?;
            let mut logs = Logs::below(self.common_dir());
            packed.iter().for_each(|name| logs.remove(name));
        }
        for some in both.chunks(REFS_REMOVED_AT_ONCE) {
            let held = self.hold(some, &index);
            let names: BTreeSet<&str> = held.iter().map(|(_, name)| *name).collect();
            // Their files still count until they go, too.
            if !names.is_empty() {
                self.unpack(&names, &nobody_packs)?;
            }
            self.remove(&held)?;
        }
        if loose.len() < MANY {
            return self.clear_some(&loose, &index);
        }
        let index = &index;
        std::thread::scope(|scope| {
            let threads = cores::threads() * WAITING;
            // Neighbours lie in one directory, so threads are seldom in each other's way.
            let running: Vec<_> = loose
                .chunks(loose.len().div_ceil(threads))
                .map(|some| {
                    let store = self.for_thread();
                    scope.spawn(move || store.clear_some(some, index))
                })
                .collect();
            let ended = running.into_iter().map(|thread| thread.join());
            let ended = ended.map(|ended| ended.expect("removing does not panic"));
            ended.fold(Ok(()), Result::and)
        })
    }

    fn clear_some(&self, gone: &[&Gone], index: &PackedIndex<'_>) -> Result<(), StoreFault> {
        gone.chunks(AT_ONCE)
            .try_for_each(|some| self.remove(&self.hold(some, index)))
    }

    /// Takes the locks of those that are where they were seen, as far as nobody else has them.
    fn hold<'g, 's>(
        &'s self,
        gone: &[&'g Gone],
        index: &PackedIndex<'_>,
    ) -> Vec<(Lock<'s>, &'g str)> {
        let (mut shared, mut held) = (None, Vec::with_capacity(gone.len()));
        for (name, id) in gone {
            let target = self.common_dir().join(name);
            let lock = Lock::attempt(self.common_dir(), &target, &*self.steps, &mut shared);
            let Some(lock) = lock else { continue };
            let there = match self.loose(name) {
                Ok(Loose::At(at)) => at == *id,
                // A directory that was left has its name.
                Ok(Loose::Nothing) => index.get(name) == Some(*id),
                _ => false,
            };
            if there {
                held.push((lock, name.as_str()));
            }
        }
        held
    }

    fn remove(&self, held: &[(Lock<'_>, &str)]) -> Result<(), StoreFault> {
        let mut logs = Logs::below(self.common_dir());
        for (lock, name) in held {
            self.steps.step("ref-delete")?;
            lock.delete_target()?;
            logs.remove(name);
        }
        Ok(())
    }
}

/// What is there below some directories of refs.
struct Files {
    common_dir: PathBuf,
    /// The names of files and directories there; none where each is looked for by itself.
    names: Option<HashSet<String>>,
}

impl Files {
    /// For whoever asks about these refs: many of them lie in a few directories.
    fn beside(common_dir: &Path, gone: &[Gone]) -> Result<Self, StoreFault> {
        let mut this = Self {
            common_dir: common_dir.to_owned(),
            names: None,
        };
        if gone.len() <= FEW {
            return Ok(this);
        }
        let parents = gone.iter().filter_map(|(name, _)| name.rsplit_once('/'));
        let parents: BTreeSet<&str> = parents.map(|(parent, _)| parent).collect();
        let mut names = HashSet::new();
        for parent in parents {
            let dir = common_dir.join(parent);
            let entries = match fs::read_dir(&dir) {
                Err(err) if is_absent(&err) => continue,
                entries => entries.map_err(|err| io_fault("list", &dir, &err))?,
            };
            for entry in entries {
                let entry = entry.map_err(|err| io_fault("list", &dir, &err))?;
                if let Ok(name) = entry.file_name().into_string() {
                    names.insert(format!("{parent}/{name}"));
                }
            }
        }
        this.names = Some(names);
        Ok(this)
    }

    /// Whether there is a file of this ref; what cannot be looked at says so when it is to be removed.
    fn have(&self, name: &str) -> bool {
        match &self.names {
            Some(names) => names.contains(name),
            None => is_there(&self.common_dir.join(name)),
        }
    }
}

fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).map_or_else(|err| !is_absent(&err), |_| true)
}

#[derive(Default)]
struct Split<'g> {
    packed: Vec<&'g Gone>,
    loose: Vec<&'g Gone>,
}

fn owned(gone: &[&Gone]) -> BTreeSet<String> {
    gone.iter().map(|(name, _)| name.clone()).collect()
}

fn borrowed(names: &BTreeSet<String>) -> BTreeSet<&str> {
    names.iter().map(String::as_str).collect()
}

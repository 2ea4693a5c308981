//! Moving refs from files of their own into `packed-refs`, as `git pack-refs` does, and out of it. Many refs are listed
//! sooner when they are there, and [removed](super::clear) together.
//!
//! To pack them: first they stand in `packed-refs` too, durably; then the files go, each under the lock of its ref and only
//! if it still says what `packed-refs` does. So each ref is in one of them at any time.

use super::GitStore;
use super::lock::{Lock, Ready};
use super::loose::{Found, Loose, walk};
use crate::model::Oid;
use crate::store::disk::sync_dir;
use crate::store::{Kind, Objects as _, StoreFault};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

/// Where refs are packed. All of them are at commits, so nothing is to be said of what tags point to.
const KINDS: [&str; 3] = ["refs/heads", "refs/remotes", "refs/folio"];

/// Files that are removed at a time: somebody may wait for any of their locks.
const AT_ONCE: usize = 64;

impl GitStore {
    /// How many refs have files of their own and could be packed: only names are looked at.
    ///
    /// # Errors
    /// `io`.
    pub fn unpacked(&self) -> Result<usize, StoreFault> {
        self.find_unpacked().map(|found| found.len())
    }

    /// Packs them, and says how many files went. A ref that somebody moves meanwhile keeps its file, and so does what is
    /// no ref to a commit.
    ///
    /// # Errors
    /// `busy` if somebody else holds `packed-refs`, `io`. All refs are where they were then, too.
    pub fn pack_refs(&self) -> Result<usize, StoreFault> {
        self.refuse_writing()?;
        self.begin_writing()?;
        let mut lock = self.lock_packed()?;
        let mut packed = BTreeMap::new();
        for found in self.find_unpacked()? {
            if let Ok(Loose::At(id)) = found.read(self.common_dir())
                && let Ok(Some((Kind::Commit, _))) = self.header(&id)
            {
                packed.insert(found.name, id);
            }
        }
        if packed.is_empty() {
            return Ok(0);
        }
        let before = self.packed()?;
        self.steps.step("packed-refs-write")?;
        lock.write(&before.with(&packed))?;
        self.steps.step("packed-refs-rename")?;
        lock.publish()?;
        lock.finish()?;
        let packed: Vec<(String, Oid)> = packed.into_iter().collect();
        let mut gone = 0;
        for some in packed.chunks(AT_ONCE) {
            self.steps.step("refs-prune")?;
            gone += self.prune(some)?;
        }
        Ok(gone)
    }

    /// Takes refs out of `packed-refs`, whose lock is held. Loose files of the same names still count until they go too.
    pub(super) fn unpack(&self, names: &BTreeSet<&str>, _: &Lock<'_>) -> Result<(), StoreFault> {
        let dir = self.common_dir();
        // Read under the lock: it may have been packed anew since.
        let bytes = self.packed()?.without(names);
        self.steps.step("packed-refs-write")?;
        let new = Ready::write(dir, bytes, Arc::clone(&self.steps))?;
        new.sync()?;
        // A crash before the rename changes nothing; after it, those refs that were only here are gone. The contents were
        // synced, so the file is never found empty.
        self.steps.step("packed-refs-rename")?;
        new.publish(&dir.join("packed-refs"))?;
        sync_dir(dir)
    }

    /// Nobody changes `packed-refs` while this is held.
    pub(super) fn lock_packed(&self) -> Result<Lock<'_>, StoreFault> {
        let target = self.common_dir().join("packed-refs");
        Lock::take(self.common_dir(), &target, &*self.steps)
    }

    /// Removes the files of those that are packed.
    fn prune(&self, packed: &[(String, Oid)]) -> Result<usize, StoreFault> {
        let (mut shared, mut locked) = (None, Vec::with_capacity(packed.len()));
        for (name, id) in packed {
            let target = self.common_dir().join(name);
            let lock = Lock::attempt(self.common_dir(), &target, &*self.steps, &mut shared);
            // It keeps its file where somebody is moving it.
            locked.extend(lock.map(|lock| (lock, name, id)));
        }
        // As it is now: a ref that was removed meanwhile and made again stands nowhere else.
        let now = self.packed()?;
        let now = now.index_for(locked.len());
        let mut gone = 0;
        for (lock, name, id) in &locked {
            let same = matches!(self.loose(name), Ok(Loose::At(at)) if at == **id);
            if same && now.get(name) == Some(**id) {
                lock.delete_target()?;
                gone += 1;
            }
        }
        drop(locked);
        self.remove_empty(packed);
        Ok(gone)
    }

    /// Removes the directories that these refs lay in where nothing is left there: each command that looks at all refs would
    /// look into every one. Whoever is about to make a ref there makes the directory again.
    fn remove_empty(&self, packed: &[(String, Oid)]) {
        let parents = packed.iter().filter_map(|(name, _)| name.rsplit_once('/'));
        let parents: BTreeSet<&str> = parents.map(|(parent, _)| parent).collect();
        // Of two that lie in each other the inner one comes first.
        for dir in parents.into_iter().rev().filter(|dir| !KINDS.contains(dir)) {
            // One that is not empty stays.
            let _ = fs::remove_dir(self.common_dir().join(dir));
        }
    }

    /// All but the branch that moves with every snapshot, and the one that `HEAD` stands for.
    fn find_unpacked(&self) -> Result<Vec<Found>, StoreFault> {
        let mut found = Vec::new();
        for kind in KINDS {
            walk(&self.common_dir().join(kind), kind, &mut found)?;
        }
        let head = self.head().ok().flatten();
        let stays = |name: &str| name == "refs/heads/main" || head.as_deref() == Some(name);
        found.retain(|found| !found.is_link && !stays(&found.name));
        Ok(found)
    }
}

//! Refs as files, read and moved as git does.
//!
//! Not with gix's transactions, for four reasons found in its source (gix-ref 0.69): it renames a new
//! `packed-refs` that nobody could sync before, so a crash may leave it empty; it takes "must not exist"
//! for met by an equal value; it lets go of a lock whose value does not change before the others are
//! moved; and between reading `packed-refs` and the loose file it can miss a ref that is being packed.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a reflog line carries the time it was written; nothing reads it"
)]

use super::lock::{Lock, Ready};
use super::loose::{Found, Loose, check_name, read_ref_file, walk};
use super::packed::Packed;
use super::{GitStore, unsupported};
use crate::cores;
use crate::model::{Code, Oid};
use crate::store::disk::sync_dir;
use crate::store::{Later, RefEdit, Refs, StoreFault, Unnamed, has_last};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

impl Refs for GitStore {
    fn get(&self, name: &str) -> Result<Option<Oid>, StoreFault> {
        check_name(name)?;
        // First the loose file, then the packed one: a ref being packed is in one of them at any time.
        match self.loose(name)? {
            Loose::At(id) => Ok(Some(id)),
            Loose::Nothing => Ok(self.packed()?.find(name)),
            Loose::Symbolic(to) => Err(symbolic(name, &to)),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, Oid)>, StoreFault> {
        self.list_those(prefix, &|_| true)
    }

    fn list_named(&self, prefix: &str, last: &str) -> Result<Vec<(String, Oid)>, StoreFault> {
        self.list_those(prefix, &|name| has_last(name, last))
    }

    fn foretell(&self, name: &str, new: Oid) -> Result<Box<dyn Unnamed + '_>, StoreFault> {
        self.refuse_writing()?;
        check_name(name)?;
        self.check_format(&new)?;
        self.begin_writing()?;
        self.steps.step("ref-foretell")?;
        let ready = Ready::write(self.common_dir(), line_of(&new), Arc::clone(&self.steps))?;
        Ok(Box::new(Foretold { store: self, ready }))
    }

    fn apply(&self, edits: &[RefEdit]) -> Result<(), StoreFault> {
        self.change(edits)
    }

    fn clear(&self, gone: &[(String, Oid)]) {
        // What could not be removed is removed by whoever comes next.
        let _ = self.clear_all(gone);
    }

    fn foretell_clear(&self, gone: &[(String, Oid)]) -> Result<Box<dyn Unnamed + '_>, StoreFault> {
        self.refuse_writing()?;
        self.begin_writing()?;
        let nothing = || Box::new(Later(|| Ok(()))) as Box<dyn Unnamed>;
        Ok(self.foretell_without(gone)?.unwrap_or_else(nothing))
    }
}

impl GitStore {
    fn change(&self, edits: &[RefEdit]) -> Result<(), StoreFault> {
        self.refuse_writing()?;
        check_edits(edits)?;
        self.begin_writing()?;
        for id in edits.iter().filter_map(|edit| edit.new.as_ref()) {
            self.check_format(id)?;
        }
        self.steps.step("refs-lock")?;
        let mut locked = self.lock_all(edits)?;
        // Until the files of refs that go are gone, nobody packs what these say. As in git, after the locks of the refs.
        let goes = edits.iter().any(|edit| edit.new.is_none());
        let nobody_packs = goes.then(|| self.lock_packed()).transpose()?;
        let packed = self.compare(&mut locked)?;
        self.steps.step("refs-write")?;
        for held in &mut locked {
            if let Some(new) = held.edit.new.filter(|new| held.old != Some(*new)) {
                held.lock.write(&line_of(&new))?;
            }
        }
        // A crash so far leaves locks only; the next process finds out whose they were and goes on.
        self.publish(&mut locked, &packed, nobody_packs.as_ref())?;
        drop(nobody_packs);
        // Each directory is synced once, however many refs of it changed; then the locks go.
        let changed = locked.iter().filter(|held| held.edit.new != held.old);
        let mut dirs: BTreeSet<&Path> = changed.flat_map(|held| held.lock.dirs()).collect();
        if goes {
            // A ref that was cleared away before, and was there again, must not show what it was then.
            dirs.insert(self.common_dir());
        }
        for dir in dirs {
            self.steps.step("refs-sync")?;
            self.sync_moved(dir)?;
        }
        drop(locked);
        // The change is made. A crash here loses the answer only: the caller reads again.
        self.steps.step("refs-done")
    }

    /// A ref that has its new value is not locked any more: whoever packs it may remove its directory, and what it says
    /// is in `packed-refs` then.
    fn sync_moved(&self, dir: &Path) -> Result<(), StoreFault> {
        match sync_dir(dir) {
            Err(_) if !dir.exists() => sync_dir(self.common_dir()),
            // It was removed, and made again by somebody else since.
            Err(_) => sync_dir(dir),
            synced => synced,
        }
    }

    fn list_those(
        &self,
        prefix: &str,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<(String, Oid)>, StoreFault> {
        let Some(dir) = prefix
            .strip_suffix('/')
            .filter(|dir| *dir == "refs" || check_name(dir).is_ok())
        else {
            let what = format!("`{}` is not a prefix of ref names", prefix.escape_debug());
            return Err(StoreFault::new(Code::RefInvalid, what));
        };
        let mut names = Vec::new();
        walk(&self.common_dir().join(dir), dir, &mut names)?;
        names.retain(|found| wanted(&found.name));
        let dir = self.common_dir();
        let read = |some: &[Found]| some.iter().map(|found| found.read(dir)).collect();
        // What the system does for each file takes longest.
        let read: Vec<Vec<_>> = cores::parts(&names, MANY, |_, some| read(some));
        let mut loose = Vec::new();
        for (Found { name, .. }, read) in names.into_iter().zip(read.into_iter().flatten()) {
            match self.of_our_format(read?)? {
                Loose::At(id) => loose.push((name, id)),
                Loose::Nothing => {}
                Loose::Symbolic(to) if name.starts_with("refs/heads/") => {
                    return Err(symbolic(&name, &to));
                }
                Loose::Symbolic(_) => {}
            }
        }
        let packed = self.packed()?;
        let below = packed.below(prefix).filter(|(name, _)| wanted(name));
        let mut all: BTreeMap<String, Oid> = BTreeMap::new();
        for (name, id) in below {
            // The first of several counts, as for whoever asks for one.
            all.entry(name.to_owned()).or_insert(id);
        }
        all.extend(loose);
        Ok(all.into_iter().collect())
    }
}

/// From so many loose refs on, they are read on all cores.
const MANY: usize = 256;

/// What the file of a ref holds.
fn line_of(id: &Oid) -> Vec<u8> {
    format!("{id}\n").into_bytes()
}

/// What a ref will point to, on its way. No name is given to it here: that is for whoever moves the ref.
struct Foretold<'s> {
    store: &'s GitStore,
    ready: Ready,
}

impl Unnamed for Foretold<'_> {
    fn contents(&self) -> Vec<(&Path, &File)> {
        self.ready.contents().into_iter().collect()
    }

    fn name(self: Box<Self>) -> Result<Vec<PathBuf>, StoreFault> {
        self.store.foretold.lock().moved = Some(self.ready);
        Ok(Vec::new())
    }
}

/// One edit whose ref is locked, and where that ref points.
struct Held<'e, 's> {
    edit: &'e RefEdit,
    lock: Lock<'s>,
    old: Option<Oid>,
}

impl GitStore {
    /// The full name of the branch that `HEAD` stands for, born or not; `None` if it is detached.
    ///
    /// # Errors
    /// `object-damaged` if `HEAD` cannot be understood, `io`.
    pub fn head(&self) -> Result<Option<String>, StoreFault> {
        match read_ref_file(&self.git_dir().join("HEAD"), "HEAD")? {
            Loose::Symbolic(to) => Ok(Some(to)),
            Loose::At(_) => Ok(None),
            Loose::Nothing => Err(StoreFault::new(
                Code::ObjectDamaged,
                "there is no readable HEAD",
            )),
        }
    }

    /// Whether the ref stands in `packed-refs` too, with the same value, and nobody is changing that file: then
    /// its own file may go without the ref going, which is what git does after it has packed. To delete the
    /// ref git has to hold the lock of `packed-refs`.
    ///
    /// # Errors
    /// `ref-invalid`, `object-damaged`, `io`.
    pub fn is_packed(&self, name: &str) -> Result<bool, StoreFault> {
        check_name(name)?;
        let Loose::At(id) = self.loose(name)? else {
            return Ok(false);
        };
        let packed = self.packed()?.find(name);
        let locked = self.common_dir().join("packed-refs.lock").exists();
        Ok(packed == Some(id) && !locked)
    }

    /// What `packed-refs` holds now.
    pub(super) fn packed(&self) -> Result<Arc<Packed>, StoreFault> {
        self.packed.read(self.common_dir())
    }

    pub(super) fn loose(&self, name: &str) -> Result<Loose, StoreFault> {
        self.of_our_format(read_ref_file(&self.common_dir().join(name), name)?)
    }

    fn of_our_format(&self, found: Loose) -> Result<Loose, StoreFault> {
        match &found {
            Loose::At(id) => self.check_format(id).map(|()| found),
            _ => Ok(found),
        }
    }

    /// Takes all locks, in the order of the names, so that two processes do not wait for each other.
    fn lock_all<'e, 's>(&'s self, edits: &'e [RefEdit]) -> Result<Vec<Held<'e, 's>>, StoreFault> {
        let mut sorted: Vec<(usize, &RefEdit)> = edits.iter().enumerate().collect();
        sorted.sort_by(|a, b| a.1.name.cmp(&b.1.name));
        let mut locked = Vec::with_capacity(edits.len());
        let mut shared = None;
        for (at, edit) in sorted {
            let target = self.common_dir().join(&edit.name);
            let dir = self.common_dir();
            let lock = match edit.new {
                Some(new) => match self.take_foretold(&target, &new) {
                    Some(lock) => lock,
                    None => Lock::take(dir, &target, &*self.steps)?,
                },
                None => Lock::take_with(dir, &target, &*self.steps, &mut shared)?,
            };
            locked.push((
                at,
                Held {
                    edit,
                    lock,
                    old: None,
                },
            ));
        }
        locked.sort_by_key(|(at, _)| *at);
        Ok(locked.into_iter().map(|(_, held)| held).collect())
    }

    /// The lock of a ref that is to point there, if that was foretold.
    fn take_foretold(&self, target: &Path, new: &Oid) -> Option<Lock<'_>> {
        let mut foretold = self.foretold.lock();
        let ready = foretold.moved.take_if(|ready| ready.holds(&line_of(new)))?;
        Lock::take_ready(target, ready, &*self.steps)
    }

    /// Compares what is there with what is expected, all locks being held.
    fn compare(&self, locked: &mut [Held<'_, '_>]) -> Result<Arc<Packed>, StoreFault> {
        let packed = self.packed()?;
        let index = packed.index_for(locked.len());
        for held in locked {
            let name = &held.edit.name;
            held.old = match self.loose(name)? {
                Loose::At(id) => Some(id),
                Loose::Nothing => index.get(name),
                Loose::Symbolic(to) => return Err(symbolic(name, &to)),
            };
            crate::store::check_expectation(held.edit, held.old)?;
            if held.old.is_none() && held.edit.new.is_some() {
                self.refuse_conflicts(name, &packed)?;
            }
        }
        Ok(packed)
    }

    /// A ref cannot be a directory of refs at the same time, packed or not.
    fn refuse_conflicts(&self, name: &str, packed: &Packed) -> Result<(), StoreFault> {
        let conflict = |other: &str| {
            let what = format!("`{name}` and `{}` cannot both exist", other.escape_debug());
            Err(StoreFault::new(Code::RefInvalid, what))
        };
        let below = format!("{name}/");
        for (other, _) in packed.refs() {
            let above = name
                .strip_prefix(other)
                .is_some_and(|rest| rest.starts_with('/'));
            // Packed refs that were deleted and packed again meanwhile do not matter: the file is read
            // under the locks of this change, and git checks no better.
            if above || other.starts_with(&below) {
                return conflict(other);
            }
        }
        let mut loose = Vec::new();
        walk(&self.common_dir().join(name), name, &mut loose)?;
        match loose.first() {
            Some(other) => conflict(&other.name),
            None => Ok(()),
        }
    }

    /// Makes the changes visible: first the new values, then the deletions, so that nothing is without
    /// a ref in between. A crash on the way leaves the first of them made; each is whole.
    fn publish(
        &self,
        locked: &mut [Held<'_, '_>],
        packed: &Packed,
        nobody_packs: Option<&Lock<'_>>,
    ) -> Result<(), StoreFault> {
        for held in locked.iter_mut() {
            let Some(new) = held.edit.new.filter(|new| held.old != Some(*new)) else {
                continue;
            };
            self.steps.step("ref-rename")?;
            self.append_reflog(held.edit, held.old, new);
            held.lock.publish()?;
        }
        let gone = |held: &&mut Held<'_, '_>| held.edit.new.is_none() && held.old.is_some();
        let deleted: Vec<&mut Held<'_, '_>> = locked.iter_mut().filter(gone).collect();
        let names: BTreeSet<&str> = deleted.iter().map(|held| &*held.edit.name).collect();
        if let Some(held) = nobody_packs
            && packed.refs().any(|(name, _)| names.contains(name))
        {
            self.unpack(&names, held)?;
        }
        let mut logs = Logs::below(self.common_dir());
        for held in deleted {
            self.steps.step("ref-delete")?;
            held.lock.delete_target()?;
            logs.remove(&held.edit.name);
        }
        Ok(())
    }

    /// Appends to the reflogs that git would append to. What cannot be written is left out: a reflog
    /// decides nothing, and nothing is synced for it.
    fn append_reflog(&self, edit: &RefEdit, old: Option<Oid>, new: Oid) {
        let zeros = || "0".repeat(new.as_bytes().len() * 2);
        let old = old.map_or_else(zeros, |old| old.to_hex());
        let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let seconds = seconds.map_or(0, |since| since.as_secs());
        let message = edit.message.replace(['\n', '\r', '\0'], " ");
        let line = format!(
            "{old} {new} {} {seconds} +0000\t{message}\n",
            self.reflog_ident
        );
        let wanted = self
            .config_value("core.logAllRefUpdates")
            .map(|word| word.to_lowercase());
        let (on, all) = match wanted.as_deref() {
            None => (!self.is_bare(), false),
            Some("always") => (true, true),
            Some(word) => (matches!(word, "" | "true" | "yes" | "on" | "1"), false),
        };
        let kinds = ["refs/heads/", "refs/remotes/", "refs/notes/"];
        let usual = kinds.iter().any(|kind| edit.name.starts_with(kind));
        let log = self.common_dir().join("logs").join(&edit.name);
        append(&log, &line, on && (all || usual)).ok();
        // git also logs a branch's moves for the HEAD that stands for it.
        if self
            .head()
            .is_ok_and(|head| head.as_deref() == Some(edit.name.as_str()))
        {
            append(&self.git_dir().join("logs/HEAD"), &line, on).ok();
        }
    }
}

/// Reflogs that go with their refs. Most repositories without a work tree have none, so it is looked once for each
/// directory whether there is one.
pub(super) struct Logs {
    root: PathBuf,
    /// The last directory that was looked for, and whether it is there.
    last: (PathBuf, bool),
}

impl Logs {
    pub(super) fn below(common_dir: &Path) -> Self {
        Self {
            root: common_dir.join("logs"),
            last: Default::default(),
        }
    }

    /// A reflog without its ref misleads nobody; not even git minds. So what cannot be removed stays.
    pub(super) fn remove(&mut self, name: &str) {
        let log = self.root.join(name);
        let dir = log.parent().expect("a ref's name has several parts");
        if self.last.0 != dir {
            self.last = (dir.to_owned(), dir.is_dir());
        }
        if self.last.1 {
            fs::remove_file(log).ok();
        }
    }
}

fn append(log: &Path, line: &str, create: bool) -> io::Result<()> {
    if create && let Some(dir) = log.parent() {
        fs::create_dir_all(dir)?;
    }
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(create)
        .open(log)?;
    file.write_all(line.as_bytes())
}

fn symbolic(name: &str, to: &str) -> StoreFault {
    let to = to.escape_debug();
    StoreFault::new(
        Code::RefInvalid,
        format!("`{name}` is a symbolic ref to `{to}`"),
    )
}

fn check_edits(edits: &[RefEdit]) -> Result<(), StoreFault> {
    let mut names = BTreeSet::new();
    for edit in edits {
        check_name(&edit.name)?;
        if !names.insert(&edit.name) {
            return Err(unsupported(format!(
                "changing `{}` twice at once",
                edit.name
            )));
        }
    }
    Ok(())
}

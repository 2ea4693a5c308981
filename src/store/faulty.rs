//! A store that fails where a test asks it to.

use super::{Kind, Objects, Parcel, RefEdit, Refs, Steps, StoreFault, Unnamed, check_expectation};
use crate::model::{Code, ObjectFormat, Oid};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// Counts steps and fails one of them. Clones share the count, so that one script can watch a
/// [`Faulty`] and the [`GitStore`](super::GitStore) in it.
#[derive(Debug, Clone, Default)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    taken: Vec<&'static str>,
    fail_at: Option<u64>,
    dead: bool,
}

impl Script {
    /// Lets everything pass, and counts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Fails the n-th step from now, counted from 1, and everything after it.
    pub fn fail_at(&self, n: u64) {
        let mut state = self.state();
        state.taken.clear();
        state.fail_at = Some(n);
    }

    /// The names of the steps asked for since the start or the last [`Script::fail_at`], the failing one
    /// included.
    #[must_use]
    pub fn taken(&self) -> Vec<&'static str> {
        self.state().taken.clone()
    }

    /// Whether the step to fail was reached.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// A new process: everything passes again.
    pub fn revive(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0
            .lock()
            .expect("nothing panics while it holds this lock")
    }

    fn alive(&self) -> Result<(), StoreFault> {
        if self.is_dead() {
            return Err(StoreFault::new(
                Code::Io,
                "the process is dead, as the test asked",
            ));
        }
        Ok(())
    }
}

impl Steps for Script {
    fn step(&self, name: &'static str) -> Result<(), StoreFault> {
        let mut state = self.state();
        if !state.dead {
            state.taken.push(name);
            state.dead = state.fail_at == Some(state.taken.len() as u64);
        }
        drop(state);
        self.alive()
    }

    fn dead(&self) -> bool {
        self.is_dead()
    }
}

/// Any store, failing by a script. What is below may follow the same script in finer steps.
#[derive(Debug, Clone)]
pub struct Faulty<S> {
    inner: S,
    script: Script,
}

impl<S> Faulty<S> {
    /// Wraps a store.
    pub fn new(inner: S, script: Script) -> Self {
        Self { inner, script }
    }

    /// The store inside, which does not fail by itself.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// What decides when it fails.
    pub fn script(&self) -> &Script {
        &self.script
    }
}

impl<S: Objects> Objects for Faulty<S> {
    fn format(&self) -> ObjectFormat {
        self.inner.format()
    }

    fn read(&self, id: &Oid, kind: Kind, max: u64) -> Result<Vec<u8>, StoreFault> {
        self.script.alive()?;
        self.inner.read(id, kind, max)
    }

    fn header(&self, id: &Oid) -> Result<Option<(Kind, u64)>, StoreFault> {
        self.script.alive()?;
        self.inner.header(id)
    }

    fn is_known(&self, id: &Oid) -> bool {
        self.inner.is_known(id)
    }

    fn id_of(&self, kind: Kind, bytes: &[u8]) -> Oid {
        self.inner.id_of(kind, bytes)
    }

    fn write_all(&self, objects: &[(Oid, Kind, Vec<u8>)]) -> Result<(), StoreFault> {
        self.script.step("objects-write")?;
        // A pack without its index: for all readers nothing was written.
        self.script.step("objects-index")?;
        self.inner.write_all(objects)?;
        self.script.step("objects-written")
    }

    fn prepare(&self, parcel: Parcel) -> Result<Box<dyn Unnamed + '_>, StoreFault> {
        self.script.step("objects-write")?;
        let inner = self.inner.prepare(parcel)?;
        let script = &self.script;
        Ok(Box::new(Faltering { inner, script }))
    }
}

/// Files that get their names, or not.
struct Faltering<'a> {
    inner: Box<dyn Unnamed + 'a>,
    script: &'a Script,
}

impl Unnamed for Faltering<'_> {
    fn contents(&self) -> Vec<(&Path, &File)> {
        self.inner.contents()
    }

    fn name(self: Box<Self>) -> Result<Vec<PathBuf>, StoreFault> {
        // A pack without its index: for all readers nothing was written.
        self.script.step("objects-index")?;
        let dirs = self.inner.name()?;
        self.script.step("objects-written")?;
        Ok(dirs)
    }
}

impl<S: Refs> Refs for Faulty<S> {
    fn get(&self, name: &str) -> Result<Option<Oid>, StoreFault> {
        self.script.alive()?;
        self.inner.get(name)
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, Oid)>, StoreFault> {
        self.script.alive()?;
        self.inner.list(prefix)
    }

    fn foretell(&self, name: &str, new: Oid) -> Result<Box<dyn Unnamed + '_>, StoreFault> {
        self.script.alive()?;
        self.inner.foretell(name, new)
    }

    fn foretell_clear(&self, gone: &[(String, Oid)]) -> Result<Box<dyn Unnamed + '_>, StoreFault> {
        self.script.alive()?;
        self.inner.foretell_clear(gone)
    }

    fn clear(&self, gone: &[(String, Oid)]) {
        if self.script.step("refs-clear").is_ok() {
            self.inner.clear(gone);
        }
    }

    fn apply(&self, edits: &[RefEdit]) -> Result<(), StoreFault> {
        self.script.step("refs-apply")?;
        for edit in edits {
            check_expectation(edit, self.inner.get(&edit.name)?)?;
        }
        // Values before deletions, as files are renamed and removed one after the other.
        let mut ordered = edits.to_vec();
        ordered.sort_by_key(|edit| edit.new.is_none());
        for done in 1..ordered.len() {
            if let Err(fault) = self.script.step("refs-between") {
                // Killed between two of them: the first ones are made. Where the store below follows the
                // script too it is dead as well and has such steps of its own.
                self.inner.apply(&ordered[..done]).ok();
                return Err(fault);
            }
        }
        self.inner.apply(edits)?;
        // The change happened and the answer is lost.
        self.script.step("refs-applied")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Expect, MemoryStore};

    fn edits(store: &MemoryStore) -> [RefEdit; 2] {
        let id = store.id_of(Kind::Blob, b"");
        ["refs/heads/a", "refs/heads/b"].map(|name| RefEdit {
            name: name.into(),
            expect: Expect::Absent,
            new: Some(id),
            message: String::new(),
        })
    }

    #[test]
    fn every_step_of_apply_can_fail_and_the_last_one_only_loses_the_answer() {
        let mut made = Vec::new();
        for n in 1.. {
            let store = Faulty::new(MemoryStore::new(ObjectFormat::Sha1), Script::new());
            let edits = edits(store.inner());
            store.script().fail_at(n);
            let result = store.apply(&edits);
            assert_eq!(result.is_err(), store.script().is_dead());
            if result.is_ok() {
                break;
            }
            assert!(
                store.get("refs/heads/a").is_err(),
                "a dead process reads nothing"
            );
            store.script().revive();
            made.push(store.list("refs/heads/").unwrap().len());
        }
        assert_eq!(made, [0, 1, 2]);
    }

    #[test]
    fn objects_are_there_only_after_the_index() {
        let mut there = Vec::new();
        for n in 1..=3 {
            let store = Faulty::new(MemoryStore::new(ObjectFormat::Sha1), Script::new());
            let id = store.id_of(Kind::Blob, b"x");
            store.script().fail_at(n);
            store
                .write_all(&[(id, Kind::Blob, b"x".to_vec())])
                .unwrap_err();
            store.script().revive();
            there.push(store.header(&id).unwrap().is_some());
        }
        assert_eq!(there, [false, false, true]);
    }
}

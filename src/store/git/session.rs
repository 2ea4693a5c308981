//! A writer's session: from the first question whether an object is here until the handle is dropped, nothing
//! is collected.
//!
//! Whoever leaves an object out because it is here already relies on it before any ref does. So the collector
//! removes objects only while nobody is between such a question and the ref that follows it.

use super::GitStore;
use super::lock::release_the_dead;
use crate::store::StoreFault;
use crate::store::turnstile::{Shared, Turnstile};
use std::path::Path;
use std::sync::Mutex;

/// The name of that lock, below `<gitdir>/folio`.
pub const BARRIER: &str = "barrier";

/// Shared by all clones of a handle; ends with the last of them.
#[derive(Debug, Default)]
pub(super) struct Session(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    NotYet,
    Begun {
        _held: Shared,
    },
    Failed(StoreFault),
}

impl Session {
    fn begin(&self, common_dir: &Path) -> Result<(), StoreFault> {
        let mut state = self
            .0
            .lock()
            .expect("nothing panics while it holds this lock");
        if matches!(*state, State::NotYet) {
            release_the_dead(common_dir);
            *state = match writers(common_dir).and_then(Turnstile::into_shared) {
                Ok(held) => State::Begun { _held: held },
                Err(fault) => State::Failed(fault),
            };
        }
        match &*state {
            State::Failed(fault) => Err(fault.clone()),
            _ => Ok(()),
        }
    }
}

/// The lock that writers of the repository share, and that the collector takes alone.
///
/// # Errors
/// `io`.
pub fn writers(common_dir: &Path) -> Result<Turnstile, StoreFault> {
    Turnstile::open(&common_dir.join("folio"), BARRIER)
}

impl GitStore {
    /// From now on, until this handle and its clones are dropped, no object goes away. Asking whether an object
    /// is here, writing objects and moving refs begin it too; whoever lets git do so begins it before. What a killed
    /// Folio left locked is released, since git would wait for it in vain.
    ///
    /// # Errors
    /// `io`.
    pub fn begin_writing(&self) -> Result<(), StoreFault> {
        match &self.session {
            Some(session) => session.begin(self.common_dir()),
            None => Ok(()),
        }
    }

    /// Releases the refs that a killed Folio left locked, where git is about to move refs and nothing here begins to
    /// write. What lives is left alone, and so is what cannot be removed.
    pub fn release_the_dead(&self) {
        release_the_dead(self.common_dir());
    }

    /// The same repository without what was begun, for whoever collects and would wait for itself.
    #[must_use]
    pub fn for_collecting(&self) -> GitStore {
        let mut store = self.clone();
        store.session = None;
        store
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Code, ObjectFormat};
    use crate::store::testing::new_store;
    use crate::store::{Kind, Objects as _};

    #[test]
    fn a_session_lasts_from_the_first_question_to_the_last_handle() {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, ObjectFormat::Sha1);
        let id = store.id_of(Kind::Blob, b"x");
        let alone = || writers(dir.path()).unwrap().try_alone().map(drop);
        assert!(store.header(&id).unwrap().is_none());
        alone().unwrap();
        assert!(!store.for_collecting().is_known(&id));
        alone().unwrap();
        assert!(!store.is_known(&id));
        assert_eq!(alone().unwrap_err().code, Code::Busy);
        let thread = store.for_thread();
        drop(store);
        assert_eq!(alone().unwrap_err().code, Code::Busy);
        drop(thread);
        alone().unwrap();
    }
}

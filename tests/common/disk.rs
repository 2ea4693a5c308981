//! A space on disk whose process can be killed at any step, and copies of it.

use super::repo::fsck;
use super::{Actor, TestSpace, when};
use folio::journal::accept::{self, Report, Witness};
use folio::journal::memory::ShortMemory;
use folio::journal::propose::When;
use folio::journal::{Fault, Space};
use folio::model::{ObjectFormat, SpaceId};
use folio::store::{Faulty, GitStore, Index, Script, SignedPages};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub type Mortal = Faulty<GitStore>;

/// Copies a directory with everything in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The repository as a process sees it that dies where the script says.
pub fn mortal(dir: &Path, script: &Script) -> Mortal {
    let store = GitStore::open(dir)
        .unwrap()
        .with_steps(Arc::new(script.clone()));
    Faulty::new(store, script.clone())
}

/// The people of a test space, around any store.
pub fn space_in<S: folio::store::Store>(store: S, id: SpaceId) -> TestSpace<S> {
    TestSpace {
        store,
        index: Default::default(),
        memory: Box::new(ShortMemory::default()),
        id,
        alice: Actor::new("alice"),
        bob: Actor::new("bob"),
        wanda: Actor::new("wanda"),
    }
}

/// Numbers everything, with the index and the memory on disk that a command would use.
pub fn accept(store: &Mortal, format: ObjectFormat) -> Result<Report, Fault> {
    accept_later(store, format, 0)
}

/// Where these tests have the copy of the memory that is not in the repository.
pub fn copy_of_memory(dir: &Path) -> PathBuf {
    dir.join("outside")
}

/// As [`accept`], so many seconds later: what is signed then has other bytes.
pub fn accept_later(store: &Mortal, format: ObjectFormat, later: u64) -> Result<Report, Fault> {
    let folio = store.inner().common_dir().join("folio");
    let mut index = Index::open(&folio, format)?;
    let space = Space::open(store)?;
    let wanda = Actor::new("wanda");
    let copy = copy_of_memory(store.inner().common_dir());
    let memory = SignedPages::new(&folio, Some(copy)).with_steps(Arc::new(store.script().clone()));
    let witness = Witness {
        signer: &wanda.key,
        when: When {
            seconds: when().seconds + later,
            ..when()
        },
        memory: &memory,
    };
    accept::accept(&space, &mut index, &witness, &|_| true, &mut |_, _| Ok(()))
}

/// What must hold after any crash: git and a fresh reader find nothing wrong.
pub fn sound(dir: &Path, id: SpaceId) -> TestSpace<GitStore> {
    fsck(dir);
    let space = space_in(GitStore::open(dir).unwrap(), id);
    space.verify().unwrap();
    space
}

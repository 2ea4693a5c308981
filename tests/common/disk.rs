//! A space on disk whose process can be killed at any step, and copies of it.

use super::repo::fsck;
use super::{Actor, TestSpace, when};
use folio::journal::accept::{self, Report, Witness};
use folio::journal::{Fault, Space};
use folio::model::{ObjectFormat, SpaceId};
use folio::store::{Faulty, GitStore, Index, Script};
use std::fs;
use std::path::Path;
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
        id,
        alice: Actor::new("alice"),
        bob: Actor::new("bob"),
        wanda: Actor::new("wanda"),
    }
}

/// Numbers everything, with the index on disk that a command would use.
pub fn accept(store: &Mortal, format: ObjectFormat) -> Result<Report, Fault> {
    let mut index = Index::open(&store.inner().common_dir().join("folio"), format)?;
    let space = Space::open(store)?;
    let wanda = Actor::new("wanda");
    let witness = Witness {
        signer: &wanda.key,
        when: when(),
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

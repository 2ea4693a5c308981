//! Object directories beside the repository's own: in pre-receive, what is being pushed lies in git's
//! quarantine and becomes part of the repository only if the hook agrees.

use super::hash::to_gix;
use super::{GitStore, PACK_SLOTS, unsupported};
use crate::model::{Code, Oid};
use crate::store::StoreFault;
use crate::store::disk::io_fault;
use std::path::{Path, PathBuf};

/// Object directories that one process reads besides its own: git's quarantine, and its alternates.
const DIRECTORIES: usize = 16;

/// Bytes that no object there may make us allocate, as in the repository itself.
const ALLOCATION: usize = 512 * 1024 * 1024;

impl GitStore {
    /// The same repository, which also sees the objects in these directories and changes nothing any more:
    /// what is written while a push is judged would outlive a refusal. Directories that are not there, and
    /// the repository's own, are left out. They are looked at once, so they have to be complete.
    ///
    /// # Errors
    /// `too-large` for more than 16 directories; `io`.
    pub fn with_objects(mut self, dirs: &[PathBuf]) -> Result<GitStore, StoreFault> {
        let own = self.repo.objects.store_ref().path().to_owned();
        let own = own.canonicalize().unwrap_or(own);
        let mut seen = vec![own];
        for dir in dirs {
            let Ok(dir) = dir.canonicalize() else {
                continue;
            };
            if !dir.is_dir() || seen.contains(&dir) {
                continue;
            }
            if self.extra.len() == DIRECTORIES {
                let what = format!("expected at most {DIRECTORIES} directories of objects");
                return Err(StoreFault::new(Code::TooLarge, what));
            }
            self.extra.push(self.beside(&dir)?);
            seen.push(dir);
        }
        self.glance = super::glance::Glance::default();
        self.read_only = true;
        self.session = None;
        Ok(self)
    }

    /// The repository with another directory of objects in the place of its own.
    fn beside(&self, dir: &Path) -> Result<gix::Repository, StoreFault> {
        let hash = super::hash::gix_kind(self.format);
        let options = gix::odb::store::init::Options {
            slots: gix::odb::store::init::Slots::Given(PACK_SLOTS),
            alloc_limit_bytes: Some(ALLOCATION),
            ..Default::default()
        };
        let opened = gix::odb::at_opts(dir, hash, None, options);
        let handle = opened.map_err(|err| io_fault("read", dir, &err))?;
        let mut repo = self.repo.clone();
        repo.objects = gix::odb::memory::Proxy::new(handle, hash);
        // The first miss looks for packs; no later one does, for most objects are not here.
        let nothing = self.format.id_len();
        let nothing = Oid::from_bytes(&vec![0; nothing]).expect("as long as an id");
        repo.has_object(to_gix(&nothing));
        repo.objects.refresh_never();
        Ok(repo)
    }

    /// The repositories in which an object may lie, the nearest first.
    pub(super) fn places(&self) -> impl Iterator<Item = &gix::Repository> {
        self.extra.iter().chain(std::iter::once(&self.repo))
    }

    /// Nothing is written while another git's objects are only lent.
    pub(super) fn refuse_writing(&self) -> Result<(), StoreFault> {
        match self.read_only {
            true => Err(unsupported("writing while a push is judged".into())),
            false => Ok(()),
        }
    }
}

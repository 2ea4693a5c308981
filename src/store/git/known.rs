//! A quick look at what is here already, for leaving out what need not be written again.
//!
//! Nearly everything that is asked about is new, and to miss an object costs gix a look at the disk for a loose
//! file of its name. So the packs' indexes are searched here, and the disk is asked only about names in directories
//! of loose objects that were there when the look began: in most spaces there are none.

use super::hash::{gix_kind, to_gix};
use crate::model::{ObjectFormat, Oid};
use gix::odb::pack::index;
use std::fs;
use std::path::{Path, PathBuf};

/// What was here at one time. What came since is not known, which costs no more than writing it twice.
#[derive(Clone)]
pub(super) struct Known {
    packs: Vec<std::sync::Arc<index::File>>,
    /// By the first byte of an id, whether there is a directory of loose objects for it.
    loose: [bool; 256],
    repo: gix::Repository,
}

impl Known {
    /// Looks at the repository's objects, and at those of its alternates. What cannot be read is not known.
    pub(super) fn look(repo: &gix::Repository, format: ObjectFormat) -> Self {
        let mut this = Self {
            packs: Vec::new(),
            loose: [false; 256],
            repo: repo.clone(),
        };
        let store = repo.objects.store_ref();
        let mut dirs: Vec<PathBuf> = store.alternate_db_paths().unwrap_or_default();
        dirs.push(store.path().to_owned());
        for dir in &dirs {
            this.look_in(dir, format);
        }
        if this.loose.contains(&true) {
            // The first miss makes gix look for packs; no later one does.
            this.repo.has_object(to_gix(&nothing(format)));
        }
        this.repo.objects.refresh_never();
        this
    }

    fn look_in(&mut self, dir: &Path, format: ObjectFormat) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let digits = name.to_str().filter(|name| name.len() == 2);
            if let Some(first) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                self.loose[usize::from(first)] = true;
            }
        }
        for entry in fs::read_dir(dir.join("pack"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = entry.path();
            let is_whole = || path.with_extension("pack").exists();
            if path.extension().is_some_and(|e| e == "idx")
                && is_whole()
                && let Ok(pack) = index::File::at(&path, gix_kind(format))
            {
                self.packs.push(pack.into());
            }
        }
    }

    /// Whether the object was here.
    pub(super) fn contains(&self, id: &Oid) -> bool {
        let gix_id = to_gix(id);
        let in_pack = |pack: &std::sync::Arc<index::File>| pack.lookup(gix_id).is_some();
        if self.packs.iter().any(in_pack) {
            return true;
        }
        self.loose[usize::from(id.as_bytes()[0])] && self.repo.has_object(gix_id)
    }
}

fn nothing(format: ObjectFormat) -> Oid {
    Oid::from_bytes(&vec![0; format.id_len()]).expect("as long as an id")
}

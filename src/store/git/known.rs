//! A quick look at what is here already, for leaving out what need not be written again.
//!
//! Nearly everything that is asked about is new, and to miss an object costs gix a look at the disk for a loose
//! file of its name. So the packs' indexes are searched here, and the disk is asked only about names in directories
//! of loose objects that were there when the look began: in most spaces there are none.

use super::hash::to_gix;
use super::packs::{PackIndex, packs};
use crate::model::{ObjectFormat, Oid};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What was here at one time. What came since is not known, which costs no more than writing it twice.
#[derive(Clone)]
pub(super) struct Known {
    packs: Vec<Arc<PackIndex>>,
    /// What lies in these may be removed by the next collection: it is not here for good.
    cruft: Vec<Arc<PackIndex>>,
    /// By the first byte of an id, whether there is a directory of loose objects for it.
    loose: [bool; 256],
    repo: gix::Repository,
}

impl Known {
    /// Looks at the repository's objects, and at those of its alternates. What cannot be read is not known.
    pub(super) fn look(repo: &gix::Repository, format: ObjectFormat) -> Self {
        let mut this = Self {
            packs: Vec::new(),
            cruft: Vec::new(),
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
        for pack in packs(&dir.join("pack")).unwrap_or_default() {
            let Ok(index) = PackIndex::open(&pack.path, format) else {
                continue;
            };
            match pack.cruft {
                true => self.cruft.push(index.into()),
                false => self.packs.push(index.into()),
            }
        }
    }

    /// Whether the object was here for good.
    pub(super) fn contains(&self, id: &Oid) -> bool {
        let among = |packs: &[Arc<PackIndex>]| packs.iter().any(|pack| pack.has(id));
        let may_be_loose = self.loose[usize::from(id.as_bytes()[0])];
        let here = among(&self.packs) || may_be_loose && self.repo.has_object(to_gix(id));
        here && !among(&self.cruft)
    }
}

fn nothing(format: ObjectFormat) -> Oid {
    Oid::from_bytes(&vec![0; format.id_len()]).expect("as long as an id")
}

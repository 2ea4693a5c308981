//! A quick look at what is here already, for leaving out what need not be written again.
//!
//! Nearly everything that is asked about is new, and to miss an object costs gix a look at the disk for a loose
//! file of its name. So the packs' indexes are searched here, and the disk is asked only about names in directories
//! of loose objects that were there when the look began: in most spaces there are none.

use super::glance::Glance;
use super::hash::{gix_kind, to_gix};
use super::packs::{Indexes, PackFile, PackIndex, packs};
use super::recent::Recent;
use crate::model::{ObjectFormat, Oid};
use crate::store::pack::Ids;
use gix::odb::loose;
use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Questions that are answered from the few places of an index that each of them needs. Whoever has more has the
/// indexes mapped, which costs a look at all of each, and answers faster then.
const FEW: u32 = 128;

/// Packs beyond which that is done at once: each keeps a file open.
const MANY_PACKS: usize = 128;

/// What was here at one time. What came since is not known, which costs no more than writing it twice.
#[derive(Clone)]
pub(super) struct Known {
    packs: Vec<Arc<Listed>>,
    /// What lies in these may be removed by the next collection: it is not here for good.
    cruft: Vec<Arc<Listed>>,
    /// By the first byte of an id, whether there is a directory of loose objects for it.
    may_be_loose: [bool; 256],
    loose: Vec<loose::Store>,
    indexes: Indexes,
    asked: Cell<u32>,
    /// Neighbours lie in one pack.
    recent: RefCell<Recent>,
}

/// One pack.
struct Listed {
    path: PathBuf,
    format: ObjectFormat,
    ids: Option<Arc<Ids>>,
    mapped: OnceLock<Option<Arc<PackIndex>>>,
}

impl Listed {
    fn open(pack: PackFile, format: ObjectFormat, many: bool, glance: &Glance) -> Self {
        let index = pack.beside("idx");
        let open = || Ids::open(&index, format.id_len()).map(Arc::new);
        let ids = match many {
            true => None,
            false => glance.ids(&index).or_else(open),
        };
        Self {
            path: pack.path,
            format,
            ids,
            mapped: OnceLock::new(),
        }
    }

    fn has(&self, id: &Oid, few: bool, indexes: &Indexes) -> bool {
        if let Some(ids) = self.ids.as_ref().filter(|_| few) {
            return ids.has(id);
        }
        let mapped = self.mapped.get_or_init(|| {
            // What cannot be read is not known.
            indexes.open(&self.path, self.format).ok()
        });
        mapped.as_ref().is_some_and(|index| index.has(id))
    }
}

impl Known {
    /// Looks at the repository's objects, and at those of its alternates. What cannot be read is not known.
    pub(super) fn look(
        repo: &gix::Repository,
        format: ObjectFormat,
        glance: &Glance,
        indexes: &Indexes,
    ) -> Self {
        let mut this = Self {
            packs: Vec::new(),
            cruft: Vec::new(),
            may_be_loose: [false; 256],
            loose: Vec::new(),
            indexes: indexes.clone(),
            asked: Cell::new(0),
            recent: RefCell::default(),
        };
        let store = repo.objects.store_ref();
        let mut dirs = vec![store.path().to_owned()];
        if store.path().join("info/alternates").exists() {
            dirs.extend(store.alternate_db_paths().unwrap_or_default());
        }
        for dir in &dirs {
            this.look_in(dir, format, glance);
        }
        this.recent = RefCell::new(Recent::new(this.packs.len()));
        this
    }

    fn look_in(&mut self, dir: &Path, format: ObjectFormat, glance: &Glance) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let digits = name.to_str().filter(|name| name.len() == 2);
            if let Some(first) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                self.may_be_loose[usize::from(first)] = true;
            }
        }
        self.loose.push(loose::Store::at(dir, gix_kind(format)));
        let packs = packs(&dir.join("pack")).unwrap_or_default();
        let many = packs.len() > MANY_PACKS;
        for pack in packs {
            let cruft = pack.cruft;
            let listed = Arc::new(Listed::open(pack, format, many, glance));
            match cruft {
                true => self.cruft.push(listed),
                false => self.packs.push(listed),
            }
        }
    }

    /// Whether the object was here for good.
    pub(super) fn contains(&self, id: &Oid) -> bool {
        let asked = self.asked.get().saturating_add(1);
        self.asked.set(asked);
        let few = asked <= FEW;
        let has = |at: usize| self.packs[at].has(id, few, &self.indexes).then_some(());
        let found = self.recent.borrow_mut().find(has);
        let here = found.is_some() || self.is_loose(id);
        here && !self
            .cruft
            .iter()
            .any(|pack| pack.has(id, few, &self.indexes))
    }

    fn is_loose(&self, id: &Oid) -> bool {
        let may_be = self.may_be_loose[usize::from(id.as_bytes()[0])];
        may_be && self.loose.iter().any(|dir| dir.contains(&to_gix(id)))
    }
}

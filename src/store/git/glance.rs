//! The first objects that a process asks for, without a look at every index as a whole.
//!
//! gix reads all offsets of an index when it opens it, and opens one after the other until it finds what it looks
//! for. A command that reads ten of a million objects would spend most of its time on that. Here an index is read at
//! the few places that a look-up needs. What is not found so, or is not as it should be, is left to gix, whose words
//! are heard then; and so is whoever reads many objects, and each thread but the first.

use super::hash::{gix_kind, to_gix};
use super::objects::our_kind;
use crate::model::{ObjectFormat, Oid};
use crate::store::Kind;
use crate::store::pack::Ids;
use gix::odb::loose;
use gix::odb::pack::{cache, data};
use std::cell::{OnceCell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Objects that are looked for here before all others are left to gix.
const FEW: u32 = 1024;

/// Packs beyond which it is not tried: each keeps a file open.
const MANY_PACKS: usize = 128;

/// Bytes that a delta and what it is based on may take, as for all objects.
const MOST: usize = 512 * 1024 * 1024;

/// One handle's. A clone of it leaves everything to gix: it is made for a thread that does a part of much work.
pub(super) struct Glance(RefCell<State>);

enum State {
    Unused,
    Open(Box<Places>),
    Over,
}

struct Places {
    format: ObjectFormat,
    /// Directories of objects: the repository's own, and those that are lent.
    dirs: Vec<PathBuf>,
    loose: Vec<loose::Store>,
    packs: Vec<Pack>,
    /// Where the last object was: the next is often in the same pack.
    last: usize,
    left: u32,
    inflate: gix::zlib::Inflate,
}

/// Where an object lies.
enum Place {
    Loose(usize, gix::ObjectId),
    Packed(usize, data::Entry),
}

struct Pack {
    /// `<dir>/pack/pack-<checksum>.idx`.
    path: PathBuf,
    /// Opened when it is first looked into; none where it cannot be read.
    ids: OnceCell<Option<Arc<Ids>>>,
    data: Option<data::File<gix::odb::pack::MMap>>,
}

impl Pack {
    fn ids(&self, format: ObjectFormat) -> Option<&Arc<Ids>> {
        let open = || Ids::open(&self.path, format.id_len()).map(Arc::new);
        self.ids.get_or_init(open).as_ref()
    }
}

impl Default for Glance {
    fn default() -> Self {
        Self(RefCell::new(State::Unused))
    }
}

impl Clone for Glance {
    fn clone(&self) -> Self {
        Self(RefCell::new(State::Over))
    }
}

impl Glance {
    /// Whether it leaves everything to others by now.
    pub(super) fn is_over(&self) -> bool {
        matches!(*self.0.borrow(), State::Over)
    }

    /// Kind and size of an object, in the directories of objects that `dirs` names when it is first asked; `None` leaves
    /// the answer to gix.
    pub(super) fn header(
        &self,
        dirs: impl FnOnce() -> Vec<PathBuf>,
        id: &Oid,
    ) -> Option<(Kind, u64)> {
        self.with(dirs, id.format(), |places| places.header(id))
    }

    /// The contents of an object of this kind and of at most `max` bytes, which are yet to be compared with its id;
    /// `None` leaves the answer to gix.
    pub(super) fn read(
        &self,
        dirs: impl FnOnce() -> Vec<PathBuf>,
        id: &Oid,
        kind: Kind,
        max: u64,
    ) -> Option<Vec<u8>> {
        self.with(dirs, id.format(), |places| places.read(id, kind, max))
    }

    /// The ids of a pack that is known here, which are read once then.
    pub(super) fn ids(&self, index: &Path) -> Option<Arc<Ids>> {
        let State::Open(places) = &*self.0.borrow() else {
            return None;
        };
        let mut packs = places.packs.iter();
        let found = packs.find(|pack| pack.path == index)?;
        found.ids(places.format).cloned()
    }

    fn with<R>(
        &self,
        dirs: impl FnOnce() -> Vec<PathBuf>,
        format: ObjectFormat,
        work: impl FnOnce(&mut Places) -> Option<R>,
    ) -> Option<R> {
        let mut state = self.0.borrow_mut();
        if matches!(*state, State::Unused) {
            *state = State::Open(Places::new(dirs(), format).into());
        }
        let State::Open(places) = &mut *state else {
            return None;
        };
        let found = work(places);
        places.left = places.left.saturating_sub(1);
        if places.left == 0 || places.packs.len() > MANY_PACKS {
            *state = State::Over;
        }
        found
    }
}

impl Places {
    fn new(dirs: Vec<PathBuf>, format: ObjectFormat) -> Self {
        let limits = loose::Options {
            alloc_limit_bytes: Some(MOST),
            ..Default::default()
        };
        let loose = dirs.iter();
        let loose = loose.map(|dir| loose::Store::at_opts(dir, gix_kind(format), limits));
        let mut places = Self {
            format,
            loose: loose.collect(),
            dirs,
            packs: Vec::new(),
            last: 0,
            left: FEW,
            inflate: gix::zlib::Inflate::default(),
        };
        places.refresh();
        places
    }

    /// Finds what came since, the newest first: what is asked for is most often what was written last. Says whether
    /// anything did.
    fn refresh(&mut self) -> bool {
        let before = self.packs.len();
        let dirs = self.dirs.iter();
        let listed = dirs.filter_map(|dir| fs::read_dir(dir.join("pack")).ok());
        let mut new = Vec::new();
        for entry in listed.flatten().flatten() {
            let path = entry.path();
            let known = |pack: &Pack| pack.path == path;
            if path.extension().is_none_or(|end| end != "idx") || self.packs.iter().any(known) {
                continue;
            }
            let time = entry.metadata().and_then(|meta| meta.modified()).ok();
            new.push((time, path));
        }
        new.sort_by(|a, b| b.cmp(a));
        new.truncate((MANY_PACKS + 1).saturating_sub(before));
        self.packs.extend(new.into_iter().map(|(_, path)| Pack {
            path,
            ids: OnceCell::new(),
            data: None,
        }));
        self.packs.len() > before
    }

    fn find_from(&self, id: &Oid, from: usize) -> Option<(usize, u64)> {
        let last = Some(self.last).filter(|last| (from..self.packs.len()).contains(last));
        let others = (from..self.packs.len()).filter(|at| Some(*at) != last);
        let mut places = last.into_iter().chain(others);
        places.find_map(|at| Some((at, self.packs[at].ids(self.format)?.offset(id)?)))
    }

    fn place(&mut self, id: &Oid) -> Option<Place> {
        if let Some(found) = self.find_from(id, 0) {
            return self.entry(found);
        }
        let name = to_gix(id);
        if let Some(at) = self.loose.iter().position(|dir| dir.contains(&name)) {
            return Some(Place::Loose(at, name));
        }
        let before = self.packs.len();
        let came = self.refresh().then(|| self.find_from(id, before));
        self.entry(came.flatten()?)
    }

    fn entry(&mut self, (at, offset): (usize, u64)) -> Option<Place> {
        self.last = at;
        let pack = &mut self.packs[at];
        if pack.data.is_none() {
            let file = data::File::at(pack.path.with_extension("pack"), gix_kind(self.format));
            pack.data = Some(file.ok()?.with_alloc_limit_bytes(Some(MOST)));
        }
        let entry = pack.data.as_ref()?.entry(offset).ok()?;
        Some(Place::Packed(at, entry))
    }

    fn header(&mut self, id: &Oid) -> Option<(Kind, u64)> {
        let place = self.place(id)?;
        self.header_at(&place)
    }

    fn header_at(&mut self, place: &Place) -> Option<(Kind, u64)> {
        match place {
            Place::Loose(at, id) => {
                let (size, kind) = self.loose[*at].try_header(id).ok()??;
                Some((our_kind(kind), size))
            }
            Place::Packed(at, entry) => {
                let data = self.packs[*at].data.as_ref()?;
                let header = data.decode_header(entry.clone(), &mut self.inflate, &|_| Ok(None));
                let header = header.ok()?;
                Some((our_kind(header.kind), header.object_size))
            }
        }
    }

    fn read(&mut self, id: &Oid, kind: Kind, max: u64) -> Option<Vec<u8>> {
        let place = self.place(id)?;
        // The size is looked at before anything is allocated.
        let (found, size) = self.header_at(&place)?;
        if found != kind || size > max {
            return None;
        }
        let mut bytes = Vec::new();
        match place {
            Place::Loose(at, id) => {
                self.loose[at].try_find(&id, &mut bytes).ok()??;
            }
            Place::Packed(at, entry) => {
                let data = self.packs[at].data.as_ref()?;
                let base = &|_: &gix::oid, _: &mut Vec<u8>| Ok(None);
                let inflate = &mut self.inflate;
                let read = data.decode_entry(entry, &mut bytes, inflate, base, &mut cache::Never);
                read.ok()?;
            }
        }
        Some(bytes)
    }
}

//! Objects: read with gix, written as packs of ours.

use super::hash::to_gix;
use super::known::Known;
use super::{Bring, GitStore, checked_id, object_id};
use crate::model::{Code, ObjectFormat, Oid};
use crate::store::{self, Kind, Objects, StoreFault, pack};

impl Objects for GitStore {
    fn format(&self) -> ObjectFormat {
        self.format
    }

    fn read(&self, id: &Oid, kind: Kind, max: u64) -> Result<Vec<u8>, StoreFault> {
        self.check_format(id)?;
        let bytes = match self.glance.is_over() {
            false => self.glance.read(|| self.object_dirs(), id, kind, max),
            true => self.read_near(id, kind, max),
        };
        // git and gix trust an index about what lies where; a copied or merged repository may lie.
        if let Some(bytes) = bytes
            && checked_id(self.format, kind, &bytes).is_ok_and(|found| found == *id)
        {
            return Ok(bytes);
        }
        let place = match self.place_of(id)? {
            None if self.bring_missing(id) => self.place_of(id)?,
            place => place,
        };
        let Some((repo, found, size)) = place else {
            return Err(store::missing(id));
        };
        store::check_header(id, (found, size), kind, max)?;
        let bytes = match repo.try_find_object(to_gix(id)) {
            Ok(Some(object)) => object.detach().data,
            Ok(None) => return Err(store::missing(id)),
            Err(err) => return Err(damaged(id, &err.to_string())),
        };
        if checked_id(self.format, kind, &bytes)? != *id {
            return Err(damaged(id, "its contents have another id"));
        }
        Ok(bytes)
    }

    fn header(&self, id: &Oid) -> Result<Option<(Kind, u64)>, StoreFault> {
        self.check_format(id)?;
        match self.glance.header(|| self.object_dirs(), id) {
            None => Ok(self.place_of(id)?.map(|(_, kind, size)| (kind, size))),
            found => Ok(found),
        }
    }

    fn is_known(&self, id: &Oid) -> bool {
        // What is left out because of this answer must stay until a ref names it. Where that cannot be had,
        // nothing can be written either, and writing says why.
        self.begin_writing().ok();
        let mut quick = self.quick.borrow_mut();
        let quick = quick.get_or_insert_with(|| {
            Known::look(&self.repo, self.format, &self.glance, &self.indexes)
        });
        quick.contains(id)
    }

    fn is_partial(&self) -> bool {
        self.bring.is_some()
    }

    fn id_of(&self, kind: Kind, bytes: &[u8]) -> Oid {
        object_id(self.format, kind, bytes)
    }

    fn write_all(&self, objects: &[(Oid, Kind, Vec<u8>)]) -> Result<(), StoreFault> {
        self.refuse_writing()?;
        let Some((first, ..)) = objects.first() else {
            return Ok(());
        };
        self.check_format(first)?;
        self.begin_writing()?;
        let mut new = Vec::with_capacity(objects.len());
        for (id, kind, bytes) in objects {
            self.check_format(id)?;
            if !self.is_known(id) {
                new.push(pack::Entry {
                    id: *id,
                    kind: *kind,
                    bytes,
                });
            }
        }
        // The quick look does not know of the pack that is coming.
        self.quick.take();
        pack::write(&self.pack_dir(), self.format, &new, &*self.steps)?;
        Ok(())
    }

    fn prepare(&self, parcel: pack::Parcel) -> Result<Box<dyn store::Unnamed + '_>, StoreFault> {
        self.refuse_writing()?;
        if parcel.format() != self.format {
            let (ours, theirs) = (self.format.as_str(), parcel.format().as_str());
            let what = format!("expected {ours} ids, found {theirs} ids");
            return Err(StoreFault::new(Code::BadRequest, what));
        }
        self.begin_writing()?;
        self.quick.take();
        // Nor do readers, and what is new is asked for first once it has its name.
        self.near.take();
        pack::prepare(&self.pack_dir(), parcel, &*self.steps)
    }
}

impl GitStore {
    /// The same repository, which asks `bring` for an object that it was to read and that is not here: in a
    /// partial clone git can fetch it.
    #[must_use]
    pub fn with_missing(mut self, bring: Bring) -> GitStore {
        self.bring = Some(bring);
        self
    }

    fn bring_missing(&self, id: &Oid) -> bool {
        self.bring.as_ref().is_some_and(|bring| bring(id))
    }

    /// Where an object lies, with its kind and size.
    fn place_of(&self, id: &Oid) -> Result<Option<(&gix::Repository, Kind, u64)>, StoreFault> {
        self.check_format(id)?;
        for repo in self.places() {
            let found = repo.try_find_header(to_gix(id));
            let found = found.map_err(|err| damaged(id, &err.to_string()))?;
            if let Some(header) = found {
                return Ok(Some((repo, our_kind(header.kind()), header.size())));
            }
        }
        Ok(None)
    }

    /// Ids of the other object format name nothing here.
    pub(super) fn check_format(&self, id: &Oid) -> Result<(), StoreFault> {
        if id.format() == self.format {
            return Ok(());
        }
        let (ours, theirs) = (self.format.as_str(), id.format().as_str());
        let what = format!("expected a {ours} id, found the {theirs} id {id}");
        Err(StoreFault::new(Code::BadRequest, what))
    }
}

fn damaged(id: &Oid, why: &str) -> StoreFault {
    StoreFault::new(
        Code::ObjectDamaged,
        format!("object {id} cannot be read: {why}"),
    )
}

pub(super) fn our_kind(kind: gix::object::Kind) -> Kind {
    match kind {
        gix::object::Kind::Blob => Kind::Blob,
        gix::object::Kind::Tree => Kind::Tree,
        gix::object::Kind::Commit => Kind::Commit,
        gix::object::Kind::Tag => Kind::Tag,
    }
}

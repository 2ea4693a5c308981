//! A store that keeps what is written until it is told to pass it on, as one pack: a sync for each page would be
//! most of the time of making a space.

use folio::model::{ObjectFormat, Oid};
use folio::store::{Kind, Objects, StoreFault};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A new object.
pub type Object = (Oid, Kind, Vec<u8>);

/// The objects of another store, with new ones on top. Clones share the new ones.
#[derive(Clone)]
pub struct Held<S> {
    below: S,
    new: Arc<RwLock<New>>,
}

#[derive(Default)]
struct New {
    objects: Vec<Object>,
    places: HashMap<Oid, usize>,
}

impl New {
    fn get(&self, id: &Oid) -> Option<&Object> {
        self.places.get(id).map(|at| &self.objects[*at])
    }
}

impl<S: Objects> Held<S> {
    pub fn new(below: S) -> Self {
        Self {
            below,
            new: Arc::default(),
        }
    }

    fn look<T>(&self, at: impl FnOnce(&New) -> T) -> T {
        at(&self.new.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, how: impl FnOnce(&mut New) -> T) -> T {
        how(&mut self.new.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Passes everything on. Other clones find it here until it is there.
    pub fn flush(&self) -> Result<(), StoreFault> {
        self.look(|new| self.below.write_all(&new.objects))?;
        self.take();
        Ok(())
    }

    /// What is new, which is not here any more.
    pub fn take(&self) -> Vec<Object> {
        self.change(std::mem::take).objects
    }
}

impl<S: Objects> Objects for Held<S> {
    fn format(&self) -> ObjectFormat {
        self.below.format()
    }

    fn read(&self, id: &Oid, kind: Kind, max: u64) -> Result<Vec<u8>, StoreFault> {
        let fits = |object: &&Object| object.1 == kind && object.2.len() as u64 <= max;
        let found = self.look(|new| new.get(id).filter(fits).map(|object| object.2.clone()));
        found.map_or_else(|| self.below.read(id, kind, max), Ok)
    }

    fn header(&self, id: &Oid) -> Result<Option<(Kind, u64)>, StoreFault> {
        let header = |object: &Object| (object.1, object.2.len() as u64);
        match self.look(|new| new.get(id).map(header)) {
            Some(found) => Ok(Some(found)),
            None => self.below.header(id),
        }
    }

    fn is_known(&self, id: &Oid) -> bool {
        // What lies below already is asked for once, when all of it is passed on.
        self.look(|new| new.places.contains_key(id))
    }

    fn id_of(&self, kind: Kind, bytes: &[u8]) -> Oid {
        self.below.id_of(kind, bytes)
    }

    fn write_all(&self, objects: &[Object]) -> Result<(), StoreFault> {
        self.change(|new| {
            for object in objects {
                if !new.places.contains_key(&object.0) {
                    let at = new.objects.len();
                    new.places.insert(object.0, at);
                    new.objects.push(object.clone());
                }
            }
        });
        Ok(())
    }
}

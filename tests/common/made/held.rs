//! A store that keeps what is written until it is told to pass it on, as one pack: a sync for each page would be
//! most of the time of making a space.

use folio::model::{ObjectFormat, Oid};
use folio::store::{Kind, Objects, StoreFault};
use std::cell::RefCell;
use std::collections::HashMap;

/// A new object.
type Object = (Oid, Kind, Vec<u8>);

/// The objects of another store, with new ones on top.
pub struct Held<'s, S> {
    below: &'s S,
    new: RefCell<New>,
}

#[derive(Default)]
struct New {
    objects: Vec<Object>,
    places: HashMap<Oid, usize>,
}

impl<'s, S: Objects> Held<'s, S> {
    pub fn new(below: &'s S) -> Self {
        Self {
            below,
            new: RefCell::default(),
        }
    }

    /// Passes everything on.
    pub fn flush(&self) -> Result<(), StoreFault> {
        let New { objects, .. } = self.new.take();
        self.below.write_all(&objects)
    }
}

impl<S: Objects> Objects for Held<'_, S> {
    fn format(&self) -> ObjectFormat {
        self.below.format()
    }

    fn read(&self, id: &Oid, kind: Kind, max: u64) -> Result<Vec<u8>, StoreFault> {
        let new = self.new.borrow();
        match new.places.get(id).map(|at| &new.objects[*at]) {
            Some((_, found, bytes)) if *found == kind && bytes.len() as u64 <= max => {
                Ok(bytes.clone())
            }
            _ => self.below.read(id, kind, max),
        }
    }

    fn header(&self, id: &Oid) -> Result<Option<(Kind, u64)>, StoreFault> {
        let new = self.new.borrow();
        match new.places.get(id).map(|at| &new.objects[*at]) {
            Some((_, kind, bytes)) => Ok(Some((*kind, bytes.len() as u64))),
            None => self.below.header(id),
        }
    }

    fn is_known(&self, id: &Oid) -> bool {
        self.new.borrow().places.contains_key(id) || self.below.is_known(id)
    }

    fn id_of(&self, kind: Kind, bytes: &[u8]) -> Oid {
        self.below.id_of(kind, bytes)
    }

    fn write_all(&self, objects: &[Object]) -> Result<(), StoreFault> {
        let mut new = self.new.borrow_mut();
        for object in objects {
            if !new.places.contains_key(&object.0) {
                let at = new.objects.len();
                new.places.insert(object.0, at);
                new.objects.push(object.clone());
            }
        }
        Ok(())
    }
}

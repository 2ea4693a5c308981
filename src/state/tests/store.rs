//! Objects in memory that count how often they are asked.

use crate::model::{Code, ObjectFormat, Oid};
use crate::store::{Kind, Objects, StoreFault, id_of};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

#[derive(Debug, Default, Clone)]
pub(super) struct Memory {
    objects: RefCell<HashMap<Oid, (Kind, Vec<u8>)>>,
    pub(super) reads: Cell<usize>,
    pub(super) headers: Cell<usize>,
    /// Blobs that were given a name.
    pub(super) named: Cell<usize>,
    /// As many trees.
    pub(super) trees: Cell<usize>,
}

impl Memory {
    /// Writes one object and names it.
    pub(super) fn put(&self, kind: Kind, bytes: &[u8]) -> Oid {
        let id = self.id_of(kind, bytes);
        self.objects.borrow_mut().insert(id, (kind, bytes.to_vec()));
        id
    }

    /// How many objects it has.
    pub(super) fn len(&self) -> usize {
        self.objects.borrow().len()
    }
}

impl Objects for Memory {
    fn format(&self) -> ObjectFormat {
        ObjectFormat::Sha1
    }

    fn read(&self, id: &Oid, kind: Kind, max: u64) -> Result<Vec<u8>, StoreFault> {
        self.reads.set(self.reads.get() + 1);
        let objects = self.objects.borrow();
        let fault = |code: Code| Err(StoreFault::new(code, format!("{code}: {id}")));
        match objects.get(id) {
            None => fault(Code::ObjectMissing),
            Some((found, _)) if *found != kind => fault(Code::ObjectDamaged),
            Some((_, bytes)) if bytes.len() as u64 > max => fault(Code::TooLarge),
            Some((_, bytes)) => Ok(bytes.clone()),
        }
    }

    fn header(&self, id: &Oid) -> Result<Option<(Kind, u64)>, StoreFault> {
        self.headers.set(self.headers.get() + 1);
        let objects = self.objects.borrow();
        Ok(objects
            .get(id)
            .map(|(kind, bytes)| (*kind, bytes.len() as u64)))
    }

    fn is_known(&self, id: &Oid) -> bool {
        self.header(id).is_ok_and(|found| found.is_some())
    }

    fn id_of(&self, kind: Kind, bytes: &[u8]) -> Oid {
        match kind {
            Kind::Blob => self.named.set(self.named.get() + 1),
            _ => self.trees.set(self.trees.get() + 1),
        }
        id_of(self.format(), kind, bytes)
    }

    fn write_all(&self, objects: &[(Oid, Kind, Vec<u8>)]) -> Result<(), StoreFault> {
        for (id, kind, bytes) in objects {
            assert_eq!(self.put(*kind, bytes), *id);
        }
        Ok(())
    }
}

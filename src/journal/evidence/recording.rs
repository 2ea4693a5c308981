//! A store as somebody reads it: what was read is kept, and what was looked for in vain is noticed.

use crate::codec::evidence::Part;
use crate::model::{Code, ObjectFormat, Oid, limits};
use crate::store::{Kind, Objects, StoreFault};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// Passes every question on. It owns up to knowing no object, so that a check stages what it makes and
/// reads what it needs, in the same way over a whole repository and over the few objects of a file.
pub(super) struct Recording<'s, S: Objects> {
    inner: &'s S,
    seen: RefCell<BTreeMap<Oid, (Part, Vec<u8>)>>,
    bytes: Cell<usize>,
    missed: Cell<bool>,
    full: Cell<bool>,
}

impl<'s, S: Objects> Recording<'s, S> {
    pub(super) fn new(inner: &'s S) -> Self {
        Self {
            inner,
            seen: RefCell::default(),
            bytes: Cell::new(0),
            missed: Cell::new(false),
            full: Cell::new(false),
        }
    }

    /// Whether something that was asked for could not be read: what was concluded without it is worth
    /// nothing.
    pub(super) fn missed(&self) -> bool {
        self.missed.get()
    }

    /// Whether more was read than one file may hold.
    pub(super) fn is_full(&self) -> bool {
        self.full.get()
    }

    /// What was read, sorted as a file has it.
    pub(super) fn into_objects(self) -> Vec<(Part, Vec<u8>)> {
        let mut objects: Vec<_> = self.seen.into_inner().into_values().collect();
        objects.sort();
        objects
    }

    fn keep(&self, id: &Oid, kind: Kind, bytes: &[u8]) {
        let part = match kind {
            Kind::Blob => Part::Blob,
            Kind::Tree => Part::Tree,
            Kind::Commit => Part::Commit,
            // A tag is part of no page.
            Kind::Tag => return self.missed.set(true),
        };
        let mut seen = self.seen.borrow_mut();
        if seen.contains_key(id) {
            return;
        }
        let total = self.bytes.get().saturating_add(bytes.len());
        if total > limits::EVIDENCE_BYTES || seen.len() >= limits::EVIDENCE_OBJECTS {
            return self.full.set(true);
        }
        self.bytes.set(total);
        seen.insert(*id, (part, bytes.to_vec()));
    }
}

impl<S: Objects> Objects for Recording<'_, S> {
    fn format(&self) -> ObjectFormat {
        self.inner.format()
    }

    fn read(&self, id: &Oid, kind: Kind, max: u64) -> Result<Vec<u8>, StoreFault> {
        let read = self.inner.read(id, kind, max);
        match &read {
            Ok(bytes) => self.keep(id, kind, bytes),
            // An object of another kind or size is there, and its id says what it is; but a file could not
            // hold it within bounds, so it counts as not seen.
            Err(_) => self.missed.set(true),
        }
        read
    }

    fn header(&self, id: &Oid) -> Result<Option<(Kind, u64)>, StoreFault> {
        // No check asks for headers. One that did would need the objects in the file.
        let found = self.inner.header(id);
        self.missed.set(true);
        found
    }

    fn is_known(&self, _: &Oid) -> bool {
        false
    }

    fn id_of(&self, kind: Kind, bytes: &[u8]) -> Oid {
        self.inner.id_of(kind, bytes)
    }

    fn write_all(&self, _: &[(Oid, Kind, Vec<u8>)]) -> Result<(), StoreFault> {
        let what = "a check of evidence writes nothing";
        Err(StoreFault::new(Code::Unsupported, what))
    }
}

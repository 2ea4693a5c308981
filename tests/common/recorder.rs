//! A store that remembers what is written to it and what is read from it.

use folio::model::{ObjectFormat, Oid};
use folio::store::{Kind, Objects, RefEdit, Refs, StoreFault};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What went through.
#[derive(Debug, Default)]
pub struct Seen {
    pub written: BTreeMap<Oid, (Kind, Vec<u8>)>,
    pub reads: u64,
    pub bytes: u64,
}

#[derive(Clone)]
pub struct Recorder<S> {
    inner: S,
    pub seen: Arc<Mutex<Seen>>,
}

impl<S> Recorder<S> {
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            seen: Arc::default(),
        }
    }

    /// Reads and bytes since the last call.
    pub fn take_reads(&self) -> (u64, u64) {
        let mut seen = self.seen.lock().unwrap();
        (
            std::mem::take(&mut seen.reads),
            std::mem::take(&mut seen.bytes),
        )
    }
}

impl<S: Objects> Objects for Recorder<S> {
    fn format(&self) -> ObjectFormat {
        self.inner.format()
    }

    fn read(&self, id: &Oid, kind: Kind, max: u64) -> Result<Vec<u8>, StoreFault> {
        let read = self.inner.read(id, kind, max);
        let mut seen = self.seen.lock().unwrap();
        seen.reads += 1;
        seen.bytes += read.as_ref().map_or(0, |bytes| bytes.len() as u64);
        read
    }

    fn header(&self, id: &Oid) -> Result<Option<(Kind, u64)>, StoreFault> {
        self.inner.header(id)
    }

    fn is_known(&self, id: &Oid) -> bool {
        self.inner.is_known(id)
    }

    fn id_of(&self, kind: Kind, bytes: &[u8]) -> Oid {
        self.inner.id_of(kind, bytes)
    }

    fn write_all(&self, objects: &[(Oid, Kind, Vec<u8>)]) -> Result<(), StoreFault> {
        let own = objects
            .iter()
            .map(|(id, kind, bytes)| (*id, (*kind, bytes.clone())));
        self.seen.lock().unwrap().written.extend(own);
        self.inner.write_all(objects)
    }
}

impl<S: Refs> Refs for Recorder<S> {
    fn get(&self, name: &str) -> Result<Option<Oid>, StoreFault> {
        self.inner.get(name)
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, Oid)>, StoreFault> {
        self.inner.list(prefix)
    }

    fn apply(&self, edits: &[RefEdit]) -> Result<(), StoreFault> {
        self.inner.apply(edits)
    }
}

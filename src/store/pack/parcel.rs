//! Objects made ready for a pack while others are still being made, so that writing them is all that is left to do.

use super::packer::{Entries, Packer};
use super::zip::{AT_ONCE, Zip};
use super::{BATCH_DEPTH, Writer, idx, order};
use crate::cores;
use crate::model::{ObjectFormat, Oid};
use crate::store::unnamed::{Later, Unnamed};
use crate::store::{Bytes, Kind, Steps, StoreFault};
use std::collections::HashSet;
use std::path::Path;

/// To sort so many entries is worth a thread.
const MANY: usize = 2048;

/// An object that others may hold too.
pub type Shared = (Oid, Kind, Bytes);

/// Objects on their way into one pack, each once. They are compressed as they come, in memory; nothing is on disk before
/// [`Objects::prepare`](crate::store::Objects::prepare).
pub struct Parcel {
    format: ObjectFormat,
    seen: HashSet<Oid>,
    zip: Zip,
    /// By kind, as they follow each other in the pack.
    sections: [Section; 4],
}

/// The objects of one kind. Only they are deltas of each other, so where the section begins in the pack is no matter.
struct Section {
    packer: Packer<Packed>,
    objects: Vec<Shared>,
}

/// The entries of a section, in one piece of memory.
#[derive(Default)]
struct Packed {
    bytes: Vec<u8>,
    placed: Vec<idx::Placed>,
}

impl Entries for Packed {
    fn offset(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn add(&mut self, id: Oid, parts: &[&[u8]]) -> Result<(), StoreFault> {
        let offset = self.offset();
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        let mut crc = flate2::Crc::new();
        crc.update(&self.bytes[offset as usize..]);
        let crc = crc.sum();
        self.placed.push(idx::Placed { id, offset, crc });
        Ok(())
    }
}

impl Parcel {
    /// For about so many objects of each kind.
    pub fn new(format: ObjectFormat, objects: usize) -> Self {
        let section = || Section {
            packer: Packer::new(Packed::default(), objects, BATCH_DEPTH),
            objects: Vec::new(),
        };
        Self {
            format,
            seen: HashSet::new(),
            zip: Zip::new(),
            sections: [section(), section(), section(), section()],
        }
    }

    /// Adds objects, whose ids must be those of their contents. What is in it already is left out.
    ///
    /// # Errors
    /// None today: it is memory that they are written to.
    pub fn add(&mut self, objects: impl IntoIterator<Item = Shared>) -> Result<(), StoreFault> {
        for object in objects {
            if self.seen.insert(object.0) {
                let nth = usize::from(order(object.1));
                self.sections[nth].objects.push(object);
            }
        }
        let Self { format, zip, .. } = self;
        let mut sections = self.sections.iter_mut();
        sections.try_for_each(|section| section.pack(*format, zip))
    }

    /// The objects as they are, for a store that keeps no packs.
    pub fn into_objects(self) -> Vec<(Oid, Kind, Vec<u8>)> {
        let objects = self.sections.into_iter().flat_map(|some| some.objects);
        objects
            .map(|(id, kind, bytes)| (id, kind, bytes.into_vec()))
            .collect()
    }

    /// Of which hash the ids are.
    pub(in crate::store) fn format(&self) -> ObjectFormat {
        self.format
    }
}

impl Section {
    /// Compresses what came last.
    fn pack(&mut self, format: ObjectFormat, zip: &mut Zip) -> Result<(), StoreFault> {
        let Self { packer, objects } = self;
        for some in objects[packer.planned()..].chunks(AT_ONCE) {
            let items = some.iter().map(|(id, kind, bytes)| {
                packer.plan(format, (*id, *kind, &**bytes), |n| &objects[n as usize].2)
            });
            let items: Vec<_> = items.collect();
            packer.write(zip, &items)?;
        }
        Ok(())
    }
}

/// Writes a parcel as one pack into the directory `objects/pack`, where it is yet to get its name: without objects, nothing.
///
/// # Errors
/// Those of [`write`](super::write).
pub fn prepare<'a>(
    dir: &Path,
    parcel: Parcel,
    steps: &'a dyn Steps,
) -> Result<Box<dyn Unnamed + 'a>, StoreFault> {
    let count = parcel.seen.len();
    if count == 0 {
        return Ok(Box::new(Later(|| Ok(()))));
    }
    let mut writer = Writer::create(dir, parcel.format, count, steps)?;
    let (mut all, mut pieces) = (Vec::with_capacity(count), Vec::new());
    let mut from = writer.offset;
    for section in parcel.sections {
        let Packed { bytes, placed } = section.packer.into_entries();
        all.extend(placed.into_iter().map(|placed| {
            let offset = from + placed.offset;
            idx::Placed { offset, ..placed }
        }));
        from += bytes.len() as u64;
        pieces.push(bytes);
    }
    let sort = || {
        idx::sort(&mut all);
        all
    };
    let (sorted, written) = cores::beside(count >= MANY, sort, || {
        pieces.iter().try_for_each(|bytes| writer.put(bytes))
    });
    written?;
    writer.placed = sorted;
    Ok(Box::new(writer.complete()?))
}

#[cfg(test)]
#[path = "parcel_tests.rs"]
mod tests;

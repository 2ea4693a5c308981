//! Whether the bytes that a proposal publishes are at hand, before it is numbered.

use super::ArtifactFault;
use super::reader::Reader;
use super::shelf::Shelf;
use super::shelves::Shelves;
use crate::codec::sheet::Record;
use crate::fold::Decision;
use crate::fold::rules::ArtifactPublish;
use crate::journal::Fault;
use crate::journal::proposal::Proposal;
use crate::model::{Code, ContentDigest, Handle, Slug};
use crate::store::Objects as _;

/// Where the bytes of an artifact are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bytes {
    /// On a shelf of this repository.
    Here,
    /// With the proposal.
    Offered,
    /// Not in this repository.
    Missing,
}

impl Bytes {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Bytes::Here => "here",
            Bytes::Offered => "offered",
            Bytes::Missing => "missing",
        }
    }
}

/// The artifacts that a proposal publishes, in its order.
pub fn published_by(proposal: &Proposal) -> impl Iterator<Item = &ArtifactPublish> {
    let decisions = proposal.decisions().iter();
    decisions.filter_map(|decision| match decision {
        Decision::ArtifactPublish(publish) => Some(publish),
        _ => None,
    })
}

/// Where the bytes of one proposal are looked for.
pub struct Ready<'a> {
    shelves: &'a Shelves,
    offer: Shelf,
}

impl<'a> Ready<'a> {
    /// For the proposal of that name.
    ///
    /// # Errors
    /// `io`.
    pub fn new(shelves: &'a Shelves, author: &Handle, slug: &Slug) -> Result<Self, ArtifactFault> {
        let offer = shelves.offered(author, slug)?;
        Ok(Self { shelves, offer })
    }

    /// Where an artifact's bytes are.
    ///
    /// # Errors
    /// `sheet-malformed`, `io`.
    pub fn bytes(&self, key: &ContentDigest) -> Result<Bytes, ArtifactFault> {
        if self.shelves.find(key)?.is_some() {
            return Ok(Bytes::Here);
        }
        Ok(match self.offer.find(key)? {
            Some(_) => Bytes::Offered,
            None => Bytes::Missing,
        })
    }

    /// Requires the bytes that a decision speaks of, with the size that it names. Those that came with the
    /// proposal are read to their end: whoever sent them may have named them as they liked.
    ///
    /// # Errors
    /// `artifact-missing`; `artifact-mismatch` where they are others than the decision says; `artifact-damaged`
    /// where the copy that is here is broken; `io`.
    pub fn require(&self, publish: &ArtifactPublish) -> Result<(), Fault> {
        let key = &publish.artifact;
        let found = self.shelves.find_surely(key).map_err(to_fault)?;
        if let Some(found) = found {
            let size = found.record.size;
            return require_size(key, publish.size, size).map_err(to_fault);
        }
        let offered = self.offer.find_surely(key).map_err(to_fault)?;
        let Some(record) = offered else {
            let what = format!("the bytes of {key} are neither here nor offered with the proposal");
            return Err(Fault::new(Code::ArtifactMissing, what));
        };
        require_size(key, publish.size, record.size).map_err(to_fault)?;
        self.require_blocks(&record)?;
        match read_all(&self.offer, record.clone()) {
            Err(fault) if fault.code == Code::ArtifactDamaged => Err(self.blame(&record, fault)),
            read => read.map_err(to_fault),
        }
    }

    /// What was fetched in part is no fault of its author's.
    fn require_blocks(&self, record: &Record) -> Result<(), Fault> {
        let Some(store) = self.offer.store() else {
            return Ok(());
        };
        for extent in &record.extents {
            if store.header(&extent.block)?.is_none() {
                let (key, block) = (record.key, extent.block);
                let what = format!("block {block} of {key}, which is offered, is not here yet");
                return Err(Fault::new(Code::ArtifactMissing, what));
            }
        }
        Ok(())
    }

    /// Bytes that are not what the key says are the author's fault if every block is what its id says, and
    /// this repository's otherwise.
    fn blame(&self, record: &Record, fault: ArtifactFault) -> Fault {
        let mut extents = record.extents.iter();
        let broken = extents.find_map(|extent| self.offer.block(&extent.block, true).err());
        match broken {
            Some(broken) => to_fault(ArtifactFault::new(Code::ArtifactDamaged, broken.what)),
            None => Fault::new(Code::ArtifactMismatch, fault.what),
        }
    }
}

/// The bytes of a key are as many as somebody says.
pub(super) fn require_size(
    key: &ContentDigest,
    said: u64,
    found: u64,
) -> Result<(), ArtifactFault> {
    match found == said {
        true => Ok(()),
        false => {
            let what = format!("{key}: expected {said} bytes, as the decision says, found {found}");
            Err(ArtifactFault::new(Code::ArtifactMismatch, what))
        }
    }
}

fn read_all(shelf: &Shelf, record: Record) -> Result<(), ArtifactFault> {
    let mut reader = Reader::open(shelf, record)?;
    while reader.piece()?.is_some() {}
    Ok(())
}

fn to_fault(fault: ArtifactFault) -> Fault {
    Fault::new(fault.code, fault.what)
}

//! What a key has signed: remembered before the signature goes anywhere, so that no two different pages are
//! ever signed for one number and epoch. Where it is kept is for an adapter to say.

use super::fault::Fault;
use super::page::Page;
use crate::crypto::seal;
use crate::model::{ChainDigest, Code, Epoch, Number, Oid, PublicKey, SpaceId};
use crate::store::{Bytes, Later, StoreFault, Unnamed};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

/// Whose memory: one key in one space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hand {
    /// The space.
    pub space: SpaceId,
    /// The key that signs its pages.
    pub key: PublicKey,
}

/// A page that was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Its epoch.
    pub epoch: Epoch,
    /// Its number.
    pub number: Number,
    /// Its commit.
    pub commit: Oid,
    /// The chain digest in it.
    pub chain: ChainDigest,
}

impl Mark {
    /// Of a page.
    pub fn of(page: &Page) -> Self {
        Self {
            epoch: page.message.epoch,
            number: page.number(),
            commit: page.id,
            chain: page.message.chain,
        }
    }

    /// By what marks are ordered: the epoch first.
    pub fn rank(&self) -> (Epoch, Number) {
        (self.epoch, self.number)
    }
}

/// The higher of two.
#[must_use]
pub fn higher(a: Option<Mark>, b: Option<Mark>) -> Option<Mark> {
    a.into_iter().chain(b).max_by_key(Mark::rank)
}

/// Pages that were signed together, oldest first; they are published together or not at all.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The last of them.
    pub last: Mark,
    /// The exact bytes of their commits.
    pub commits: Vec<Bytes>,
}

/// What a memory holds of one hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recalled {
    /// The highest page ever signed.
    pub highest: Option<Mark>,
    /// The last page of each batch that is kept whole, the lowest first: the one that was signed last, and
    /// whatever else was never put away. Whether they are published, `main` says.
    pub batches: Vec<Mark>,
    /// The last pages of batches that were put away as lost.
    pub lost: Vec<Oid>,
}

/// The right to sign, ended by dropping it.
pub type Turn = Box<dyn Any>;

/// Where it is remembered what a key has signed. What is asked for under a [`Turn`] cannot be changed by
/// anybody else meanwhile.
pub trait SignerMemory {
    /// Waits until nobody else signs with this memory. A process that dies gives its turn up.
    fn turn(&self, hand: &Hand) -> Result<Turn, StoreFault>;

    /// What is remembered of a hand. What cannot be read is a fault and never "nothing".
    fn recall(&self, hand: &Hand) -> Result<Recalled, StoreFault>;

    /// The batch that ends in a page.
    fn batch(&self, hand: &Hand, last: &Mark) -> Result<Batch, StoreFault>;

    /// Remembers a batch and that nothing at or below its last page may be signed again, once it is given its name
    /// ([`unnamed::settle`](crate::store::unnamed::settle)). Batches before it are published by now and may be
    /// forgotten.
    fn remember<'a>(
        &'a self,
        hand: &'a Hand,
        batch: &'a Batch,
    ) -> Result<Box<dyn Unnamed + 'a>, StoreFault>;

    /// Remembers that nothing at or below a page may be signed again. It never lowers anything.
    fn raise(&self, hand: &Hand, mark: &Mark) -> Result<(), StoreFault>;

    /// Puts a batch away that can never be published: it is kept, and so is its height.
    fn lose(&self, hand: &Hand, last: &Mark) -> Result<(), StoreFault>;
}

/// Compares what is remembered with a page that somebody else shows, such as the tip of a remote.
///
/// # Errors
/// `restored-backup` where this very key signed it and the memory does not know: the memory is older than
/// the signature. `already-signed` where it is another page than the one that is remembered for that epoch
/// and number. The faults of a signature that does not hold.
pub fn compare_shown(hand: &Hand, remembered: Option<&Mark>, shown: &Page) -> Result<(), Fault> {
    if shown.message.space != hand.space || seal::open(&shown.commit)? != hand.key {
        return Ok(());
    }
    let mark = Mark::of(shown);
    match remembered {
        Some(own) if own.rank() > mark.rank() || own.commit == mark.commit => Ok(()),
        Some(own) if own.rank() == mark.rank() => {
            let what = format!(
                "your key signed two pages for epoch {}: {} is remembered here, {} is shown",
                mark.epoch, own.commit, mark.commit
            );
            Err(Fault::new(Code::AlreadySigned, what).at(mark.number))
        }
        _ => {
            let known = match remembered {
                Some(own) => format!("the memory here ends at common@{}", own.number),
                None => "nothing is remembered here".into(),
            };
            let what = format!("your key signed this page, and {known}");
            let fault = Fault::new(Code::RestoredBackup, what);
            Err(fault.at(mark.number).in_commit(mark.commit))
        }
    }
}

/// A memory that ends with the process: for tests, and for founding a space, before which nothing can have
/// been signed. Everybody's turn comes at once; a clone is a copy.
#[derive(Debug, Default)]
pub struct ShortMemory(Mutex<BTreeMap<Hand, Held>>);

#[derive(Debug, Clone, Default)]
struct Held {
    highest: Option<Mark>,
    batches: Vec<Batch>,
    lost: Vec<Batch>,
}

impl Clone for ShortMemory {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.held().clone()))
    }
}

impl ShortMemory {
    fn held(&self) -> MutexGuard<'_, BTreeMap<Hand, Held>> {
        let held = self.0.lock();
        held.expect("nothing panics while it holds this lock")
    }
}

impl SignerMemory for ShortMemory {
    fn turn(&self, _hand: &Hand) -> Result<Turn, StoreFault> {
        Ok(Box::new(()))
    }

    fn recall(&self, hand: &Hand) -> Result<Recalled, StoreFault> {
        let held = self.held().get(hand).cloned().unwrap_or_default();
        Ok(Recalled {
            highest: held.highest,
            batches: held.batches.iter().map(|batch| batch.last).collect(),
            lost: held.lost.iter().map(|batch| batch.last.commit).collect(),
        })
    }

    fn batch(&self, hand: &Hand, last: &Mark) -> Result<Batch, StoreFault> {
        let held = self.held();
        let mut batches = held.get(hand).into_iter().flat_map(|held| &held.batches);
        let found = batches.find(|batch| batch.last == *last);
        found.cloned().ok_or_else(|| {
            let what = format!("no batch ends in common@{}", last.number);
            StoreFault::new(Code::NotFound, what)
        })
    }

    fn remember<'a>(
        &'a self,
        hand: &'a Hand,
        batch: &'a Batch,
    ) -> Result<Box<dyn Unnamed + 'a>, StoreFault> {
        Ok(Box::new(Later(move || {
            let mut held = self.held();
            let held = held.entry(*hand).or_default();
            held.highest = higher(held.highest, Some(batch.last));
            held.batches = vec![batch.clone()];
            Ok(())
        })))
    }

    fn raise(&self, hand: &Hand, mark: &Mark) -> Result<(), StoreFault> {
        let mut held = self.held();
        let held = held.entry(*hand).or_default();
        held.highest = higher(held.highest, Some(*mark));
        Ok(())
    }

    fn lose(&self, hand: &Hand, last: &Mark) -> Result<(), StoreFault> {
        let mut held = self.held();
        let held = held.entry(*hand).or_default();
        let (lost, kept) = held.batches.drain(..).partition(|b| b.last == *last);
        held.batches = kept;
        held.lost.extend::<Vec<Batch>>(lost);
        Ok(())
    }
}

//! What may be signed: nothing at or below what is remembered.

use crate::crypto::seal;
use crate::journal::fault::Fault;
use crate::journal::history::History;
use crate::journal::memory::{Batch, Hand, Mark, Recalled, SignerMemory, Turn, higher};
use crate::journal::page::Page;
use crate::model::{Code, Epoch, Number};
use crate::store::Unnamed;
use std::cell::RefCell;

/// The turn of one key in one space: while it lasts, nobody else signs with this memory.
pub(super) struct Guard<'m> {
    memory: &'m dyn SignerMemory,
    hand: Hand,
    highest: Option<Mark>,
    /// What is remembered, as far as it was read and is as it was then: nobody else changes it in this turn.
    recalled: RefCell<Option<Recalled>>,
    /// Batches for which `main` is too short.
    waiting: Vec<Mark>,
    /// Where `main` ends, if that is below what was signed and no lost batch explains it.
    ends_early: Option<Number>,
    _turn: Turn,
}

impl<'m> Guard<'m> {
    /// Waits for the turn. What is read of the space afterwards holds until somebody else's page comes.
    pub(super) fn begin(memory: &'m dyn SignerMemory, hand: Hand) -> Result<Self, Fault> {
        let turn = memory.turn(&hand)?;
        Ok(Self {
            memory,
            hand,
            highest: None,
            recalled: RefCell::default(),
            waiting: Vec::new(),
            ends_early: None,
            _turn: turn,
        })
    }

    /// Whose turn it is.
    pub(super) fn hand(&self) -> &Hand {
        &self.hand
    }

    /// What is remembered.
    pub(super) fn recall(&self) -> Result<Recalled, Fault> {
        if let Some(known) = &*self.recalled.borrow() {
            return Ok(known.clone());
        }
        let recalled = self.memory.recall(&self.hand)?;
        self.recalled.replace(Some(recalled.clone()));
        Ok(recalled)
    }

    /// A batch that is kept.
    pub(super) fn batch(&self, last: &Mark) -> Result<Batch, Fault> {
        Ok(self.memory.batch(&self.hand, last)?)
    }

    /// Compares what is remembered with `main`, and learns from it: pages of this key that came from
    /// elsewhere count as signed here. A crash while that is written down: it is done again.
    pub(super) fn learn(&mut self, history: &History<'_>, tip: &Page) -> Result<(), Fault> {
        let recalled = self.recall()?;
        self.highest = recalled.highest;
        let shown = Mark::of(tip);
        let is_higher = self.highest.is_none_or(|own| own.rank() < shown.rank());
        if is_higher && seal::open(&tip.commit)? == self.hand.key {
            self.recalled.take();
            self.memory.raise(&self.hand, &shown)?;
            self.highest = higher(self.highest, Some(shown));
        }
        let early = self
            .highest
            .is_some_and(|own| own.number > history.len() && !recalled.lost.contains(&own.commit));
        self.ends_early = early.then_some(history.len());
        Ok(())
    }

    /// Whether a page may be signed.
    ///
    /// # Errors
    /// `restored-backup` where `main` lacks pages that were signed here, `already-signed` where it has others
    /// in their place.
    pub(super) fn allow(&self, epoch: Epoch, number: Number) -> Result<(), Fault> {
        let Some(own) = self.highest.filter(|own| own.rank() >= (epoch, number)) else {
            return Ok(());
        };
        let signed = format!(
            "your key signed common@{} of epoch {} before, commit {}",
            own.number, own.epoch, own.commit
        );
        Err(match self.ends_early {
            Some(end) => {
                let what = format!("{signed}, and `main` ends at common@{end} here");
                Fault::new(Code::RestoredBackup, what)
            }
            None => {
                let what = format!("{signed}, and `main` went on without it");
                Fault::new(Code::AlreadySigned, what)
            }
        }
        .at(number))
    }

    /// Remembers a batch, before it goes anywhere: what it is given its name with comes behind it. A crash before
    /// that: nothing was signed for anybody to see. A crash after it: the next run publishes these very bytes, or
    /// puts them away as lost.
    pub(super) fn remember<'g>(
        &'g mut self,
        batch: &'g Batch,
    ) -> Result<Box<dyn Unnamed + 'g>, Fault> {
        // It is of a new epoch, then: what waited can never be published.
        for last in std::mem::take(&mut self.waiting) {
            self.lose(&last)?;
        }
        self.highest = higher(self.highest, Some(batch.last));
        self.recalled.take();
        Ok(self.memory.remember(&self.hand, batch)?)
    }

    /// Keeps batches for which `main` is too short.
    pub(super) fn wait(&mut self, batches: Vec<Mark>) {
        self.waiting = batches;
    }

    /// Puts a batch away.
    pub(super) fn lose(&self, last: &Mark) -> Result<(), Fault> {
        self.recalled.take();
        Ok(self.memory.lose(&self.hand, last)?)
    }
}

//! The first-parent chain, with its derived index brought up to date.

use super::fault::Fault;
use super::page::Page;
use super::pages::{ChangeKey, NewPage, PageIndex, PageRecord, change_key};
use crate::model::{Code, Number, Oid, ProposalDigest};
use crate::state::Tables;
use crate::store::Objects;

/// Pages that are added to the index at a time, so that memory stays bounded.
const BATCH: usize = 1024;

/// The snapshots up to a tip.
pub struct History<'i> {
    index: &'i mut dyn PageIndex,
    tip: Option<Page>,
}

impl<'i> History<'i> {
    /// Brings the index up to date with a tip: O(pages it does not know). It trusts nothing it finds
    /// there except where the commit at that number is the one that the chain has.
    pub fn open<S: Objects + ?Sized>(
        tables: &Tables<'_, S>,
        store: &S,
        tip: Option<Oid>,
        index: &'i mut dyn PageIndex,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, Fault> {
        let Some(tip) = tip else {
            index.truncate(Number(0))?;
            return Ok(Self { index, tip: None });
        };
        let tip = Page::read(store, tip)?;
        // Each page was verified when it was taken in, or made here; what the index does not know of is read
        // strictly below, bucket by bucket that differs.
        tables.rely_on_chain();
        let (known, missing) = unknown_pages(store, &tip, index)?;
        // What lies above an older tip may be what another process has just numbered: it stays, unless pages of
        // this chain have to stand in its place.
        if !missing.is_empty() && index.len() > known.0 {
            index.truncate(known)?;
        }
        let total = missing.len() as u64;
        let mut base = known;
        let mut previous = match index.page(known) {
            Some(record) => Some(Page::read(store, record.commit)?),
            None => None,
        };
        for (batch, ids) in missing.chunks(BATCH).enumerate() {
            let mut new = Vec::with_capacity(ids.len());
            for id in ids {
                let page = Page::read(store, *id)?;
                new.push(index_entry(tables, previous.as_ref(), &page)?);
                previous = Some(page);
            }
            index.append(base, &new)?;
            base = Number(base.0 + new.len() as u64);
            progress(((batch * BATCH + ids.len()) as u64).min(total), total);
        }
        Ok(Self {
            index,
            tip: Some(tip),
        })
    }

    /// The newest snapshot.
    pub fn tip(&self) -> Option<&Page> {
        self.tip.as_ref()
    }

    /// Its number, 0 where there is none.
    pub fn len(&self) -> Number {
        self.tip.as_ref().map_or(Number(0), Page::number)
    }

    /// Whether there is no snapshot yet.
    pub fn is_empty(&self) -> bool {
        self.tip.is_none()
    }

    /// What is known of a snapshot of this chain.
    pub fn page(&self, number: Number) -> Option<PageRecord> {
        if number > self.len() {
            return None;
        }
        self.index.page(number)
    }

    /// The commit of a snapshot; `not-found` where the chain has no such number.
    pub fn commit_of(&self, number: Number) -> Result<Oid, Fault> {
        let record = self.page(number);
        record.map(|record| record.commit).ok_or_else(|| {
            let what = format!(
                "there is no common@{number}; the newest is common@{}",
                self.len()
            );
            Fault::new(Code::NotFound, what)
        })
    }

    /// Whether a commit is the snapshot of that number in this chain.
    pub fn contains(&self, number: Number, commit: &Oid) -> bool {
        self.page(number)
            .is_some_and(|record| record.commit == *commit)
    }

    /// The snapshot after `base` that numbered a proposal, if any. A proposal can only be numbered after
    /// its base, so nothing before that is looked at.
    ///
    /// # Errors
    /// `busy` where the index does not know all of these snapshots (any more): "not numbered" is never said
    /// of what was not looked at.
    pub fn numbered(&self, digest: &ProposalDigest, base: Number) -> Result<Option<Number>, Fault> {
        self.numbered_up_to(digest, base, self.len())
    }

    /// As [`History::numbered`], among the snapshots up to `up_to` only.
    ///
    /// # Errors
    /// As [`History::numbered`].
    pub fn numbered_up_to(
        &self,
        digest: &ProposalDigest,
        base: Number,
        up_to: Number,
    ) -> Result<Option<Number>, Fault> {
        self.index
            .find_proposal(digest, base, up_to.min(self.len()))
    }

    /// The snapshots up to `up_to` that changed a row, the latest first.
    pub fn changes(&self, key: &ChangeKey, up_to: Number) -> Result<Vec<Number>, Fault> {
        self.index.changes(key, up_to.min(self.len()))
    }

    /// Adds pages that were just published on top of the tip.
    pub fn extend(&mut self, pages: &[NewPage], tip: Page) -> Result<(), Fault> {
        let appended = self.index.append(self.len(), pages);
        self.tip = Some(tip);
        appended
    }
}

/// The number up to which the index agrees with the chain, and the commits above it, oldest first.
fn unknown_pages<S: Objects + ?Sized>(
    store: &S,
    tip: &Page,
    index: &dyn PageIndex,
) -> Result<(Number, Vec<Oid>), Fault> {
    let mut missing = Vec::new();
    let mut at = tip.clone();
    loop {
        let number = at.number();
        if index
            .page(number)
            .is_some_and(|record| record.commit == at.id)
        {
            missing.reverse();
            return Ok((number, missing));
        }
        missing.push(at.id);
        let Some(previous) = at.previous() else {
            missing.reverse();
            return Ok((Number(0), missing));
        };
        at = Page::read(store, previous)?;
        if at.number().next() != number {
            let what = "the number of the page before";
            let fault = Fault::differs(Code::NumberMismatch, what, number.0 - 1, at.number());
            return Err(fault.in_commit(at.id));
        }
    }
}

/// What the index holds of one page.
fn index_entry<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    previous: Option<&Page>,
    page: &Page,
) -> Result<NewPage, Fault> {
    let record = PageRecord {
        commit: page.id,
        proposal: page.message.proposal,
        chain: page.message.chain,
    };
    let changes = tables
        .diff(previous.map(Page::tree), Some(page.tree()))
        .map_err(|fault| Fault::from(fault).at(page.number()))?;
    let keys = changes
        .iter()
        .map(|change| change_key(change.table, &change.key));
    Ok((record, keys.collect()))
}

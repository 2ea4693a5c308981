//! The first-parent chain, with its derived index brought up to date.

use super::fault::Fault;
use super::numbered::Remembered;
use super::page::Page;
use super::pages::{ChangeKey, NewPage, PageIndex, PageRecord, change_key};
use crate::model::{Code, Number, Oid, ProposalDigest};
use crate::parallel;
use crate::state::Tables;
use crate::store::Objects;
use std::cell::RefCell;

/// Pages of which it is found out at a time what they changed, so that memory stays bounded.
const BATCH: usize = 1024;

/// The snapshots up to a tip.
pub struct History<'i> {
    index: &'i mut dyn PageIndex,
    tip: Option<Page>,
    /// Which proposals its latest snapshots numbered, as far as that was asked.
    numbered: RefCell<Remembered>,
}

impl<'i> History<'i> {
    /// Brings the index up to date with a tip: O(pages it does not know). It trusts nothing it finds
    /// there except where the commit at that number is the one that the chain has. What pages changed is not looked
    /// at: see [`History::know_changes`].
    pub fn open<S: Objects + ?Sized>(
        tables: &Tables<'_, S>,
        store: &S,
        tip: Option<Oid>,
        index: &'i mut dyn PageIndex,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, Fault> {
        let Some(tip) = tip else {
            index.truncate(Number(0))?;
            return Ok(Self::known(index, None));
        };
        let tip = Page::read_first(tables, store, tip)?;
        // Each page was verified when it was taken in, or made here.
        tables.rely_on_chain();
        let (known, missing) = unknown_pages(store, &tip, index, progress)?;
        // What lies above an older tip may be what another process has just numbered: it stays, unless pages of
        // this chain have to stand in its place.
        if !missing.is_empty() && index.len() > known.0 {
            index.truncate(known)?;
        }
        if !missing.is_empty() {
            index.append_pages(known, &missing)?;
        }
        if tip.number() == Number(1) && index.changes_len() == 0 {
            // The charter is short. Known from the beginning, it stays known by what is accepted and fetched.
            let keys = changed_rows(store, tables, tip.id)?;
            index.append_changes(Number(0), &[keys])?;
        }
        Ok(Self::known(index, Some(tip)))
    }

    fn known(index: &'i mut dyn PageIndex, tip: Option<Page>) -> Self {
        let numbered = RefCell::default();
        Self {
            index,
            tip,
            numbered,
        }
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
        let commit = record.map(|record| record.commit);
        commit.ok_or_else(|| self.without(number))
    }

    /// The commits of the snapshots `from..=to`; `not-found` where the chain lacks one of them.
    pub fn commits(&self, from: Number, to: Number) -> Result<Vec<Oid>, Fault> {
        let pages = self.index.pages(from, to.min(self.len()));
        let known = Number(from.0 + pages.len() as u64);
        if known <= to {
            return Err(self.without(known));
        }
        Ok(pages.into_iter().map(|page| page.commit).collect())
    }

    fn without(&self, number: Number) -> Fault {
        let newest = self.len();
        let what = format!("there is no common@{number}; the newest is common@{newest}");
        Fault::new(Code::NotFound, what)
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
        let up_to = up_to.min(self.len());
        let mut numbered = self.numbered.borrow_mut();
        numbered.find(self.index, digest, base, up_to)
    }

    /// Finds out which rows the snapshots changed of which that is not known: O(rows that differ).
    pub fn know_changes<S: Objects + Clone + Send>(
        &mut self,
        store: &S,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), Fault> {
        let (first, last) = (self.index.changes_len() + 1, self.len().0);
        for start in (first..=last).step_by(BATCH) {
            let end = last.min(start + BATCH as u64 - 1);
            let commits = self.commits(Number(start), Number(end))?;
            let keys = parallel::map(store, commits, |store, tables, id| {
                changed_rows(store, tables, id)
            });
            let keys: Vec<Vec<ChangeKey>> = keys.into_iter().collect::<Result<_, _>>()?;
            self.index.append_changes(Number(start - 1), &keys)?;
            progress(end + 1 - first, last + 1 - first);
        }
        Ok(())
    }

    /// The snapshots up to `up_to` that changed a row, the latest first, among those of which it is known: all of
    /// them after [`History::know_changes`].
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

/// The number up to which the index agrees with the chain, and what is to be remembered of the pages above it, oldest
/// first.
fn unknown_pages<S: Objects + ?Sized>(
    store: &S,
    tip: &Page,
    index: &dyn PageIndex,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Number, Vec<PageRecord>), Fault> {
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
        missing.push(PageRecord {
            commit: at.id,
            proposal: at.message.proposal,
            chain: at.message.chain,
        });
        if missing.len().is_multiple_of(BATCH) {
            progress(missing.len() as u64, tip.number().0);
        }
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

/// The rows that a page changed.
fn changed_rows<S: Objects + ?Sized>(
    store: &S,
    tables: &Tables<'_, S>,
    id: Oid,
) -> Result<Vec<ChangeKey>, Fault> {
    let page = Page::footing_of(tables, store, id)?;
    let before = match page.previous {
        Some(previous) => Some(Page::footing_of(tables, store, previous)?.tree),
        None => None,
    };
    let changes = tables.diff(before, Some(page.tree));
    let changes = changes.map_err(|fault| Fault::from(fault).at(page.number))?;
    let keys = changes
        .iter()
        .map(|change| change_key(change.table, &change.key));
    Ok(keys.collect())
}

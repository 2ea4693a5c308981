//! The derived index as the journal sees it: number -> commit, proposal digest -> number, row -> last
//! change. Disposable: everything in it follows from the commits.

use super::fault::Fault;
use crate::cores;
use crate::crypto::digest;
use crate::model::{ChainDigest, Code, Number, Oid, ProposalDigest, RowEdits, RowKey, Table};
use std::ops::ControlFlow;

/// From this many changes of one page on, all cores name them.
const MANY: usize = 4096;

/// What is remembered of one snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRecord {
    /// The snapshot's commit.
    pub commit: Oid,
    /// The proposal it numbered.
    pub proposal: ProposalDigest,
    /// The chain digest with it.
    pub chain: ChainDigest,
}

/// Names one row in the index: the first 16 bytes of the hash that places it.
pub type ChangeKey = [u8; 16];

/// The index's name for a row.
pub fn change_key(table: Table, key: &RowKey) -> ChangeKey {
    let mut short = [0; 16];
    short.copy_from_slice(&digest::key_place(table, key)[..16]);
    short
}

/// The index's names for all rows that change.
pub fn change_keys(edits: &RowEdits) -> Vec<ChangeKey> {
    let keys: Vec<(Table, &RowKey)> = edits.keys().collect();
    let parts = cores::parts(&keys, MANY, |_, some| {
        let names = some.iter().map(|(table, key)| change_key(*table, key));
        names.collect::<Vec<_>>()
    });
    parts.concat()
}

/// One page for the index: its record, and the rows it changed.
pub type NewPage = (PageRecord, Vec<ChangeKey>);

/// A derived index. What it says is checked against the commits by whoever asks.
pub trait PageIndex {
    /// How many pages it knows, from number 1 on.
    fn len(&self) -> u64;

    /// Whether it knows none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it knows of a snapshot.
    fn page(&self, number: Number) -> Option<PageRecord>;

    /// What it knows of the snapshots `from..=to`, up to the first of which it knows nothing.
    fn pages(&self, from: Number, to: Number) -> Vec<PageRecord> {
        let numbers = (from.0..=to.0).map(Number);
        numbers.map_while(|number| self.page(number)).collect()
    }

    /// Hands over which proposals the snapshots `after + 1 ..= up_to` numbered, in order, as long as `each` wants more;
    /// `busy` unless all of them are known.
    fn proposals(
        &self,
        after: Number,
        up_to: Number,
        each: &mut dyn FnMut(Number, ProposalDigest) -> ControlFlow<()>,
    ) -> Result<(), Fault>;

    /// The snapshot among `after + 1 ..= up_to` that numbered a proposal; `busy` unless all of them are known. It looks
    /// through them, so they should be few.
    fn find_proposal(
        &self,
        digest: &ProposalDigest,
        after: Number,
        up_to: Number,
    ) -> Result<Option<Number>, Fault> {
        let mut found = None;
        self.proposals(after, up_to, &mut |number, proposal| {
            if proposal != *digest {
                return ControlFlow::Continue(());
            }
            found = Some(number);
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// Every snapshot up to `up_to` that changed a row, the latest first, as far as `changes_len` says.
    fn changes(&self, key: &ChangeKey, up_to: Number) -> Result<Vec<Number>, Fault>;

    /// Adds the pages that follow `base`. Those that somebody else added meanwhile are left as they are,
    /// unless they are of another history: that is forgotten.
    fn append_pages(&mut self, base: Number, pages: &[PageRecord]) -> Result<(), Fault>;

    /// Up to which page it is known which rows each of them changed.
    fn changes_len(&self) -> u64;

    /// Adds the rows that the known pages after `base` changed, unless rows of pages before are not known.
    fn append_changes(&mut self, base: Number, pages: &[Vec<ChangeKey>]) -> Result<(), Fault>;

    /// Adds the pages that follow `base`, and what they changed where that was known up to `base`.
    fn append(&mut self, base: Number, pages: &[NewPage]) -> Result<(), Fault> {
        let (records, keys): (Vec<_>, Vec<_>) = pages.iter().cloned().unzip();
        self.append_pages(base, &records)?;
        self.append_changes(base, &keys)
    }

    /// Forgets every page above a number.
    fn truncate(&mut self, number: Number) -> Result<(), Fault>;
}

/// An index in memory.
#[derive(Debug, Default)]
pub struct MemoryIndex {
    pages: Vec<PageRecord>,
    changes: Vec<Vec<ChangeKey>>,
}

impl PageIndex for MemoryIndex {
    fn len(&self) -> u64 {
        self.pages.len() as u64
    }

    fn page(&self, number: Number) -> Option<PageRecord> {
        let at = usize::try_from(number.0.checked_sub(1)?).ok()?;
        self.pages.get(at).copied()
    }

    fn proposals(
        &self,
        after: Number,
        up_to: Number,
        each: &mut dyn FnMut(Number, ProposalDigest) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        for number in (after.0 + 1..=up_to.0).map(Number) {
            let record = self.page(number).ok_or_else(|| {
                let what = format!("the index ends at {}, before {up_to}", self.len());
                Fault::new(Code::Busy, what)
            })?;
            if each(number, record.proposal).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn changes(&self, key: &ChangeKey, up_to: Number) -> Result<Vec<Number>, Fault> {
        let up_to = up_to.0.min(self.changes_len()) as usize;
        let pages = self.changes[..up_to].iter().enumerate().rev();
        let changed = pages.filter(|(_, keys)| keys.contains(key));
        Ok(changed.map(|(at, _)| Number(at as u64 + 1)).collect())
    }

    fn append_pages(&mut self, base: Number, pages: &[PageRecord]) -> Result<(), Fault> {
        let known = self.pages.get(base.0 as usize..).unwrap_or_default();
        let same = known.iter().zip(pages);
        let same = same.take_while(|(old, new)| old.commit == new.commit);
        let same = same.count();
        if same < pages.len() {
            self.truncate(Number(base.0 + same as u64))?;
            self.pages.extend_from_slice(&pages[same..]);
        }
        Ok(())
    }

    fn changes_len(&self) -> u64 {
        self.changes.len() as u64
    }

    fn append_changes(&mut self, base: Number, pages: &[Vec<ChangeKey>]) -> Result<(), Fault> {
        if let Some(skipped) = self.changes.len().checked_sub(base.0 as usize) {
            let new = pages.get(skipped..).unwrap_or_default();
            self.changes.extend_from_slice(new);
        }
        Ok(())
    }

    fn truncate(&mut self, number: Number) -> Result<(), Fault> {
        let number = usize::try_from(number.0).unwrap_or(usize::MAX);
        self.pages.truncate(number);
        self.changes.truncate(number);
        Ok(())
    }
}

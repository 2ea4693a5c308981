//! The derived index as the journal sees it: number -> commit, proposal digest -> number, row -> last
//! change. Disposable: everything in it follows from the commits.

use super::fault::Fault;
use crate::crypto::digest;
use crate::model::{ChainDigest, Code, Number, Oid, ProposalDigest, RowKey, Table};

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

    /// The snapshot among `after + 1 ..= up_to` that numbered a proposal; `busy` unless all of them are known.
    fn find_proposal(
        &self,
        digest: &ProposalDigest,
        after: Number,
        up_to: Number,
    ) -> Result<Option<Number>, Fault>;

    /// Every snapshot up to `up_to` that changed a row, the latest first.
    fn changes(&self, key: &ChangeKey, up_to: Number) -> Result<Vec<Number>, Fault>;

    /// Adds the pages that follow `base`. Those that somebody else added meanwhile are left as they are,
    /// unless they are of another history: that is forgotten.
    fn append(&mut self, base: Number, pages: &[NewPage]) -> Result<(), Fault>;

    /// Forgets every page above a number.
    fn truncate(&mut self, number: Number) -> Result<(), Fault>;
}

/// An index in memory.
#[derive(Debug, Default)]
pub struct MemoryIndex(Vec<NewPage>);

impl PageIndex for MemoryIndex {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn page(&self, number: Number) -> Option<PageRecord> {
        let at = usize::try_from(number.0.checked_sub(1)?).ok()?;
        self.0.get(at).map(|(record, _)| *record)
    }

    fn find_proposal(
        &self,
        digest: &ProposalDigest,
        after: Number,
        up_to: Number,
    ) -> Result<Option<Number>, Fault> {
        for number in (after.0 + 1..=up_to.0).map(Number) {
            let record = self.page(number).ok_or_else(|| {
                let what = format!("the index ends at {}, before {up_to}", self.len());
                Fault::new(Code::Busy, what)
            })?;
            if record.proposal == *digest {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    fn changes(&self, key: &ChangeKey, up_to: Number) -> Result<Vec<Number>, Fault> {
        let up_to = up_to.0.min(self.len()) as usize;
        let pages = self.0[..up_to].iter().enumerate().rev();
        let changed = pages.filter(|(_, (_, keys))| keys.contains(key));
        Ok(changed.map(|(at, _)| Number(at as u64 + 1)).collect())
    }

    fn append(&mut self, base: Number, pages: &[NewPage]) -> Result<(), Fault> {
        let known = self.0.get(base.0 as usize..).unwrap_or_default();
        let same = known.iter().zip(pages);
        let same = same.take_while(|(old, new)| old.0.commit == new.0.commit);
        let same = same.count();
        if same < pages.len() {
            self.0.truncate(base.0 as usize + same);
            self.0.extend_from_slice(&pages[same..]);
        }
        Ok(())
    }

    fn truncate(&mut self, number: Number) -> Result<(), Fault> {
        self.0
            .truncate(usize::try_from(number.0).unwrap_or(usize::MAX));
        Ok(())
    }
}

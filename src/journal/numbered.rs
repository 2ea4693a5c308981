//! Which proposals the latest snapshots numbered: read once for all that is asked in one run. A queue may stand on a base
//! of weeks ago, and to look through what came since for each of its proposals would take longer than numbering them.

use super::fault::Fault;
use super::pages::PageIndex;
use crate::model::{Number, ProposalDigest};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::ops::ControlFlow;

/// Snapshots that are remembered at most, some 60 bytes each. What stands on an older base is looked for one by one.
const MOST: u64 = 1 << 18;

/// What was read of one chain.
#[derive(Default)]
pub(super) struct Remembered {
    /// From after which snapshot up to which one it was read.
    known: Option<(Number, Number)>,
    by_digest: HashMap<ProposalDigest, Number, RandomState>,
}

impl Remembered {
    /// As [`PageIndex::find_proposal`], always of the same chain.
    pub(super) fn find(
        &mut self,
        index: &dyn PageIndex,
        digest: &ProposalDigest,
        after: Number,
        up_to: Number,
    ) -> Result<Option<Number>, Fault> {
        if after >= up_to {
            return Ok(None);
        }
        let (from, to) = self.known.unwrap_or((after, after));
        let (first, last) = (from.min(after), to.max(up_to));
        // Where somebody cut the index, it says so.
        if last.0 - first.0 > MOST || index.len() < up_to.0 {
            return index.find_proposal(digest, after, up_to);
        }
        for (after, up_to) in [(first, from), (to, last)] {
            let more = usize::try_from(up_to.0 - after.0);
            self.by_digest.reserve(more.expect("far below 2^32"));
            index.proposals(after, up_to, &mut |number, digest| {
                self.by_digest.insert(digest, number);
                ControlFlow::Continue(())
            })?;
        }
        self.known = Some((first, last));
        let found = self.by_digest.get(digest).copied();
        Ok(found.filter(|number| after < *number && *number <= up_to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::pages::{MemoryIndex, PageRecord};
    use crate::model::{ChainDigest, Code, Oid};
    use proptest::prelude::*;

    fn digest(number: u64) -> ProposalDigest {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        ProposalDigest(bytes)
    }

    fn index_of(len: u64) -> MemoryIndex {
        let mut index = MemoryIndex::default();
        let record = |number: u64| PageRecord {
            commit: Oid::from_bytes(&digest(number).0[..20]).unwrap(),
            proposal: digest(number),
            chain: ChainDigest([0; 32]),
        };
        let records: Vec<PageRecord> = (1..=len).map(record).collect();
        index.append_pages(Number(0), &records).unwrap();
        index
    }

    proptest! {
        /// In whatever order it is asked, and while the chain grows.
        #[test]
        fn it_says_what_looking_through_them_says(
            asked in prop::collection::vec((0..70u64, 0..70u64, 0..70u64), 1..30),
        ) {
            let mut remembered = Remembered::default();
            for (at, (number, after, up_to)) in asked.into_iter().enumerate() {
                let index = index_of(30 + at as u64);
                let (digest, after, up_to) = (digest(number), Number(after), Number(up_to));
                let found = remembered.find(&index, &digest, after, up_to);
                let expected = match after < up_to {
                    true => index.find_proposal(&digest, after, up_to),
                    false => Ok(None),
                };
                match (found, expected) {
                    (Ok(found), Ok(expected)) => prop_assert_eq!(found, expected),
                    (Err(found), Err(expected)) => {
                        prop_assert_eq!(found.code, Code::Busy);
                        prop_assert_eq!(expected.code, Code::Busy);
                    }
                    (found, expected) => prop_assert!(false, "{found:?}, expected {expected:?}"),
                }
            }
        }
    }

    #[test]
    fn what_was_read_is_not_read_again() {
        /// An index that counts what is read of it.
        struct Counted(MemoryIndex, std::cell::Cell<u64>);
        impl PageIndex for Counted {
            fn len(&self) -> u64 {
                self.0.len()
            }
            fn page(&self, number: Number) -> Option<PageRecord> {
                self.0.page(number)
            }
            fn proposals(
                &self,
                after: Number,
                up_to: Number,
                each: &mut dyn FnMut(Number, ProposalDigest) -> ControlFlow<()>,
            ) -> Result<(), Fault> {
                self.1.set(self.1.get() + up_to.0 - after.0);
                self.0.proposals(after, up_to, each)
            }
            fn changes(&self, key: &[u8; 16], up_to: Number) -> Result<Vec<Number>, Fault> {
                self.0.changes(key, up_to)
            }
            fn append_pages(&mut self, base: Number, pages: &[PageRecord]) -> Result<(), Fault> {
                self.0.append_pages(base, pages)
            }
            fn changes_len(&self) -> u64 {
                self.0.changes_len()
            }
            fn append_changes(
                &mut self,
                base: Number,
                pages: &[Vec<[u8; 16]>],
            ) -> Result<(), Fault> {
                self.0.append_changes(base, pages)
            }
            fn truncate(&mut self, number: Number) -> Result<(), Fault> {
                self.0.truncate(number)
            }
        }
        let index = Counted(index_of(5000), std::cell::Cell::default());
        let mut remembered = Remembered::default();
        for number in 1..=5000 {
            let after = Number(1000 * (number % 5));
            let found = remembered.find(&index, &digest(number), after, Number(5000));
            assert_eq!(found.unwrap(), (number > after.0).then_some(Number(number)));
        }
        assert_eq!(index.1.get(), 5000);
    }
}

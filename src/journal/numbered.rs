//! Which proposals the latest snapshots numbered: read once for all that is asked in one run. A queue may stand on a base
//! of weeks ago, and to look through what came since for each of its proposals would take longer than numbering them.

use super::fault::Fault;
use super::pages::PageIndex;
use crate::model::{Number, ProposalDigest};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::ops::ControlFlow;

/// Snapshots that are remembered at most, up to 82 bytes each. What stands on an older base is looked for one by one.
const MOST: u64 = 1 << 18;

/// What was read of one chain.
#[derive(Default)]
pub(super) struct Remembered {
    /// Whether there was a question before: one alone is answered by what has to be read for it.
    asked: bool,
    /// From after which snapshot up to which one it was read.
    known: Option<(Number, Number)>,
    by_digest: HashMap<ProposalDigest, Number, RandomState>,
    /// Whether two snapshots claim one proposal. No good chain has that, and what is not verified may: then each question
    /// is answered by reading.
    twice: bool,
}

impl Remembered {
    /// As [`PageIndex::find_proposal`], always of the same chain. What is read between two questions is read in one piece, so
    /// `busy` may be said of more than the question was about.
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
        let first = !std::mem::replace(&mut self.asked, true);
        // Where somebody cut the index, it says so.
        if first || index.len() < up_to.0 || !self.read(index, after, up_to)? {
            return index.find_proposal(digest, after, up_to);
        }
        let found = self.by_digest.get(digest).copied();
        Ok(found.filter(|number| after < *number && *number <= up_to))
    }

    /// Reads what is not known of those snapshots: whether what is remembered answers questions about them.
    fn read(&mut self, index: &dyn PageIndex, after: Number, up_to: Number) -> Result<bool, Fault> {
        let (from, to) = self.known.unwrap_or((after, after));
        let (first, last) = (from.min(after), to.max(up_to));
        if self.twice || last.0 - first.0 > MOST {
            return Ok(false);
        }
        for (after, up_to) in [(first, from), (to, last)] {
            let more = usize::try_from(up_to.0 - after.0).expect("far below 2^32");
            self.by_digest.reserve(more);
            index.proposals(after, up_to, &mut |number, digest| {
                let other = self.by_digest.insert(digest, number);
                self.twice |= other.is_some_and(|other| other != number);
                ControlFlow::Continue(())
            })?;
        }
        self.known = Some((first, last));
        Ok(!self.twice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::pages::{MemoryIndex, PageRecord};
    use crate::model::{ChainDigest, Code, ObjectFormat, Oid};
    use crate::store::Index;
    use proptest::prelude::*;
    use std::os::unix::fs::FileExt as _;

    fn digest(number: u64) -> ProposalDigest {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        ProposalDigest(bytes)
    }

    /// The pages of a chain that number these, and what the index is told of them.
    fn records(claimed: impl Iterator<Item = u64>) -> Vec<PageRecord> {
        let record = |(at, claimed): (usize, u64)| PageRecord {
            commit: Oid::from_bytes(&digest(at as u64).0[..20]).unwrap(),
            proposal: digest(claimed),
            chain: ChainDigest([0; 32]),
        };
        claimed.enumerate().map(record).collect()
    }

    fn index_of(claimed: impl Iterator<Item = u64>) -> MemoryIndex {
        let mut index = MemoryIndex::default();
        let records = records(claimed);
        index.append_pages(Number(0), &records).unwrap();
        index
    }

    proptest! {
        /// In whatever order it is asked, while the chain grows, and where one proposal is claimed twice.
        #[test]
        fn it_says_what_looking_through_them_says(
            asked in prop::collection::vec((0..70u64, 0..70u64, 0..70u64), 1..30),
            twice in prop::option::of((0..30usize, 0..30u64)),
        ) {
            let mut remembered = Remembered::default();
            for (at, (number, after, up_to)) in asked.into_iter().enumerate() {
                let mut claimed: Vec<u64> = (1..=30 + at as u64).collect();
                if let Some((at, other)) = twice {
                    claimed[at] = other;
                }
                let index = index_of(claimed.into_iter());
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
        let mut remembered = Remembered::default();
        let mut find = |index: &MemoryIndex, number, after| {
            let found = remembered.find(index, &digest(number), Number(after), Number(50));
            found.unwrap()
        };
        let good = index_of(1..=50);
        // The first question is answered by itself, and the second one reads.
        for _ in 0..2 {
            assert_eq!(find(&good, 30, 20), Some(Number(30)));
        }
        // Whoever read all of this one would find others where those were, and only they.
        let other = index_of((1..=20).chain(121..=150));
        assert_eq!(find(&other, 130, 20), None);
        assert_eq!(find(&other, 30, 20), Some(Number(30)));
        // What is older is read, and nothing else.
        assert_eq!(find(&other, 10, 5), Some(Number(10)));
        assert_eq!(find(&other, 130, 5), None);
    }

    #[test]
    fn what_was_remembered_is_not_said_of_an_index_that_was_cut_or_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Index::open(dir.path(), ObjectFormat::Sha1).unwrap();
        let index = open();
        let all = records(1..=20);
        index.append_pages(Number(0), &all).unwrap();
        let mut remembered = Remembered::default();
        let mut find = |number, after, up_to| {
            remembered.find(&index, &digest(number), Number(after), Number(up_to))
        };
        for _ in 0..2 {
            assert_eq!(find(7, 5, 10).unwrap(), Some(Number(7)));
        }
        open().truncate_to(Number(8)).unwrap();
        assert_eq!(find(7, 5, 10).unwrap_err().code, Code::Busy);
        assert_eq!(find(7, 5, 8).unwrap(), Some(Number(7)));
        open().append_pages(Number(8), &all[8..]).unwrap();
        // Of what was not read before, damage is found when it is.
        let pages = std::fs::OpenOptions::new()
            .write(true)
            .open(dir.path().join("pages"))
            .unwrap();
        let record = pages.metadata().unwrap().len() / 20;
        pages.write_all_at(&[0; 20], 14 * record + 30).unwrap();
        assert_eq!(find(17, 5, 20).unwrap_err().code, Code::Busy);
        assert_eq!(index.pages_len(), 14);
    }
}

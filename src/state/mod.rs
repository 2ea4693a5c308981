//! State tables <-> git trees: look up, edit, compare, walk.
//!
//! A state is named by the id of its root tree. A table of 1 to 64 rows is one file there,
//! `aliases.jsonl`; above that a directory `aliases/` with an entry per hexadecimal digit, each again
//! a file of 1 to 64 rows or a directory of more than 64. What has no rows is absent. So the tree
//! depends only on the set of rows, never on the order they came in.
//!
//! The state without rows is git's empty tree; where a root is an `Option`, `None` means that state
//! too (before the first page there is no tree to name).
//!
//! [`Tables`] reads through a bounded cache of objects and keeps new objects aside until
//! [`Tables::take`] hands them over to be written. Whatever is read from the store is checked:
//! names, modes, order, sizes, every line, and that each row's digits lie where it stands; of the states of a
//! verified chain, only the rows that are asked for (`bucket.rs` says why that is enough). Not
//! checked on the way is what would need other reads, that directories hold more than 64 rows;
//! [`Tables::check`] does. Memory is bounded by limits and by distinct rows that really exist: a
//! subtree that is referred to from two places fails at its first bucket in one of them.

mod absent;
mod batch;
mod bucket;
mod build;
mod cache;
mod check;
mod decisions;
mod diff;
mod edit;
mod files;
mod grow;
mod lent;
mod lookup;
mod many;
mod naming;
mod place;
mod raw;
mod reader;
mod repeat;
mod staged;
#[cfg(test)]
mod tests;
mod tree;
mod view;

pub use diff::RowChange;
pub use lent::Lent;
pub use reader::{Footing, Tables};
pub use staged::StagedBefore;
pub use view::TreeView;

use crate::model::Code;
use crate::store::StoreFault;
use std::fmt;

/// Why a state could not be read or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFault {
    /// `tree-malformed`, `subject-too-large`, `too-large`, or what the store says.
    pub code: Code,
    /// What was expected and found, and at which path of the tree.
    pub what: String,
}

impl StateFault {
    /// A fault with words.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { code, what }
    }

    fn malformed(path: &str, what: impl fmt::Display) -> Self {
        Self::new(Code::TreeMalformed, format!("{path}: {what}"))
    }
}

impl fmt::Display for StateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for StateFault {}

impl From<StoreFault> for StateFault {
    fn from(fault: StoreFault) -> Self {
        Self::new(fault.code, fault.what)
    }
}

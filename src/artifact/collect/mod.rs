//! Collecting what nothing needs from the internal shelf.
//!
//! Two phases. A run writes down what nothing needs, with the time ([`Condemned`]); a later one removes what was
//! condemned longer than the grace ago and is needed by nothing still. Right before each removal the collector is
//! alone: it reads pins and roots once more, and whoever comes waits for that moment.
//!
//! First the sheets go on without the artifacts, then the packs without the objects. What small artifacts have in
//! one block with others is copied where at least half of the block would be dead.

mod condemned;
pub mod lists;
mod mark;
pub mod purge;
mod rewrite;
pub mod roots;
mod run;
mod standing;
mod sweep;
pub mod why;

pub use condemned::Condemned;
pub use run::run;
pub use standing::{Standing, preview, standing};

use super::Imprint;
use crate::store::{GitStore, Steps};
use std::path::PathBuf;
use std::time::Duration;

/// The file of what is condemned, below `<gitdir>/folio`.
pub(super) const CONDEMNED: &str = "condemned";

/// The file of artifacts that were added again since, below `<gitdir>/folio`.
pub(super) const RENEWED: &str = "renewed";

/// How long commands that write may keep the collector waiting, and it them.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a collection is to go about.
pub struct Terms<'a> {
    /// Seconds for which what is condemned is left alone.
    pub grace: u64,
    /// Now, in seconds since 1970.
    pub now: u64,
    /// What is asked before each change.
    pub steps: &'a dyn Steps,
    /// Who writes catalogs, and when.
    pub imprint: Imprint<'a>,
}

impl Terms<'_> {
    fn is_due(&self, since: u64) -> bool {
        since.saturating_add(self.grace) <= self.now
    }
}

/// What a run did, or would do.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Artifacts that are gone.
    pub removed: usize,
    /// Artifacts that are condemned.
    pub condemned: usize,
    /// Objects that are gone.
    pub objects: usize,
    /// Bytes of packs that are free now.
    pub bytes: u64,
    /// What was not done, and why.
    pub notes: Vec<&'static str>,
}

/// `<gitdir>/folio` of a repository.
pub fn folio_of(store: &GitStore) -> PathBuf {
    store.common_dir().join("folio")
}

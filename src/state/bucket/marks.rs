//! Which rows of a bucket were checked: one bit each.

use crate::model::limits;
use std::sync::atomic::{AtomicU64, Ordering};

const _: () = assert!(limits::BUCKET_ROWS <= 64, "a bit for each row");

/// A set of rows, by their number. It only grows, and whoever shares the bucket shares it.
#[derive(Debug, Default)]
pub(super) struct Marks(AtomicU64);

impl Clone for Marks {
    fn clone(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

impl Marks {
    /// Whether a row is in it.
    pub(super) fn has(&self, at: usize) -> bool {
        self.0.load(Ordering::Relaxed) >> at & 1 == 1
    }

    /// Puts a row into it. Nothing else is read because of it, so the order of memory does not matter.
    pub(super) fn set(&self, at: usize) {
        self.0.fetch_or(1 << at, Ordering::Relaxed);
    }
}

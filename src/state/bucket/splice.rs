//! A bucket with a few rows changed: what stands before, between and after them is taken over as it is.

use super::{Bucket, Key, Line, Made, Prefix};
use crate::model::{Table, limits};
use std::ops::Range;

/// What becomes of a bucket.
pub(in crate::state) enum Spliced {
    /// Nothing changes.
    Same,
    /// Its rows afterwards, and whether one left.
    Changed { bucket: Bucket, removed: bool },
    /// More rows than fit one bucket.
    TooMany,
}

/// One step towards the new text.
enum Step<'l> {
    /// These rows stay.
    Keep(Range<usize>),
    /// This one comes.
    Put(Line<'l>),
}

impl Bucket {
    /// Puts and removes a few rows, sorted by key. `under` says where all rows are known to lie, if those that are kept
    /// are known to be good: the new ones are.
    pub(in crate::state) fn spliced(
        &self,
        table: Table,
        edits: &[(Key<'_>, Option<Line<'_>>)],
        under: Option<Prefix>,
    ) -> Spliced {
        let mut steps = Vec::with_capacity(2 * edits.len() + 1);
        let (mut kept, mut count, mut bytes) = (0, self.len(), self.text.len());
        let (mut changed, mut removed) = (false, false);
        for (key, new) in edits {
            let at = self.before(*key);
            let old = (at < self.len() && self.key(at) == *key).then(|| self.line(at));
            if old.map(|old| old.text) == new.map(|new| new.text) {
                continue;
            }
            changed = true;
            removed |= new.is_none();
            steps.push(Step::Keep(kept..at));
            kept = at + usize::from(old.is_some());
            count = count + usize::from(new.is_some()) - usize::from(old.is_some());
            bytes += new.map_or(0, |new| new.text.len() + 1);
            steps.extend(new.map(Step::Put));
        }
        if !changed {
            return Spliced::Same;
        }
        if count > limits::BUCKET_ROWS {
            return Spliced::TooMany;
        }
        steps.push(Step::Keep(kept..self.len()));
        let mut made = Made::with_capacity(bytes, count);
        for step in steps {
            match step {
                Step::Keep(rows) => made.take_over(self, rows),
                Step::Put(line) => made.push_checked(table, &line),
            }
        }
        let bucket = made.into_bucket(under);
        Spliced::Changed { bucket, removed }
    }
}

//! Editing: all changes of a batch in one pass from the root down to the buckets they touch.
//!
//! Buckets are encoded and hashed only once their place is final, because a bucket may still be
//! folded into its parent. A directory is final when it is made: it holds more than 64 rows and
//! nothing above changes that.

use super::batch::{Edit, Rows, merge, placed};
use super::bucket::{Bucket, Line, Reading, Spliced};
use super::cache::Shape;
use super::grow::Grower;
use super::place::{Place, Prefix};
use super::raw::Child;
use super::repeat::Part;
use super::tree::{Dir, Root};
use super::{StateFault, Tables};
use crate::model::{Oid, RowEdits, Table, limits};
use crate::store::Objects;
use std::sync::{Arc, OnceLock};

/// What a prefix holds after the edits below it.
#[derive(Debug, Clone)]
pub(super) enum Built {
    /// The same as before.
    Kept(Option<Child>),
    /// So many rows that they fit one bucket (none: the prefix is absent). `removed`: some rows left, so the
    /// directory above may have to fold.
    Rows { bucket: Arc<Open>, removed: bool },
    /// A directory of more than 64 rows, staged. Nothing above it can fold, so what left is no matter.
    Dir(Child),
}

/// A bucket that may still be folded into its parent, and its id once it is staged or named.
#[derive(Debug)]
pub(super) struct Open {
    bucket: Arc<Bucket>,
    id: OnceLock<Oid>,
    /// What id it was given elsewhere, where that is known.
    named: Option<Oid>,
}

impl Built {
    fn rows(bucket: Bucket, removed: bool) -> Self {
        let bucket = Arc::new(Open {
            bucket: Arc::new(bucket),
            id: OnceLock::new(),
            named: None,
        });
        Built::Rows { bucket, removed }
    }

    /// The same, where what was named is yet to be staged.
    pub(super) fn unstaged(&self) -> Self {
        let Built::Rows { bucket, removed } = self else {
            return self.clone();
        };
        let bucket = Arc::new(Open {
            bucket: Arc::clone(&bucket.bucket),
            id: OnceLock::new(),
            named: bucket.id.get().copied(),
        });
        let removed = *removed;
        Built::Rows { bucket, removed }
    }
}

impl<S: Objects + ?Sized> Tables<'_, S> {
    /// Puts and removes rows and names the new root tree, whose new objects are staged, except in
    /// [`Tables::naming`]. Removing an
    /// absent row or putting an equal one changes nothing. `decisions.jsonl` is left out.
    ///
    /// Each row put must be one that `codec::rows::key_of` places at its key: the caller encodes it
    /// from the typed row.
    pub fn edit(&self, root: Option<Oid>, edits: &RowEdits) -> Result<Oid, StateFault> {
        let before = self.root(root)?;
        let (mut after, mut parts) = (Root::clone(&before), Vec::new());
        after.decisions = None;
        for &table in Table::ALL {
            let edits = edits.of(table).iter();
            let edits = edits.map(|(key, row)| (key, row.as_ref()));
            let edits = placed(table, edits.collect())?;
            if !edits.is_empty() {
                let built = self.apply(table, &Prefix::TABLE, before.table(table), &edits)?;
                let child = self.finish(table, built);
                after.set(table, child);
                parts.extend(child.map(|child| *child.id()));
            }
        }
        match root {
            Some(id) if after == *before => Ok(id),
            _ => Ok(self.put_root(after, &parts)),
        }
    }

    /// Applies edits, sorted by place, to what stands at a prefix.
    fn apply(
        &self,
        table: Table,
        at: &Prefix,
        child: Option<Child>,
        edits: &[Edit<'_>],
    ) -> Result<Built, StateFault> {
        let Some(there) = child else {
            return self.apply_bucket(table, at, None, edits);
        };
        let part = Part {
            table,
            at,
            child: there,
            edits,
        };
        if let Some(built) = self.repeated(&part) {
            return Ok(built);
        }
        let built = match there {
            Child::Dir(id) => self.apply_dir(&part, id),
            Child::File(_) => self.apply_bucket(table, at, child, edits),
        }?;
        self.note(&part, &built);
        Ok(built)
    }

    fn apply_bucket(
        &self,
        table: Table,
        at: &Prefix,
        child: Option<Child>,
        edits: &[Edit<'_>],
    ) -> Result<Built, StateFault> {
        let before = child.map(|child| self.bucket(child.id(), table, at, self.reading()));
        let before = before.transpose()?;
        // New rows are good; what is kept is as good as it was.
        let good = before.as_ref();
        let good = good.is_none_or(|before| before.was_read(at, Reading::Strict));
        if let Some(before) = before
            .as_ref()
            .filter(|_| edits.len() <= limits::BUCKET_ROWS)
        {
            let mut edits: Vec<_> = edits
                .iter()
                .map(|edit| (edit.key.parts(), edit.line()))
                .collect();
            edits.sort_unstable_by_key(|(key, _)| *key);
            match before.spliced(table, &edits, good.then_some(*at)) {
                Spliced::Same => return Ok(Built::Kept(child)),
                Spliced::Changed { bucket, removed } => {
                    if let Some(child) = child {
                        self.age(child.id(), Shape::Bucket(table));
                    }
                    return Ok(Built::rows(bucket, removed));
                }
                Spliced::TooMany => {}
            }
        }
        let Some(merged) = merge(table, before.as_deref(), edits) else {
            return Ok(Built::Kept(child));
        };
        match merged.rows {
            Rows::Few(rows) => {
                let bucket = Bucket::of(table, &rows, good.then_some(*at));
                Ok(Built::rows(bucket, merged.removed))
            }
            Rows::Many(rows) => Ok(Built::Dir(self.split(table, at, &rows, good)?)),
        }
    }

    fn apply_dir(&self, part: &Part<'_>, id: Oid) -> Result<Built, StateFault> {
        let &Part {
            table, at, edits, ..
        } = part;
        let before = self.dir(&id, table, at)?;
        let depth = at.depth();
        // Of a small change most stay.
        let mut changed: Vec<(usize, Built)> = Vec::with_capacity(edits.len().min(16));
        let mut shrunk = false;
        for group in edits.chunk_by(|a, b| a.place.digit(depth) == b.place.digit(depth)) {
            let digit = group[0].place.digit(depth);
            let built = self.apply(table, &at.child(digit), before.children[digit], group)?;
            match &built {
                Built::Kept(_) => continue,
                Built::Rows { removed, .. } => shrunk |= removed,
                Built::Dir(_) => {}
            }
            changed.push((digit, built));
        }
        if changed.is_empty() {
            return Ok(Built::Kept(Some(Child::Dir(id))));
        }
        if shrunk && let Some(bucket) = self.folded(table, at, &before, &changed)? {
            return Ok(Built::rows(bucket, true));
        }
        let leaf = !changed
            .iter()
            .any(|(_, built)| matches!(built, Built::Dir(_)));
        let mut dir = Dir::clone(&before);
        let mut below = Vec::with_capacity(changed.len());
        for (digit, built) in changed {
            let child = self.finish(table, built);
            dir.children[digit] = child;
            below.extend(child.map(|child| *child.id()));
        }
        let made = Built::Dir(self.put_dir(dir, &below));
        if leaf {
            self.note_leaf(part, &made, below);
        }
        Ok(made)
    }

    /// The rows of a directory after edits, if they fit one bucket. Reads buckets until there are
    /// too many, so a few at most unless it folds.
    fn folded(
        &self,
        table: Table,
        at: &Prefix,
        before: &Dir,
        changed: &[(usize, Built)],
    ) -> Result<Option<Bucket>, StateFault> {
        let mut slots = before.children.map(Built::Kept);
        for (digit, built) in changed {
            slots[*digit] = built.clone();
        }
        let mut count = 0;
        for slot in &slots {
            match slot {
                // A directory holds more than 64 rows by itself.
                Built::Dir(_) | Built::Kept(Some(Child::Dir(_))) => return Ok(None),
                Built::Rows { bucket, .. } => count += bucket.bucket.len(),
                Built::Kept(_) => {}
            }
        }
        let mut kept: Vec<Arc<Bucket>> = Vec::new();
        for (digit, slot) in slots.iter().enumerate() {
            if count > limits::BUCKET_ROWS {
                return Ok(None);
            }
            if let Built::Kept(Some(Child::File(id))) = slot {
                let bucket = self.bucket(id, table, &at.child(digit), self.reading())?;
                count += bucket.len();
                kept.push(bucket);
            }
        }
        if count > limits::BUCKET_ROWS {
            return Ok(None);
        }
        let new = slots.iter().filter_map(|slot| match slot {
            Built::Rows { bucket, .. } => Some(&*bucket.bucket),
            _ => None,
        });
        let buckets: Vec<&Bucket> = kept.iter().map(|bucket| &**bucket).chain(new).collect();
        // One that became empty is no bucket of rows that are not checked.
        let good = |bucket: &&Bucket| bucket.was_read(at, Reading::Strict) || bucket.len() == 0;
        let good = buckets.iter().all(good);
        let mut lines: Vec<Line<'_>> = buckets.iter().flat_map(|bucket| bucket.lines()).collect();
        lines.sort_unstable_by_key(|line| line.key);
        Ok(Some(Bucket::of(table, &lines, good.then_some(*at))))
    }

    /// Stages a directory of more than 64 rows, sorted by place. `good` says whether all of them are known to be.
    fn split(
        &self,
        table: Table,
        at: &Prefix,
        rows: &[(Place, Line<'_>)],
        good: bool,
    ) -> Result<Child, StateFault> {
        let format = self.format();
        let grower = Grower {
            table,
            format,
            good,
            keep: !self.naming.get(),
        };
        let grown = grower.grow(at, rows)?;
        for made in grown.made {
            self.put_made(made);
        }
        Ok(grown.child)
    }

    /// Stages what has not been, now that its place is final.
    fn finish(&self, table: Table, built: Built) -> Option<Child> {
        match built {
            Built::Kept(child) => child,
            Built::Dir(child) => Some(child),
            Built::Rows { bucket: open, .. } if open.bucket.len() == 0 => None,
            Built::Rows { bucket: open, .. } => {
                let put = || self.put_bucket(table, Arc::clone(&open.bucket), open.named);
                Some(Child::File(*open.id.get_or_init(put)))
            }
        }
    }
}

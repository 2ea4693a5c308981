//! What rows make by themselves, a bucket or directories of them: nothing is read, so all cores make a large one.

use super::StateFault;
use super::bucket::{Bucket, Line, text_of};
use super::cache::{Node, Shape};
use super::place::{Place, Prefix};
use super::raw::Child;
use super::tree::Dir;
use crate::cores;
use crate::model::{ObjectFormat, Oid, Table, limits};
use crate::store::{Bytes, Kind, id_of};
use std::sync::Arc;

/// From this many rows on, threads are worth starting.
const MANY: usize = 2048;

/// Rows sorted by place.
type Rows<'r, 'l> = &'r [(Place, Line<'l>)];

/// A new object, not staged yet.
pub(super) struct Made {
    pub(super) id: Oid,
    pub(super) kind: Kind,
    pub(super) bytes: Bytes,
    pub(super) shape: Shape,
    pub(super) node: Node,
}

/// What became of some rows, and the objects below it, if they are kept: children before the trees that name them.
pub(super) struct Grown {
    pub(super) child: Child,
    pub(super) made: Vec<Made>,
}

/// What holds for all rows.
pub(super) struct Grower {
    pub(super) table: Table,
    pub(super) format: ObjectFormat,
    /// Whether all of them are known to be good.
    pub(super) good: bool,
    /// Whether the objects are wanted, and not their ids alone.
    pub(super) keep: bool,
}

impl Grower {
    /// Makes what stands at a prefix below which these rows lie, at least one.
    pub(super) fn grow(&self, at: &Prefix, rows: Rows<'_, '_>) -> Result<Grown, StateFault> {
        self.child(at, rows, rows.len() >= MANY)
    }

    /// As [`Grower::grow`]. `split`: on all cores, which share the first directory that has several names. Hashes spread
    /// rows evenly, so its parts are as good as any further down.
    fn directory(&self, at: &Prefix, rows: Rows<'_, '_>, split: bool) -> Result<Grown, StateFault> {
        let depth = at.depth();
        if depth >= limits::TABLE_DEPTH {
            let what = "more than 64 rows share all digits";
            return Err(StateFault::malformed(&at.path(self.table), what));
        }
        let same =
            |a: &(Place, Line<'_>), b: &(Place, Line<'_>)| a.0.digit(depth) == b.0.digit(depth);
        let groups: Vec<Rows<'_, '_>> = rows.chunk_by(same).collect();
        // Rows of one subject share many digits.
        let here = split && groups.len() > 1;
        let few = if here { 0 } else { usize::MAX };
        let parts = cores::parts(&groups, few, |_, groups| {
            let grown = groups.iter().map(|group| {
                let digit = group[0].0.digit(depth);
                Ok((digit, self.child(&at.child(digit), group, split && !here)?))
            });
            grown.collect::<Result<Vec<_>, StateFault>>()
        });
        let (mut dir, mut made) = (Dir::default(), Vec::new());
        for part in parts {
            for (digit, grown) in part? {
                dir.children[digit] = Some(grown.child);
                made.extend(grown.made);
            }
        }
        let bytes = dir.encode();
        let id = id_of(self.format, Kind::Tree, &bytes);
        if self.keep {
            made.push(Made {
                id,
                kind: Kind::Tree,
                bytes: bytes.into(),
                shape: Shape::Dir,
                node: Node::Dir(Arc::new(dir)),
            });
        }
        let child = Child::Dir(id);
        Ok(Grown { child, made })
    }

    /// Makes what stands at one digit.
    fn child(&self, at: &Prefix, rows: Rows<'_, '_>, split: bool) -> Result<Grown, StateFault> {
        if rows.len() > limits::BUCKET_ROWS {
            return self.directory(at, rows, split);
        }
        let mut lines: Vec<_> = rows.iter().map(|(_, row)| *row).collect();
        lines.sort_unstable_by_key(|line| line.key);
        Ok(self.bucket(at, &lines))
    }

    /// Makes the bucket of some rows, sorted by key.
    fn bucket(&self, at: &Prefix, lines: &[Line<'_>]) -> Grown {
        if !self.keep {
            let id = id_of(self.format, Kind::Blob, text_of(lines).as_bytes());
            return Grown {
                child: Child::File(id),
                made: Vec::new(),
            };
        }
        let bucket = Bucket::of(self.table, lines, self.good.then_some(*at));
        let bytes = bucket.bytes();
        let id = id_of(self.format, Kind::Blob, &bytes);
        let made = Made {
            id,
            kind: Kind::Blob,
            bytes,
            shape: Shape::Bucket(self.table),
            node: Node::Bucket(Arc::new(bucket)),
        };
        Grown {
            child: Child::File(id),
            made: vec![made],
        }
    }
}

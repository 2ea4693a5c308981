//! Which objects are versions of one thing, and in which order they came: what whoever walks the history can tell.

use super::source::Source;
use crate::model::Oid;
use crate::store::StoreFault;
use std::collections::HashMap;

/// Hands over what the history has, from the oldest commit on: each commit, and then what is met first in its tree.
/// Objects that it leaves out are packed all the same.
pub type Walk<'a> = dyn Fn(&mut dyn FnMut(Met<'_>)) -> Result<(), StoreFault> + 'a;

/// An object of the history.
#[derive(Debug, Clone, Copy)]
pub enum Met<'a> {
    /// A commit, and its parent if it has no other.
    Commit(Oid, Option<Oid>),
    /// Anything else, and the path at which it lies.
    Part(Oid, &'a [u8]),
}

/// The place of each object of a pack in the history, by its number there.
pub(super) struct Lineage {
    /// Of the commit, and of the object in it.
    ranks: Vec<(u32, u32)>,
    lines: Vec<u32>,
}

/// The rank of what nobody told of.
const UNKNOWN: (u32, u32) = (u32::MAX, u32::MAX);

impl Lineage {
    pub(super) fn of(source: &Source, walk: &Walk<'_>) -> Result<Self, StoreFault> {
        let count = source.len();
        let mut by_id: Vec<u32> = (0..count as u32).collect();
        by_id.sort_unstable_by_key(|n| source.id(*n));
        let number = |id: Oid| {
            let at = by_id.binary_search_by_key(&id, |n| source.id(*n));
            at.ok().map(|at| by_id[at] as usize)
        };
        let mut ranks = vec![UNKNOWN; count];
        let mut lines = vec![0; count];
        let (mut seen, mut at) = (0, 0);
        walk(&mut |met| {
            seen += 1;
            let (id, path) = match met {
                Met::Commit(id, parent) => {
                    // A proposal belongs to the page that it was made of, whenever that was numbered.
                    let base = parent.and_then(number).map(|n| ranks[n]);
                    at = base
                        .filter(|rank| *rank != UNKNOWN)
                        .map_or(seen, |rank| rank.0);
                    (id, None)
                }
                Met::Part(id, path) => (id, Some(path)),
            };
            if let Some(n) = number(id).filter(|n| ranks[*n] == UNKNOWN) {
                ranks[n] = (at, seen);
                lines[n] = path.map_or(0, line);
            }
        })?;
        Ok(Self { ranks, lines })
    }

    /// When it came, as something that grows.
    pub(super) fn rank(&self, n: u32) -> (u32, u32) {
        self.ranks[n as usize]
    }

    /// When the first version of what it is a version of came, for all objects.
    pub(super) fn begun(&self) -> Vec<(u32, u32)> {
        let mut firsts: HashMap<u32, (u32, u32)> = HashMap::new();
        for (line, rank) in self.lines.iter().zip(&self.ranks) {
            let first = firsts.entry(*line).or_insert(*rank);
            *first = *rank.min(first);
        }
        self.lines.iter().map(|line| firsts[line]).collect()
    }

    /// Of what it is a version, if that is known.
    pub(super) fn line(&self, n: u32) -> Option<u32> {
        Some(self.lines[n as usize]).filter(|line| *line != 0)
    }
}

/// Two paths that fall together make a pack a little larger, and nothing else.
fn line(path: &[u8]) -> u32 {
    let sum = path.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (sum ^ sum >> 32) as u32 | 1
}

/// The versions of each line that were seen first and last.
#[derive(Default)]
pub(super) struct Versions(HashMap<u32, [u32; 3]>);

impl Versions {
    /// The last one, the one before it, and the first one, before this one is the last.
    pub(super) fn replace(&mut self, line: u32, n: u32) -> [Option<u32>; 3] {
        let Some(seen) = self.0.get_mut(&line) else {
            self.0.insert(line, [n; 3]);
            return [None; 3];
        };
        let before = *seen;
        *seen = [n, before[0], before[2]];
        before.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_two_and_the_first_are_known() {
        let mut versions = Versions::default();
        let (a, b) = (line(b"a"), line(b"b"));
        assert_ne!(a, b);
        assert_eq!(versions.replace(a, 1), [None; 3]);
        assert_eq!(versions.replace(b, 2), [None; 3]);
        assert_eq!(versions.replace(a, 3), [1, 1, 1].map(Some));
        assert_eq!(versions.replace(a, 4), [3, 1, 1].map(Some));
        assert_eq!(versions.replace(a, 5), [4, 3, 1].map(Some));
    }
}

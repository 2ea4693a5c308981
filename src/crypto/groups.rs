//! BLAKE3 in groups of 1 MiB, so that a part of a large artifact can be verified before the rest is read.
//!
//! Each group is a whole subtree of BLAKE3's tree. Its chaining value is what the subtree passes upwards; all of
//! them merged give the ordinary digest, which `b3sum` prints too.

use crate::model::{ContentDigest, limits};
use blake3::hazmat::{
    HasherExt as _, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root,
};

/// A chaining value.
pub type Chain = [u8; 32];

/// The digest of bytes that come in pieces, and the chaining values of their groups.
#[derive(Debug, Clone)]
pub struct GroupHasher {
    current: blake3::Hasher,
    groups: Vec<Chain>,
    size: u64,
}

impl Default for GroupHasher {
    fn default() -> Self {
        let current = blake3::Hasher::new();
        Self {
            current,
            groups: Vec::new(),
            size: 0,
        }
    }
}

impl GroupHasher {
    /// Hashes more bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // A full group is closed when the first byte after it comes: a single one is the root.
            let filled = self.size - self.start();
            if filled == limits::GROUP_BYTES {
                self.groups.push(self.current.finalize_non_root());
                self.current = hasher_at(self.groups.len() as u64);
                continue;
            }
            let room = (limits::GROUP_BYTES - filled).min(bytes.len() as u64) as usize;
            let (now, later) = bytes.split_at(room);
            self.current.update(now);
            self.size += now.len() as u64;
            bytes = later;
        }
    }

    /// How many bytes were hashed.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest, and the chaining values of all groups; none where one group is everything.
    pub fn finish(mut self) -> (ContentDigest, Vec<Chain>) {
        if self.groups.is_empty() {
            return (
                ContentDigest(*self.current.finalize().as_bytes()),
                Vec::new(),
            );
        }
        self.groups.push(self.current.finalize_non_root());
        (merge(&self.groups, self.size), self.groups)
    }

    fn start(&self) -> u64 {
        self.groups.len() as u64 * limits::GROUP_BYTES
    }
}

fn hasher_at(group: u64) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.set_input_offset(group * limits::GROUP_BYTES);
    hasher
}

/// The digest of bytes that are in memory.
pub fn digest(bytes: &[u8]) -> ContentDigest {
    ContentDigest(*blake3::hash(bytes).as_bytes())
}

/// The chaining value of one of several groups. `bytes` are 1 to 1 MiB of it: all of the group.
pub fn chain(group: u64, bytes: &[u8]) -> Chain {
    hasher_at(group).update(bytes).finalize_non_root()
}

/// Whether these are the chaining values of an artifact of more than one group that has this digest and size.
pub fn belong(key: &ContentDigest, size: u64, groups: &[Chain]) -> bool {
    let enough = groups.len() > 1 && groups.len() as u64 == size.div_ceil(limits::GROUP_BYTES);
    enough && merge(groups, size) == *key
}

/// The digest of `size` bytes whose groups, two at least, have these chaining values.
fn merge(groups: &[Chain], size: u64) -> ContentDigest {
    let (left, right) = halves(groups, size);
    ContentDigest(*merge_subtrees_root(&left, &right, Mode::Hash).as_bytes())
}

fn subtree(groups: &[Chain], size: u64) -> Chain {
    match groups {
        [only] => *only,
        _ => {
            let (left, right) = halves(groups, size);
            merge_subtrees_non_root(&left, &right, Mode::Hash)
        }
    }
}

fn halves(groups: &[Chain], size: u64) -> (Chain, Chain) {
    let left = left_subtree_len(size);
    let (first, second) = groups.split_at((left / limits::GROUP_BYTES) as usize);
    (subtree(first, left), subtree(second, size - left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_merge_to_the_ordinary_digest() {
        let mib = limits::GROUP_BYTES as usize;
        let bytes: Vec<u8> = (0..5 * mib + 77).map(|n| ((n * n) >> 7) as u8).collect();
        for size in [
            0,
            1,
            mib - 1,
            mib,
            mib + 1,
            2 * mib,
            3 * mib + 5,
            4 * mib,
            bytes.len(),
        ] {
            for piece in [1024 * 1024, 300_001] {
                let mut hasher = GroupHasher::default();
                bytes[..size]
                    .chunks(piece)
                    .for_each(|part| hasher.update(part));
                assert_eq!(hasher.size(), size as u64);
                let (key, groups) = hasher.finish();
                assert_eq!(key, digest(&bytes[..size]), "{size}");
                assert_eq!(
                    groups.len() as u64,
                    crate::codec::sheet::groups_of(size as u64)
                );
                for (n, part) in bytes[..size].chunks(mib).enumerate().take(groups.len()) {
                    assert_eq!(chain(n as u64, part), groups[n]);
                }
                assert_eq!(belong(&key, size as u64, &groups), size > mib);
                assert!(!belong(&key, size as u64 + limits::GROUP_BYTES, &groups));
            }
        }
    }
}

//! What was parsed, kept by id in bounded memory.

use super::bucket::Bucket;
use super::tree::{Dir, Root};
use crate::model::{Oid, Table};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What an object was read as. One blob may be a bucket of two tables (an alias and its reverse row
/// have the same bytes), so the id alone does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    Root,
    Dir,
    Bucket(Table),
}

/// A parsed object; cheap to clone.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Root(Arc<Root>),
    Dir(Arc<Dir>),
    Bucket(Arc<Bucket>),
}

impl Node {
    fn weight(&self) -> usize {
        match self {
            Node::Root(_) => size_of::<Root>() + 128,
            Node::Dir(_) => size_of::<Dir>() + 128,
            Node::Bucket(bucket) => bucket.weight(),
        }
    }
}

/// What was read, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key(Oid, Shape);

impl Hash for Key {
    /// An id is a hash already: a part of it tells most keys apart, and the map's own seed hides from others which
    /// ids would meet.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Key(id, shape) = self;
        let part = id.as_bytes()[..8].try_into().expect("8 of 20 or more");
        let shape = match shape {
            Shape::Root => 0,
            Shape::Dir => 1,
            Shape::Bucket(table) => 2 + *table as u64,
        };
        state.write_u64(u64::from_le_bytes(part) ^ shape.rotate_right(8));
    }
}

/// Two generations: what is used moves to the young one; when that is full it becomes the old one,
/// and what nobody used since the last change is dropped. No list to keep, a hit costs one or two
/// look-ups. What was replaced goes to the old one at once: whoever follows a history makes new versions
/// all the time, and seldom asks for one before the last.
#[derive(Debug)]
pub(super) struct Cache {
    young: HashMap<Key, Node, RandomState>,
    old: HashMap<Key, Node, RandomState>,
    /// Bytes of the young ones.
    weight: usize,
    /// Bytes of the old ones, as they came.
    old_weight: usize,
    /// Most bytes of the young ones; the old ones are at most half as many more.
    most: usize,
}

impl Cache {
    /// A cache of about `bytes` bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            young: HashMap::default(),
            old: HashMap::default(),
            weight: 0,
            old_weight: 0,
            most: bytes / 2,
        }
    }

    pub(super) fn get(&mut self, id: &Oid, shape: Shape) -> Option<Node> {
        let key = Key(*id, shape);
        if let Some(node) = self.young.get(&key) {
            return Some(node.clone());
        }
        let node = self.old.remove(&key)?;
        self.insert(*id, shape, node.clone());
        Some(node)
    }

    pub(super) fn contains(&self, id: &Oid, shape: Shape) -> bool {
        let key = Key(*id, shape);
        self.young.contains_key(&key) || self.old.contains_key(&key)
    }

    pub(super) fn insert(&mut self, id: Oid, shape: Shape, node: Node) {
        let weight = node.weight();
        if self.weight + weight > self.most {
            // The room of the one that goes is that of the one that comes.
            std::mem::swap(&mut self.old, &mut self.young);
            self.young.clear();
            self.old_weight = self.weight;
            self.weight = 0;
        }
        self.weight += weight;
        if let Some(before) = self.young.insert(Key(id, shape), node) {
            self.weight = self.weight.saturating_sub(before.weight());
        }
    }

    /// Makes an object old: it is dropped with the others, unless somebody uses it before.
    pub(super) fn age(&mut self, id: &Oid, shape: Shape) {
        let key = Key(*id, shape);
        let Some(node) = self.young.remove(&key) else {
            return;
        };
        let weight = node.weight();
        self.weight = self.weight.saturating_sub(weight);
        if self.old_weight + weight > self.most / 2 * 3 {
            self.old.clear();
            self.old_weight = 0;
        }
        self.old_weight += weight;
        self.old.insert(key, node);
    }

    /// Forgets an object, whatever it was read as.
    pub(super) fn remove(&mut self, id: &Oid) {
        let tables = Table::ALL.iter().map(|table| Shape::Bucket(*table));
        for shape in tables.chain([Shape::Root, Shape::Dir]) {
            if let Some(node) = self.young.remove(&Key(*id, shape)) {
                self.weight = self.weight.saturating_sub(node.weight());
            }
            self.old.remove(&Key(*id, shape));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let id = |n: u32| {
            let mut raw = [0; 20];
            raw[..4].copy_from_slice(&n.to_le_bytes());
            Oid::from_bytes(&raw).unwrap()
        };
        let mut cache = Cache::new(100_000);
        for n in 0..10_000 {
            cache.insert(id(n), Shape::Dir, Node::Dir(Arc::default()));
            assert!(cache.get(&id(0), Shape::Dir).is_some(), "after {n}");
        }
        assert!(!cache.contains(&id(1), Shape::Dir));
        assert!(cache.contains(&id(9_999), Shape::Dir));
        assert!(!cache.contains(&id(9_999), Shape::Root));
        let weight = Node::Dir(Arc::default()).weight();
        assert!((cache.young.len() + cache.old.len()) * weight <= 100_000 + weight);
        cache.remove(&id(0));
        assert!(!cache.contains(&id(0), Shape::Dir));
    }

    #[test]
    fn what_was_replaced_makes_room_for_the_others() {
        let id = |n: u32, version: u32| {
            let mut raw = [0; 20];
            raw[..4].copy_from_slice(&n.to_le_bytes());
            raw[4..8].copy_from_slice(&version.to_le_bytes());
            Oid::from_bytes(&raw).unwrap()
        };
        let dir = || Node::Dir(Arc::default());
        let weight = dir().weight();
        let most = 100 * weight;
        let mut cache = Cache::new(2 * most);
        // Eighty of which each is replaced in its turn: far more versions than fit, and the last of each stays.
        let last = 99;
        for version in 0..=last {
            for n in 0..80 {
                if version > 0 {
                    cache.age(&id(n, version - 1), Shape::Dir);
                }
                cache.insert(id(n, version), Shape::Dir, dir());
                assert!((cache.young.len() + cache.old.len()) * weight <= most / 2 * 5 + weight);
            }
        }
        assert!((0..80).all(|n| cache.contains(&id(n, last), Shape::Dir)));
        assert!(!cache.contains(&id(79, 0), Shape::Dir));
        // One that is asked for is young again.
        assert!(cache.get(&id(79, last - 1), Shape::Dir).is_some());
        cache.old.clear();
        assert!(cache.get(&id(79, last - 1), Shape::Dir).is_some());
        // And what is not there stays away.
        cache.age(&id(1_000, 0), Shape::Dir);
        assert!(!cache.contains(&id(1_000, 0), Shape::Dir));
    }
}

//! Objects in and out: the cache before, the staged objects beside, the store behind.

use super::StateFault;
use super::bucket::{Bucket, Reading};
use super::cache::{Cache, Node, Shape};
use super::grow::Made;
use super::lent::Lent;
use super::place::Prefix;
use super::raw::Child;
use super::repeat::Noted;
use super::staged::{Staged, StagedBefore};
use super::tree::{Dir, Root};
use crate::fold::Memo;
use crate::model::{ChainDigest, Code, Number, ObjectFormat, Oid, SpaceId, Table, limits};
use crate::store::{Bytes, Kind, Objects};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of parsed objects kept by default.
const CACHE: usize = 128 * 1024 * 1024;

/// Snapshots kept, before all of them are forgotten.
const FOOTINGS: usize = 256;

/// What a snapshot tells whoever stands on it or comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footing {
    /// Its space.
    pub space: SpaceId,
    /// Its number.
    pub number: Number,
    /// The chain digest with it.
    pub chain: ChainDigest,
    /// Its state tree.
    pub tree: Oid,
    /// The snapshot before it; the first has none.
    pub previous: Option<Oid>,
}

/// The tables of any number of states in one store: one of these per thread.
///
/// New objects of [`Tables::edit`], [`Tables::build`] and [`Tables::with_decisions`] are staged, except in
/// [`Tables::naming`]: readable here at once, written by nobody until the caller passes [`Tables::take`] to
/// `Objects::write_all`.
#[derive(Debug)]
pub struct Tables<'s, S: Objects + ?Sized> {
    pub(super) store: &'s S,
    cache: RefCell<Cache>,
    pub(super) staged: RefCell<Staged>,
    /// Whether what is made is only named; see [`Tables::naming`].
    pub(super) naming: Cell<bool>,
    /// What was made and is not there; see [`Tables::note_absent`].
    pub(super) absent: RefCell<Option<Vec<Oid>>>,
    /// The id of git's empty tree, which is never looked for in the store.
    empty: Oid,
    /// How buckets are read where single rows are asked for; see [`Tables::rely_on_chain`].
    reading: Cell<Reading>,
    /// What was read since somebody asked for it; see [`Tables::lending`].
    pub(super) lent: RefCell<Option<Lent>>,
    /// Snapshots that were read lately; see [`Tables::footing`].
    footings: RefCell<BTreeMap<Oid, Footing>>,
    /// Rows that were parsed, for views of any of the states.
    pub(super) memo: Memo,
    /// The last tree that was made.
    encoded: RefCell<Vec<u8>>,
    /// What was changed lately; see [`Tables::note_changes`].
    pub(super) noted: RefCell<Noted>,
}

impl<'s, S: Objects + ?Sized> Tables<'s, S> {
    /// Tables in this store, with a cache of the usual size (128 MiB).
    pub fn new(store: &'s S) -> Self {
        Self::with_cache(store, CACHE)
    }

    /// Tables in this store, with a cache of about `bytes` bytes.
    pub fn with_cache(store: &'s S, bytes: usize) -> Self {
        Self {
            store,
            cache: RefCell::new(Cache::new(bytes)),
            staged: RefCell::default(),
            naming: Cell::default(),
            absent: RefCell::default(),
            empty: store.id_of(Kind::Tree, b""),
            reading: Cell::new(Reading::Strict),
            lent: RefCell::default(),
            footings: RefCell::default(),
            memo: Memo::default(),
            encoded: RefCell::default(),
            noted: RefCell::default(),
        }
    }

    /// What a snapshot tells whoever stands on it, if it was read lately: neighbours in a history stand on the same
    /// ones. Else `read` brings it, from this store or one that has the same objects.
    pub fn footing<E>(
        &self,
        id: &Oid,
        read: impl FnOnce() -> Result<Footing, E>,
    ) -> Result<Footing, E> {
        if let Some(known) = self.footings.borrow().get(id) {
            return Ok(*known);
        }
        let footing = read()?;
        self.note_footing(*id, footing);
        Ok(footing)
    }

    /// Keeps what a snapshot tells.
    pub fn note_footing(&self, id: Oid, footing: Footing) {
        let mut footings = self.footings.borrow_mut();
        if footings.len() == FOOTINGS {
            footings.clear();
        }
        footings.insert(id, footing);
    }

    /// From now on, look-ups and changes parse the rows that they are about and none beside them. For whoever
    /// reads states of a chain that was taken in page by page, or that is being verified page by page: each of
    /// them is what its page makes of the one before. Walks and comparisons parse all rows as ever.
    pub fn rely_on_chain(&self) {
        self.reading.set(Reading::Lazy);
    }

    /// How buckets are read where single rows are asked for.
    pub(super) fn reading(&self) -> Reading {
        self.reading.get()
    }

    /// The hash that names objects here.
    pub fn format(&self) -> ObjectFormat {
        self.store.format()
    }

    /// The root tree of the state without rows: git's empty tree.
    pub fn empty_tree(&self) -> Oid {
        self.empty
    }

    /// Hands over all staged objects, children before their trees, to be written before anything
    /// else is asked here. When writing them fails, this value must be dropped: it takes them for
    /// written and would not stage them again.
    #[must_use = "objects that are handed over and not written are lost"]
    pub fn take(&self) -> Vec<(Oid, Kind, Vec<u8>)> {
        self.forget_all_changes();
        self.staged.borrow_mut().take()
    }

    /// The staged objects but for the first `from` of them, as counted by [`Tables::staged`], for whoever makes them ready
    /// to be written. They stay staged, until [`Tables::written`] says that they were written.
    pub fn staged_since(&self, from: usize) -> Vec<(Oid, Kind, Bytes)> {
        self.staged.borrow().since(from)
    }

    /// Takes all staged objects for written, as [`Tables::take`] does, and hands over their memory.
    #[must_use = "to give it back takes a while"]
    pub fn written(&self) -> StagedBefore {
        self.forget_all_changes();
        self.staged.take().into()
    }

    fn forget_all_changes(&self) {
        self.forget_changes();
        self.noted.borrow_mut().give_up_lent();
    }

    /// Whether an object is staged.
    pub(super) fn is_staged(&self, id: &Oid) -> bool {
        self.staged.borrow().get(id).is_some()
    }

    /// How many objects are staged.
    pub fn staged(&self) -> usize {
        self.staged.borrow().len()
    }

    /// Forgets all but the first `keep` staged objects, as counted by [`Tables::staged`] before a
    /// change that turned out not to be wanted.
    pub fn discard(&self, keep: usize) {
        self.forget_all_changes();
        for id in self.staged.borrow_mut().truncate(keep) {
            self.cache.borrow_mut().remove(&id);
        }
    }

    pub(super) fn root(&self, root: Option<Oid>) -> Result<Arc<Root>, StateFault> {
        let Some(id) = root.filter(|id| *id != self.empty) else {
            return Ok(Arc::default());
        };
        if let Some(Node::Root(root)) = self.cached(&id, Shape::Root) {
            return Ok(root);
        }
        let root = Arc::new(self.read_root(&id)?);
        self.keep(id, Shape::Root, Node::Root(Arc::clone(&root)));
        Ok(root)
    }

    /// As [`Tables::root`], of a tree that is looked at once: it is not kept.
    pub(super) fn root_once(&self, id: Oid) -> Result<Arc<Root>, StateFault> {
        if id == self.empty {
            return Ok(Arc::default());
        }
        match self.cached(&id, Shape::Root) {
            Some(Node::Root(root)) => Ok(root),
            _ => self.read_root(&id).map(Arc::new),
        }
    }

    fn read_root(&self, id: &Oid) -> Result<Root, StateFault> {
        let path = "the root tree";
        let bytes = self.read(id, Kind::Tree, limits::TREE_BYTES, || path.to_owned())?;
        let root = Root::parse(&bytes, self.store.format());
        root.map_err(|what| StateFault::malformed(path, what))
    }

    pub(super) fn dir(&self, id: &Oid, table: Table, at: &Prefix) -> Result<Arc<Dir>, StateFault> {
        // Beyond the last digit there is nothing to tell rows apart by; this also ends recursion.
        if at.depth() >= limits::TABLE_DEPTH {
            let what = "a directory below the last digit";
            return Err(StateFault::malformed(&at.path(table), what));
        }
        if let Some(Node::Dir(dir)) = self.cached(id, Shape::Dir) {
            return Ok(dir);
        }
        let path = || at.path(table);
        let bytes = self.read(id, Kind::Tree, limits::TREE_BYTES, path)?;
        let dir = Dir::parse(&bytes, self.store.format());
        let dir = Arc::new(dir.map_err(|what| StateFault::malformed(&path(), what))?);
        let node = Node::Dir(Arc::clone(&dir));
        self.lend(*id, Shape::Dir, &node);
        self.keep(*id, Shape::Dir, node);
        Ok(dir)
    }

    /// The bucket that stands at a prefix, read at least as strictly as that.
    pub(super) fn bucket(
        &self,
        id: &Oid,
        table: Table,
        at: &Prefix,
        reading: Reading,
    ) -> Result<Arc<Bucket>, StateFault> {
        let shape = Shape::Bucket(table);
        let path = || at.path(table) + ".jsonl";
        let malformed = |what| StateFault::malformed(&path(), what);
        let bucket = match self.cached(id, shape) {
            Some(Node::Bucket(bucket)) if bucket.was_read(at, reading) => return Ok(bucket),
            // The same rows were read at another place, or more lazily.
            Some(Node::Bucket(bucket)) => bucket.strictly(table, at).map_err(malformed)?,
            _ => {
                let bytes = self.read(id, Kind::Blob, limits::BUCKET_BYTES, path)?;
                Bucket::read(table, at, bytes, reading).map_err(malformed)?
            }
        };
        let bucket = Arc::new(bucket);
        let node = Node::Bucket(Arc::clone(&bucket));
        self.lend(*id, shape, &node);
        self.keep(*id, shape, node);
        Ok(bucket)
    }

    /// Stages a root tree and names it. `parts`: what it names, as far as that may be new.
    pub(super) fn put_root(&self, root: Root, parts: &[Oid]) -> Oid {
        let id = self.put_tree(Shape::Root, parts, |bytes| root.encode_into(bytes));
        self.keep_made(id, Shape::Root, || Node::Root(Arc::new(root)));
        id
    }

    /// As [`Tables::put_root`], a directory that is known to hold more than 64 rows.
    pub(super) fn put_dir(&self, dir: Dir, parts: &[Oid]) -> Child {
        let id = self.put_tree(Shape::Dir, parts, |bytes| dir.encode_into(bytes));
        self.keep_made(id, Shape::Dir, || Node::Dir(Arc::new(dir)));
        Child::Dir(id)
    }

    /// Stages a bucket of 1 to 64 sorted rows that all lie where it will stand. `named`: its id, for whoever knows it.
    pub(super) fn put_bucket(&self, table: Table, bucket: Arc<Bucket>, named: Option<Oid>) -> Oid {
        let shape = Shape::Bucket(table);
        let bytes = bucket.bytes();
        let id = named.unwrap_or_else(|| self.store.id_of(Kind::Blob, &bytes));
        self.stage(id, shape, Kind::Blob, &[], || bytes);
        self.keep_made(id, shape, || Node::Bucket(bucket));
        id
    }

    /// Stages a tree object and names it. Most trees that are made to be compared are there already, so its bytes are
    /// written where the last ones were.
    fn put_tree(&self, shape: Shape, parts: &[Oid], encode: impl FnOnce(&mut Vec<u8>)) -> Oid {
        let mut bytes = self.encoded.borrow_mut();
        bytes.clear();
        encode(&mut bytes);
        let id = self.store.id_of(Kind::Tree, &bytes);
        self.stage(id, shape, Kind::Tree, parts, || Bytes::from(bytes.clone()));
        id
    }

    /// Stages an object that was made elsewhere.
    pub(super) fn put_made(&self, made: Made) {
        let Made { id, shape, .. } = made;
        self.stage(id, shape, made.kind, &[], || made.bytes);
        self.keep_made(id, shape, || made.node);
    }

    fn keep_made(&self, id: Oid, shape: Shape, node: impl FnOnce() -> Node) {
        if !self.naming.get() {
            self.keep(id, shape, node());
        }
    }

    pub(super) fn is_cached(&self, id: &Oid, shape: Shape) -> bool {
        self.cache.borrow().contains(id, shape)
    }

    /// Says that another object stands where this one stood.
    pub(super) fn age(&self, id: &Oid, shape: Shape) {
        self.cache.borrow_mut().age(id, shape);
    }

    fn cached(&self, id: &Oid, shape: Shape) -> Option<Node> {
        self.cache.borrow_mut().get(id, shape)
    }

    pub(super) fn keep(&self, id: Oid, shape: Shape, node: Node) {
        self.cache.borrow_mut().insert(id, shape, node);
    }

    /// Reads an object; `path` says where it stands, for a fault.
    fn read(
        &self,
        id: &Oid,
        kind: Kind,
        max: u64,
        path: impl Fn() -> String,
    ) -> Result<Vec<u8>, StateFault> {
        match self.staged.borrow().get(id) {
            Some((found, bytes)) if *found == kind => return Ok(bytes.to_vec()),
            Some(_) => {
                let what = format!("{}: expected another kind of object", path());
                return Err(StateFault::new(Code::ObjectDamaged, what));
            }
            None => {}
        }
        let read = self.store.read(id, kind, max);
        read.map_err(|fault| StateFault::new(fault.code, format!("{}: {}", path(), fault.what)))
    }
}

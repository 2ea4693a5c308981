//! Objects and refs behind two traits, so that the journal never knows what lies below.
//!
//! `git.rs` is a real repository, `memory.rs` lives and dies with the process, `faulty.rs` fails where
//! a test asks it to.

use crate::model::{Code, ObjectFormat, Oid};
use std::fmt;

/// The kinds of objects that Folio uses; annotated tags are read by name only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// File contents.
    Blob,
    /// A directory.
    Tree,
    /// A commit.
    Commit,
    /// An annotated tag.
    Tag,
}

/// Why an object or ref could not be read or written.
#[derive(Debug, Clone)]
pub struct StoreFault {
    /// `object-missing`, `object-damaged`, `too-large`, `io`, `busy`, `race-lost`, `unsupported`, ...
    pub code: Code,
    /// What was expected and found.
    pub what: String,
}

impl StoreFault {
    /// A fault with words.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
        }
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for StoreFault {}

/// Where objects are read from and written to.
pub trait Objects {
    /// The hash that names objects here.
    fn format(&self) -> ObjectFormat;

    /// Reads an object of a known kind, at most `max` bytes of it: the size is looked at before the
    /// contents. Another kind is `object-damaged`, a larger one `too-large`, none `object-missing`.
    fn read(&self, id: &Oid, kind: Kind, max: u64) -> Result<Vec<u8>, StoreFault>;

    /// Kind and size of an object, or `None` where there is none.
    fn header(&self, id: &Oid) -> Result<Option<(Kind, u64)>, StoreFault>;

    /// The id that these bytes have.
    fn id_of(&self, kind: Kind, bytes: &[u8]) -> Oid;

    /// Writes all of these objects durably, as one pack; nothing refers to them yet. Objects that are
    /// already there are left out. When it returns, they survive a crash.
    fn write_all(&self, objects: &[(Oid, Kind, Vec<u8>)]) -> Result<(), StoreFault>;
}

/// What a ref must be before it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// It must not exist.
    Absent,
    /// It must point exactly there.
    At(Oid),
    /// It may be anything.
    Any,
}

/// One change of one ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefEdit {
    /// The full name.
    pub name: String,
    /// What it must be before.
    pub expect: Expect,
    /// What it is afterwards; `None` deletes it.
    pub new: Option<Oid>,
    /// The words for the reflog.
    pub message: String,
}

/// Where refs are read and moved.
pub trait Refs {
    /// Where the ref of that full name points, or `None`. Symbolic refs are not followed and are a
    /// fault for names below `refs/heads/`.
    fn get(&self, name: &str) -> Result<Option<Oid>, StoreFault>;

    /// All refs whose full name starts with `prefix` (which ends in `/`), sorted by name.
    fn list(&self, prefix: &str) -> Result<Vec<(String, Oid)>, StoreFault>;

    /// Makes all changes, or none if one of them does not find what it expects (`race-lost`). Each is a
    /// compare-and-swap under the ref's lock. When it returns, they survive a crash.
    fn apply(&self, edits: &[RefEdit]) -> Result<(), StoreFault>;
}

/// A place that has both.
pub trait Store: Objects + Refs {}

impl<T: Objects + Refs> Store for T {}

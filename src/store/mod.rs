//! Objects and refs behind two traits, so that the journal never knows what lies below.
//!
//! `git.rs` is a real repository, `memory.rs` lives and dies with the process, `faulty.rs` fails where
//! a test asks it to.

mod bytes;
pub mod collector;
pub(crate) mod disk;
pub mod evidence;
pub mod faulty;
pub mod git;
pub mod index;
pub(crate) mod locked;
pub mod memory;
pub mod pack;
pub mod signed;
pub mod steps;
#[cfg(test)]
pub(crate) mod testing;
pub mod turnstile;
pub mod unnamed;

pub use bytes::Bytes;
pub use faulty::{Faulty, Script};
pub use git::{GitStore, object_id, user_config_value};
pub use index::Index;
pub use memory::MemoryStore;
pub use pack::{PackReader, PackStream, Parcel, Shared};
pub use signed::SignedPages;
pub use steps::{EveryStep, Steps};
pub use turnstile::Turnstile;
pub use unnamed::{Later, Unnamed};

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

    /// Whether the object is surely here, as far as a quick look tells; `false` may be wrong where another
    /// process has just written it. Good for leaving out what need not be written again, and for that only.
    fn is_known(&self, id: &Oid) -> bool;

    /// Whether objects that are not here can be had all the same, from where a partial clone came from.
    fn is_partial(&self) -> bool {
        false
    }

    /// The id that these bytes have.
    fn id_of(&self, kind: Kind, bytes: &[u8]) -> Oid;

    /// Writes all of these objects durably, as one pack; nothing refers to them yet. Objects that are
    /// already there are left out. When it returns, they survive a crash.
    fn write_all(&self, objects: &[(Oid, Kind, Vec<u8>)]) -> Result<(), StoreFault>;

    /// As [`Objects::write_all`], of objects that were made ready before, which are there only when they are given
    /// their names. All of them may be written, also those that are already there.
    fn prepare(&self, parcel: Parcel) -> Result<Box<dyn Unnamed + '_>, StoreFault> {
        let write = move || self.write_all(&parcel.into_objects());
        Ok(Box::new(Later(write)))
    }
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

    /// As [`Refs::list`], of those only whose last part is `last`: it need not read where the others point.
    fn list_named(&self, prefix: &str, last: &str) -> Result<Vec<(String, Oid)>, StoreFault> {
        let mut found = self.list(prefix)?;
        found.retain(|(name, _)| has_last(name, last));
        Ok(found)
    }

    /// Writes down where a ref is to point, ahead of the [`Refs::apply`] that moves it there: who waits for other files to
    /// be durable waits for this one along with them. Nobody sees it, and nothing comes of it unless it is applied.
    fn foretell(&self, _name: &str, _new: Oid) -> Result<Box<dyn Unnamed + '_>, StoreFault> {
        Ok(Box::new(Later(|| Ok(()))))
    }

    /// Makes all changes, or none if one of them does not find what it expects (`race-lost`). Each is a
    /// compare-and-swap under the ref's lock. When it returns, they survive a crash.
    fn apply(&self, edits: &[RefEdit]) -> Result<(), StoreFault>;

    /// Removes refs that nobody needs any more, each if it still points there. One that moved stays, and so does what
    /// cannot be removed now. A crash may bring some of them back.
    fn clear(&self, gone: &[(String, Oid)]) {
        for some in gone.chunks(REFS_REMOVED_AT_ONCE) {
            let edits = removals(some);
            if self.apply(&edits).is_err() {
                for edit in &edits {
                    let _ = self.apply(std::slice::from_ref(edit));
                }
            }
        }
    }

    /// Writes down ahead of [`Refs::clear`] what it has to write, as [`Refs::foretell`] does.
    fn foretell_clear(&self, _gone: &[(String, Oid)]) -> Result<Box<dyn Unnamed + '_>, StoreFault> {
        Ok(Box::new(Later(|| Ok(()))))
    }
}

/// The edits that remove these, where they still point there.
fn removals<'g>(gone: impl IntoIterator<Item = &'g (String, Oid)>) -> Vec<RefEdit> {
    let removal = |(name, id): &(String, Oid)| RefEdit {
        name: name.clone(),
        expect: Expect::At(*id),
        new: None,
        message: "folio: gone".into(),
    };
    gone.into_iter().map(removal).collect()
}

/// The id that git gives to an object of a kind with these contents: what [`Objects::id_of`] of a store of that format
/// says, for whoever hashes on several threads.
pub fn id_of(format: ObjectFormat, kind: Kind, bytes: &[u8]) -> Oid {
    git::object_id(format, kind, bytes)
}

/// Whether the last part of a ref's name is that.
pub(crate) fn has_last(name: &str, last: &str) -> bool {
    name.rsplit('/').next() == Some(last)
}

/// Refs that are changed at a time where nothing asks for all of them at once: each keeps a file open, and a
/// process may open only so many.
pub const REFS_AT_ONCE: usize = 128;

/// As [`REFS_AT_ONCE`], for refs that only go: their locks share one open file, except where the file system has no
/// hard links.
pub const REFS_REMOVED_AT_ONCE: usize = 512;

/// Makes changes that do not depend on each other, some at a time. A crash on the way leaves some of them made.
///
/// # Errors
/// Those of [`Refs::apply`]; what was made before stays.
pub fn apply_in_parts<R: Refs + ?Sized>(refs: &R, edits: &[RefEdit]) -> Result<(), StoreFault> {
    edits
        .chunks(REFS_AT_ONCE)
        .try_for_each(|some| refs.apply(some))
}

/// A place that has both.
pub trait Store: Objects + Refs {}

impl<T: Objects + Refs> Store for T {}

/// The fault of an object that is not there.
pub(crate) fn missing(id: &Oid) -> StoreFault {
    StoreFault::new(Code::ObjectMissing, format!("object {id} is missing"))
}

/// Whether an object is of the kind and size that its reader expects.
fn check_header(id: &Oid, found: (Kind, u64), kind: Kind, max: u64) -> Result<(), StoreFault> {
    let (found, size) = found;
    if found != kind {
        let (kind, found) = (git::word(kind), git::word(found));
        let what = format!("object {id} should be a {kind} and is a {found}");
        return Err(StoreFault::new(Code::ObjectDamaged, what));
    }
    if size > max {
        let what = format!("object {id} has {size} bytes, expected at most {max}");
        return Err(StoreFault::new(Code::TooLarge, what));
    }
    Ok(())
}

/// Whether a ref that points to `found` may be changed by this edit.
fn check_expectation(edit: &RefEdit, found: Option<Oid>) -> Result<(), StoreFault> {
    let met = match edit.expect {
        Expect::Absent => found.is_none(),
        Expect::At(id) => found == Some(id),
        Expect::Any => true,
    };
    if met {
        return Ok(());
    }
    let words = |id: Option<Oid>| id.map_or("absent".to_owned(), |id| format!("at {id}"));
    let expected = match edit.expect {
        Expect::At(id) => Some(id),
        _ => None,
    };
    let (name, expected, found) = (&edit.name, words(expected), words(found));
    let what = format!("`{name}` should be {expected} and is {found}");
    Err(StoreFault::new(Code::RaceLost, what))
}

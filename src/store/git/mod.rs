//! A git repository on disk: the only folder that names gix.
//!
//! gix reads objects and configuration. What is written is written here and in [`super::pack`], because
//! gix never asks the disk to keep anything: packs, refs and `packed-refs` are synced before they are
//! renamed, and directories after.

mod clear;
mod config;
mod extra;
mod foretold;
mod glance;
mod hash;
mod init;
mod known;
mod lock;
mod loose;
mod near;
mod objects;
mod packed;
mod packing;
pub mod packs;
pub(crate) mod recent;
mod refs;
mod search;
mod session;

pub use config::user_config_value;
pub use hash::object_id;
pub(crate) use hash::{Hasher, checked_id, word};
pub use session::{BARRIER, writers};

use super::collector::{self, Merging};
use super::{EveryStep, Kind, Objects as _, Steps, StoreFault, pack};
use crate::model::{Code, ObjectFormat, Oid};
use hash::from_gix;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many packs a process can come across (gix's default ends at 32 new ones), where it is not known how many there
/// are. Each costs a little when a repository is opened.
const PACK_SLOTS: u16 = 1024;

/// How many packs a process can come across besides those that are there when it begins.
const NEW_PACKS: u16 = 256;

/// What gix is told besides the repository's own configuration: objects are never replaced, and no
/// object may ask for more than 512 MiB of memory, a delta base included.
const OVERRIDES: [&str; 2] = [
    "core.useReplaceRefs=false",
    "gitoxide.objects.allocLimit=536870912",
];

/// Tries to get an object that is not here, and says whether it may be here now.
pub type Bring = Arc<dyn Fn(&Oid) -> bool + Send + Sync>;

/// A git repository. Cheap to clone; a clone can be sent to another thread and shares what is known
/// about packs. System and user configuration, `refs/replace` and grafts are never honoured.
#[derive(Clone)]
pub struct GitStore {
    repo: gix::Repository,
    format: ObjectFormat,
    steps: Arc<dyn Steps>,
    reflog_ident: Arc<str>,
    /// Reads the first objects that are asked for.
    glance: glance::Glance,
    /// What was here when it was last looked at: see [`Objects::is_known`].
    quick: RefCell<Option<known::Known>>,
    /// What many objects are read with.
    near: RefCell<near::Near>,
    /// The packs' indexes that this handle and those for other threads have open.
    indexes: packs::Indexes,
    /// `packed-refs`, as it was when it was last looked at.
    packed: Arc<packed::LastRead>,
    /// What keeps the collector away: see [`GitStore::begin_writing`]. None for whoever only collects or judges.
    session: Option<Arc<session::Session>>,
    /// Directories of objects that are lent: see [`GitStore::with_objects`].
    extra: Vec<gix::Repository>,
    /// Asked for an object that is not here: see [`GitStore::with_missing`].
    bring: Option<Bring>,
    read_only: bool,
    /// What files will hold, durable already: see [`Refs::foretell`](super::Refs::foretell).
    foretold: Arc<foretold::Foretold>,
}

impl GitStore {
    /// Opens the repository whose git directory or work tree is at `path`.
    ///
    /// # Errors
    /// `not-a-space` if there is no repository, `unsupported` for the reftable format, `io`.
    pub fn open(path: &Path) -> Result<GitStore, StoreFault> {
        let slots = gix::odb::store::init::Slots::Given(slots(path));
        let options = gix::open::Options::isolated()
            .object_store_slots(slots)
            // Nothing that the configuration names is ever run, so its owner does not matter.
            .with(gix::sec::Trust::Full)
            .config_overrides(OVERRIDES);
        let opened = options.open(path).map_err(|err| {
            let code = if looks_like_git(path) {
                Code::Unsupported
            } else {
                Code::NotASpace
            };
            let shown = path.display();
            StoreFault::new(
                code,
                format!("cannot open a repository at `{shown}`: {err}"),
            )
        })?;
        let repo = opened.to_thread_local();
        refuse_unreadable(&repo)?;
        let format = match repo.object_hash() {
            gix::hash::Kind::Sha1 => ObjectFormat::Sha1,
            gix::hash::Kind::Sha256 => ObjectFormat::Sha256,
            other => return Err(unsupported(format!("the object format {other}"))),
        };
        let steps = Arc::new(EveryStep);
        let reflog_ident = "folio <folio@localhost>".into();
        Ok(GitStore {
            repo,
            format,
            steps,
            reflog_ident,
            glance: glance::Glance::default(),
            quick: RefCell::default(),
            near: RefCell::default(),
            indexes: packs::Indexes::default(),
            packed: Arc::default(),
            session: Some(Arc::default()),
            extra: Vec::new(),
            bring: None,
            read_only: false,
            foretold: Arc::default(),
        })
    }

    /// Opens the repository that `path` lies in, looking upwards as git does.
    ///
    /// # Errors
    /// As [`GitStore::open`]; `not-a-space` if no directory above is a repository either.
    pub fn discover(path: &Path) -> Result<GitStore, StoreFault> {
        let start = path
            .canonicalize()
            .map_err(|err| super::disk::io_fault("look at", path, &err))?;
        for dir in start.ancestors() {
            match Self::open(dir) {
                Err(fault) if fault.code == Code::NotASpace => {}
                found => return found,
            }
        }
        let what = format!("no repository in `{}` or above it", start.display());
        Err(StoreFault::new(Code::NotASpace, what))
    }

    /// A handle for another thread.
    pub fn for_thread(&self) -> GitStore {
        self.clone()
    }

    /// The same repository, asking `steps` before each change of the disk.
    #[must_use]
    pub fn with_steps(mut self, steps: Arc<dyn Steps>) -> GitStore {
        self.steps = steps;
        self
    }

    /// The same repository, naming `name <email>` in the reflogs it writes.
    #[must_use]
    pub fn with_reflog_identity(mut self, name: &str, email: &str) -> GitStore {
        let plain = |text: &str| text.replace(['<', '>', '\n', '\t', '\0'], "");
        self.reflog_ident = format!("{} <{}>", plain(name), plain(email)).into();
        self
    }

    /// The git directory: of the repository, or of the linked work tree that was opened.
    pub fn git_dir(&self) -> &Path {
        self.repo.git_dir()
    }

    /// The git directory that all linked work trees share: where refs, objects and `folio/` are.
    pub fn common_dir(&self) -> &Path {
        self.repo.common_dir()
    }

    /// The work tree, if there is one.
    pub fn work_tree(&self) -> Option<&Path> {
        self.repo.workdir()
    }

    /// Whether the repository has no work tree.
    pub fn is_bare(&self) -> bool {
        self.repo.is_bare()
    }

    /// Which hash names the objects.
    pub fn object_format(&self) -> ObjectFormat {
        self.format
    }

    /// The one object whose id starts with these hexadecimal digits (4 or more), or `None`.
    ///
    /// # Errors
    /// `bad-request` if it is not such a prefix or if several objects have it; `io`.
    pub fn resolve_prefix(&self, hex: &str) -> Result<Option<Oid>, StoreFault> {
        let bad = |what: String| StoreFault::new(Code::BadRequest, what);
        let digits = hex.bytes().all(|b| b.is_ascii_hexdigit());
        let most = self.format.id_len() * 2;
        if !digits || hex.len() < 4 || hex.len() > most {
            let what = format!(
                "expected 4 to {most} hexadecimal digits, found `{}`",
                hex.escape_debug()
            );
            return Err(bad(what));
        }
        // Padded to a whole id: gix would take the prefix's hash from its length otherwise.
        let id = gix::ObjectId::from_hex(format!("{hex:0<most$}").as_bytes())
            .map_err(|err| bad(err.to_string()))?;
        let prefix = gix::hash::Prefix::new(&id, hex.len()).map_err(|err| bad(err.to_string()))?;
        match self.repo.objects.lookup_prefix(prefix, None) {
            Ok(None) => Ok(None),
            Ok(Some(Ok(id))) => Ok(Some(from_gix(&id))),
            Ok(Some(Err(()))) => Err(bad(format!(
                "several objects have an id that starts with {hex}"
            ))),
            Err(err) => Err(StoreFault::new(
                Code::Io,
                format!("cannot look up {hex}: {err}"),
            )),
        }
    }

    /// What an annotated tag points at in the end; any other object is itself.
    ///
    /// # Errors
    /// `object-damaged` for a tag that is none or that points at tags only; those of `read`.
    pub fn peel(&self, id: Oid) -> Result<Oid, StoreFault> {
        let mut at = id;
        for _ in 0..8 {
            match self.header(&at)? {
                Some((Kind::Tag, _)) => {}
                _ => return Ok(at),
            }
            let bytes = self.read(&at, Kind::Tag, crate::model::limits::COMMIT)?;
            let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
            let line = std::str::from_utf8(line).unwrap_or_default();
            let target = line
                .strip_prefix("object ")
                .and_then(|hex| hex.parse().ok());
            at = target.ok_or_else(|| {
                StoreFault::new(Code::ObjectDamaged, format!("the tag {at} names no object"))
            })?;
        }
        let what = format!("the tag {id} points at tags only");
        Err(StoreFault::new(Code::ObjectDamaged, what))
    }

    /// Merges small packs if there are too many of them; returns how many files were merged.
    /// Only one process does it at a time, the others return at once.
    ///
    /// # Errors
    /// `io`, `object-damaged`. Nothing is lost: the old packs go after the new one is durable.
    pub fn consolidate(&self) -> Result<usize, StoreFault> {
        let class = &pack::SMALL;
        if !pack::is_due(&self.pack_dir(), class)? {
            return Ok(0);
        }
        match collector::try_turn(self.common_dir(), collector::SMALL_PACKS)? {
            Some(_turn) => self.merge(class, &|| true),
            None => Ok(0),
        }
    }

    /// As [`GitStore::consolidate`], for packs that take longer than a command may wait. It asks now and then whether to
    /// go on, and if not, changes nothing.
    ///
    /// # Errors
    /// As [`GitStore::consolidate`].
    pub fn consolidate_large(&self, turn: &Merging) -> Result<usize, StoreFault> {
        self.merge(&pack::LARGE, &|| turn.may_go_on())
    }

    fn merge(&self, class: &pack::Class, go_on: &dyn Fn() -> bool) -> Result<usize, StoreFault> {
        pack::consolidate(&self.pack_dir(), self.format, class, &*self.steps, go_on)
    }

    /// What is asked before each change of the disk.
    pub(crate) fn steps(&self) -> &dyn Steps {
        &*self.steps
    }

    /// The same, to hand to another store.
    pub(crate) fn shared_steps(&self) -> Arc<dyn Steps> {
        Arc::clone(&self.steps)
    }

    /// The directory of its packs.
    pub(crate) fn pack_dir(&self) -> PathBuf {
        self.repo.objects.store_ref().path().join("pack")
    }

    /// The directories that objects are looked for in first, without those that they borrow from.
    fn object_dirs(&self) -> Vec<PathBuf> {
        let places = self.places();
        let dirs = places.map(|repo| repo.objects.store_ref().path().to_owned());
        dirs.collect()
    }
}

fn slots(path: &Path) -> u16 {
    let below = |dir: &str| std::fs::read_dir(path.join(dir).join("objects/pack"));
    match below("").or_else(|_| below(".git")) {
        Ok(files) => u16::try_from(files.count()).map_or(u16::MAX, |n| n.saturating_add(NEW_PACKS)),
        Err(_) => PACK_SLOTS,
    }
}

/// Whether there is something that git would take for a repository.
fn looks_like_git(path: &Path) -> bool {
    let bare = path.join("HEAD").exists() && path.join("objects").is_dir();
    bare || path.join(".git").exists()
}

fn unsupported(what: String) -> StoreFault {
    StoreFault::new(Code::Unsupported, format!("{what} is not supported"))
}

/// gix opens a repository with reftables and fails at the first ref.
fn refuse_unreadable(repo: &gix::Repository) -> Result<(), StoreFault> {
    let storage = repo.config_snapshot().string("extensions.refStorage");
    let storage = storage.map_or("files".into(), |value| value.to_string());
    if !storage.eq_ignore_ascii_case("files") || repo.common_dir().join("reftable").is_dir() {
        return Err(unsupported(format!(
            "the ref format `{}`",
            storage.escape_debug()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

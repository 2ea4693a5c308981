//! The packs of a repository as files: what they hold, and which of them hold nothing for good.

use super::hash::{from_gix, gix_kind, to_gix};
use super::search::{self, Fan, Found, Part};
use crate::model::{Code, ObjectFormat, Oid};
use crate::store::StoreFault;
use crate::store::disk::{io_fault, is_absent};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// One pack with an index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackFile {
    /// `<dir>/pack-<checksum>.pack`.
    pub path: PathBuf,
    /// Bytes of the pack.
    pub bytes: u64,
    /// Whether it holds what nothing referred to when it was made (`.mtimes`).
    pub cruft: bool,
    /// Whether somebody wants it left as it is (`.keep`), or git fetches what it lacks (`.promisor`).
    pub kept: bool,
}

impl PackFile {
    /// The file beside it with that extension.
    pub fn beside(&self, extension: &str) -> PathBuf {
        self.path.with_extension(extension)
    }

    /// `pack-<checksum>`.
    pub fn name(&self) -> String {
        let stem = self.path.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }
}

/// The packs in the directory `objects/pack`, sorted by name. One without its index is none.
///
/// # Errors
/// `io`.
pub fn packs(dir: &Path) -> Result<Vec<PackFile>, StoreFault> {
    let names = PackNames::read(dir)?;
    let mut found = Vec::new();
    for name in names.packs() {
        let path = dir.join(name);
        // One that went meanwhile was merged or collected.
        let Ok(meta) = fs::metadata(&path) else {
            continue;
        };
        found.push(PackFile {
            bytes: meta.len(),
            cruft: names.is_cruft(name),
            kept: names.is_kept(name),
            path,
        });
    }
    found.sort();
    Ok(found)
}

/// What lies in a directory of packs, by the names alone: whether a file is beside a pack need not be asked of the system
/// for each.
pub struct PackNames(BTreeSet<PathBuf>);

impl PackNames {
    /// Those in the directory `objects/pack`; none if it is missing.
    ///
    /// # Errors
    /// `io`.
    pub fn read(dir: &Path) -> Result<Self, StoreFault> {
        let fault = |err| io_fault("list", dir, &err);
        let entries = match fs::read_dir(dir) {
            Err(err) if is_absent(&err) => return Ok(Self(BTreeSet::new())),
            entries => entries.map_err(fault)?,
        };
        let names = entries.map(|entry| Ok(PathBuf::from(entry.map_err(fault)?.file_name())));
        names.collect::<Result<_, _>>().map(Self)
    }

    /// The packs that have an index, sorted.
    pub fn packs(&self) -> impl Iterator<Item = &Path> {
        let names = self.0.iter().map(PathBuf::as_path);
        names.filter(|name| {
            name.extension().is_some_and(|end| end == "pack") && self.has(name, "idx")
        })
    }

    /// As [`PackFile::cruft`].
    pub fn is_cruft(&self, pack: &Path) -> bool {
        self.has(pack, "mtimes")
    }

    /// As [`PackFile::kept`].
    pub fn is_kept(&self, pack: &Path) -> bool {
        self.has(pack, "keep") || self.has(pack, "promisor")
    }

    /// Whether a file with that extension lies beside a pack.
    pub fn has(&self, pack: &Path, extension: &str) -> bool {
        self.0.contains(&pack.with_extension(extension))
    }
}

/// The indexes of packs that are open now, each of them mapped once: for all threads, and for whoever asks what is there
/// as for whoever reads it. A second mapping of the same bytes would count as memory once more.
#[derive(Debug, Clone, Default)]
pub struct Indexes(Arc<Mutex<HashMap<PathBuf, Weak<PackIndex>>>>);

impl Indexes {
    /// As [`PackIndex::open`], unless somebody has it open.
    ///
    /// # Errors
    /// `object-damaged` if it is none.
    pub fn open(&self, pack: &Path, format: ObjectFormat) -> Result<Arc<PackIndex>, StoreFault> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = open.get(pack).and_then(Weak::upgrade) {
            return Ok(index);
        }
        let index = Arc::new(PackIndex::open(pack, format)?);
        // Now and then, so that packs that were merged away do not add up.
        if open.len().is_power_of_two() {
            open.retain(|_, index| index.strong_count() > 0);
        }
        open.insert(pack.to_owned(), Arc::downgrade(&index));
        Ok(index)
    }
}

/// The ids in one pack, looked up in its index without reading that whole, unless there is much to look up.
pub struct PackIndex {
    file: gix::odb::pack::index::File,
    /// What the index itself says: two looks fewer, at places that are far from each other.
    coarse: Option<Fan>,
    /// How often it was asked, until there is a fan that says more.
    asked: AtomicU32,
    fan: OnceLock<Fan>,
}

/// How many ids begin with each byte or a smaller one, as an index of version 2 says it at its beginning: see
/// gitformat-pack.
fn first_bytes(index: &Path) -> Option<[u32; 256]> {
    let mut head = [0; 8 + 4 * 256];
    fs::File::open(index)
        .and_then(|mut file| file.read_exact(&mut head))
        .ok()?;
    let (version, counts) = head.split_at(8);
    let counts = counts.as_chunks::<4>().0;
    let sound = version == b"\xfftOc\0\0\0\x02";
    sound.then(|| std::array::from_fn(|at| u32::from_be_bytes(counts[at])))
}

/// Going over all ids takes as long as so many times fewer look-ups.
const WORTH: u32 = 32;

/// Look-ups before which nobody goes over a list however short.
const OFTEN: u32 = 1024;

impl std::fmt::Debug for PackIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PackIndex({} ids)", self.len())
    }
}

impl PackIndex {
    /// Opens the index of a pack.
    ///
    /// # Errors
    /// `object-damaged` if it is none.
    pub fn open(pack: &Path, format: ObjectFormat) -> Result<Self, StoreFault> {
        let path = pack.with_extension("idx");
        let opened = gix::odb::pack::index::File::at(&path, gix_kind(format));
        let file = opened.map_err(|err| {
            let what = format!("the pack index `{}` cannot be read: {err}", path.display());
            StoreFault::new(Code::ObjectDamaged, what)
        })?;
        Ok(Self {
            coarse: first_bytes(&path)
                .and_then(|upto| Fan::of_first_bytes(&upto, file.num_objects())),
            file,
            asked: AtomicU32::new(0),
            fan: OnceLock::new(),
        })
    }

    /// Whether the pack has the object.
    pub fn has(&self, id: &Oid) -> bool {
        self.place(id).is_some()
    }

    /// Where in the pack the object's entry begins, if it has one.
    pub fn offset(&self, id: &Oid) -> Option<u64> {
        let at = self.place(id)?;
        Some(self.file.pack_offset_at_index(at))
    }

    /// Its place in the sorted list.
    fn place(&self, id: &Oid) -> Option<u32> {
        let part = match self.fan().or(self.coarse.as_ref()) {
            Some(fan) => fan.part(id.as_bytes()),
            None => Part::all(self.len()),
        };
        match search::find(id.as_bytes(), part, |at| self.bytes_at(at)) {
            Found::At(at) => Some(at),
            Found::Nowhere => None,
            Found::Unsure => self.file.lookup(to_gix(id)),
        }
    }

    fn bytes_at(&self, at: u32) -> &[u8] {
        self.file.oid_at_index(at).as_bytes()
    }

    /// What makes it faster, once it was asked often enough.
    fn fan(&self) -> Option<&Fan> {
        if self.fan.get().is_none() {
            let asked = self.asked.fetch_add(1, Ordering::Relaxed);
            if asked < OFTEN.max(self.len() / WORTH) {
                return None;
            }
        }
        let make = || Fan::of(self.len(), |at| self.bytes_at(at));
        Some(self.fan.get_or_init(make))
    }

    /// How many objects it has.
    pub fn len(&self) -> u32 {
        self.file.num_objects()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id at that place of the sorted list.
    pub fn id(&self, at: u32) -> Oid {
        from_gix(self.file.oid_at_index(at))
    }

    /// All ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = Oid> {
        (0..self.len()).map(|at| self.id(at))
    }
}

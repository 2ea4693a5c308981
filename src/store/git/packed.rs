//! The file `packed-refs`, where git collects refs.
//!
//! It is looked at each time it is needed: gix keeps it by its modification time and would miss two changes
//! within one tick of the clock, and would read it before the loose ref, so that a ref that `git
//! pack-refs` moves in between is in neither. It is read again where it is another file than before, or has changed.

use crate::model::Oid;
use crate::store::StoreFault;
use crate::store::disk::{io_fault, is_absent};
use memchr::{memchr, memmem, memrchr};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// So many refs are looked for one by one.
const FEW: usize = 8;

/// How git begins it: it is sorted, and says of each tag what that points to.
const HEADER: &[u8] = b"# pack-refs with: peeled fully-peeled sorted \n";

/// How one begins that had no beginning: nobody knows whether what its tags point to was left out.
const UNPEELED: &[u8] = b"# pack-refs with: sorted \n";

/// The file as it was last read, for all handles of a repository.
#[derive(Default)]
pub(super) struct LastRead(Mutex<Option<Seen>>);

struct Seen {
    /// Held open, so that no other file can have its number.
    _file: File,
    stamp: Stamp,
    packed: Arc<Packed>,
}

/// What tells files and their contents apart: device, number, length, and when it was written and changed, in nanoseconds. Where
/// a file system gives numbers to names and counts whole seconds, two files of one length may pass for one in that second.
type Stamp = [i128; 5];

impl LastRead {
    /// What the file below this git directory holds now. It is opened each time, so that a server of files is asked anew, and
    /// read where it is not what was read before: git and Folio never write into it, but put another one in its place.
    pub(super) fn read(&self, common_dir: &Path) -> Result<Arc<Packed>, StoreFault> {
        let path = common_dir.join("packed-refs");
        match self.look(&path) {
            Err(err) if is_absent(&err) => Ok(Arc::default()),
            looked => looked.map_err(|err| io_fault("read", &path, &err)),
        }
    }

    fn look(&self, path: &Path) -> io::Result<Arc<Packed>> {
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        let stamp = stamp_of(&meta);
        let mut last = self.0.lock().expect("nothing panics while it is held");
        if let Some(seen) = last.as_ref().filter(|seen| seen.stamp == stamp) {
            return Ok(Arc::clone(&seen.packed));
        }
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(usize::try_from(meta.len()).unwrap_or(usize::MAX))?;
        file.read_to_end(&mut bytes)?;
        let packed = Arc::new(Packed { bytes });
        *last = Some(Seen {
            _file: file,
            stamp,
            packed: Arc::clone(&packed),
        });
        Ok(packed)
    }
}

fn stamp_of(meta: &Metadata) -> Stamp {
    let nanoseconds =
        |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    [
        meta.dev().into(),
        meta.ino().into(),
        meta.len().into(),
        nanoseconds(meta.mtime(), meta.mtime_nsec()),
        nanoseconds(meta.ctime(), meta.ctime_nsec()),
    ]
}

/// The bytes of `packed-refs`; nothing if there is no such file.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Packed {
    bytes: Vec<u8>,
}

impl Packed {
    /// Name and id of each ref, in the order of the file. Names that are not UTF-8 are left out.
    pub(super) fn refs(&self) -> impl Iterator<Item = (&str, Oid)> {
        self.lines().filter_map(parse_line)
    }

    /// As [`Packed::refs`], of those whose names begin so.
    pub(super) fn below(&self, prefix: &str) -> impl Iterator<Item = (&str, Oid)> {
        let refs = self
            .lines_with(prefix)
            .filter_map(|line| parse_line(&self.bytes[line]));
        refs.filter(move |(name, _)| name.starts_with(prefix))
    }

    /// Where the lines are that have this text somewhere behind a space, line feeds left out. Nearly all lines are passed over
    /// without a look at each: most questions are about refs that are not there, or about a few of many.
    fn lines_with(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
        let finder = memmem::Finder::new(&[b" ", text.as_bytes()].concat()).into_owned();
        let (bytes, mut from) = (self.bytes.as_slice(), 0);
        std::iter::from_fn(move || {
            let at = from + finder.find(&bytes[from..])?;
            let start = memrchr(b'\n', &bytes[..at]).map_or(0, |before| before + 1);
            let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |len| at + len);
            from = end;
            Some(start..end)
        })
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.all_lines().map(|line| &self.bytes[line])
    }

    /// Where each line is, line feeds left out.
    fn all_lines(&self) -> impl Iterator<Item = Range<usize>> {
        let mut from = Some(0);
        std::iter::from_fn(move || {
            let start = from?;
            let len = memchr(b'\n', &self.bytes[start..]);
            from = len.map(|len| start + len + 1);
            Some(start..len.map_or(self.bytes.len(), |len| start + len))
        })
    }

    /// Where a ref points.
    pub(super) fn find(&self, name: &str) -> Option<Oid> {
        let mut refs = self
            .lines_with(name)
            .filter_map(|line| parse_line(&self.bytes[line]));
        refs.find_map(|(found, id)| (found == name).then_some(id))
    }

    /// For whoever is going to look for so many refs.
    pub(super) fn index_for(&self, many: usize) -> PackedIndex<'_> {
        let refs = (many > FEW).then(|| {
            let mut index = HashMap::new();
            for (name, id) in self.refs() {
                index.entry(name).or_insert(id);
            }
            index
        });
        PackedIndex { packed: self, refs }
    }

    /// The file with these refs at their commits, sorted by name.
    pub(super) fn with(&self, refs: &BTreeMap<String, Oid>) -> Vec<u8> {
        let (mut kept, mut entries) = (Vec::new(), Vec::<(&[u8], Vec<u8>)>::new());
        for line in self.lines().filter(|line| !line.is_empty()) {
            let whole = [line, b"\n"].concat();
            match (line[0], entries.last_mut()) {
                (b'#', _) => kept.extend(whole),
                // What the tag of the line before points to.
                (b'^', Some((_, entry))) => entry.extend(whole),
                _ => entries.push((name_in(line), whole)),
            }
        }
        if kept.is_empty() {
            kept.extend_from_slice(if entries.is_empty() { HEADER } else { UNPEELED });
        }
        let stays =
            |name: &[u8]| std::str::from_utf8(name).map_or(true, |name| !refs.contains_key(name));
        entries.retain(|(name, _)| stays(name));
        let new = refs.iter();
        entries
            .extend(new.map(|(name, id)| (name.as_bytes(), format!("{id} {name}\n").into_bytes())));
        entries.sort_by_key(|(name, _)| *name);
        kept.extend(entries.into_iter().flat_map(|(_, entry)| entry));
        kept
    }

    /// The file without these refs.
    pub(super) fn without(&self, names: &BTreeSet<&str>) -> Vec<u8> {
        let goes = |line: &Range<usize>| {
            parse_line(&self.bytes[line.clone()]).is_some_and(|(name, _)| names.contains(name))
        };
        let few = names.iter().flat_map(|name| self.lines_with(name));
        let mut gone: Vec<Range<usize>> = match names.len() {
            ..=FEW => few.filter(goes).collect(),
            _ => self.all_lines().filter(goes).collect(),
        };
        // Where one name begins as another one does, a line is found for both.
        gone.sort_by_key(|line| line.start);
        gone.dedup();
        let (mut kept, mut from) = (Vec::with_capacity(self.bytes.len()), 0);
        for line in gone {
            kept.extend_from_slice(&self.bytes[from..line.start]);
            from = self.behind(line.end);
        }
        kept.extend_from_slice(&self.bytes[from..]);
        kept
    }

    /// Where the next ref begins, after a line that ends here. A line `^<id>` says what the tag of the line before it points to.
    fn behind(&self, end: usize) -> usize {
        let mut rest = self.bytes.get(end + 1..).unwrap_or_default();
        while rest.starts_with(b"^") {
            rest = memchr(b'\n', rest).map_or(&[], |end| &rest[end + 1..]);
        }
        self.bytes.len() - rest.len()
    }
}

/// Where packed refs point, for many questions or for a few.
pub(super) struct PackedIndex<'p> {
    packed: &'p Packed,
    refs: Option<HashMap<&'p str, Oid>>,
}

impl PackedIndex<'_> {
    /// Where a ref points.
    pub(super) fn get(&self, name: &str) -> Option<Oid> {
        match &self.refs {
            Some(refs) => refs.get(name).copied(),
            None => self.packed.find(name),
        }
    }
}

/// What follows the id in a line.
fn name_in(line: &[u8]) -> &[u8] {
    let space = memchr(b' ', line);
    without_cr(space.map_or(line, |at| &line[at + 1..]))
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn parse_line(line: &[u8]) -> Option<(&str, Oid)> {
    let line = std::str::from_utf8(line).ok()?;
    let (id, name) = line.split_once(' ')?;
    Some((name.strip_suffix('\r').unwrap_or(name), id.parse().ok()?))
}

#[cfg(test)]
#[path = "packed_tests.rs"]
mod tests;

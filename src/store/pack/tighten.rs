//! Making a pack anew so that it takes as little space as it can: for what is kept for years.
//!
//! git chooses deltas among objects of similar size and name; here they are chosen among versions of one thing, so there
//! is less to try and less left over. No object comes or goes: a pack becomes one or two with the same ids.
//!
//! What is asked for most, the newest state, comes first and is whole or nearly so; many directories of it get a pack [of
//! their own](apart). Commits and directories follow, one path
//! after the other, each from the oldest version on, for what many proposals were made of at once is older than each of them;
//! then the tables of rows, all of them from the newest on, for they grow: to leave out a row takes fewer bytes than to bring
//! it along. What lay at the same path before or after is tried first, and then whatever has parts in common.

use super::apart;
use super::delta::Differ;
use super::likeness::{Likeness, marks};
use super::lineage::{Lineage, Versions, Walk};
use super::packer::delta_header;
use super::source::{Content, Shape, Source};
use super::zip::{Effort, Piece, Zip};
use super::{Writer, entry_header, likeness, reverse};
use crate::model::{Code, ObjectFormat, Oid};
use crate::store::{Kind, Steps, StoreFault};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Deltas that a reader has to go through at most, as with git.
const DEPTH: u8 = 50;

/// The same for the newest state.
const NEWEST_DEPTH: u8 = 6;

/// A delta of so many bytes changes one entry or leaves out one row: no better one is looked for.
const SHORT: usize = 40;

/// Bytes of objects that are looked at before they are written.
const AT_ONCE: usize = 8 * 1024 * 1024;

/// Writes the objects of a pack into one or two new ones in the directory `objects/pack`, and returns their paths, of which
/// one may be that of the old one. The old one stays where it is. What is in `newest` is kept near at hand;
/// `walk` tells which objects are versions of one thing.
///
/// # Errors
/// `object-damaged` if an entry is not what the index says; `io`.
pub fn tighten(
    dir: &Path,
    format: ObjectFormat,
    pack: &Path,
    newest: &Newest,
    walk: &Walk<'_>,
    steps: &dyn Steps,
) -> Result<Vec<PathBuf>, StoreFault> {
    let Some(mut source) = Source::open(pack, format)? else {
        let what = format!("the pack `{}` cannot be read", pack.display());
        return Err(StoreFault::new(Code::ObjectDamaged, what));
    };
    let lineage = Lineage::of(&source, walk)?;
    let Order {
        apart,
        newest,
        order,
    } = Order::of(&mut source, newest, &lineage)?;
    let mut paths = Vec::new();
    if !apart.is_empty() {
        paths.push(apart::write(dir, format, &mut source, &apart, steps)?);
    }
    if order.is_empty() {
        return Ok(paths);
    }
    let count = order.len();
    let mut press = Press {
        format,
        writer: Writer::create(dir, format, count, steps)?,
        likeness: Likeness::new(count),
        lineage,
        versions: Versions::default(),
        differ: Differ::default(),
        zip: Zip::new(),
        offsets: Vec::with_capacity(count),
        made: Vec::with_capacity(count),
        last: None,
        newest,
        order,
        source,
    };
    while press.made.len() < count {
        let (mut some, mut bytes) = (Vec::new(), 0);
        while press.made.len() < count && bytes < AT_ONCE {
            let one = press.next()?;
            bytes += one.contents.len() + one.entry.as_ref().map_or(0, Vec::len);
            some.push(one);
        }
        press.write(some)?;
    }
    let path = press.writer.finish()?;
    reverse::write(dir, format, &path, steps)?;
    paths.push(path);
    Ok(paths)
}

/// What is read more often than all before it.
#[derive(Debug, Default)]
pub struct Newest {
    /// What the newest page has in its tree, in the order in which git walks it.
    pub state: Vec<Oid>,
    /// Directories that pages after it may have.
    pub coming: Vec<Oid>,
}

/// Where the objects of a pack go, by their numbers in it.
struct Order {
    /// Into a pack of their own.
    apart: Vec<u32>,
    /// So many of the others are the newest state.
    newest: usize,
    order: Vec<u32>,
}

impl Order {
    fn of(source: &mut Source, newest: &Newest, lineage: &Lineage) -> Result<Self, StoreFault> {
        let mut places = HashMap::with_capacity(newest.state.len());
        for (place, id) in newest.state.iter().enumerate() {
            places.entry(*id).or_insert(place);
        }
        let kinds = kinds(source)?;
        let of = |kind: Kind, all: Vec<u32>| -> (Vec<u32>, Vec<u32>) {
            all.into_iter().partition(|n| kinds[*n as usize] == kind)
        };
        let place = |n: u32| places.get(&source.id(n)).copied();
        let (mut now, mut older): (Vec<u32>, Vec<u32>) =
            (0..source.len() as u32).partition(|n| place(*n).is_some());
        now.sort_by_key(|n| place(*n));
        // Whatever walks the newest state reads its directories and no rows, so they lie side by side.
        let (mut order, rows) = of(Kind::Tree, now);
        let mut apart = Vec::new();
        if order.len() >= apart::WORTH {
            (apart, order) = apart::fitting(source, order)?;
            // Not more than there are, whatever somebody proposes.
            let (coming, rest) = of(Kind::Tree, older);
            let (coming, others) = within(&newest.coming, coming, |n| source.id(n), apart.len());
            let (coming, large) = apart::fitting(source, coming)?;
            apart.extend(coming);
            older = [rest, others, large].concat();
        }
        order.extend(rows);
        let newest = order.len();
        older.sort_by_key(|n| lineage.rank(*n));
        let (rows, mut others) = of(Kind::Blob, older);
        // What a delta needs is near it, and so is told of in fewer bytes.
        let begun = lineage.begun();
        others.sort_by_key(|n| begun[*n as usize]);
        order.extend(others);
        order.extend(rows.into_iter().rev());
        Ok(Self {
            apart,
            newest,
            order,
        })
    }
}

/// The first of these that have one of the ids, up to so many, and all others.
fn within(
    ids: &[Oid],
    all: Vec<u32>,
    id: impl Fn(u32) -> Oid,
    most: usize,
) -> (Vec<u32>, Vec<u32>) {
    let ids: HashSet<&Oid> = ids.iter().collect();
    let mut left = most;
    all.into_iter().partition(|n| {
        let is_one = left > 0 && ids.contains(&id(*n));
        left -= usize::from(is_one);
        is_one
    })
}

/// What each object is.
fn kinds(source: &mut Source) -> Result<Vec<Kind>, StoreFault> {
    let mut known: Vec<Option<Kind>> = vec![None; source.len()];
    for n in 0..source.len() as u32 {
        let kind = match source.entry(n)?.shape {
            Shape::Whole(kind) => Some(kind),
            Shape::Delta(base) => known[base as usize],
        };
        known[n as usize] = match kind {
            None => Some(source.content(n)?.kind),
            kind => kind,
        };
    }
    Ok(known.into_iter().flatten().collect())
}

/// How an object is written: as a delta of which number, and how many deltas it takes to be read.
#[derive(Clone, Copy)]
struct Made {
    base: Option<u32>,
    depth: u8,
}

/// An object that is to be written.
struct Planned {
    id: Oid,
    kind: Kind,
    contents: Contents,
    delta: Option<(u32, Vec<u8>)>,
    /// Its entry in the old pack, if it lies there whole.
    entry: Option<Vec<u8>>,
}

/// What is compressed; nothing of a large object, whose entry is copied.
enum Contents {
    Some(Arc<Content>),
    None,
}

impl Contents {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Some(content) => &content.bytes,
            Self::None => &[],
        }
    }

    fn len(&self) -> usize {
        self.bytes().len()
    }
}

struct Press<'a> {
    format: ObjectFormat,
    source: Source,
    /// Numbers in the old pack, by those in the new one.
    order: Vec<u32>,
    /// As many of the first are the newest state.
    newest: usize,
    writer: Writer<'a>,
    likeness: Likeness,
    lineage: Lineage,
    versions: Versions,
    differ: Differ,
    zip: Zip,
    offsets: Vec<u64>,
    made: Vec<Made>,
    /// The last table of rows: where nothing better is found, it has the same words.
    last: Option<u32>,
}

impl Press<'_> {
    /// Looks at the next object and chooses what it becomes a delta of.
    fn next(&mut self) -> Result<Planned, StoreFault> {
        let n = self.made.len() as u32;
        let old = self.order[n as usize];
        let (id, entry) = (self.source.id(old), self.source.entry(old)?);
        let mut planned = Planned {
            id,
            kind: Kind::Blob,
            contents: Contents::None,
            delta: None,
            entry: None,
        };
        let mut depth = 0;
        match entry.shape {
            Shape::Whole(kind) if entry.size > likeness::LARGEST as u64 => {
                (planned.kind, planned.entry) = (kind, Some(entry.raw));
            }
            shape => {
                let content = self.source.content(old)?;
                planned.kind = content.kind;
                planned.delta = self.choose(n, &content)?;
                if let Some((base, _)) = &planned.delta {
                    depth = self.made[*base as usize].depth + 1;
                }
                planned.contents = Contents::Some(content);
                planned.entry = matches!(shape, Shape::Whole(_)).then_some(entry.raw);
            }
        }
        let base = planned.delta.as_ref().map(|(base, _)| *base);
        self.made.push(Made { base, depth });
        Ok(planned)
    }

    /// The shortest delta of an object that is found, and what it is one of.
    fn choose(&mut self, n: u32, content: &Content) -> Result<Option<(u32, Vec<u8>)>, StoreFault> {
        let Content { kind, bytes } = content;
        let Some(marks) = marks(self.format, *kind, bytes) else {
            return Ok(None);
        };
        let line = self.lineage.line(self.order[n as usize]);
        let [previous, before, first] =
            line.map_or([None; 3], |line| self.versions.replace(line, n));
        let found = self.likeness.find(*kind, &marks);
        self.likeness.learn(&marks, n);
        // Of two proposals made at one time each is nearer to what both were made of than to the other.
        let above = |base: Option<u32>| base.and_then(|base| self.made[base as usize].base);
        let others = [above(previous), above(found[0]), above(found[1])];
        let rows = *kind == Kind::Blob && bytes.len() >= 256;
        let last = if rows { self.last.replace(n) } else { None };
        let mut best: Option<(u32, Vec<u8>)> = None;
        let mut most = match kind {
            // Signatures and ids in text: half of what is new is left of it.
            Kind::Commit => bytes.len(),
            // After a long chain a new one begins, rather than ever more of what differs from the old one's end.
            _ if previous.is_some_and(|base| self.made[base as usize].depth >= DEPTH) => {
                bytes.len() / 4
            }
            _ => bytes.len() / 4 * 3,
        };
        let near = [previous, found[0], found[1], before, first];
        for base in near.into_iter().chain(others).flatten() {
            if most <= SHORT {
                break;
            }
            self.attempt(base, n, bytes, &mut most, &mut best)?;
        }
        if let Some(last) = last
            && most > bytes.len() / 4
        {
            self.attempt(last, n, bytes, &mut most, &mut best)?;
        }
        Ok(best)
    }

    fn attempt(
        &mut self,
        base: u32,
        n: u32,
        bytes: &[u8],
        most: &mut usize,
        best: &mut Option<(u32, Vec<u8>)>,
    ) -> Result<(), StoreFault> {
        let limit = match (n as usize) < self.newest {
            true => NEWEST_DEPTH,
            false => DEPTH,
        };
        let tried = best.as_ref().is_some_and(|(other, _)| *other == base);
        if tried || self.made[base as usize].depth >= limit {
            return Ok(());
        }
        let content = self.source.content(self.order[base as usize])?;
        if let Some(delta) = self.differ.encode(&content.bytes, bytes, *most) {
            *most = delta.len();
            *best = Some((base, delta));
        }
        Ok(())
    }

    /// Compresses and writes what was planned, on all cores. A delta is tried against the whole object where it is not
    /// clear which is shorter.
    fn write(&mut self, some: Vec<Planned>) -> Result<(), StoreFault> {
        let piece = |bytes| Piece {
            bytes,
            effort: Effort::Thrifty,
            bases: [None, None],
        };
        let (mut pieces, mut owners) = (Vec::new(), Vec::new());
        for (at, one) in some.iter().enumerate() {
            let whole = one.contents.bytes();
            let delta = one.delta.as_ref().map(|(_, delta)| &delta[..]);
            if let Some(delta) = delta {
                pieces.push(piece(delta));
                owners.push((at, true));
            }
            if delta.is_none_or(|delta| delta.len() > whole.len() / 8) {
                pieces.push(piece(whole));
                owners.push((at, false));
            }
        }
        let Self {
            zip,
            writer,
            offsets,
            ..
        } = self;
        let mut held: Option<(usize, Vec<u8>)> = None;
        zip.pack_each(&pieces, |nth, packed| {
            let (at, is_delta) = owners[nth];
            if is_delta && owners.get(nth + 1) == Some(&(at, false)) {
                held = Some((at, packed.stream.to_vec()));
                return Ok(());
            }
            let one = &some[at];
            let delta = match held.take() {
                Some((_, delta)) if delta.len() + 2 <= packed.stream.len() => Some(delta),
                Some(_) => None,
                None => is_delta.then(|| packed.stream.to_vec()),
            };
            let offset = writer.offset;
            offsets.push(offset);
            if let (Some(stream), Some((base, raw))) = (delta, &one.delta) {
                let back = offset - offsets[*base as usize];
                let header = delta_header(raw.len() as u64, back);
                return writer.add(one.id, &[&header, &stream]);
            }
            one.write_whole(packed.stream, writer)
        })
    }
}

impl Planned {
    /// Writes it as it lay in the old pack, unless it is shorter now.
    fn write_whole(&self, stream: &[u8], writer: &mut Writer<'_>) -> Result<(), StoreFault> {
        let header = entry_header(self.kind, self.contents.len() as u64);
        let len = header.len() + stream.len();
        let is_large = matches!(self.contents, Contents::None);
        match &self.entry {
            Some(entry) if is_large || entry.len() <= len => writer.add(self.id, &[entry]),
            _ => writer.add(self.id, &[&header, stream]),
        }
    }
}

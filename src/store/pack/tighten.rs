//! Making a pack anew so that it takes as little space as it can: for what is kept for years.
//!
//! git chooses deltas among objects of similar size and name; here they are chosen among versions of one thing, so there
//! is less to try and less left over. No object comes or goes: a pack becomes another pack of the same ids.

use super::packer::{Item, Packer};
use super::source::{Content, Shape, Source};
use super::zip::Effort;
use super::{Writer, checksum, idx, likeness};
use crate::model::{Code, ObjectFormat};
use crate::store::disk::{TempFile, io_fault, read_if_there, sync_dir};
use crate::store::{Steps, StoreFault};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Deltas that a reader has to go through at most, as with git.
const DEPTH: u8 = 50;

/// Bytes of objects that are looked at before they are written.
const AT_ONCE: usize = 8 * 1024 * 1024;

/// Writes the objects of a pack into a new one in the directory `objects/pack`, and returns its path, which may be that of
/// the old one. The old one stays where it is.
///
/// # Errors
/// `object-damaged` if an entry is not what the index says; `io`.
pub fn tighten(
    dir: &Path,
    format: ObjectFormat,
    pack: &Path,
    steps: &dyn Steps,
) -> Result<PathBuf, StoreFault> {
    let Some(mut source) = Source::open(pack, format)? else {
        let what = format!("the pack `{}` cannot be read", pack.display());
        return Err(StoreFault::new(Code::ObjectDamaged, what));
    };
    let count = source.len();
    let writer = Writer::create(dir, format, count, steps)?;
    let mut packer = Packer::new(writer, count, DEPTH);
    let mut next = 0;
    while next < count as u32 {
        let (mut some, mut bytes) = (Vec::new(), 0);
        while next < count as u32 && bytes < AT_ONCE {
            let one = Planned::read(&mut source, &mut packer, format, next)?;
            bytes += one.weight();
            let alone = matches!(one, Planned::Copied { .. });
            some.push(one);
            next += 1;
            if alone {
                break;
            }
        }
        write(&mut packer, &source, next - some.len() as u32, &some)?;
    }
    let path = packer.finish()?;
    write_reverse(dir, format, &path, steps)?;
    Ok(path)
}

/// Writes the `.rev` beside a pack, which says in which order its objects lie: git needs it whenever it copies entries,
/// and computes it each time where it is missing. So a crash before it costs time only.
fn write_reverse(
    dir: &Path,
    format: ObjectFormat,
    pack: &Path,
    steps: &dyn Steps,
) -> Result<(), StoreFault> {
    let path = pack.with_extension("idx");
    let index = read_if_there(&path)?.unwrap_or_default();
    let placed = idx::decode(format, &index)?;
    let mut order: Vec<(u64, u32)> = (0u32..)
        .zip(&placed)
        .map(|(n, one)| (one.offset, n))
        .collect();
    order.sort_unstable();
    let mut out = b"RIDX\0\0\0\x01".to_vec();
    let hash: u32 = match format {
        ObjectFormat::Sha1 => 1,
        ObjectFormat::Sha256 => 2,
    };
    out.extend_from_slice(&hash.to_be_bytes());
    for (_, n) in order {
        out.extend_from_slice(&n.to_be_bytes());
    }
    // An index ends in the checksum of its pack and its own.
    let len = format.id_len();
    let sum = index
        .len()
        .checked_sub(2 * len)
        .and_then(|at| index.get(at..at + len));
    out.extend_from_slice(sum.unwrap_or_default());
    let mut hash = checksum::Sum::new(format);
    hash.update(&out);
    out.extend_from_slice(hash.finish()?.as_bytes());
    let temp = TempFile::create(dir, "tmp_rev_", steps)?;
    let written = temp.file().write_all(&out);
    written.map_err(|err| io_fault("write in", dir, &err))?;
    steps.step("rev-sync")?;
    temp.seal()?;
    steps.step("rev-rename")?;
    temp.rename_to(&pack.with_extension("rev"))?;
    sync_dir(dir)
}

/// An object that is to be written.
enum Planned {
    /// A large one, which stays as it is.
    Copied { entry: Vec<u8> },
    Made {
        content: Arc<Content>,
        bases: [Option<(u32, Arc<Content>)>; 2],
        entry: Option<Vec<u8>>,
    },
}

impl Planned {
    fn read(
        source: &mut Source,
        packer: &mut Packer<'_>,
        format: ObjectFormat,
        n: u32,
    ) -> Result<Self, StoreFault> {
        let entry = source.entry(n)?;
        let whole = match entry.shape {
            Shape::Whole(kind) if entry.size > likeness::LARGEST as u64 => {
                packer.plan(format, kind, &[]);
                return Ok(Self::Copied { entry: entry.raw });
            }
            Shape::Whole(_) => Some(entry.raw),
            Shape::Delta(_) => None,
        };
        let content = source.content(n)?;
        let mut bases = [None, None];
        let found = packer.plan(format, content.kind, &content.bytes);
        for (base, n) in bases.iter_mut().zip(found) {
            if let Some(n) = n {
                // Numbers are the same in both packs.
                *base = Some((n, source.content(n)?));
            }
        }
        Ok(Self::Made {
            content,
            bases,
            entry: whole,
        })
    }

    fn weight(&self) -> usize {
        match self {
            Self::Copied { entry } => entry.len(),
            Self::Made { content, bases, .. } => {
                let bases = bases.iter().flatten().map(|(_, base)| base.bytes.len());
                content.bytes.len() + bases.sum::<usize>()
            }
        }
    }
}

/// Writes what was planned, the first of which has that number.
fn write(
    packer: &mut Packer<'_>,
    source: &Source,
    first: u32,
    some: &[Planned],
) -> Result<(), StoreFault> {
    let mut items = Vec::with_capacity(some.len());
    for (n, one) in (first..).zip(some) {
        match one {
            // Always the last one.
            Planned::Copied { entry } => {
                packer.write(&items)?;
                return packer.copy(source.id(n), entry);
            }
            Planned::Made {
                content,
                bases,
                entry,
            } => items.push(Item {
                id: source.id(n),
                kind: content.kind,
                bytes: &content.bytes,
                effort: Effort::Thrifty,
                bases: bases
                    .each_ref()
                    .map(|base| base.as_ref().map(|(n, content)| (*n, &content.bytes[..]))),
                entry: entry.as_deref(),
            }),
        }
    }
    packer.write(&items)
}

//! Sheets: where the bytes of a batch of artifacts are.
//!
//! ```text
//! "folio sheet 1\n\0\0"   16 bytes
//! id_len blocks entries extents groups reserved   u32 each, big-endian
//! block ids      blocks * id_len, strictly ascending
//! entries        entries * 64, strictly ascending by key
//! extents        extents * 12: block, offset, length
//! groups         groups * 32: chaining values of 1 MiB each
//! ```
//!
//! One set of records has one encoding, and [`Sheet::parse`] accepts nothing else. Whether the chaining values
//! give the keys is not a question of form: `crypto::groups` answers it.

mod layout;

use crate::model::{Code, ContentDigest, ObjectFormat, Oid, limits};
use std::fmt;

pub use layout::Layout;

/// The first bytes of every sheet.
const MAGIC: &[u8; 16] = b"folio sheet 1\n\0\0";
/// Bytes before the first table.
pub const HEADER: usize = 16 + 6 * 4;
/// Bytes of one entry.
pub const ENTRY: usize = 64;
/// Bytes of one extent.
pub const EXTENT: usize = 12;
/// Bytes of one chaining value.
pub const GROUP: usize = 32;
/// The flag of a manifest.
const MANIFEST: u32 = 1;

/// A chaining value of BLAKE3, of one group that is not the whole artifact.
pub type Chain = [u8; GROUP];

/// Why bytes are not a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetFault {
    /// `sheet-malformed` or `too-large`.
    pub code: Code,
    /// What was expected and found.
    pub what: String,
}

impl fmt::Display for SheetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl std::error::Error for SheetFault {}

fn malformed(what: impl Into<String>) -> SheetFault {
    let (code, what) = (Code::SheetMalformed, what.into());
    SheetFault { code, what }
}

fn too_large(what: String) -> SheetFault {
    let code = Code::TooLarge;
    SheetFault { code, what }
}

/// A part of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The block: a blob of at most 1 MiB.
    pub block: Oid,
    /// Bytes before it in the block.
    pub offset: u32,
    /// Its bytes, at least 1.
    pub length: u32,
}

/// Where one artifact is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// BLAKE3 of its bytes.
    pub key: ContentDigest,
    /// How many bytes it has.
    pub size: u64,
    /// Whether it is the manifest of a directory.
    pub manifest: bool,
    /// Its bytes, in order.
    pub extents: Vec<Extent>,
    /// Chaining values of each of its MiB; none if it has at most one.
    pub groups: Vec<Chain>,
}

/// How many chaining values an artifact of that size has.
pub fn groups_of(size: u64) -> u64 {
    match size <= limits::GROUP_BYTES {
        true => 0,
        false => size.div_ceil(limits::GROUP_BYTES),
    }
}

/// One entry as it stands in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// BLAKE3 of its bytes.
    pub key: ContentDigest,
    /// How many bytes it has.
    pub size: u64,
    /// Whether it is a manifest.
    pub manifest: bool,
    /// Its first extent.
    pub first_extent: u32,
    /// How many extents.
    pub extents: u32,
    /// Its first chaining value.
    pub first_group: u32,
    /// How many chaining values.
    pub groups: u32,
}

impl Entry {
    /// Reads [`ENTRY`] bytes, as part of a sheet of that layout.
    ///
    /// # Errors
    /// `sheet-malformed` for what can stand in no entry there; whether it fits its neighbours is not looked at.
    pub fn parse(layout: &Layout, bytes: &[u8]) -> Result<Self, SheetFault> {
        let Some(bytes) = bytes.get(..ENTRY) else {
            return Err(malformed("expected an entry of 64 bytes"));
        };
        let key: [u8; 32] = bytes[..32].try_into().expect("32 bytes");
        let size = u64::from_be_bytes(bytes[32..40].try_into().expect("8 bytes"));
        let field = |n: usize| word(bytes, 40 + n * 4);
        let flags = field(4);
        if flags & !MANIFEST != 0 || field(5) != 0 {
            return Err(malformed(
                "expected known flags and zeros in what is reserved",
            ));
        }
        let entry = Self {
            key: ContentDigest(key),
            size,
            manifest: flags == MANIFEST,
            first_extent: field(0),
            extents: field(1),
            first_group: field(2),
            groups: field(3),
        };
        entry.check(layout)?;
        Ok(entry)
    }

    fn check(&self, layout: &Layout) -> Result<(), SheetFault> {
        let Self { key, size, .. } = self;
        if *size > limits::ARTIFACT {
            let most = limits::ARTIFACT;
            return Err(malformed(format!(
                "{key}: expected at most {most} bytes, found {size}"
            )));
        }
        let (groups, expected) = (u64::from(self.groups), groups_of(*size));
        if groups != expected {
            return Err(malformed(format!(
                "{key}: expected {expected} chaining values for {size} bytes, found {groups}"
            )));
        }
        let ends = |first: u32, count: u32, all: u32| {
            first.checked_add(count).is_none_or(|upto| upto > all)
        };
        if ends(self.first_extent, self.extents, layout.extents)
            || ends(self.first_group, self.groups, layout.groups)
        {
            return Err(malformed(format!(
                "{key}: expected its parts inside the sheet's tables"
            )));
        }
        Ok(())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.key.as_bytes());
        out.extend_from_slice(&self.size.to_be_bytes());
        let flags = if self.manifest { MANIFEST } else { 0 };
        let Self {
            first_extent,
            extents,
            first_group,
            groups,
            ..
        } = *self;
        for field in [first_extent, extents, first_group, groups, flags, 0] {
            out.extend_from_slice(&field.to_be_bytes());
        }
    }
}

/// One extent as it stands in the table: block number, offset, length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The block's number in the sheet.
    pub block: u32,
    /// Bytes before it in the block.
    pub offset: u32,
    /// Its bytes.
    pub length: u32,
}

impl Part {
    /// Reads [`EXTENT`] bytes, as part of a sheet of that layout.
    ///
    /// # Errors
    /// `sheet-malformed` for a block that is not there, no bytes at all, or bytes beyond a block's end.
    pub fn parse(layout: &Layout, bytes: &[u8]) -> Result<Self, SheetFault> {
        let Some(bytes) = bytes.get(..EXTENT) else {
            return Err(malformed("expected an extent of 12 bytes"));
        };
        let field = |n: usize| word(bytes, n * 4);
        let (block, offset, length) = (field(0), field(1), field(2));
        let end = u64::from(offset) + u64::from(length);
        if block >= layout.blocks || length == 0 || end > limits::BLOCK as u64 {
            return Err(malformed(format!(
                "expected an extent in one of {} blocks of at most {} bytes, found block {block}, offset {offset}, length {length}",
                layout.blocks,
                limits::BLOCK
            )));
        }
        Ok(Self {
            block,
            offset,
            length,
        })
    }
}

/// The one encoding of these records, whatever their order.
///
/// # Errors
/// `too-large` for what is beyond a sheet's limits, `sheet-malformed` for records that no sheet may hold: a key
/// twice, extents that are not the artifact's size, a wrong number of chaining values, ids of the other format.
pub fn encode(format: ObjectFormat, mut records: Vec<Record>) -> Result<Vec<u8>, SheetFault> {
    records.sort_by_key(|record| record.key);
    let extents = records.iter().flat_map(|record| &record.extents);
    let mut blocks: Vec<Oid> = extents.map(|extent| extent.block).collect();
    blocks.sort();
    blocks.dedup();
    if blocks.iter().any(|id| id.format() != format) {
        let format = format.as_str();
        return Err(malformed(format!("expected block ids of {format}")));
    }
    let count = |n: usize| {
        u32::try_from(n).map_err(|_| too_large("expected fewer than 2^32 parts".to_owned()))
    };
    let layout = Layout {
        format,
        blocks: count(blocks.len())?,
        entries: count(records.len())?,
        extents: count(records.iter().map(|record| record.extents.len()).sum())?,
        groups: count(records.iter().map(|record| record.groups.len()).sum())?,
    };
    layout.check_limits()?;
    let mut out = layout.header();
    for block in &blocks {
        out.extend_from_slice(block.as_bytes());
    }
    let (mut first_extent, mut first_group) = (0, 0);
    for record in &records {
        let entry = Entry {
            key: record.key,
            size: record.size,
            manifest: record.manifest,
            first_extent,
            extents: record.extents.len() as u32,
            first_group,
            groups: record.groups.len() as u32,
        };
        entry.encode(&mut out);
        first_extent += entry.extents;
        first_group += entry.groups;
    }
    for extent in records.iter().flat_map(|record| &record.extents) {
        let block = blocks
            .binary_search(&extent.block)
            .expect("every block was collected above");
        for field in [block as u32, extent.offset, extent.length] {
            out.extend_from_slice(&field.to_be_bytes());
        }
    }
    for group in records.iter().flat_map(|record| &record.groups) {
        out.extend_from_slice(group);
    }
    // What would be refused by its readers is never written.
    Sheet::parse(format, &out)?;
    Ok(out)
}

/// A whole sheet that was checked.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    layout: Layout,
    bytes: &'a [u8],
}

impl<'a> Sheet<'a> {
    /// Checks a sheet: everything that can be known without the blocks and the artifacts.
    ///
    /// # Errors
    /// `sheet-malformed`, `too-large`.
    pub fn parse(format: ObjectFormat, bytes: &'a [u8]) -> Result<Self, SheetFault> {
        let layout = Layout::parse(format, bytes)?;
        if bytes.len() as u64 != layout.total() {
            let (expected, found) = (layout.total(), bytes.len());
            return Err(malformed(format!(
                "expected a sheet of {expected} bytes, found {found}"
            )));
        }
        let sheet = Self { layout, bytes };
        sheet.check_blocks()?;
        sheet.check_entries()?;
        Ok(sheet)
    }

    /// How many of what it has.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The ids of its blocks, ascending.
    pub fn blocks(&self) -> impl Iterator<Item = Oid> + use<'a> {
        let at = self.layout.block_at(0) as usize..self.layout.entry_at(0) as usize;
        let ids = self.bytes[at].chunks_exact(self.layout.format.id_len());
        ids.map(|id| Oid::from_bytes(id).expect("20 or 32 bytes are an id"))
    }

    /// Its entries, ascending by key.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + use<'a> {
        let layout = self.layout;
        let at = layout.entry_at(0) as usize..layout.extent_at(0) as usize;
        let rows = self.bytes[at].chunks_exact(ENTRY);
        rows.map(move |row| Entry::parse(&layout, row).expect("checked when it was parsed"))
    }

    /// An entry with all that belongs to it.
    pub fn record(&self, entry: &Entry) -> Record {
        let parts = (entry.first_extent..).take(entry.extents as usize);
        let groups = (entry.first_group..).take(entry.groups as usize);
        Record {
            key: entry.key,
            size: entry.size,
            manifest: entry.manifest,
            extents: parts.map(|n| self.extent(n)).collect(),
            groups: groups
                .map(|n| self.slice(self.layout.group_at(n), GROUP))
                .map(|group| group.try_into().expect("32 bytes"))
                .collect(),
        }
    }

    /// Its records, ascending by key.
    pub fn records(&self) -> impl Iterator<Item = Record> + use<'a> {
        let sheet = *self;
        self.entries().map(move |entry| sheet.record(&entry))
    }

    fn extent(&self, n: u32) -> Extent {
        let part = self.part(n).expect("checked when it was parsed");
        let id = self.slice(
            self.layout.block_at(part.block),
            self.layout.format.id_len(),
        );
        Extent {
            block: Oid::from_bytes(id).expect("20 or 32 bytes are an id"),
            offset: part.offset,
            length: part.length,
        }
    }

    fn part(&self, n: u32) -> Result<Part, SheetFault> {
        Part::parse(&self.layout, self.slice(self.layout.extent_at(n), EXTENT))
    }

    fn slice(&self, at: u64, len: usize) -> &'a [u8] {
        &self.bytes[at as usize..at as usize + len]
    }

    fn check_blocks(&self) -> Result<(), SheetFault> {
        let mut last = None;
        for id in self.blocks() {
            if last >= Some(id) {
                return Err(malformed(format!("block {id} is out of order")));
            }
            last = Some(id);
        }
        Ok(())
    }

    fn check_entries(&self) -> Result<(), SheetFault> {
        let mut used = vec![false; self.layout.blocks as usize];
        let (mut extents, mut groups, mut last) = (0, 0, None);
        for n in 0..self.layout.entries {
            let row = self.slice(self.layout.entry_at(n), ENTRY);
            let entry = Entry::parse(&self.layout, row)?;
            let key = entry.key;
            if last >= Some(key) {
                return Err(malformed(format!("{key} is out of order")));
            }
            last = Some(key);
            if (entry.first_extent, entry.first_group) != (extents, groups) {
                return Err(malformed(format!(
                    "{key}: expected its parts right after those of the entry before"
                )));
            }
            let mut size = 0;
            for n in (extents..).take(entry.extents as usize) {
                let part = self.part(n)?;
                used[part.block as usize] = true;
                size += u64::from(part.length);
            }
            if size != entry.size {
                let expected = entry.size;
                return Err(malformed(format!(
                    "{key}: expected extents of {expected} bytes, found {size}"
                )));
            }
            extents += entry.extents;
            groups += entry.groups;
        }
        if (extents, groups) != (self.layout.extents, self.layout.groups) {
            return Err(malformed("expected no parts without an entry"));
        }
        match used.iter().position(|used| !used) {
            Some(n) => Err(malformed(format!("nothing lies in block {n}"))),
            None => Ok(()),
        }
    }
}

/// The number that starts at a byte; the slice is long enough by its caller's check.
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("4 bytes"))
}

#[cfg(test)]
#[path = "sheet_tests.rs"]
mod tests;

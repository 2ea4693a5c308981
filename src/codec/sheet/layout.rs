//! Where everything in a sheet lies.

use super::{ENTRY, EXTENT, GROUP, HEADER, MAGIC, SheetFault, malformed, too_large, word};
use crate::model::{ObjectFormat, limits};

/// How many of what a sheet has, which says where everything in it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    pub(super) format: ObjectFormat,
    /// Blocks that its artifacts lie in.
    pub blocks: u32,
    /// Artifacts.
    pub entries: u32,
    pub(super) extents: u32,
    pub(super) groups: u32,
}

impl Layout {
    /// Reads the first [`HEADER`] bytes.
    ///
    /// # Errors
    /// `sheet-malformed`; `too-large` for one that says that it has more than a sheet may.
    pub fn parse(format: ObjectFormat, header: &[u8]) -> Result<Self, SheetFault> {
        let rest = header.get(..HEADER).and_then(|h| h.strip_prefix(MAGIC));
        let Some(rest) = rest else {
            return Err(malformed("expected the first bytes of a sheet"));
        };
        let field = |n: usize| word(rest, n * 4);
        if field(0) as usize != format.id_len() {
            let (found, expected) = (field(0), format.id_len());
            return Err(malformed(format!(
                "expected ids of {expected} bytes, found {found}"
            )));
        }
        if field(5) != 0 {
            return Err(malformed("expected zeros in what is reserved"));
        }
        let (blocks, entries, extents, groups) = (field(1), field(2), field(3), field(4));
        let layout = Self {
            format,
            blocks,
            entries,
            extents,
            groups,
        };
        layout.check_limits()?;
        Ok(layout)
    }

    pub(super) fn check_limits(&self) -> Result<(), SheetFault> {
        if self.entries > limits::SHEET_ENTRIES || self.total() > limits::SHEET_BYTES {
            let (entries, total) = (self.entries, self.total());
            let what = format!(
                "expected a sheet of at most {} entries and {} bytes, found {entries} and {total}",
                limits::SHEET_ENTRIES,
                limits::SHEET_BYTES
            );
            return Err(too_large(what));
        }
        Ok(())
    }

    pub(super) fn header(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.total() as usize);
        out.extend_from_slice(MAGIC);
        let id_len = self.format.id_len() as u32;
        for field in [
            id_len,
            self.blocks,
            self.entries,
            self.extents,
            self.groups,
            0,
        ] {
            out.extend_from_slice(&field.to_be_bytes());
        }
        out
    }

    /// Where the id of block `n` lies.
    pub fn block_at(&self, n: u32) -> u64 {
        HEADER as u64 + u64::from(n) * self.format.id_len() as u64
    }

    /// Where entry `n` lies.
    pub fn entry_at(&self, n: u32) -> u64 {
        self.block_at(self.blocks) + u64::from(n) * ENTRY as u64
    }

    /// Where extent `n` lies.
    pub fn extent_at(&self, n: u32) -> u64 {
        self.entry_at(self.entries) + u64::from(n) * EXTENT as u64
    }

    /// Where chaining value `n` lies.
    pub fn group_at(&self, n: u32) -> u64 {
        self.extent_at(self.extents) + u64::from(n) * GROUP as u64
    }

    /// Bytes of the whole sheet.
    pub fn total(&self) -> u64 {
        self.group_at(self.groups)
    }
}

//! Reading an artifact: every byte is verified before it is handed out.

use super::ArtifactFault;
use super::shelf::Shelf;
use crate::codec::sheet::Record;
use crate::crypto::groups;
use crate::model::{Code, ContentDigest, Oid, limits};
use std::io;
use std::ops::Range;

/// A reader of verified bytes. It holds one group of 1 MiB.
pub struct Reader<'a> {
    shelf: &'a Shelf,
    record: Record,
    /// Where each extent starts in the artifact.
    starts: Vec<u64>,
    at: u64,
    end: u64,
    /// The verified bytes of one group.
    group: Vec<u8>,
    /// Which one.
    held: Option<u64>,
}

impl<'a> Reader<'a> {
    /// Reads what a record on a shelf says.
    ///
    /// # Errors
    /// `artifact-damaged` if the record does not fit the key.
    pub fn open(shelf: &'a Shelf, record: Record) -> Result<Self, ArtifactFault> {
        let mut record = record;
        if !fits(&record) {
            // Perhaps only the derived file is damaged.
            shelf.rebuild_index()?;
            let again = shelf.find(&record.key)?.filter(fits);
            record = again.ok_or_else(|| {
                let key = record.key;
                let what = format!(
                    "{key}: expected chaining values that give the key, found others in its sheet"
                );
                ArtifactFault::new(Code::ArtifactDamaged, what)
            })?;
        }
        let (starts, end) = (starts(&record), record.size);
        Ok(Self {
            shelf,
            record,
            starts,
            at: 0,
            end,
            group: Vec::new(),
            held: None,
        })
    }

    /// Only the bytes from `from` up to `to`, which is cut to the artifact's size.
    #[must_use]
    pub fn range(mut self, from: u64, to: u64) -> Self {
        self.end = to.min(self.record.size);
        self.at = from.min(self.end);
        self
    }

    /// The artifact.
    pub fn key(&self) -> ContentDigest {
        self.record.key
    }

    /// Bytes in the whole artifact.
    pub fn size(&self) -> u64 {
        self.record.size
    }

    /// Whether it is the manifest of a directory.
    pub fn is_manifest(&self) -> bool {
        self.record.manifest
    }

    /// The next bytes, at most 1 MiB; `None` at the end.
    ///
    /// # Errors
    /// `artifact-damaged` with the key, the block and where in the artifact; `io`.
    pub fn piece(&mut self) -> Result<Option<&[u8]>, ArtifactFault> {
        let Some(range) = self.ahead(usize::MAX)? else {
            return Ok(None);
        };
        self.at += range.len() as u64;
        Ok(Some(&self.group[range]))
    }

    /// Where in the group the next bytes lie, which is verified if it was not held.
    fn ahead(&mut self, most: usize) -> Result<Option<Range<usize>>, ArtifactFault> {
        if self.at >= self.end {
            return Ok(None);
        }
        let number = self.at / limits::GROUP_BYTES;
        if self.held != Some(number) {
            self.held = None;
            self.verify(number)?;
            self.held = Some(number);
        }
        let first = number * limits::GROUP_BYTES;
        let from = (self.at - first) as usize;
        let to = (self.end - first).min(self.group.len() as u64) as usize;
        Ok(Some(from..to.min(from.saturating_add(most))))
    }

    /// Reads one group and compares it with the key; where it differs, finds out why.
    fn verify(&mut self, number: u64) -> Result<(), ArtifactFault> {
        if self.assemble(number, false).is_ok() && self.is_good(number) {
            return Ok(());
        }
        // Now every block is compared with its id, and other copies of it are tried.
        let Err(fault) = self.verify_blocks(number) else {
            return Ok(());
        };
        // Perhaps the record is wrong, because the file is that it was read from; or a collector moved the bytes.
        self.shelf.rebuild_index()?;
        match self.shelf.find(&self.record.key)? {
            Some(record) if record != self.record => {
                self.starts = starts(&record);
                self.record = record;
                self.verify_blocks(number)
            }
            _ => Err(fault),
        }
    }

    fn verify_blocks(&mut self, number: u64) -> Result<(), ArtifactFault> {
        self.assemble(number, true)?;
        if self.is_good(number) {
            return Ok(());
        }
        let (key, first) = (self.record.key, number * limits::GROUP_BYTES);
        let block = self.extent_at(first).map(|n| self.record.extents[n].block);
        let block = block.map_or("none".to_owned(), |id| id.to_hex());
        let what = format!(
            "{key}: the bytes from {first} on are not what the key says, though block {block} is whole: its sheet is wrong"
        );
        Err(ArtifactFault::new(Code::ArtifactDamaged, what))
    }

    fn is_good(&self, number: u64) -> bool {
        match self.record.groups.get(number as usize) {
            Some(chain) => groups::chain(number, &self.group) == *chain,
            None => number == 0 && groups::digest(&self.group) == self.record.key,
        }
    }

    fn extent_at(&self, at: u64) -> Option<usize> {
        self.starts
            .partition_point(|start| *start <= at)
            .checked_sub(1)
    }

    /// Puts a group together from its blocks.
    fn assemble(&mut self, number: u64, checked: bool) -> Result<(), ArtifactFault> {
        let first = number * limits::GROUP_BYTES;
        let end = (first + limits::GROUP_BYTES).min(self.record.size);
        self.group.clear();
        let mut at = first;
        while at < end {
            let n = self.extent_at(at).expect("the extents cover the artifact");
            let extent = self.record.extents[n];
            let block = self.shelf.block(&extent.block, checked);
            let block = block.map_err(|fault| self.damage(&extent.block, at, fault))?;
            let skip = (at - self.starts[n]) as usize;
            let from = extent.offset as usize + skip;
            let most = (end - at).min((extent.length as usize - skip) as u64) as usize;
            let Some(part) = block.get(from..from + most) else {
                let found = block.len();
                let what = format!("it has {found} bytes, expected {} or more", from + most);
                let fault = ArtifactFault::new(Code::ArtifactDamaged, what);
                return Err(self.damage(&extent.block, at, fault));
            };
            self.group.extend_from_slice(part);
            at += most as u64;
        }
        Ok(())
    }

    /// A block that cannot be used.
    fn damage(&self, block: &Oid, at: u64, fault: ArtifactFault) -> ArtifactFault {
        match fault.code {
            Code::Io | Code::Unsupported => fault,
            _ => {
                let (key, why) = (self.record.key, fault.what);
                let what = format!("{key}: block {block} at byte {at} cannot be used: {why}");
                ArtifactFault::new(Code::ArtifactDamaged, what)
            }
        }
    }
}

impl io::Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.ahead(into.len())? {
            None => Ok(0),
            Some(range) => {
                let count = range.len();
                into[..count].copy_from_slice(&self.group[range]);
                self.at += count as u64;
                Ok(count)
            }
        }
    }
}

/// Whether the chaining values give the key; a single group is compared when it is read.
fn fits(record: &Record) -> bool {
    record.groups.is_empty() || groups::belong(&record.key, record.size, &record.groups)
}

fn starts(record: &Record) -> Vec<u64> {
    let mut at = 0;
    let lengths = record.extents.iter().map(|extent| u64::from(extent.length));
    let starts = lengths.map(|length| {
        at += length;
        at - length
    });
    starts.collect()
}

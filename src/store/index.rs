//! The derived index: number to commit, proposal digest to number, key to the pages that changed it.
//!
//! Three flat files of fixed-size records in `<gitdir>/folio/`, and one that names their version. All of
//! it is disposable, so nothing is synced. It cannot be believed wrongly all the same:
//!
//! - every record carries a checksum of itself and of its place, so zeros, torn or misplaced records
//!   that a crash left are seen;
//! - what is stale is shorter, or ends in another commit than `main` does: the caller compares the tip's
//!   commit id, and that commit names all its ancestors.
//!
//! Which page changed a key is known up to some page, which may be an earlier one: few ask for it, and to find it
//! out takes longer than all the rest. `counts` says for each page up to there how many records of `changes` there
//! are, with a checksum that the page's commit is part of; so lost changes, and those of another history, are seen.

use super::StoreFault;
use super::disk::{create_dirs, io_fault, read_if_there};
use super::locked::Locked;
use crate::journal::Fault;
use crate::journal::pages::{ChangeKey, PageIndex, PageRecord};
use crate::model::{ChainDigest, Code, Number, ObjectFormat, Oid, ProposalDigest};
use std::fs::{self, File};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// The record of one page: commit, proposal, chain, checksum.
const PAGE: u64 = 32 + 32 + 32 + 8;

/// The number of changes up to a page, and a checksum of it and of the page's commit.
const COUNT: u64 = 8 + 8;

/// The record of one change: key hash, number, checksum.
const CHANGE: u64 = 16 + 8 + 8;

/// Change records read at once.
const BLOCK: u64 = 2048;

/// The open index. Other processes may read and extend it at the same time.
#[derive(Debug)]
pub struct Index {
    dir: PathBuf,
    format: ObjectFormat,
    pages: File,
    counts: File,
    changes: File,
}

/// The first 8 bytes of BLAKE3 of a record's fields and its place.
fn checksum(fields: &[u8], place: u64) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(fields).update(&place.to_le_bytes());
    let hash = hasher.finalize();
    hash.as_bytes()[..8].try_into().expect("8 of 32 bytes")
}

fn number_at(bytes: &[u8], at: usize) -> u64 {
    let field = bytes[at..at + 8].try_into().expect("8 bytes were sliced");
    u64::from_le_bytes(field)
}

/// The fields of a record whose checksum holds.
fn checked(record: &[u8], place: u64) -> Option<&[u8]> {
    let (fields, sum) = record.split_at(record.len() - 8);
    (checksum(fields, place) == sum).then_some(fields)
}

impl Index {
    /// Opens the index in this directory, and makes an empty one if there is none or if it is of
    /// another version or object format. What a crash left at its end is cut.
    ///
    /// # Errors
    /// `io`.
    pub fn open(dir: &Path, format: ObjectFormat) -> Result<Index, StoreFault> {
        create_dirs(dir)?;
        let open = |name: &str| {
            let path = dir.join(name);
            let mut how = File::options();
            let file = how
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path);
            file.map_err(|err| io_fault("open", &path, &err))
        };
        let index = Index {
            dir: dir.to_owned(),
            format,
            pages: open("pages")?,
            counts: open("counts")?,
            changes: open("changes")?,
        };
        let _lock = index.lock()?;
        let header = format!("folio index 2 {}\n", format.as_str());
        let version = dir.join("index-version");
        if read_if_there(&version)?.as_deref() != Some(header.as_bytes()) {
            // Emptied before it gets its new version: a crash in between empties it again.
            index.cut(0)?;
            fs::write(&version, header).map_err(|err| io_fault("write", &version, &err))?;
        }
        let mut good = index.pages_len();
        while good > 0 && index.page(Number(good)).is_none() {
            good -= 1;
        }
        index.cut(good)?;
        Ok(index)
    }

    /// How many pages it knows, from 1 on.
    pub fn pages_len(&self) -> u64 {
        self.pages.metadata().map_or(0, |meta| meta.len() / PAGE)
    }

    /// What it knows about a page; `None` if nothing, or if the record is damaged.
    pub fn page(&self, number: Number) -> Option<PageRecord> {
        let record = self.page_record(number.0)?;
        self.parse_page(&record, number.0)
    }

    /// Hands over which proposals the pages in `after+1 ..= up_to` number, in order, as long as `each` wants more.
    ///
    /// # Errors
    /// `busy` unless all of them are known and sound, for then nobody can say that none of them numbers it.
    /// What is damaged is cut off, so that it is made again. `io`.
    pub fn proposals(
        &self,
        after: Number,
        up_to: Number,
        each: &mut dyn FnMut(Number, ProposalDigest) -> ControlFlow<()>,
    ) -> Result<(), StoreFault> {
        let mut next = after.0 + 1;
        let mut block = Vec::new();
        while next <= up_to.0 {
            let count = BLOCK.min(up_to.0 + 1 - next);
            block.resize((count * PAGE) as usize, 0);
            let read = self.pages.read_exact_at(&mut block, (next - 1) * PAGE);
            read.map_err(|err| match err.kind() {
                std::io::ErrorKind::UnexpectedEof => {
                    let what = format!("the index ends before {up_to}: another process cut it");
                    StoreFault::new(Code::Busy, what)
                }
                _ => self.fault("read", &err),
            })?;
            let records = block.chunks_exact(PAGE as usize).zip(next..);
            for (record, number) in records {
                if checked(record, number).is_none() {
                    let cut = self.truncate_to(Number(number - 1));
                    cut.or_else(|_| self.truncate_to(Number(0)))?;
                    let what = format!("page {number} in the index is damaged; it is made again");
                    return Err(StoreFault::new(Code::Busy, what));
                }
                let digest = record[32..64].try_into().expect("32 bytes were sliced");
                if each(Number(number), ProposalDigest(digest)).is_break() {
                    return Ok(());
                }
            }
            next += count;
        }
        Ok(())
    }

    /// The last page that changed this key; `None` if no page it knows did.
    ///
    /// # Errors
    /// `object-damaged` if a record is damaged: then nothing is known, and the index should be cut to 0
    /// and made again. `io`.
    pub fn last_change(&self, key: &ChangeKey) -> Result<Option<Number>, StoreFault> {
        let mut last = None;
        self.scan_changes(key, |number| {
            last = Some(number);
            false
        })?;
        Ok(last)
    }

    /// All pages that changed this key, in order, each once.
    ///
    /// # Errors
    /// As [`Index::last_change`].
    pub fn all_changes(&self, key: &ChangeKey) -> Result<Vec<Number>, StoreFault> {
        let mut all = Vec::new();
        self.scan_changes(key, |number| {
            all.push(number);
            true
        })?;
        all.reverse();
        all.dedup();
        Ok(all)
    }

    /// Adds the pages that follow `base`. A page that another process added meanwhile is left as it is; one of another
    /// history is cut off with all that follow.
    ///
    /// # Errors
    /// `bad-request` if the index ends before `base`; `io`.
    pub fn append_pages(&self, base: Number, pages: &[PageRecord]) -> Result<(), StoreFault> {
        let _lock = self.lock()?;
        let known = self.pages_len();
        if known < base.0 {
            let what = format!("the index ends at {known}, before {base}");
            return Err(StoreFault::new(Code::BadRequest, what));
        }
        let there = (base.0 + 1..=known).map(|number| self.page(Number(number)));
        let same = there.zip(pages).take_while(|(there, page)| {
            there
                .as_ref()
                .is_some_and(|there| there.commit == page.commit)
        });
        let same = base.0 + same.count() as u64;
        if same < known && same < base.0 + pages.len() as u64 {
            self.cut(same)?;
        }
        let known = self.pages_len();
        let new = pages.get((known - base.0) as usize..).unwrap_or_default();
        let mut bytes = Vec::with_capacity(new.len() * PAGE as usize);
        for (page, number) in new.iter().zip(known + 1..) {
            let mut commit = [0; 32];
            commit[..self.format.id_len()].copy_from_slice(page.commit.as_bytes());
            let fields = [commit, page.proposal.0, page.chain.0].concat();
            bytes.extend_from_slice(&fields);
            bytes.extend_from_slice(&checksum(&fields, number));
        }
        self.write_at(&self.pages, &bytes, known * PAGE)
        // A crash here loses nothing; power lost later may lose or tear the file, see above.
    }

    /// Up to which page it is known what each of them changed.
    pub fn changes_len(&self) -> u64 {
        let there = self.counts.metadata().map_or(0, |meta| meta.len() / COUNT);
        let mut known = there.min(self.pages_len());
        while known > 0 && !self.has_changes_upto(known) {
            known -= 1;
        }
        known
    }

    /// Adds the keys that each of the pages after `base` changed; the pages themselves are known. Nothing is added where
    /// it is not known what all pages up to `base` changed, or where it is known of these already.
    ///
    /// # Errors
    /// `object-damaged` if a page is damaged; `io`.
    pub fn append_changes(&self, base: Number, pages: &[Vec<ChangeKey>]) -> Result<(), StoreFault> {
        let _lock = self.lock()?;
        let known = self.changes_len();
        let Some(skipped) = known.checked_sub(base.0) else {
            return Ok(());
        };
        let mut total = self.changes_upto(known)?;
        let from = total;
        let (mut count_bytes, mut change_bytes) = (Vec::new(), Vec::new());
        let new = pages.get(skipped as usize..).unwrap_or_default();
        for (keys, number) in new.iter().zip(known + 1..=self.pages_len()) {
            for key in keys {
                let fields = [key.as_slice(), &number.to_le_bytes()].concat();
                change_bytes.extend_from_slice(&fields);
                change_bytes.extend_from_slice(&checksum(&fields, total));
                total += 1;
            }
            count_bytes.extend_from_slice(&total.to_le_bytes());
            count_bytes.extend_from_slice(&self.count_checksum(total, number)?);
        }
        self.set_len(&self.counts, known * COUNT)?;
        self.set_len(&self.changes, from * CHANGE)?;
        self.write_at(&self.changes, &change_bytes, from * CHANGE)?;
        // A crash here leaves changes that no count has: they are cut by the next append.
        self.write_at(&self.counts, &count_bytes, known * COUNT)
    }

    /// Forgets all pages after this one: `main` was cut, or the index is not believed (0).
    ///
    /// # Errors
    /// `io`.
    pub fn truncate_to(&self, number: Number) -> Result<(), StoreFault> {
        let _lock = self.lock()?;
        self.cut(number.0.min(self.pages_len()))
    }

    /// Cuts the pages, and the counts that no page stands for any more. Changes without a count do not count.
    fn cut(&self, pages: u64) -> Result<(), StoreFault> {
        self.set_len(&self.pages, pages * PAGE)?;
        let counts = self.counts.metadata();
        let counts = counts.map_err(|err| self.fault("look at", &err))?;
        self.set_len(&self.counts, counts.len().min(pages * COUNT))
    }

    /// Whether the count of this page is sound and so are all changes up to it, as far as their number and the last
    /// of them say.
    fn has_changes_upto(&self, number: u64) -> bool {
        let Ok(total) = self.changes_upto(number) else {
            return false;
        };
        let Some(at) = total.checked_sub(1) else {
            return true;
        };
        let mut last = [0; CHANGE as usize];
        let read = self
            .changes
            .read_exact_at(&mut last, at.saturating_mul(CHANGE));
        read.is_ok() && checked(&last, at).is_some()
    }

    /// How many changes there are up to a page; 0 up to page 0.
    fn changes_upto(&self, number: u64) -> Result<u64, StoreFault> {
        let Some(before) = number.checked_sub(1) else {
            return Ok(0);
        };
        let mut record = [0; COUNT as usize];
        let read = self.counts.read_exact_at(&mut record, before * COUNT);
        read.map_err(|err| self.fault("read", &err))?;
        let total = number_at(&record, 0);
        if record[8..] == self.count_checksum(total, number)? {
            return Ok(total);
        }
        let what = format!("what is counted up to page {number} in the index is damaged");
        Err(StoreFault::new(Code::ObjectDamaged, what))
    }

    fn count_checksum(&self, total: u64, number: u64) -> Result<[u8; 8], StoreFault> {
        let page = self.page(Number(number)).ok_or_else(|| {
            let what = format!("page {number} in the index is damaged");
            StoreFault::new(Code::ObjectDamaged, what)
        })?;
        let fields = [&total.to_le_bytes(), page.commit.as_bytes()].concat();
        Ok(checksum(&fields, number))
    }

    fn page_record(&self, number: u64) -> Option<[u8; PAGE as usize]> {
        let mut record = [0; PAGE as usize];
        let at = number.checked_sub(1)?.checked_mul(PAGE)?;
        self.pages.read_exact_at(&mut record, at).ok()?;
        Some(record)
    }

    fn parse_page(&self, record: &[u8], number: u64) -> Option<PageRecord> {
        let fields = checked(record, number)?;
        let digest = |at: usize| {
            fields[at..at + 32]
                .try_into()
                .expect("32 bytes were sliced")
        };
        Some(PageRecord {
            commit: Oid::from_bytes(&fields[..self.format.id_len()]).ok()?,
            proposal: ProposalDigest(digest(32)),
            chain: ChainDigest(digest(64)),
        })
    }

    /// Calls `hit` with the pages that changed this key, from the last one back, until it says no.
    fn scan_changes(
        &self,
        key: &ChangeKey,
        mut hit: impl FnMut(Number) -> bool,
    ) -> Result<(), StoreFault> {
        let mut upto = self.changes_upto(self.changes_len())?;
        let mut block = Vec::new();
        while upto > 0 {
            let from = upto.saturating_sub(BLOCK);
            block.resize(((upto - from) * CHANGE) as usize, 0);
            self.changes
                .read_exact_at(&mut block, from * CHANGE)
                .map_err(|err| self.fault("read", &err))?;
            for (record, place) in block.rchunks_exact(CHANGE as usize).zip((from..upto).rev()) {
                // Each record passed is checked: a damaged one may have been the one looked for.
                let Some(fields) = checked(record, place) else {
                    let what = format!("change {place} in the index is damaged");
                    return Err(StoreFault::new(Code::ObjectDamaged, what));
                };
                if fields[..16] == *key && !hit(Number(number_at(fields, 16))) {
                    return Ok(());
                }
            }
            upto = from;
        }
        Ok(())
    }

    /// The lock of all writers, until it is dropped.
    fn lock(&self) -> Result<Locked, StoreFault> {
        Locked::wait(&self.dir.join("index.lock"))
    }

    fn set_len(&self, file: &File, len: u64) -> Result<(), StoreFault> {
        let same = file.metadata().is_ok_and(|meta| meta.len() == len);
        if same {
            return Ok(());
        }
        file.set_len(len).map_err(|err| self.fault("cut", &err))
    }

    fn write_at(&self, file: &File, bytes: &[u8], at: u64) -> Result<(), StoreFault> {
        file.write_all_at(bytes, at)
            .map_err(|err| self.fault("write", &err))
    }

    fn fault(&self, tried: &str, err: &std::io::Error) -> StoreFault {
        io_fault(tried, &self.dir, err)
    }
}

impl PageIndex for Index {
    fn len(&self) -> u64 {
        self.pages_len()
    }

    fn page(&self, number: Number) -> Option<PageRecord> {
        Index::page(self, number)
    }

    fn pages(&self, from: Number, to: Number) -> Vec<PageRecord> {
        let (mut all, mut block) = (Vec::new(), Vec::new());
        let mut next = from.0;
        while (1..=to.0).contains(&next) {
            let count = BLOCK.min(to.0 + 1 - next);
            block.resize((count * PAGE) as usize, 0);
            if self
                .pages
                .read_exact_at(&mut block, (next - 1) * PAGE)
                .is_err()
            {
                // It ends before: one by one, as far as it goes.
                let rest = (next..=to.0).map(Number);
                all.extend(rest.map_while(|number| Index::page(self, number)));
                break;
            }
            let records = block.chunks_exact(PAGE as usize).zip(next..);
            all.extend(records.map_while(|(record, number)| self.parse_page(record, number)));
            next += count;
            if all.len() as u64 != next - from.0 {
                break;
            }
        }
        all
    }

    fn proposals(
        &self,
        after: Number,
        up_to: Number,
        each: &mut dyn FnMut(Number, ProposalDigest) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        Ok(Index::proposals(self, after, up_to, each)?)
    }

    fn changes(&self, key: &ChangeKey, up_to: Number) -> Result<Vec<Number>, Fault> {
        let mut numbers = self.all_changes(key)?;
        numbers.retain(|number| *number <= up_to);
        numbers.reverse();
        Ok(numbers)
    }

    fn append_pages(&mut self, base: Number, pages: &[PageRecord]) -> Result<(), Fault> {
        Ok(Index::append_pages(self, base, pages)?)
    }

    fn changes_len(&self) -> u64 {
        Index::changes_len(self)
    }

    fn append_changes(&mut self, base: Number, pages: &[Vec<ChangeKey>]) -> Result<(), Fault> {
        Ok(Index::append_changes(self, base, pages)?)
    }

    fn truncate(&mut self, number: Number) -> Result<(), Fault> {
        Ok(self.truncate_to(number)?)
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;

//! The signer's memory on disk: `<gitdir>/folio/signed/`, and a tiny second copy outside of the repository.
//!
//! ```text
//! lock                              held by whoever signs; the system lets go of it when a process dies
//! <space>-<key>/batch-<page>        a batch of signed commits, named by its last page
//! <space>-<key>/highest             the highest page, where no batch says so
//! <space>-<key>/lost/batch-<page>   batches that `main` went past
//! ```
//!
//! A page is named `<epoch>-<number>-<commit>-<chain>`. Names say how high was signed, so that two copies of
//! a repository that some program merges have the heights of both. The copy elsewhere is one `highest` per
//! hand: a repository that is put back from a backup is older than it.

use super::disk::{
    TempFile, create_dirs, io_fault, is_absent, read_if_there, remove_if_there, sync_dir,
};
use super::{Bytes, EveryStep, Steps, StoreFault, Unnamed};
use crate::journal::memory::{Batch, Hand, Mark, Recalled, SignerMemory, Turn, higher};
use crate::model::{Code, Epoch, Number};
use data_encoding::HEXLOWER;
use std::fs::{self, File, TryLockError};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const HIGHEST: &str = "highest";
const BATCH: &str = "batch-";
const TEMP: &str = "tmp_";
/// The first line of every file.
const HEADER: &str = "folio signed 1\n";

/// The memory of a repository.
pub struct SignedPages {
    dir: PathBuf,
    copy: Option<PathBuf>,
    steps: Arc<dyn Steps>,
    waits: Box<dyn Fn() + Send>,
}

impl SignedPages {
    /// The memory in `<folio_dir>/signed`, with its copy in `copy` if there is such a place.
    pub fn new(folio_dir: &Path, copy: Option<PathBuf>) -> Self {
        Self {
            dir: folio_dir.join("signed"),
            copy,
            steps: Arc::new(EveryStep),
            waits: Box::new(|| {}),
        }
    }

    /// The same memory, asking `steps` before each change of the disk.
    #[must_use]
    pub fn with_steps(mut self, steps: Arc<dyn Steps>) -> Self {
        self.steps = steps;
        self
    }

    /// The same memory, calling `waits` when somebody else has the turn.
    #[must_use]
    pub fn with_waiting(mut self, waits: impl Fn() + Send + 'static) -> Self {
        self.waits = Box::new(waits);
        self
    }

    fn place(&self, hand: &Hand) -> PathBuf {
        self.dir.join(name_of(hand))
    }

    fn copy_place(&self, hand: &Hand) -> Option<PathBuf> {
        self.copy.as_ref().map(|copy| copy.join(name_of(hand)))
    }

    fn lock(&self, path: &Path) -> Result<File, StoreFault> {
        let mut how = File::options();
        let file = how.create(true).write(true).truncate(false).open(path);
        let file = file.map_err(|err| io_fault("open", path, &err))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                (self.waits)();
                file.lock().map_err(|err| io_fault("lock", path, &err))?;
            }
            Err(TryLockError::Error(err)) => return Err(io_fault("lock", path, &err)),
        }
        Ok(file)
    }

    /// Contents first; name and directory follow.
    fn write(&self, path: &Path, parts: &[&[u8]]) -> Result<Noted<'_>, StoreFault> {
        let dir = path.parent().expect("a file lies in a directory");
        self.steps.step("memory-write")?;
        // A crash from here on leaves a file that the next turn removes: nobody has seen what is in it.
        let temp = TempFile::create(dir, TEMP, &*self.steps)?;
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut out = BufWriter::with_capacity(length.min(1 << 18), temp.file());
        let written = parts.iter().try_for_each(|part| out.write_all(part));
        let written = written.and_then(|()| out.flush());
        drop(out);
        written.map_err(|err| io_fault("write", path, &err))?;
        temp.protect()?;
        let path = path.to_owned();
        Ok(Noted { temp, path })
    }

    fn write_highest(&self, dir: &Path, mark: &Mark) -> Result<Noted<'_>, StoreFault> {
        let text = format!("{HEADER}{}\n", name_of_page(mark));
        self.write(&dir.join(HIGHEST), &[text.as_bytes()])
    }

    /// The copy with this page, unless it has a higher one.
    fn raise_copy(&self, hand: &Hand, mark: &Mark) -> Result<Option<Noted<'_>>, StoreFault> {
        let Some(dir) = self.copy_place(hand) else {
            return Ok(None);
        };
        match highest_in(&dir, &names_in(&dir)?)? {
            Some(known) if known.rank() >= mark.rank() => Ok(None),
            _ => self.write_highest(&dir, mark).map(Some),
        }
    }

    /// Gives it its name, durably.
    fn keep(&self, noted: Noted<'_>) -> Result<(), StoreFault> {
        let dir = self.give_name(noted)?;
        sync_dir(&dir)?;
        // A crash from here on: it is remembered.
        self.steps.step("memory-written")
    }

    /// Gives it its name; says which directory is to be synced for that.
    fn give_name(&self, noted: Noted<'_>) -> Result<PathBuf, StoreFault> {
        self.steps.step("memory-rename")?;
        let dir = noted.dir().to_owned();
        noted.temp.rename_to(&noted.path)?;
        self.steps.step("memory-sync")?;
        Ok(dir)
    }

    fn forget_batches_but(&self, dir: &Path, name: &str) -> Result<(), StoreFault> {
        for other in names_in(dir)? {
            if other.starts_with(BATCH) && other != name {
                remove_if_there(&dir.join(other))?;
            }
        }
        Ok(())
    }
}

/// A file of the memory before it has its name.
struct Noted<'a> {
    temp: TempFile<'a>,
    path: PathBuf,
}

impl Noted<'_> {
    fn dir(&self) -> &Path {
        self.path.parent().expect("a file lies in a directory")
    }
}

/// A batch and its height before they have their names.
struct Remembering<'a> {
    memory: &'a SignedPages,
    batch: Noted<'a>,
    copy: Option<Noted<'a>>,
}

impl Unnamed for Remembering<'_> {
    fn contents(&self) -> Vec<(&Path, &File)> {
        let files = std::iter::once(&self.batch).chain(&self.copy);
        files
            .map(|noted| (noted.temp.path(), noted.temp.file()))
            .collect()
    }

    fn name(self: Box<Self>) -> Result<Vec<PathBuf>, StoreFault> {
        let Self {
            memory,
            batch,
            copy,
        } = *self;
        let (dir, path) = (batch.dir().to_owned(), batch.path.clone());
        // Before its height is anywhere: else that would speak of a page that a crash took along.
        memory.keep(batch)?;
        let copied = copy.map(|copy| memory.give_name(copy)).transpose()?;
        // A crash before they are gone: `main` has them, so they are passed over.
        let name = path.file_name().and_then(|name| name.to_str());
        memory.forget_batches_but(&dir, name.expect("it was named here"))?;
        Ok(copied.into_iter().collect())
    }
}

fn make(dir: &Path) -> Result<(), StoreFault> {
    create_dirs(dir)?.iter().try_for_each(|dir| sync_dir(dir))
}

fn name_of(hand: &Hand) -> String {
    let key = HEXLOWER.encode(&hand.key.0);
    format!("{}-{}", &hand.space.to_hex()[..32], &key[..32])
}

fn name_of_page(mark: &Mark) -> String {
    let (commit, chain) = (mark.commit, mark.chain.to_hex());
    format!("{}-{}-{commit}-{chain}", mark.epoch, mark.number)
}

fn batch_name(last: &Mark) -> String {
    format!("{BATCH}{}", name_of_page(last))
}

/// The page that a name speaks of; what a program that copies files has put behind it is left out.
fn page_in(name: &str) -> Option<Mark> {
    let mut parts = name.splitn(4, '-');
    let epoch = Epoch(parts.next()?.parse().ok()?);
    let number = Number(parts.next()?.parse().ok()?);
    let commit = parts.next()?.parse().ok()?;
    let chain = parts.next()?.get(..64)?.parse().ok()?;
    Some(Mark {
        epoch,
        number,
        commit,
        chain,
    })
}

fn damaged(path: &Path) -> StoreFault {
    let what = format!(
        "the signer's memory `{}` cannot be read; removing it is safe only if no page that your key signed is \
         missing in `main`",
        path.display()
    );
    StoreFault::new(Code::ObjectDamaged, what)
}

/// The names in a directory, sorted; none where there is no such directory.
fn names_in(dir: &Path) -> Result<Vec<String>, StoreFault> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(err) if is_absent(&err) => return Ok(Vec::new()),
        Err(err) => return Err(io_fault("read", dir, &err)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|err| io_fault("read", dir, &err))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The highest page that files called `highest` speak of, among those of a directory: a program that copies files may
/// have made more of them.
fn highest_in(dir: &Path, names: &[String]) -> Result<Option<Mark>, StoreFault> {
    let mut highest = None;
    for name in names {
        if !name.starts_with(HIGHEST) {
            continue;
        }
        let path = dir.join(name);
        let bytes = read_if_there(&path)?.ok_or_else(|| damaged(&path))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| damaged(&path))?;
        let line = text.strip_prefix(HEADER).map(str::trim_end);
        let mark = line.and_then(page_in).ok_or_else(|| damaged(&path))?;
        highest = higher(highest, Some(mark));
    }
    Ok(highest)
}

/// The last pages of the batches among the files of a directory, the lowest first.
fn batches_in(dir: &Path, names: &[String]) -> Result<Vec<Mark>, StoreFault> {
    let mut found = Vec::new();
    for name in names {
        if let Some(page) = name.strip_prefix(BATCH) {
            found.push(page_in(page).ok_or_else(|| damaged(&dir.join(name)))?);
        }
    }
    found.sort_by_key(Mark::rank);
    found.dedup();
    Ok(found)
}

impl SignerMemory for SignedPages {
    fn turn(&self, hand: &Hand) -> Result<Turn, StoreFault> {
        let dir = self.place(hand);
        make(&dir)?;
        let mut held = vec![self.lock(&self.dir.join("lock"))?];
        // Two clones on one machine share the copy, and so they wait for each other too.
        if let Some(copy) = self.copy_place(hand) {
            make(&copy)?;
            held.push(self.lock(&copy.join("lock"))?);
        }
        for dir in std::iter::once(dir).chain(self.copy_place(hand)) {
            for name in names_in(&dir)? {
                if name.starts_with(TEMP) {
                    remove_if_there(&dir.join(name))?;
                }
            }
        }
        Ok(Box::new(held))
    }

    fn recall(&self, hand: &Hand) -> Result<Recalled, StoreFault> {
        let dir = self.place(hand);
        let (names, lost) = (names_in(&dir)?, dir.join("lost"));
        let (batches, lost) = (
            batches_in(&dir, &names)?,
            batches_in(&lost, &names_in(&lost)?)?,
        );
        let mut highest = highest_in(&dir, &names)?;
        if let Some(copy) = self.copy_place(hand) {
            highest = higher(highest, highest_in(&copy, &names_in(&copy)?)?);
        }
        for mark in batches.iter().chain(&lost) {
            highest = higher(highest, Some(*mark));
        }
        Ok(Recalled {
            highest,
            batches,
            lost: lost.iter().map(|mark| mark.commit).collect(),
        })
    }

    fn batch(&self, hand: &Hand, last: &Mark) -> Result<Batch, StoreFault> {
        let path = self.place(hand).join(batch_name(last));
        let bytes = read_if_there(&path)?.ok_or_else(|| damaged(&path))?;
        let commits = parse(&bytes).ok_or_else(|| damaged(&path))?;
        let last = *last;
        Ok(Batch { last, commits })
    }

    fn remember<'a>(
        &'a self,
        hand: &'a Hand,
        batch: &'a Batch,
    ) -> Result<Box<dyn Unnamed + 'a>, StoreFault> {
        let lengths: Vec<String> = batch
            .commits
            .iter()
            .map(|commit| format!("{}\n", commit.len()))
            .collect();
        let mut parts = vec![HEADER.as_bytes()];
        for (length, commit) in lengths.iter().zip(&batch.commits) {
            parts.extend([length.as_bytes(), commit]);
        }
        let path = self.place(hand).join(batch_name(&batch.last));
        Ok(Box::new(Remembering {
            memory: self,
            batch: self.write(&path, &parts)?,
            copy: self.raise_copy(hand, &batch.last)?,
        }))
    }

    fn raise(&self, hand: &Hand, mark: &Mark) -> Result<(), StoreFault> {
        let dir = self.place(hand);
        let inside = match highest_in(&dir, &names_in(&dir)?)? {
            Some(known) if known.rank() >= mark.rank() => None,
            _ => Some(self.write_highest(&dir, mark)?),
        };
        let copy = self.raise_copy(hand, mark)?;
        for noted in inside.into_iter().chain(copy) {
            noted.temp.seal()?;
            self.keep(noted)?;
        }
        Ok(())
    }

    fn lose(&self, hand: &Hand, last: &Mark) -> Result<(), StoreFault> {
        let dir = self.place(hand);
        let lost = dir.join("lost");
        make(&lost)?;
        self.steps.step("memory-lose")?;
        // A crash before or after it: the name is in one of the two places, and both count.
        let (from, to) = (dir.join(batch_name(last)), lost.join(batch_name(last)));
        fs::rename(&from, &to).map_err(|err| io_fault("rename", &from, &err))?;
        sync_dir(&lost)?;
        sync_dir(&dir)?;
        self.steps.step("memory-lost")
    }
}

/// Each commit is preceded by a line with its length.
fn parse(bytes: &[u8]) -> Option<Vec<Bytes>> {
    let mut rest = bytes.strip_prefix(HEADER.as_bytes())?;
    let mut commits = Vec::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|b| *b == b'\n')?;
        let length: usize = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
        let after = &rest[end + 1..];
        commits.push(Bytes::from(after.get(..length)?.to_vec()));
        rest = &after[length..];
    }
    (!commits.is_empty()).then_some(commits)
}

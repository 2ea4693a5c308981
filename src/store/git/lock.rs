//! `<file>.lock` as git takes it, with proof of who took it.
//!
//! git's lock is a file that must not exist yet. One that a killed process left blocks everybody until
//! somebody removes it by hand. Ours are hard links of a file in `<gitdir>/folio/locks/` that its owner
//! holds a `flock` on, which ends with the process: a lock that is the same file as one of those, with no
//! `flock` on it, is what a dead Folio left, and may be taken. Any other lock is git's and is waited for.
//! Locks that are only held, and written into by nobody, share one such file: a thousand branches are
//! removed without making a thousand files.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "git's own locks cannot be waited for in another way"
)]

use crate::model::Code;
use crate::store::disk::{
    create_dirs, io_fault, is_absent, remove_if_there, sync_dir, try_create_dirs,
};
use crate::store::locked::Locked;
use crate::store::{Steps, StoreFault};
use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a held lock is waited for before it is `busy`.
const PATIENCE: Duration = Duration::from_secs(1);

/// A lock of one file, and the file's next contents. Given up when dropped.
pub(super) struct Lock<'a> {
    path: PathBuf,
    target: PathBuf,
    staged: Rc<Staged<'a>>,
    /// Directories that were made for it and whose parents' entries changed.
    made: Vec<PathBuf>,
    steps: &'a dyn Steps,
    /// Whether the next contents are there already, and durable.
    written: bool,
    done: bool,
}

/// What a file is to hold, written before its lock is taken, so that its writer may wait for the disk together with
/// others. It goes when it is dropped, unless a lock was made of it.
pub(super) struct Ready {
    bytes: Vec<u8>,
    /// Its name and the file; none once a lock was made of it.
    staged: Option<(PathBuf, File)>,
    steps: Arc<dyn Steps>,
}

impl Ready {
    /// Writes it. It is not durable yet.
    pub(super) fn write(
        common_dir: &Path,
        bytes: Vec<u8>,
        steps: Arc<dyn Steps>,
    ) -> Result<Self, StoreFault> {
        let staging = common_dir.join("folio").join("locks");
        let staged = create_staged(&staging).or_else(|err| {
            if err.kind() != io::ErrorKind::NotFound {
                return Err(io_fault("create a file in", &staging, &err));
            }
            create_dirs(&staging)?;
            create_staged(&staging).map_err(|err| io_fault("create a file in", &staging, &err))
        })?;
        let written = (&staged.1).write_all(&bytes);
        let written = written.map_err(|err| io_fault("write", &staged.0, &err));
        let ready = Self {
            bytes,
            staged: Some(staged),
            steps,
        };
        written.map(|()| ready)
    }

    /// Whether it holds these bytes.
    pub(super) fn holds(&self, bytes: &[u8]) -> bool {
        self.bytes == bytes
    }

    /// What is to be durable before a lock is made of it.
    pub(super) fn contents(&self) -> Option<(&Path, &File)> {
        let staged = self.staged.as_ref();
        staged.map(|(name, file)| (name.as_path(), file))
    }

    /// Makes it durable, for whoever has nothing else to wait for.
    pub(super) fn sync(&self) -> Result<(), StoreFault> {
        self.contents().map_or(Ok(()), |(name, file)| {
            let synced = file.sync_all();
            synced.map_err(|err| io_fault("sync", name, &err))
        })
    }

    /// Puts it in the place of a file whose lock is held, and stays so.
    pub(super) fn publish(mut self, target: &Path) -> Result<(), StoreFault> {
        if let Some((name, _)) = &self.staged {
            fs::rename(name, target).map_err(|err| io_fault("rename to", target, &err))?;
        }
        self.staged = None;
        Ok(())
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        if let Some((name, _)) = &self.staged
            && !self.steps.dead()
        {
            fs::remove_file(name).ok();
        }
    }
}

/// The file that locks are names of, and its own name if the file system has hard links. That name goes
/// with the last lock.
pub(super) struct Staged<'a> {
    name: Option<PathBuf>,
    file: File,
    steps: &'a dyn Steps,
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name
            && !self.steps.dead()
        {
            fs::remove_file(name).ok();
        }
    }
}

impl<'a> Lock<'a> {
    /// Takes the lock of `target` to write it anew; directories above it are made.
    pub(super) fn take(
        common_dir: &Path,
        target: &Path,
        steps: &'a dyn Steps,
    ) -> Result<Self, StoreFault> {
        Self::take_with(common_dir, target, steps, &mut None)
    }

    /// Takes the lock of `target` to write into it what is ready and durable. `None` where that does not work at once:
    /// [`Lock::take`] knows more ways.
    pub(super) fn take_ready(
        target: &Path,
        mut ready: Ready,
        steps: &'a dyn Steps,
    ) -> Option<Self> {
        let path = lock_of(target);
        let (name, _) = ready.staged.as_ref()?;
        fs::hard_link(name, &path).ok()?;
        let (name, file) = ready.staged.take()?;
        let name = Some(name);
        Some(Self {
            path,
            target: target.to_owned(),
            staged: Rc::new(Staged { name, file, steps }),
            made: Vec::new(),
            steps,
            written: true,
            done: false,
        })
    }

    /// Takes the lock of `target` to remove it, as another name of a file that all such locks share.
    pub(super) fn take_with(
        common_dir: &Path,
        target: &Path,
        steps: &'a dyn Steps,
        shared: &mut Option<Rc<Staged<'a>>>,
    ) -> Result<Self, StoreFault> {
        let path = lock_of(target);
        let staging = common_dir.join("folio").join("locks");
        let mut made = Vec::new();
        let until = Instant::now() + PATIENCE;
        loop {
            let err = match try_take(&staging, &path, steps, shared.as_ref()) {
                Ok(staged) => {
                    let mut lock = Self::of(path, target, staged, steps, shared);
                    lock.made = made;
                    return Ok(lock);
                }
                Err(err) => err,
            };
            match err.kind() {
                io::ErrorKind::AlreadyExists if take_from_the_dead(&staging, &path) => continue,
                io::ErrorKind::AlreadyExists if Instant::now() > until => {
                    let what = format!(
                        "`{}` exists: another process holds the lock",
                        path.display()
                    );
                    return Err(StoreFault::new(Code::Busy, what));
                }
                // Somebody may be removing the empty directory while we need it, so this is tried again.
                io::ErrorKind::NotFound if Instant::now() <= until => {
                    let parent = path.parent().expect("a lock lies in a directory");
                    create_dirs(&staging)?;
                    match try_create_dirs(parent) {
                        Ok(dirs) => {
                            made.extend(dirs);
                            continue;
                        }
                        // Removed again before it was looked at, or one above it was.
                        Err(err) if is_gone(&err, parent) => {}
                        Err(err) => {
                            return Err(conflict(target, io_fault("create", parent, &err)));
                        }
                    }
                }
                io::ErrorKind::NotADirectory => {
                    return Err(conflict(target, io_fault("create", &path, &err)));
                }
                io::ErrorKind::AlreadyExists => {}
                _ => return Err(io_fault("create", &path, &err)),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// As [`Lock::take_with`], where nobody holds it now.
    pub(super) fn attempt(
        common_dir: &Path,
        target: &Path,
        steps: &'a dyn Steps,
        shared: &mut Option<Rc<Staged<'a>>>,
    ) -> Option<Self> {
        let path = lock_of(target);
        let staging = common_dir.join("folio").join("locks");
        let take = || try_take(&staging, &path, steps, shared.as_ref());
        let staged = take().or_else(|err| {
            let there = err.kind() == io::ErrorKind::AlreadyExists;
            match there && take_from_the_dead(&staging, &path) {
                true => take(),
                false => Err(err),
            }
        });
        let staged = staged.ok()?;
        Some(Self::of(path, target, staged, steps, shared))
    }

    /// A lock that was taken.
    fn of(
        path: PathBuf,
        target: &Path,
        staged: Rc<Staged<'a>>,
        steps: &'a dyn Steps,
        shared: &mut Option<Rc<Staged<'a>>>,
    ) -> Self {
        // Without hard links a file is one lock and cannot be shared.
        if staged.name.is_some() {
            *shared = Some(Rc::clone(&staged));
        }
        Self {
            path,
            target: target.to_owned(),
            staged,
            made: Vec::new(),
            steps,
            written: false,
            done: false,
        }
    }

    /// Writes what the file will hold, and makes it survive a crash; what was ready does already.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), StoreFault> {
        if self.written {
            return Ok(());
        }
        let mut file = &self.staged.file;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        written.map_err(|err| io_fault("write", &self.path, &err))
    }

    /// Puts the written contents in the file's place. Not durable before [`Lock::finish`].
    pub(super) fn publish(&mut self) -> Result<(), StoreFault> {
        let renamed = fs::rename(&self.path, &self.target).or_else(|err| {
            // Deleted refs may leave empty directories where this one has to be.
            if !self.target.is_dir() {
                return Err(err);
            }
            remove_empty_dirs(&self.target)?;
            fs::rename(&self.path, &self.target)
        });
        renamed.map_err(|err| io_fault("rename to", &self.target, &err))?;
        self.done = true;
        Ok(())
    }

    /// Removes the file. The lock stays held.
    pub(super) fn delete_target(&self) -> Result<(), StoreFault> {
        remove_if_there(&self.target)
    }

    /// The directories to sync so that what was done survives a crash.
    pub(super) fn dirs(&self) -> impl Iterator<Item = &Path> {
        let parent = self.target.parent().expect("a file lies in a directory");
        let made = self.made.iter().map(PathBuf::as_path);
        made.chain(std::iter::once(parent))
    }

    /// Makes what was done survive a crash, and gives the lock up.
    pub(super) fn finish(self) -> Result<(), StoreFault> {
        self.dirs().try_for_each(sync_dir)
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        if self.steps.dead() {
            return;
        }
        if !self.done {
            fs::remove_file(&self.path).ok();
        }
    }
}

fn lock_of(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Whether directories could not be made for somebody removed one of them meanwhile.
fn is_gone(err: &io::Error, dir: &Path) -> bool {
    match err.kind() {
        io::ErrorKind::NotFound => true,
        io::ErrorKind::AlreadyExists => !dir.exists(),
        _ => false,
    }
}

fn conflict(target: &Path, fault: StoreFault) -> StoreFault {
    let what = format!(
        "`{}` cannot lie below another ref: {fault}",
        target.display()
    );
    StoreFault::new(Code::RefInvalid, what)
}

/// Makes a file with a name of our own, held as long as we live. A crash from here on leaves one that the next process
/// to meet a lock tidies up. `NotFound` means that the directory is missing.
fn create_staged(staging: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let own = staging.join(format!("{}-{number}", std::process::id()));
        match File::create_new(&own) {
            Ok(file) => {
                file.lock()?;
                // Whoever looked at it before it was locked took it for a dead one's, and has removed it.
                if own.exists() {
                    return Ok((own, file));
                }
            }
            // Left by a dead process that had our number. Not the lock: the next name will be free.
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {}
            Err(err) => return Err(err),
        }
    }
}

/// One try. `NotFound` means that a directory is missing.
fn try_take<'a>(
    staging: &Path,
    path: &Path,
    steps: &'a dyn Steps,
    shared: Option<&Rc<Staged<'a>>>,
) -> io::Result<Rc<Staged<'a>>> {
    if let Some(shared) = shared
        && let Some(name) = &shared.name
    {
        return fs::hard_link(name, path).map(|()| Rc::clone(shared));
    }
    let (own, file) = create_staged(staging)?;
    let linked = fs::hard_link(&own, path);
    let staged = |name, file| Rc::new(Staged { name, file, steps });
    let Err(err) = linked else {
        return Ok(staged(Some(own), file));
    };
    fs::remove_file(&own).ok();
    match err.kind() {
        // A file system without hard links: a plain lock, as git's.
        io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied => {
            Ok(staged(None, File::create_new(path)?))
        }
        _ => Err(err),
    }
}

fn same_file(a: &Metadata, b: &Metadata) -> bool {
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Removes the lock if a Folio that is no more took it; also what else the dead left in the staging
/// directory. Whatever cannot be read or removed is left alone.
fn take_from_the_dead(staging: &Path, path: &Path) -> bool {
    let mut taken = false;
    for left in left_by_the_dead(staging) {
        taken |= left.is_named(path) && fs::remove_file(path).is_ok();
        left.tidy();
    }
    taken
}

/// Removes all locks of refs that were taken by a Folio that is no more, before a git is started: it knows of no owners
/// and would be refused by them for ever. Nearly always there is nothing to look at but an empty directory.
pub(super) fn release_the_dead(common_dir: &Path) {
    let left: Vec<Left> = left_by_the_dead(&common_dir.join("folio").join("locks")).collect();
    if left.iter().any(Left::has_more_names) {
        let mut locks = vec![lock_of(&common_dir.join("packed-refs"))];
        find_locks(&common_dir.join("refs"), &mut locks);
        for lock in locks {
            if left.iter().any(|left| left.is_named(&lock)) {
                fs::remove_file(&lock).ok();
            }
        }
    }
    left.iter().for_each(Left::tidy);
}

/// Collects the locks of all refs below a directory.
fn find_locks(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            find_locks(&path, found);
        } else if path.extension().is_some_and(|end| end == "lock") {
            found.push(path);
        }
    }
}

/// A file in the staging directory whose owner is no more. It is open and flocked by us, so that the number of its inode
/// cannot be given to another file meanwhile.
struct Left {
    name: PathBuf,
    file: Locked,
    found: Metadata,
}

impl Left {
    fn has_more_names(&self) -> bool {
        self.found.nlink() > 1
    }

    fn is_named(&self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|found| same_file(&found, &self.found))
    }

    /// Removes it, unless it has another name left: that may be a lock somebody will meet later.
    fn tidy(&self) {
        if self.file.metadata().is_ok_and(|left| left.nlink() == 1) {
            fs::remove_file(&self.name).ok();
        }
    }
}

fn left_by_the_dead(staging: &Path) -> impl Iterator<Item = Left> {
    let entries = fs::read_dir(staging).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let name = entry.path();
        // Our own locks are held through other handles, so this says no for them too.
        let file = Locked::attempt(File::open(&name).ok()?).ok()?;
        let found = file.metadata().ok()?;
        Some(Left { name, file, found })
    })
}

/// Removes a directory that holds nothing but directories.
fn remove_empty_dirs(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        remove_empty_dirs(&entry?.path())?;
    }
    match fs::remove_dir(dir) {
        Err(err) if !is_absent(&err) => Err(err),
        _ => Ok(()),
    }
}

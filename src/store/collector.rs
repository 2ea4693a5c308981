//! What a collector has for itself: its turn, its log, and the number of the rules it follows.

use super::StoreFault;
use super::disk::{create_dirs, io_fault, read_if_there, sync_dir};
use crate::model::Code;
use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The rules of collection that this version follows. What a later one keeps, this one might not.
pub const FORMAT: u32 = 1;

/// Where git's configuration says by which rules a repository is collected.
pub const FORMAT_KEY: &str = "folio.collector";

/// A log that has grown to this many bytes is put aside, and the one before it goes.
const LOG: u64 = 16 * 1024 * 1024;

/// How long another collector may take to end before it is `busy`.
const PATIENCE: Duration = Duration::from_millis(250);

/// Bytes of the log that are searched for the last run.
const TAIL: usize = 64 * 1024;

/// Refuses a repository that is collected by newer rules.
///
/// # Errors
/// `unsupported`.
pub fn require_format(value: Option<&str>) -> Result<(), StoreFault> {
    let Some(value) = value else { return Ok(()) };
    if value.parse().is_ok_and(|found: u32| found <= FORMAT) {
        return Ok(());
    }
    let value = value.escape_debug();
    let what = format!(
        "this version collects by the rules 1 to {FORMAT}; `{FORMAT_KEY}` asks for `{value}`"
    );
    Err(StoreFault::new(Code::Unsupported, what))
}

/// The lock of who merges small packs, below `<gitdir>/folio`.
pub(super) const SMALL_PACKS: &str = "consolidate.lock";

/// That of who merges large ones, and brings git's commit graph up to date between collections.
const LARGE_PACKS: &str = "merge.lock";

/// A collector's turn in a repository: nobody else collects, and nobody merges packs. Ends with the process.
#[derive(Debug)]
pub struct Collecting {
    files: [File; 3],
    dir: PathBuf,
}

impl Collecting {
    /// Takes it.
    ///
    /// # Errors
    /// `busy` if another collector is at work; `io`.
    pub fn begin(common_dir: &Path) -> Result<Self, StoreFault> {
        let dir = common_dir.join("folio");
        for parent in create_dirs(&dir)? {
            sync_dir(&parent)?;
        }
        let own = dir.join("gc.lock");
        let file = open(&own)?;
        take(&file, &own)?;
        // Merging packs ends soon, and does not begin while this is held.
        let [small, large] = [SMALL_PACKS, LARGE_PACKS].map(|name| {
            let packs = dir.join(name);
            let merging = open(&packs)?;
            let held = merging.lock().map(|()| merging);
            held.map_err(|err| io_fault("lock", &packs, &err))
        });
        Ok(Self {
            files: [file, small?, large?],
            dir,
        })
    }

    /// Whether one is at work; looks only.
    pub fn is_running(common_dir: &Path) -> bool {
        let file = File::open(common_dir.join("folio/gc.lock"));
        file.is_ok_and(|file| {
            let held = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
            file.unlock().ok();
            held
        })
    }

    /// A handle of the lock, for programs that are started: as long as one of them lives, the turn is not over,
    /// also where whoever took it has died.
    ///
    /// # Errors
    /// `io`.
    pub fn handle(&self) -> Result<File, StoreFault> {
        let handle = self.files[0].try_clone();
        handle.map_err(|err| io_fault("share", &self.dir.join("gc.lock"), &err))
    }

    /// A directory of its own for files on their way, empty.
    ///
    /// # Errors
    /// `io`.
    pub fn workshop(&self) -> Result<PathBuf, StoreFault> {
        let dir = self.dir.join("gc");
        match fs::remove_dir_all(&dir) {
            Err(err) if err.kind() != std::io::ErrorKind::NotFound => {
                return Err(io_fault("remove", &dir, &err));
            }
            _ => {}
        }
        create_dirs(&dir)?;
        Ok(dir)
    }

    /// Writes lines into the log, each `SECONDS WORDS`, durably: before what they tell of is done.
    ///
    /// # Errors
    /// `io`.
    pub fn log(&self, now: u64, lines: &[String]) -> Result<(), StoreFault> {
        let path = self.dir.join("gc.log");
        if fs::metadata(&path).is_ok_and(|meta| meta.len() > LOG) {
            let aside = self.dir.join("gc.log.1");
            fs::rename(&path, &aside).map_err(|err| io_fault("rename to", &aside, &err))?;
        }
        append(&self.dir, now, lines)
    }
}

/// The turn of who keeps house between collections: nobody else does, and whoever collects waits for its end, which
/// comes soon, for it is asked for. Ends with the process.
#[derive(Debug)]
pub struct Merging {
    file: File,
    common_dir: PathBuf,
}

impl Merging {
    /// Takes it, unless it is taken or a collection is running.
    ///
    /// # Errors
    /// `io`.
    pub fn begin(common_dir: &Path) -> Result<Option<Self>, StoreFault> {
        let turn = try_turn(common_dir, LARGE_PACKS)?.map(|file| Self {
            file,
            common_dir: common_dir.to_owned(),
        });
        Ok(turn.filter(Self::may_go_on))
    }

    /// Whether nobody collects.
    pub fn may_go_on(&self) -> bool {
        !Collecting::is_running(&self.common_dir)
    }

    /// As [`Collecting::handle`].
    ///
    /// # Errors
    /// `io`.
    pub fn handle(&self) -> Result<File, StoreFault> {
        let handle = self.file.try_clone();
        handle.map_err(|err| {
            io_fault(
                "share",
                &self.common_dir.join("folio").join(LARGE_PACKS),
                &err,
            )
        })
    }

    /// As [`Collecting::log`], where a line is rare.
    ///
    /// # Errors
    /// `io`.
    pub fn log(&self, now: u64, lines: &[String]) -> Result<(), StoreFault> {
        append(&self.common_dir.join("folio"), now, lines)
    }
}

fn append(dir: &Path, now: u64, lines: &[String]) -> Result<(), StoreFault> {
    let path = dir.join("gc.log");
    let text: String = lines.iter().map(|line| format!("{now} {line}\n")).collect();
    let new = !path.exists();
    let written = File::options().append(true).create(true).open(&path);
    let written = written.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|err| io_fault("write", &path, &err))?;
    match new {
        true => sync_dir(dir),
        false => Ok(()),
    }
}

/// Takes one of the locks below `folio`, unless it is held.
pub(super) fn try_turn(common_dir: &Path, name: &str) -> Result<Option<File>, StoreFault> {
    let dir = common_dir.join("folio");
    for parent in create_dirs(&dir)? {
        sync_dir(&parent)?;
    }
    let path = dir.join(name);
    let file = open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(err)) => Err(io_fault("lock", &path, &err)),
    }
}

/// When a collection last ran to its end, in seconds since 1970, and what its last line in the log says.
///
/// # Errors
/// `io`.
pub fn last_run(common_dir: &Path) -> Result<Option<(u64, String)>, StoreFault> {
    for name in ["gc.log", "gc.log.1"] {
        let Some(bytes) = read_if_there(&common_dir.join("folio").join(name))? else {
            continue;
        };
        let tail = &bytes[bytes.len().saturating_sub(TAIL)..];
        let found = String::from_utf8_lossy(tail)
            .lines()
            .rev()
            .find_map(|line| {
                let (time, words) = line.split_once(' ')?;
                let words = words.strip_prefix("done ")?;
                Some((time.parse().ok()?, words.to_owned()))
            });
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Takes the lock. A program that is just being started has a copy of every handle for a moment, so one that is
/// given back may seem to be held a little longer.
#[allow(
    clippy::disallowed_methods,
    reason = "the system's locks cannot be waited for with an end"
)]
fn take(file: &File, path: &Path) -> Result<(), StoreFault> {
    let until = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return Err(busy(path)),
            Err(TryLockError::Error(err)) => return Err(io_fault("lock", path, &err)),
        }
    }
}

fn open(path: &Path) -> Result<File, StoreFault> {
    let mut options = File::options();
    let opened = options.create(true).write(true).truncate(false).open(path);
    opened.map_err(|err| io_fault("open", path, &err))
}

fn busy(path: &Path) -> StoreFault {
    let what = format!(
        "`{}` is held: another collection is running",
        path.display()
    );
    StoreFault::new(Code::Busy, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_collects_at_a_time_and_its_last_run_is_remembered() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!Collecting::is_running(dir.path()));
        assert_eq!(last_run(dir.path()).unwrap(), None);
        let first = Collecting::begin(dir.path()).unwrap();
        assert!(Collecting::is_running(dir.path()));
        let fault = Collecting::begin(dir.path()).unwrap_err();
        assert_eq!(fault.code, Code::Busy);
        first
            .log(7, &["done nothing".into(), "begin".into()])
            .unwrap();
        drop(first);
        // A program that another test is starting has a copy of the handle for a moment.
        while Collecting::is_running(dir.path()) {
            std::thread::yield_now();
        }
        let last = last_run(dir.path()).unwrap();
        assert_eq!(last, Some((7, "nothing".to_owned())));
    }

    #[test]
    fn newer_rules_are_refused() {
        for known in [None, Some("0"), Some("1")] {
            require_format(known).unwrap();
        }
        for newer in ["2", "1x", "", "-1"] {
            let fault = require_format(Some(newer)).unwrap_err();
            assert_eq!(fault.code, Code::Unsupported, "{newer}");
        }
    }
}

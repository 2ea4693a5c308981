//! A lock for many sharers and one who must not starve.
//!
//! Two files: who shares goes through the first one, sharing it for a moment, and then shares the second. Who
//! wants it alone takes the first alone, so that nobody new comes in, and then waits for the second. The system
//! lets go of both when a process dies.

use super::StoreFault;
use super::disk::{create_dirs, io_fault, sync_dir};
use crate::model::Code;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The two files, `<name>.turn` and `<name>.lock`. Each value has its own handles, so each is one sharer; use
/// one per thread.
#[derive(Debug)]
pub struct Turnstile {
    turn: File,
    lock: File,
    path: PathBuf,
}

/// The lock, held until it is dropped.
#[must_use = "the lock goes when it is dropped"]
#[derive(Debug)]
pub struct Held<'a> {
    files: [Option<&'a File>; 2],
}

/// The lock, shared until this is dropped, with the handles that it is held by.
#[must_use = "the lock goes when it is dropped"]
#[derive(Debug)]
pub struct Shared {
    turnstile: Turnstile,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.turnstile.lock.unlock().ok();
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        for file in self.files.iter().rev().flatten() {
            // Closing the file lets go as well.
            file.unlock().ok();
        }
    }
}

impl Turnstile {
    /// Opens the lock `name` in a directory; both are made where they are missing.
    ///
    /// # Errors
    /// `io`.
    pub fn open(dir: &Path, name: &str) -> Result<Self, StoreFault> {
        for parent in create_dirs(dir)? {
            sync_dir(&parent)?;
        }
        let file = |end: &str| {
            let path = dir.join(format!("{name}.{end}"));
            let mut options = File::options();
            let opened = options.create(true).write(true).truncate(false).open(&path);
            opened.map_err(|err| io_fault("open", &path, &err))
        };
        Ok(Self {
            turn: file("turn")?,
            lock: file("lock")?,
            path: dir.join(format!("{name}.lock")),
        })
    }

    /// Waits until nobody holds it alone or waits for that, and shares it.
    ///
    /// # Errors
    /// `io`.
    pub fn share(&self) -> Result<Held<'_>, StoreFault> {
        self.turn.lock_shared().map_err(|err| self.fault(&err))?;
        let through = Held {
            files: [Some(&self.turn), None],
        };
        self.lock.lock_shared().map_err(|err| self.fault(&err))?;
        drop(through);
        Ok(Held {
            files: [None, Some(&self.lock)],
        })
    }

    /// Shares it for as long as the value lives.
    ///
    /// # Errors
    /// `io`.
    pub fn into_shared(self) -> Result<Shared, StoreFault> {
        // Whoever has the handles lets go of it.
        std::mem::forget(self.share()?);
        Ok(Shared { turnstile: self })
    }

    /// Waits until everybody who shares it has let go; who comes meanwhile waits behind.
    ///
    /// # Errors
    /// `io`.
    pub fn alone(&self) -> Result<Held<'_>, StoreFault> {
        self.turn.lock().map_err(|err| self.fault(&err))?;
        let mut held = Held {
            files: [Some(&self.turn), None],
        };
        self.lock.lock().map_err(|err| self.fault(&err))?;
        held.files[1] = Some(&self.lock);
        Ok(held)
    }

    /// As [`Turnstile::alone`] without waiting.
    ///
    /// # Errors
    /// `busy` if somebody holds it; `io`.
    pub fn try_alone(&self) -> Result<Held<'_>, StoreFault> {
        self.attempt(&self.turn)?;
        let mut held = Held {
            files: [Some(&self.turn), None],
        };
        self.attempt(&self.lock)?;
        held.files[1] = Some(&self.lock);
        Ok(held)
    }

    /// As [`Turnstile::alone`], giving up when those who share it have not let go after so long: nobody who comes
    /// meanwhile is kept waiting longer than that.
    ///
    /// # Errors
    /// `busy`; `io`.
    #[allow(
        clippy::disallowed_methods,
        reason = "the system's locks cannot be waited for with an end"
    )]
    pub fn alone_within(&self, patience: Duration) -> Result<Held<'_>, StoreFault> {
        self.turn.lock().map_err(|err| self.fault(&err))?;
        let mut held = Held {
            files: [Some(&self.turn), None],
        };
        let until = Instant::now() + patience;
        loop {
            match self.attempt(&self.lock) {
                Err(fault) if fault.code == Code::Busy && Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(fault) => return Err(fault),
                Ok(()) => {
                    held.files[1] = Some(&self.lock);
                    return Ok(held);
                }
            }
        }
    }

    fn attempt(&self, file: &File) -> Result<(), StoreFault> {
        match file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::Error(err)) => Err(self.fault(&err)),
            Err(TryLockError::WouldBlock) => {
                let what = format!("`{}` is held by another process", self.path.display());
                Err(StoreFault::new(Code::Busy, what))
            }
        }
    }

    fn fault(&self, err: &std::io::Error) -> StoreFault {
        io_fault("lock", &self.path, err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;

    #[test]
    fn who_shares_it_lets_go_though_a_copy_of_the_handle_is_open() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Turnstile::open(dir.path(), "x").unwrap();
        let shared = open().into_shared().unwrap();
        let copy = shared.turnstile.lock.try_clone().unwrap();
        assert_eq!(open().try_alone().map(drop).unwrap_err().code, Code::Busy);
        drop(shared);
        open().try_alone().map(drop).unwrap();
        drop(copy);
    }

    #[test]
    fn many_share_and_one_is_alone() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Turnstile::open(dir.path(), "x").unwrap();
        let (a, b, c) = (open(), open(), open());
        let first = a.share().unwrap();
        let second = b.share().unwrap();
        assert_eq!(c.try_alone().unwrap_err().code, Code::Busy);
        drop((first, second));
        let alone = c.try_alone().unwrap();
        assert_eq!(a.try_alone().unwrap_err().code, Code::Busy);
        drop(alone);
        drop(a.share().unwrap());
        drop(b.alone().unwrap());
    }

    #[test]
    fn who_waits_for_it_alone_is_not_passed_by_newcomers() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Turnstile::open(dir.path(), "x").unwrap();
        let (holder, turn) = (open(), AtomicU32::new(0));
        let first = holder.share().unwrap();
        std::thread::scope(|scope| {
            let (waits, comes) = (open(), open());
            let (tell, told) = mpsc::channel();
            let turn = &turn;
            scope.spawn(move || {
                tell.send(()).unwrap();
                let _alone = waits.alone().unwrap();
                assert_eq!(turn.fetch_add(1, Ordering::SeqCst), 0);
            });
            told.recv().unwrap();
            // Until the one who waits has taken the turn, newcomers may still pass.
            while open().attempt(&open().turn).is_ok() {
                std::thread::yield_now();
            }
            let newcomer = scope.spawn(move || {
                let _shared = comes.share().unwrap();
                assert_eq!(turn.fetch_add(1, Ordering::SeqCst), 1);
            });
            assert_eq!(turn.load(Ordering::SeqCst), 0);
            drop(first);
            newcomer.join().unwrap();
        });
        assert_eq!(turn.load(Ordering::SeqCst), 2);
    }
}

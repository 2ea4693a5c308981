//! Locks of files that are let go of at once.
//!
//! A program that is being started has a copy of every handle of ours until it runs, and a lock of the system stays
//! until its last handle is closed. Whoever only closes a file may so be seen to hold it a little longer; unlocking
//! takes the lock from all copies. Not for locks that are meant to last as long as the programs they were handed to.

use super::StoreFault;
use super::disk::io_fault;
use std::fs::{File, TryLockError};
use std::ops::Deref;
use std::path::Path;

/// A file that is locked until this is dropped.
#[must_use = "the lock goes when it is dropped"]
#[derive(Debug)]
pub(crate) struct Locked(File);

impl Locked {
    /// Locks an open file, without waiting.
    ///
    /// # Errors
    /// As [`File::try_lock`].
    pub(crate) fn attempt(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Self(file))
    }

    /// Opens a file that exists for the sake of its lock, makes it if it is missing, and waits until nobody else has it
    /// locked.
    ///
    /// # Errors
    /// `io`.
    pub(crate) fn wait(path: &Path) -> Result<Self, StoreFault> {
        let mut options = File::options();
        let file = options.create(true).write(true).truncate(false).open(path);
        let file = file.map_err(|err| io_fault("open", path, &err))?;
        file.lock().map_err(|err| io_fault("lock", path, &err))?;
        Ok(Self(file))
    }
}

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing the file lets go as well, if later.
        self.0.unlock().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_goes_though_a_copy_of_the_handle_is_open() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let open = || File::open(&path).unwrap();
        let waited = Locked::wait(&path).unwrap();
        let copy = waited.try_clone().unwrap();
        let refused = Locked::attempt(open()).unwrap_err();
        assert!(matches!(refused, TryLockError::WouldBlock));
        drop(waited);
        let attempted = Locked::attempt(open()).unwrap();
        let second = attempted.try_clone().unwrap();
        assert!(copy.try_lock().is_err());
        drop(attempted);
        copy.try_lock().unwrap();
        drop(second);
    }
}

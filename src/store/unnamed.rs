//! Files that are written and not there yet: nobody looks at them before they have their names.
//!
//! Contents are synced, then renamed, then the directory is synced: each waits for the one before. What does not depend
//! on each other goes through these together, so that several files cost about as much waiting as one.

use super::StoreFault;
use super::disk::{io_fault, sync_dir};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Files on their way, in one place or several.
pub trait Unnamed {
    /// The files whose contents survive a crash before any of them is given its name.
    fn contents(&self) -> Vec<(&Path, &File)>;

    /// Gives them their names, and says which directories are still to be synced for that to survive a crash.
    ///
    /// # Errors
    /// `io`. What has its name then keeps it.
    fn name(self: Box<Self>) -> Result<Vec<PathBuf>, StoreFault>;
}

/// Something that is done at once when its turn to be named comes.
pub struct Later<F>(pub F);

impl<F: FnOnce() -> Result<(), StoreFault>> Unnamed for Later<F> {
    fn contents(&self) -> Vec<(&Path, &File)> {
        Vec::new()
    }

    fn name(self: Box<Self>) -> Result<Vec<PathBuf>, StoreFault> {
        (self.0)().map(|()| Vec::new())
    }
}

/// Gives all of these their names, one after the other; when it returns, they survive a crash. No name is given before
/// the contents of all are durable. What a name depends on besides, whoever gives it sees to.
///
/// # Errors
/// `io`, and those of [`Unnamed::name`]. None of those that come later has its name then.
pub fn settle(all: Vec<Box<dyn Unnamed + '_>>) -> Result<(), StoreFault> {
    let contents: Vec<_> = all.iter().flat_map(|some| some.contents()).collect();
    together(&contents, |(path, file)| {
        let synced = file.sync_all();
        synced.map_err(|err| io_fault("sync", path, &err))
    })?;
    drop(contents);
    let mut dirs = Vec::new();
    for some in all {
        dirs.extend(some.name()?);
    }
    dirs.sort();
    dirs.dedup();
    // Those of one file system have one journal: what the first of them waits for is all that the others need.
    let mut systems: BTreeMap<u64, Vec<PathBuf>> = BTreeMap::new();
    for dir in dirs {
        let meta = std::fs::metadata(&dir).map_err(|err| io_fault("look at", &dir, &err))?;
        systems.entry(meta.dev()).or_default().push(dir);
    }
    let systems: Vec<_> = systems.into_values().collect();
    together(&systems, |dirs| {
        dirs.iter().try_for_each(|dir| sync_dir(dir))
    })
}

/// Does all of it at the same time, and waits for all: the disk takes most of the time, and the processor next to none.
fn together<T: Sync>(
    items: &[T],
    work: impl Fn(&T) -> Result<(), StoreFault> + Sync,
) -> Result<(), StoreFault> {
    let Some((first, others)) = items.split_first() else {
        return Ok(());
    };
    std::thread::scope(|scope| {
        let work = &work;
        let started: Vec<_> = others
            .iter()
            .map(|item| scope.spawn(move || work(item)))
            .collect();
        let first = work(first);
        let others = started
            .into_iter()
            .map(|thread| thread.join().expect("syncing does not panic"));
        let others = others.fold(Ok(()), Result::and);
        first.and(others)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Code;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[test]
    fn what_fails_keeps_those_behind_it_from_their_names() {
        for failing in 0..=3 {
            let named = Rc::new(RefCell::new(Vec::new()));
            let each = |nth: usize| {
                let named = Rc::clone(&named);
                let name = move || match nth == failing {
                    true => Err(StoreFault::new(Code::Io, "asked for")),
                    false => {
                        named.borrow_mut().push(nth);
                        Ok(())
                    }
                };
                Box::new(Later(name)) as Box<dyn Unnamed>
            };
            let done = settle((0..3).map(each).collect());
            assert_eq!(done.is_err(), failing < 3);
            assert_eq!(*named.borrow(), (0..failing.min(3)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn all_are_tried_and_a_fault_of_any_is_told() {
        let fails = |n: &u32| match n % 4 {
            3 => Err(StoreFault::new(Code::Io, "asked for")),
            _ => Ok(()),
        };
        for (upto, fine) in [(0, true), (1, true), (3, true), (4, false), (9, false)] {
            let items: Vec<u32> = (0..upto).collect();
            assert_eq!(together(&items, fails).is_ok(), fine, "{upto}");
        }
    }
}

//! The work tree follows `main`.
//!
//! `main` is moved as a ref; whoever has it checked out would see everything undone. So index and work
//! tree are moved after it, as `git checkout` would: what has uncommitted changes is never overwritten,
//! ignored files included, and [`check`] says so before anything is published.
//!
//! `<gitdir>/folio/worktree` names the commit that the work tree last followed to. After a crash between
//! moving `main` and moving the work tree it differs from `main`, and [`follow`] from there repairs it.

use super::checkout::{self, Tree};
use crate::model::{Code, Oid};
use crate::store::{Kind, StoreFault, object_id};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// What [`follow`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// Index and work tree are now at the new commit.
    Moved,
    /// They were there already.
    Already,
    /// Something else than `main` is checked out: nothing was done.
    NotOnMain,
    /// There is no work tree: nothing was done.
    Bare,
}

/// Moves index and work tree from one commit of `main` to another, `None` being the time before the
/// first. Uncommitted changes to files that do not change stay; those to files that do are refused. Can
/// be repeated; takes up where a crash stopped it, if the index shows where that was.
///
/// # Errors
/// `worktree-changed` naming the files, `busy` if another git holds the index, `git-failed`, `io`.
pub fn follow(
    git_dir: &Path,
    work_tree: Option<&Path>,
    from: Option<Oid>,
    to: Oid,
) -> Result<Follow, StoreFault> {
    match Tree::open(git_dir, work_tree)? {
        Ok(tree) => move_on(&tree, git_dir, from, to),
        Err(nothing) => Ok(nothing),
    }
}

fn move_on(tree: &Tree, git_dir: &Path, from: Option<Oid>, to: Oid) -> Result<Follow, StoreFault> {
    let from = tree.start(from, to)?;
    let changes = tree.changes(&from, &to)?;
    if !changes.is_empty() {
        let adopted = tree.obstacles(&changes)?.refuse()?;
        tree.adopt(&adopted, &to)?;
        // A crash while git moves files leaves some of them new and the index old: the next run finds
        // that they are what they should become. It may also leave git's `index.lock`, which is `busy`.
        if let Some(refused) = tree.read_tree(&["-m", "-u"], &from, &to)? {
            let adopted = tree.dirty(&changes, &from, &to, refused)?.refuse()?;
            tree.adopt(&adopted, &to)?;
            if let Some(refused) = tree.read_tree(&["-m", "-u"], &from, &to)? {
                return Err(refused);
            }
        }
    }
    // A crash before this line makes the next run compare once more and move nothing.
    let marked = last_followed(git_dir);
    if marked != Some(to) {
        mark(git_dir, &to)?;
    }
    let moved = !changes.is_empty() || marked != Some(to);
    Ok(if moved {
        Follow::Moved
    } else {
        Follow::Already
    })
}

/// Makes up for a [`follow`] that a crash or a full disk kept from its end: where the marker is not at `main`, or
/// where there is none yet and the work tree is `new`, nobody's but ours. Where plain git moved the work tree
/// meanwhile, only the marker is put right.
///
/// # Errors
/// As [`follow`].
pub fn make_up(
    git_dir: &Path,
    work_tree: Option<&Path>,
    new: bool,
    to: Oid,
) -> Result<(), StoreFault> {
    let nothing = new.then(|| object_id(to.format(), Kind::Tree, b""));
    let Some(marked) = last_followed(git_dir).or(nothing).filter(|at| *at != to) else {
        return Ok(());
    };
    let Ok(tree) = Tree::open(git_dir, work_tree)? else {
        return Ok(());
    };
    if tree.nearest(&[marked, to]) == to {
        return mark(git_dir, &to);
    }
    tree.clear_torn(&tree.changes(&marked, &to)?)?;
    move_on(&tree, git_dir, Some(marked), to).map(drop)
}

/// Removes git's `index.lock` where nobody but Folio works: what a git left that was killed with the Folio that had
/// started it. One that outlived its Folio is waited for.
///
/// # Errors
/// `io`.
pub fn clear_lock(git_dir: &Path) -> Result<(), StoreFault> {
    let _alone = checkout::turn(git_dir)?;
    let lock = git_dir.join("index.lock");
    match fs::remove_file(&lock) {
        Err(err) if err.kind() != ErrorKind::NotFound => {
            let what = format!("cannot remove `{}`: {err}", lock.display());
            Err(StoreFault::new(Code::Io, what))
        }
        _ => Ok(()),
    }
}

/// Whether [`follow`] would succeed, asked before `main` moves: nothing is changed but what the index remembers
/// about unchanged files, and the marker, where plain git moved the work tree since, or made it. The commits
/// must exist.
///
/// # Errors
/// As [`follow`].
pub fn check(
    git_dir: &Path,
    work_tree: Option<&Path>,
    from: Option<Oid>,
    to: Oid,
) -> Result<(), StoreFault> {
    let Ok(tree) = Tree::open(git_dir, work_tree)? else {
        return Ok(());
    };
    let from = tree.start(from, to)?;
    let changes = tree.changes(&from, &to)?;
    let in_place = tree.obstacles(&changes)?.refuse()?;
    if let Some(refused) = tree.read_tree(&["-n", "-m", "-u"], &from, &to)? {
        // Files that already are what they should become are taken over when it is done.
        match tree.dirty(&changes, &from, &to, refused) {
            Err(_) if !in_place.is_empty() => {}
            found => found?.refuse().map(drop)?,
        }
    }
    // Once `main` has moved, nothing but the marker says where the work tree was.
    match last_followed(git_dir) == Some(from) {
        true => Ok(()),
        false => mark(git_dir, &from),
    }
}

/// The commit that the work tree last followed to, if that is known.
pub fn last_followed(git_dir: &Path) -> Option<Oid> {
    let text = fs::read_to_string(git_dir.join("folio").join("worktree")).ok()?;
    text.strip_suffix('\n')?.parse().ok()
}

/// Not synced: a marker that is lost or old only means that the index is asked where it is.
fn mark(git_dir: &Path, at: &Oid) -> Result<(), StoreFault> {
    let dir = git_dir.join("folio");
    let new = dir.join("worktree.new");
    let written = fs::create_dir_all(&dir)
        .and_then(|()| fs::write(&new, format!("{at}\n")))
        .and_then(|()| fs::rename(&new, dir.join("worktree")));
    written.map_err(|err| {
        let what = format!("cannot write in `{}`: {err}", dir.display());
        StoreFault::new(Code::Io, what)
    })
}

#[cfg(test)]
#[path = "worktree_tests.rs"]
mod tests;

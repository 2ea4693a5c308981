//! A founding under way: what a killed `folio init` leaves behind is no space, and `folio init` may take
//! it over. A file in the new git directory says so; it comes first and goes last.

use super::context::Context;
use super::error::Problem;
use super::ui::Ui;
use super::{allowed_signers, worktree};
use crate::journal::refs;
use crate::model::Code;
use crate::remote::worktree::clear_lock;
use crate::store::locked::Locked;
use crate::store::{GitStore, Refs as _};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// In the git directory itself, so that it is made in one step.
const MARK: &str = "folio-founding";

/// What else a founding makes there before the space exists. `HEAD` makes it a repository and goes first.
const FILES: [&str; 5] = ["HEAD", "HEAD.new", "config", "shallow", "shallow.lock"];
const DIRS: [&str; 4] = ["refs", "objects", "logs", "folio"];

/// The lock of one founding; it goes with the process, the file does not.
#[must_use = "a founding that is not ended is taken for one that was killed"]
pub struct UnderWay {
    mark: PathBuf,
    _lock: Locked,
}

/// Where git directories lie: without and with a work tree.
fn git_dirs(directory: &Path) -> [PathBuf; 2] {
    [directory.to_owned(), directory.join(".git")]
}

fn io_problem(path: &Path, error: &io::Error) -> anyhow::Error {
    Problem::new(Code::Io, format!("{}: {error}", path.display())).into()
}

/// A space is a repository of its own: not inside another one, not among other files. What a killed
/// founding left is cleared away; one that was killed when the space existed already is finished.
pub fn require_room(directory: &Path, ui: &Ui) -> anyhow::Result<()> {
    let shown = directory.display();
    for git_dir in git_dirs(directory) {
        if is_unfinished(&git_dir) {
            return take_over(directory, &git_dir, ui);
        }
    }
    if directory.join(".git").exists() || GitStore::open(directory).is_ok() {
        let what = format!("`{shown}` is a git repository");
        return Err(Problem::new(Code::AlreadyARepository, what).into());
    }
    match fs::read_dir(directory) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Problem::new(Code::NotEmpty, format!("`{shown}` is not empty")).into()),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_problem(directory, &error)),
    }
}

/// Whether a git directory is what a killed founding leaves: one with the mark, or a `.git` that was made
/// for it and is still empty.
fn is_unfinished(git_dir: &Path) -> bool {
    let hidden = git_dir.file_name().is_some_and(|name| name == ".git");
    let empty = || fs::read_dir(git_dir).is_ok_and(|mut entries| entries.next().is_none());
    git_dir.join(MARK).is_file() || hidden && empty()
}

fn take_over(directory: &Path, git_dir: &Path, ui: &Ui) -> anyhow::Result<()> {
    let under_way = lock(git_dir)?;
    if let Ok(store) = GitStore::open(directory) {
        let context = Context { store };
        // A clone brings its objects below refs of their own; `main` is there once they are verified.
        if context.store.get(refs::MAIN)?.is_some() {
            return finish(&context, directory, under_way, ui);
        }
    }
    require_nothing_else(directory)?;
    // Nothing in it was ever part of a space. What makes it a repository goes first, the mark stays.
    clear(git_dir).map_err(|error| io_problem(git_dir, &error))
}

/// A founding makes nothing but these; other files are somebody's.
fn require_nothing_else(directory: &Path) -> anyhow::Result<()> {
    let ours = [".git", MARK].into_iter().chain(FILES).chain(DIRS);
    let ours: Vec<&str> = ours.collect();
    let entries = fs::read_dir(directory).map_err(|error| io_problem(directory, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| io_problem(directory, &error))?;
        if !ours.iter().any(|name| entry.file_name() == **name) {
            let what = format!("`{}` is not empty", directory.display());
            return Err(Problem::new(Code::NotEmpty, what).into());
        }
    }
    Ok(())
}

/// The founding was killed after the space came to be: what was left to do.
fn finish(context: &Context, directory: &Path, under_way: UnderWay, ui: &Ui) -> anyhow::Result<()> {
    // The git that was killed with it: nobody else works in what is not whole yet.
    clear_lock(context.store.git_dir())?;
    allowed_signers::refresh(context)?;
    worktree::make_up(context, true)?;
    worktree::follow(context, ui)?;
    under_way.end()?;
    let what = format!(
        "a space was founded in `{}` before; what was left to do is done",
        directory.display()
    );
    Err(Problem::new(Code::AlreadyARepository, what)
        .hint("folio status shows it")
        .into())
}

fn clear(git_dir: &Path) -> io::Result<()> {
    for name in FILES {
        match fs::remove_file(git_dir.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    for name in DIRS {
        match fs::remove_dir_all(git_dir.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Marks a founding, before anything else is made.
pub fn begin(directory: &Path, bare: bool) -> anyhow::Result<UnderWay> {
    let [plain, hidden] = git_dirs(directory);
    let (git_dir, other) = if bare {
        (plain, hidden)
    } else {
        (hidden, plain)
    };
    // Killed with a work tree and run again without one, or the other way round.
    let _ = fs::remove_file(other.join(MARK));
    if bare {
        let _ = fs::remove_dir(&other);
    }
    fresh(lock(&git_dir)?, &git_dir)
}

/// Somebody else may have founded a space here since it was looked at.
fn fresh(under_way: UnderWay, git_dir: &Path) -> anyhow::Result<UnderWay> {
    if !git_dir.join("HEAD").exists() {
        return Ok(under_way);
    }
    under_way.end()?;
    let what = format!("there is a repository at `{}`", git_dir.display());
    Err(Problem::new(Code::AlreadyARepository, what).into())
}

fn lock(git_dir: &Path) -> anyhow::Result<UnderWay> {
    fs::create_dir_all(git_dir).map_err(|error| io_problem(git_dir, &error))?;
    let mark = git_dir.join(MARK);
    let mut how = File::options();
    let file = how.write(true).create(true).truncate(false).open(&mark);
    let file = file.map_err(|error| io_problem(&mark, &error))?;
    match Locked::attempt(file) {
        Ok(lock) => Ok(UnderWay { mark, _lock: lock }),
        Err(TryLockError::WouldBlock) => {
            let what = format!("a space is being founded in `{}`", git_dir.display());
            Err(Problem::new(Code::Busy, what).into())
        }
        Err(TryLockError::Error(error)) => Err(io_problem(&mark, &error)),
    }
}

impl UnderWay {
    /// The space is whole.
    pub fn end(self) -> anyhow::Result<()> {
        fs::remove_file(&self.mark).map_err(|error| io_problem(&self.mark, &error))
    }
}

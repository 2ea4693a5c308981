//! Index and work tree as git has them: where they are, what is in the way of a move, the move itself.

use super::program::{Git, failure, printable};
use super::worktree::{Follow, last_followed};
use crate::model::{Code, Oid};
use crate::store::{Kind, StoreFault, object_id};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// The branch that is followed.
pub(super) const MAIN: &str = "refs/heads/main";

/// Largest file that is read to see whether it already is what it should become.
const READ_AT_MOST: u64 = 64 * 1024 * 1024;

/// How many files a refusal names.
const NAMED: usize = 8;

/// One path that differs between two trees.
pub(super) struct Change {
    path: OsString,
    /// Mode and id that it gets; `None` if it goes.
    new: Option<(String, Oid)>,
    /// Whether it is in the old tree.
    was: bool,
}

/// What stands in the way of a move.
#[derive(Default)]
pub(super) struct Obstacles<'c> {
    /// Files with contents of their own.
    blocking: BTreeSet<OsString>,
    /// Files that are already what they should become.
    in_place: Vec<&'c Change>,
}

impl<'c> Obstacles<'c> {
    /// What is in place, or the refusal that names what is not.
    pub(super) fn refuse(self) -> Result<Vec<&'c Change>, StoreFault> {
        if self.blocking.is_empty() {
            return Ok(self.in_place);
        }
        let count = self.blocking.len();
        let names = self
            .blocking
            .iter()
            .take(NAMED)
            .map(|path| printable(path.as_bytes()));
        let mut names = names.collect::<Vec<_>>().join("`, `");
        if count > NAMED {
            names.push_str(&format!("` and {} more: `...", count - NAMED));
        }
        let what = format!("uncommitted changes would be overwritten in `{names}`");
        Err(StoreFault::new(Code::WorktreeChanged, what))
    }
}

pub(super) struct Tree {
    git: Git,
    git_dir: PathBuf,
    work_tree: PathBuf,
}

impl Tree {
    /// The work tree, or why there is nothing to do. Nobody else has it until this is dropped and every git that it
    /// started has ended: one that outlived a killed Folio is waited for, since what it writes would pass for
    /// somebody's.
    pub(super) fn open(
        git_dir: &Path,
        work_tree: Option<&Path>,
    ) -> Result<Result<Tree, Follow>, StoreFault> {
        let Some(work_tree) = work_tree else {
            return Ok(Err(Follow::Bare));
        };
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|err| StoreFault::new(Code::Io, err.to_string()))
        };
        let (git_dir, work_tree) = (absolute(git_dir)?, absolute(work_tree)?);
        let head = git_dir.join("HEAD");
        let head = fs::read_to_string(&head).map_err(|err| {
            StoreFault::new(Code::Io, format!("cannot read `{}`: {err}", head.display()))
        })?;
        if head.strip_prefix("ref:").map(str::trim) != Some(MAIN) {
            return Ok(Err(Follow::NotOnMain));
        }
        let git = Git::new(&git_dir).with_work_tree(&work_tree);
        let git = git.holding(turn(&git_dir)?);
        Ok(Ok(Tree {
            git,
            git_dir,
            work_tree,
        }))
    }

    /// Where index and work tree are. The marker and the caller mostly agree; after a crash, or when the
    /// user moved by hand, whichever differs from the index in the fewest files.
    pub(super) fn start(&self, from: Option<Oid>, to: Oid) -> Result<Oid, StoreFault> {
        let from = from.unwrap_or_else(|| object_id(to.format(), Kind::Tree, b""));
        match last_followed(&self.git_dir).filter(|marked| *marked != from) {
            Some(marked) => Ok(self.nearest(&[from, marked, to])),
            None => Ok(from),
        }
    }

    /// Which of these differs from the index in the fewest files; the first one where they are alike.
    pub(super) fn nearest(&self, candidates: &[Oid]) -> Oid {
        let mut best = (usize::MAX, candidates[0]);
        for candidate in candidates {
            // A commit that was collected meanwhile is no candidate.
            if let Ok(differing) = self.staged(candidate)
                && differing.len() < best.0
            {
                best = (differing.len(), *candidate);
            }
        }
        best.1
    }

    /// What differs between two commits or trees.
    pub(super) fn changes(&self, from: &Oid, to: &Oid) -> Result<Vec<Change>, StoreFault> {
        let (from, to) = (from.to_hex(), to.to_hex());
        let args = [
            "diff-tree",
            "-r",
            "-z",
            "--raw",
            "--no-renames",
            "--full-index",
            &from,
            &to,
        ];
        let raw = self.git.run(&args)?;
        let mut fields = raw.split(|b| *b == 0);
        let mut changes = Vec::new();
        while let (Some(head), Some(path)) = (fields.next(), fields.next()) {
            // `:<old mode> <new mode> <old id> <new id> <status>`
            let head = String::from_utf8_lossy(head);
            let mut words = head.trim_start_matches(':').split(' ');
            let (old, mode, _, id) = (words.next(), words.next(), words.next(), words.next());
            let new = match (mode, id.map(str::parse::<Oid>)) {
                (Some("000000"), _) => None,
                (Some(mode), Some(Ok(id))) => Some((mode.to_owned(), id)),
                _ => {
                    return Err(StoreFault::new(
                        Code::GitFailed,
                        "`git diff-tree` printed nonsense",
                    ));
                }
            };
            let was = old != Some("000000");
            changes.push(Change {
                path: OsStr::from_bytes(path).to_owned(),
                new,
                was,
            });
        }
        Ok(changes)
    }

    /// Untracked files where new ones come. git would refuse most of them, but overwrite ignored ones.
    pub(super) fn obstacles<'c>(&self, changes: &'c [Change]) -> Result<Obstacles<'c>, StoreFault> {
        let coming = changes.iter().filter(|change| !change.was);
        let in_the_way: BTreeSet<&Path> = coming
            .clone()
            .filter_map(|change| self.first_obstacle(&change.path))
            .collect();
        let mut untracked = BTreeSet::new();
        for some in in_the_way.into_iter().collect::<Vec<_>>().chunks(256) {
            let mut args = vec![OsStr::new("ls-files"), OsStr::new("-o"), OsStr::new("-z")];
            args.push(OsStr::new("--"));
            args.extend(some.iter().map(|path| path.as_os_str()));
            untracked.extend(paths(&self.git.run(&args)?));
        }
        let mut found = Obstacles::default();
        for change in coming {
            if untracked.contains(&change.path) && self.is_in_place(change) {
                untracked.remove(&change.path);
                found.in_place.push(change);
            }
        }
        found.blocking = untracked;
        Ok(found)
    }

    /// The first part of this path that is there and is not just a directory above it.
    fn first_obstacle<'p>(&self, path: &'p OsStr) -> Option<&'p Path> {
        let path = Path::new(path);
        let mut parts: Vec<&Path> = path.ancestors().collect();
        parts.pop();
        let is_obstacle = |part: &&Path| {
            let meta = fs::symlink_metadata(self.work_tree.join(part));
            meta.is_ok_and(|meta| *part == path || !meta.is_dir())
        };
        parts.into_iter().rev().find(is_obstacle)
    }

    /// Why git refused: tracked files that change and have uncommitted changes.
    pub(super) fn dirty<'c>(
        &self,
        changes: &'c [Change],
        from: &Oid,
        to: &Oid,
        refused: StoreFault,
    ) -> Result<Obstacles<'c>, StoreFault> {
        // Exits with 1 when files differ, which is asked next.
        let refreshed = self.git.output(&["update-index", "-q", "--refresh"], b"")?;
        if is_locked(&refreshed.stderr) {
            return Err(busy());
        }
        let dirty: BTreeSet<OsString> =
            paths(&self.git.run(&["diff-files", "--name-only", "-z"])?).collect();
        let (not_old, not_new) = (self.staged(from)?, self.staged(to)?);
        let mut found = Obstacles::default();
        for change in changes {
            let staged = not_old.contains(&change.path) && not_new.contains(&change.path);
            let dirty = dirty.contains(&change.path);
            let in_place = dirty && self.is_in_place(change);
            if staged || dirty && !in_place && !self.is_away(change) {
                found.blocking.insert(change.path.clone());
            } else if in_place {
                found.in_place.push(change);
            }
        }
        // Files that only looked changed are not in the way any more, now that git has looked again.
        let explained = !found.blocking.is_empty() || !found.in_place.is_empty();
        if explained || self.read_tree(&["-n", "-m", "-u"], from, to)?.is_none() {
            return Ok(found);
        }
        Err(refused)
    }

    /// Whether the file is what it should become already: what a crash left half-way, or what the user
    /// did by hand.
    fn is_in_place(&self, change: &Change) -> bool {
        let path = self.work_tree.join(&change.path);
        let meta = fs::symlink_metadata(&path);
        match (&change.new, meta) {
            (None, meta) => meta.is_err(),
            (Some((_, id)), Ok(meta)) if meta.is_file() && meta.len() <= READ_AT_MOST => {
                fs::read(&path).is_ok_and(|bytes| object_id(id.format(), Kind::Blob, &bytes) == *id)
            }
            _ => false,
        }
    }

    /// Whether there is no such file. git writes it anew: there is nothing to be overwritten.
    fn is_away(&self, change: &Change) -> bool {
        let found = fs::symlink_metadata(self.work_tree.join(&change.path));
        found.is_err_and(|err| err.kind() == ErrorKind::NotFound)
    }

    /// Removes files that a crash or a full disk cut off while git wrote them: what is there is the beginning of what
    /// they should become, so nothing goes that does not come again.
    pub(super) fn clear_torn(&self, changes: &[Change]) -> Result<(), StoreFault> {
        for change in changes {
            let path = self.work_tree.join(&change.path);
            let small = |meta: &fs::Metadata| meta.is_file() && meta.len() <= READ_AT_MOST;
            let (Some((_, id)), true) = (
                &change.new,
                fs::symlink_metadata(&path).is_ok_and(|meta| small(&meta)),
            ) else {
                continue;
            };
            let found = fs::read(&path).unwrap_or_default();
            let is_torn = found.is_empty()
                || object_id(id.format(), Kind::Blob, &found) != *id
                    && self
                        .git
                        .run(&["cat-file", "blob", &id.to_hex()])?
                        .starts_with(&found);
            if is_torn && fs::remove_file(&path).is_err() {
                // It is named as what is in the way, then.
                break;
            }
        }
        Ok(())
    }

    /// Tells the index that these files are what they should become.
    pub(super) fn adopt(&self, changes: &[&Change], to: &Oid) -> Result<(), StoreFault> {
        let zeros = "0".repeat(to.as_bytes().len() * 2);
        if changes.is_empty() {
            return Ok(());
        }
        let mut input = Vec::new();
        for change in changes {
            let (mode, id) = match &change.new {
                Some((mode, id)) => (mode.as_str(), id.to_hex()),
                None => ("0", zeros.clone()),
            };
            input.extend_from_slice(format!("{mode} {id}\t").as_bytes());
            input.extend_from_slice(change.path.as_bytes());
            input.push(0);
        }
        let args = ["update-index", "-z", "--add", "--index-info"];
        let output = self.git.output(&args, &input)?;
        if is_locked(&output.stderr) {
            return Err(busy());
        }
        if !output.status.success() {
            return Err(failure(Some(OsStr::new("update-index")), &output));
        }
        self.git
            .output(&["update-index", "-q", "--refresh"], b"")
            .map(drop)
    }

    /// Paths at which the index differs from a commit or tree.
    fn staged(&self, from: &Oid) -> Result<BTreeSet<OsString>, StoreFault> {
        let from = from.to_hex();
        let printed = self
            .git
            .run(&["diff-index", "--cached", "--name-only", "-z", &from])?;
        Ok(paths(&printed).collect())
    }

    /// Runs `git read-tree`; a refusal is returned, not failed with.
    pub(super) fn read_tree(
        &self,
        how: &[&str],
        from: &Oid,
        to: &Oid,
    ) -> Result<Option<StoreFault>, StoreFault> {
        let (from, to) = (from.to_hex(), to.to_hex());
        let args = [&["read-tree"], how, &[from.as_str(), to.as_str()]].concat();
        let output = self.git.output(&args, b"")?;
        if is_locked(&output.stderr) {
            return Err(busy());
        }
        Ok((!output.status.success()).then(|| failure(Some(OsStr::new("read-tree")), &output)))
    }
}

/// The lock of whoever works with the work tree of this git directory, once nobody else does. It goes with its last
/// handle.
pub(super) fn turn(git_dir: &Path) -> Result<File, StoreFault> {
    let dir = git_dir.join("folio");
    let file = fs::create_dir_all(&dir).and_then(|()| {
        let mut options = File::options();
        let path = dir.join("worktree.turn");
        options.create(true).write(true).truncate(false).open(path)
    });
    let locked = file.and_then(|file| file.lock().map(|()| file));
    locked.map_err(|err| {
        let what = format!("cannot lock in `{}`: {err}", dir.display());
        StoreFault::new(Code::Io, what)
    })
}

fn is_locked(stderr: &[u8]) -> bool {
    String::from_utf8_lossy(stderr).contains("index.lock': File exists")
}

fn busy() -> StoreFault {
    StoreFault::new(Code::Busy, "another git holds the index (`index.lock`)")
}

/// The paths in NUL-terminated output.
fn paths(output: &[u8]) -> impl Iterator<Item = OsString> {
    let parts = output.split(|b| *b == 0).filter(|path| !path.is_empty());
    parts.map(|path| OsString::from_vec(path.to_vec()))
}

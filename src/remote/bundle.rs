//! Bundle files: a repository's refs and objects, or the newest of them, in one file.

use super::Git;
use crate::model::{Code, Oid};
use crate::store::StoreFault;
use std::collections::BTreeSet;
use std::path::Path;

/// What a bundle leaves out.
#[derive(Debug, Clone, Copy)]
pub struct LeaveOut<'a> {
    /// What can be reached from these commits, which whoever reads the bundle must have.
    pub commits: &'a BTreeSet<Oid>,
    /// What is in these trees, which whoever reads it should have.
    pub trees: &'a BTreeSet<Oid>,
}

impl LeaveOut<'_> {
    /// Whether the bundle builds on nothing.
    pub fn is_nothing(&self) -> bool {
        self.commits.is_empty() && self.trees.is_empty()
    }
}

/// Writes the refs and what they need, without what is to be left out, into a new file. Where the
/// other side has everything, nothing is written and the answer is `false`.
///
/// # Errors
/// `git-failed`; then what was written is no whole bundle.
pub fn create(
    git_dir: &Path,
    file: &Path,
    refs: &[String],
    without: &LeaveOut<'_>,
) -> Result<bool, StoreFault> {
    let git = Git::new(git_dir);
    let mut wanted = String::new();
    for name in refs {
        wanted.push_str(name);
        wanted.push('\n');
    }
    for id in without.commits {
        wanted.push_str(&format!("^{id}\n"));
    }
    let any = ["rev-list", "--max-count=1", "--stdin"];
    if git.run_with_input(&any, wanted.as_bytes())?.is_empty() {
        return Ok(false);
    }
    for id in without.trees {
        wanted.push_str(&format!("^{id}\n"));
    }
    let path = file.to_str().ok_or_else(|| {
        let what = format!("`{}` is no path in UTF-8", file.display());
        StoreFault::new(Code::Io, what)
    })?;
    let args = ["bundle", "create", "--quiet", path, "--stdin"];
    git.run_with_input(&args, wanted.as_bytes())?;
    Ok(true)
}

/// Whether a fetch from a bundle failed because this repository lacks what it builds on.
pub fn is_gap(fault: &StoreFault) -> bool {
    fault.what.contains("prerequisite commit")
}

/// Whether it failed because objects which the bundle leaves out are not here.
pub fn is_partial(fault: &StoreFault) -> bool {
    is_gap(fault) || fault.what.contains("did not send all necessary objects")
}

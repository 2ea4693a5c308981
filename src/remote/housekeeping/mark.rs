//! Which of some objects are needed: git walks from all that names objects.

use super::git;
use crate::model::{Code, Oid};
use crate::remote::worktree::last_followed;
use crate::store::{GitStore, Objects as _, StoreFault};

/// Objects of which it is to be found out whether anything needs them, sorted.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    ids: Vec<Oid>,
    needed: Vec<bool>,
}

impl Suspects {
    pub(super) fn new(mut ids: Vec<Oid>) -> Self {
        ids.sort();
        ids.dedup();
        let needed = vec![false; ids.len()];
        Self { ids, needed }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether it is one that nothing was found to need.
    pub(super) fn is_unneeded(&self, id: &Oid) -> bool {
        self.ids.binary_search(id).is_ok_and(|at| !self.needed[at])
    }

    pub(super) fn unneeded(&self) -> impl Iterator<Item = &Oid> {
        let all = self.ids.iter().zip(&self.needed);
        all.filter(|(_, needed)| !**needed).map(|(id, _)| id)
    }

    /// Takes an object for needed; whether it was not before.
    fn need(&mut self, id: &Oid) -> bool {
        let at = self.ids.binary_search(id);
        at.is_ok_and(|at| !std::mem::replace(&mut self.needed[at], true))
    }
}

/// What git walks from: every ref, `HEAD`, reflog and index, those of linked work trees too.
const ROOTS: [&str; 7] = [
    "rev-list",
    "--objects",
    "--no-object-names",
    "--all",
    "--reflog",
    "--indexed-objects",
    "--stdin",
];

/// Marks what can be reached; returns the commits and tags that refs are at, from before the walk, for
/// [`again`].
///
/// # Errors
/// `cannot-mark` with git's words where something that is needed is missing or damaged.
pub(super) fn mark(store: &GitStore, suspects: &mut Suspects) -> Result<Vec<Oid>, StoreFault> {
    let tips = tips(store)?;
    walk(store, &more_roots(store)?, suspects)?;
    Ok(tips)
}

/// Marks what has come since: only what cannot be reached from `before` is walked. Whether anything was found to be
/// needed that was not.
pub(super) fn again(
    store: &GitStore,
    before: &[Oid],
    suspects: &mut Suspects,
) -> Result<bool, StoreFault> {
    let mut input = more_roots(store)?;
    for tip in before {
        input.push_str(&format!("^{tip}\n"));
    }
    walk(store, &input, suspects)
}

fn walk(store: &GitStore, input: &str, suspects: &mut Suspects) -> Result<bool, StoreFault> {
    let mut found = false;
    let walked = git(store.common_dir()).each_line(&ROOTS, input.as_bytes(), &mut |line| {
        let id = std::str::from_utf8(line).ok().and_then(|l| l.parse().ok());
        let id: Oid = id.ok_or_else(|| {
            let line = String::from_utf8_lossy(line);
            let what = format!("git names an object `{}`", line.escape_debug());
            StoreFault::new(Code::CannotMark, what)
        })?;
        found |= suspects.need(&id);
        Ok(())
    });
    walked.map_err(|fault| match fault.code {
        Code::GitFailed => {
            let what = format!("what is needed cannot be told: {}", fault.what);
            StoreFault::new(Code::CannotMark, what)
        }
        _ => fault,
    })?;
    Ok(found)
}

fn tips(store: &GitStore) -> Result<Vec<Oid>, StoreFault> {
    let args = ["for-each-ref", "--format=%(objectname)"];
    let listed = git(store.common_dir()).run(&args)?;
    let listed = String::from_utf8_lossy(&listed);
    let mut tips: Vec<Oid> = listed.lines().filter_map(|id| id.parse().ok()).collect();
    tips.sort();
    tips.dedup();
    Ok(tips)
}

/// What git does not know of: the commit that each work tree last followed to.
fn more_roots(store: &GitStore) -> Result<String, StoreFault> {
    let common = store.common_dir();
    let linked = super::survey::entries(&common.join("worktrees"))?;
    let dirs = linked.into_iter().map(|(_, dir)| dir);
    let mut roots = String::new();
    for dir in dirs.chain([common.to_owned()]) {
        if let Some(id) = last_followed(&dir)
            && store.header(&id)?.is_some()
        {
            roots.push_str(&format!("{id}\n"));
        }
    }
    Ok(roots)
}

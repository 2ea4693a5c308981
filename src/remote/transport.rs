//! Fetching from and pushing to another repository, through the user's git: ssh, http(s), git daemon, a
//! path or a bundle file alike. Nothing that arrives is believed here; it lies below refs that no reader
//! looks at until it is verified.

use super::program::{failure, printable, printable_lines};
use super::{Git, Location};
use crate::model::{Code, Oid};
use crate::store::StoreFault;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

/// Refs that another repository may show: beyond it nothing is fetched.
const REFS: usize = 1_000_000;

/// Where what travels has its names.
const LISTED: [&str; 2] = ["refs/heads/", "refs/artifacts/"];

/// Whatever the user's configuration says: what arrives is checked and kept as one pack, no hook and no other
/// repository is started by it.
const SAFE: [&str; 9] = [
    "core.hooksPath=/dev/null",
    "fetch.fsckObjects=true",
    "transfer.fsckObjects=true",
    "fetch.unpackLimit=1",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "push.recurseSubmodules=no",
    "fetch.writeCommitGraph=false",
    "push.followTags=false",
];

/// A fetch that leaves nothing behind but what it was asked for, which it reads from its standard input.
pub(super) const FETCH: [&str; 7] = [
    "fetch",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--no-recurse-submodules",
    "--quiet",
    "--stdin",
];

/// Another repository, seen from this one.
#[derive(Debug, Clone)]
pub struct Transport {
    pub(super) git: Git,
    pub(super) url: Location,
}

/// One ref to change over there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The full name, there.
    pub name: String,
    /// What it is to be; `None` deletes it.
    pub new: Option<Oid>,
    /// What it was when it was last read there. The other side compares.
    pub old: Option<Oid>,
    /// Whether it may be replaced by what does not descend from it. Never for `main`.
    pub replace: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The full name.
    pub name: String,
    /// Why the other side refused, if it did.
    pub refused: Option<String>,
}

/// What git on the other side says where it found that something is missing of what came. It looks for that at all of its
/// branches, and one that somebody else removes at that moment passes for broken (`GIT_REF_PARANOIA`, which is on).
const UNCHECKED: &str = "(missing necessary objects)";
/// How often the same is sent before that is believed.
const ATTEMPTS: usize = 4;

impl Pushed {
    fn was_unchecked(&self) -> bool {
        let refused = self.refused.as_ref();
        refused.is_some_and(|why| why.contains(UNCHECKED))
    }
}

impl Transport {
    /// To that address, from the repository with this git directory; `prompt` lets git ask for a password.
    pub fn new(git_dir: &Path, url: Location, prompt: bool) -> Self {
        let git = SAFE.iter().fold(
            Git::new(git_dir).with_user_settings(prompt),
            |git, entry| git.with_config(*entry),
        );
        Self { git, url }
    }

    /// The address.
    pub fn url(&self) -> &Location {
        &self.url
    }

    /// Every ref below `refs/heads/` and `refs/artifacts/` there, by its exact full name, sorted.
    ///
    /// # Errors
    /// `remote-failed`.
    pub fn list(&self) -> Result<Vec<(String, Oid)>, StoreFault> {
        let args = ["ls-remote", "--refs", "--end-of-options", self.url.as_str()];
        let output = self.git.run(&args).map_err(unreachable)?;
        let mut refs = Vec::new();
        for line in String::from_utf8_lossy(&output).lines() {
            let Some((id, name)) = line.split_once('\t') else {
                continue;
            };
            // git matches patterns from the end of a name; what is wanted is told by the whole name.
            let wanted = LISTED.iter().any(|prefix| name.starts_with(prefix));
            if let (Ok(id), true) = (id.parse(), wanted) {
                refs.push((name.to_owned(), id));
            }
            if refs.len() > REFS {
                let what = format!("expected at most {REFS} refs there, found more");
                return Err(StoreFault::new(Code::TooLarge, what));
            }
        }
        refs.sort();
        Ok(refs)
    }

    /// Fetches refs, each into a ref of ours that is overwritten; git asks for what is not here and checks that
    /// all of it came. `depth` cuts the history.
    ///
    /// # Errors
    /// `remote-failed`, also where a ref vanished meanwhile.
    pub fn fetch(
        &self,
        refs: &[(String, String)],
        depth: Option<u32>,
    ) -> Result<String, StoreFault> {
        let mut args: Vec<OsString> = FETCH.map(OsString::from).to_vec();
        if let Some(depth) = depth {
            args.push(format!("--depth={depth}").into());
        }
        args.push("--end-of-options".into());
        args.push(self.url.as_str().into());
        let wanted: String = refs
            .iter()
            .map(|(theirs, ours)| format!("+{theirs}:{ours}\n"))
            .collect();
        let output = self.git.output(&args, wanted.as_bytes())?;
        match output.status.success() {
            true => Ok(printable_lines(&output.stderr)),
            false => Err(unreachable(failure(Some("fetch".as_ref()), &output))),
        }
    }

    /// Changes refs there. Each is compared with what it was by the other side; `main` only ever moves
    /// forward. What git over there could not check is sent again. Returns what became of each, and the words of the
    /// other side.
    ///
    /// # Errors
    /// `remote-failed` where the other side was not reached at all. The answer of a push that succeeded can be
    /// lost too: read the refs again before trying again.
    pub fn push(&self, edits: &[Push]) -> Result<(Vec<Pushed>, String), StoreFault> {
        let (mut pushed, mut words) = self.push_with(&[], edits)?;
        for _ in 1..ATTEMPTS {
            let unchecked = pushed.iter().filter(|one| one.was_unchecked());
            let names: BTreeSet<String> = unchecked.map(|one| one.name.clone()).collect();
            let again = edits.iter().filter(|edit| names.contains(&edit.name));
            let again: Vec<Push> = again.cloned().collect();
            if again.is_empty() {
                break;
            }
            // Where no answer comes to this, the one before is still true.
            let Ok((more, said)) = self.push_with(&[], &again) else {
                break;
            };
            pushed.retain(|one| !names.contains(&one.name));
            pushed.extend(more);
            let known: BTreeSet<&str> = words.lines().collect();
            let said = said.lines().filter(|line| !known.contains(line));
            let new: String = said.map(|line| format!("\n{line}")).collect();
            words.push_str(&new);
        }
        Ok((pushed, words))
    }

    /// As [`Transport::push`], all of it or nothing; but what git over there could not check it leaves out, and makes
    /// the rest. Nothing is sent again.
    ///
    /// # Errors
    /// As [`Transport::push`].
    pub fn push_together(&self, edits: &[Push]) -> Result<(Vec<Pushed>, String), StoreFault> {
        self.push_with(&["--atomic"], edits)
    }

    fn push_with(
        &self,
        options: &[&str],
        edits: &[Push],
    ) -> Result<(Vec<Pushed>, String), StoreFault> {
        let always = ["push", "--porcelain", "--no-verify", "--no-follow-tags"];
        let args = always.iter().chain(options).map(OsString::from);
        let mut args: Vec<OsString> = args.collect();
        let mut specs = Vec::new();
        for edit in edits {
            let new = edit.new.map_or(String::new(), |id| id.to_hex());
            if edit.replace {
                let old = edit.old.map_or(String::new(), |id| id.to_hex());
                args.push(format!("--force-with-lease={}:{old}", edit.name).into());
            }
            specs.push(OsString::from(format!("{new}:{}", edit.name)));
        }
        args.push("--end-of-options".into());
        args.push(self.url.as_str().into());
        args.extend(specs);
        let output = self.git.output(&args, b"")?;
        let words = printable_lines(&output.stderr);
        let mut pushed = results(&String::from_utf8_lossy(&output.stdout));
        // A branch there whose name ends in one of ours can divert a push: git completes the names of others.
        for one in &mut pushed {
            if !edits.iter().any(|edit| edit.name == one.name) && one.refused.is_none() {
                one.refused = Some("git diverted the push to this ref".into());
            }
        }
        if pushed.is_empty() && !output.status.success() {
            return Err(unreachable(failure(Some("push".as_ref()), &output)));
        }
        Ok((pushed, words))
    }
}

/// The lines of `git push --porcelain`: a flag, the ref, what happened.
fn results(porcelain: &str) -> Vec<Pushed> {
    let mut pushed = Vec::new();
    for line in porcelain.lines() {
        let mut parts = line.split('\t');
        let (Some(flag), Some(refs), Some(what)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let Some((_, name)) = refs.split_once(':') else {
            continue;
        };
        pushed.push(Pushed {
            name: name.to_owned(),
            refused: (flag == "!").then(|| printable(what.as_bytes())),
        });
    }
    pushed
}

/// git's failure, as one of the other side.
pub(super) fn unreachable(fault: StoreFault) -> StoreFault {
    match fault.code {
        Code::GitFailed => StoreFault::new(Code::RemoteFailed, fault.what),
        _ => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectFormat;
    use crate::store::testing::new_store;
    use crate::store::{Kind, Objects as _, Refs as _};

    fn git(dir: &Path, args: &[&str]) -> String {
        let out = Git::new(dir).run(args).unwrap();
        String::from_utf8(out).unwrap().trim().to_owned()
    }

    /// A bare repository with one commit on a branch.
    fn with_commit(dir: &Path) -> (crate::store::GitStore, Oid) {
        let store = new_store(dir, true, ObjectFormat::Sha1);
        let tree = git(dir, &["mktree"]);
        let env = ["GIT_AUTHOR", "GIT_COMMITTER"];
        let with = env.iter().fold(Git::new(dir), |git, who| {
            git.with_env(format!("{who}_NAME"), "n")
                .with_env(format!("{who}_EMAIL"), "e@example.org")
                .with_env(format!("{who}_DATE"), "1767225600 +0000")
        });
        let out = with.run(&["commit-tree", "-m", "x", &tree]).unwrap();
        let id: Oid = String::from_utf8(out).unwrap().trim().parse().unwrap();
        git(dir, &["update-ref", "refs/heads/main", &id.to_hex()]);
        (store, id)
    }

    #[test]
    fn what_is_pushed_is_compared_and_what_is_fetched_lies_apart() {
        let dir = tempfile::tempdir().unwrap();
        let (here, there) = (dir.path().join("here"), dir.path().join("there"));
        let (store, id) = with_commit(&here);
        new_store(&there, true, ObjectFormat::Sha1);
        let url = Location::path(&there).unwrap();
        let to = Transport::new(&here, url, false);
        assert_eq!(to.list().unwrap(), []);
        let push = |old: Option<Oid>, replace| Push {
            name: "refs/heads/main".into(),
            new: Some(id),
            old,
            replace,
        };
        let (pushed, _) = to.push(&[push(None, false)]).unwrap();
        assert_eq!(pushed[0].refused, None);
        assert_eq!(to.list().unwrap(), [("refs/heads/main".to_owned(), id)]);
        let gone = Push {
            name: "refs/heads/main".into(),
            new: None,
            old: None,
            replace: true,
        };
        let (pushed, _) = to.push(&[gone]).unwrap();
        assert!(pushed[0].refused.is_some(), "{pushed:?}");

        let into = (
            "refs/heads/main".to_owned(),
            "refs/folio/incoming/x/main".to_owned(),
        );
        Transport::new(&there, Location::path(&here).unwrap(), false)
            .fetch(&[into], None)
            .unwrap();
        let there = crate::store::GitStore::open(&there).unwrap();
        assert_eq!(there.get("refs/folio/incoming/x/main").unwrap(), Some(id));
        assert!(matches!(
            there.header(&id).unwrap(),
            Some((Kind::Commit, _))
        ));
        drop(store);
    }

    #[test]
    fn a_place_that_is_not_there_is_the_remotes_fault() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().join("here");
        new_store(&here, true, ObjectFormat::Sha1);
        let url = Location::path(&dir.path().join("nowhere")).unwrap();
        let fault = Transport::new(&here, url, false).list().unwrap_err();
        assert_eq!(fault.code, Code::RemoteFailed, "{fault}");
    }
}

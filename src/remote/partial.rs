//! Partial clones: git knows where the objects are that were left out, and fetches those that are asked for.

use super::Git;
use crate::model::Oid;
use crate::store::GitStore;
use std::path::PathBuf;
use std::sync::Arc;

/// Whether objects were left out when the repository was cloned.
pub fn is_partial(store: &GitStore) -> bool {
    let promises = |name: &String| store.config_value(&format!("remote.{name}.promisor"));
    let remotes = store.remotes();
    remotes
        .iter()
        .any(|(name, _)| promises(name).is_some_and(|value| value != "false"))
}

/// The store, where the clone is partial with git behind it for what is not here.
#[must_use]
pub fn with_promised(store: GitStore, prompt: bool) -> GitStore {
    if !is_partial(&store) {
        return store;
    }
    let dir: PathBuf = store.common_dir().to_owned();
    store.with_missing(Arc::new(move |id: &Oid| bring(&dir, id, prompt)))
}

fn bring(dir: &std::path::Path, id: &Oid, prompt: bool) -> bool {
    // Asking whether an object is there makes git fetch it where a promise says that it can be had.
    let git = Git::new(dir)
        .with_user_settings(prompt)
        .with_config("core.hooksPath=/dev/null")
        .with_config("fetch.fsckObjects=true");
    let asked = git.output(&["cat-file", "-e", &id.to_hex()], b"");
    asked.is_ok_and(|output| output.status.success())
}

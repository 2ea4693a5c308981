//! Where each remote was when it was last looked at. What one place showed says nothing about another that took its
//! name: it would be accused of going back, or of standing still, with evidence that somebody may show around.

use super::{Remote, hashed};
use crate::cli::context::Context;
use crate::cli::numbering::or_warn;
use crate::cli::stick::write_whole;
use crate::cli::ui::Ui;
use crate::journal::reconcile::{RefMap, peer};
use crate::store;
use std::io::ErrorKind;

/// Remembers where a remote is; forgets what was seen of it where it was elsewhere before.
///
/// # Errors
/// `io` where what is remembered cannot be read, and those of the store.
pub fn settle(context: &Context, remote: &Remote, ui: &Ui) -> anyhow::Result<()> {
    // An address may hold a password; a digest tells two of them apart as well.
    let now = hashed(remote.url.as_str());
    if remote.key == now {
        // Known by its address alone.
        return Ok(());
    }
    let dir = context.folio_dir().join("remotes");
    let path = dir.join(&remote.key);
    let now = format!("{now}\n");
    let before = match std::fs::read(&path) {
        Ok(before) => Some(before),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    if before.as_deref() == Some(now.as_bytes()) {
        return Ok(());
    }
    if before.is_some() {
        forget(context, &remote.key)?;
    }
    // After that: a crash in between forgets once more, which is nothing.
    let write = || {
        std::fs::create_dir_all(&dir)?;
        write_whole(&path, now.as_bytes())
    };
    // Two processes that write it at once write the same.
    or_warn(ui, write());
    Ok(())
}

/// Forgets what was seen under a key.
pub fn forget(context: &Context, key: &str) -> anyhow::Result<()> {
    let seen = peer::seen(&context.store, key)?;
    let edits = peer::remember(key, &seen, &RefMap::new());
    Ok(store::apply_in_parts(&context.store, &edits)?)
}

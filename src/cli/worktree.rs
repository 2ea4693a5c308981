//! The work tree on `main`: it moves along, and uncommitted changes are never overwritten.

use super::context::Context;
use super::ui::Ui;
use crate::journal::Space;
use crate::model::Oid;
use crate::remote::worktree::{self, Follow};
use crate::store::GitStore;

/// Lets the work tree follow `main`. What a crash left undone is done now.
pub fn follow(context: &Context, ui: &Ui) -> anyhow::Result<()> {
    follow_in(context, ui, &context.space()?)
}

/// As [`follow`], where the space was opened a moment ago.
pub fn follow_in(context: &Context, ui: &Ui, space: &Space<'_, GitStore>) -> anyhow::Result<()> {
    let store = &context.store;
    let to = space.tip()?;
    let from = worktree::last_followed(store.git_dir());
    match worktree::follow(store.git_dir(), store.work_tree(), from, to)? {
        Follow::NotOnMain => {
            ui.say("note: the work tree is on another branch than main and was left as it is");
        }
        Follow::Moved | Follow::Already | Follow::Bare => {}
    }
    Ok(())
}

/// Makes up for what a crash kept the work tree from, though `main` has not moved now. A `new` one has nothing of
/// anybody's in it.
pub fn make_up(context: &Context, new: bool) -> anyhow::Result<()> {
    let store = &context.store;
    let to = context.space()?.tip()?;
    Ok(worktree::make_up(
        store.git_dir(),
        store.work_tree(),
        new,
        to,
    )?)
}

/// Whether the work tree could follow: asked before publishing, while `main` is still at `old`.
pub fn check(context: &Context, old: Oid, new: Oid) -> Result<(), crate::store::StoreFault> {
    let store = &context.store;
    worktree::check(store.git_dir(), store.work_tree(), Some(old), new)
}

//! Clones without history: good for asking. They follow `main` and say what they cannot verify.

use super::Remote;
use crate::cli::context::{Context, view_of};
use crate::cli::error::Problem;
use crate::cli::ui::Ui;
use crate::cli::{allowed_signers, worktree};
use crate::crypto::{seal, sshsig};
use crate::journal::reconcile::{RefMap, peer};
use crate::journal::{Page, Space, check, refs};
use crate::model::{Code, Oid};
use crate::store::{Expect, GitStore, RefEdit, Refs as _};

/// What nobody can check without the history.
pub const UNCHECKED: &str = "the history before it: whether the decisions make this state, and whether the pen was taken with right";

/// Whether the clone has no history.
pub fn is_shallow(context: &Context) -> bool {
    let file = context.store.common_dir().join("shallow");
    std::fs::metadata(file).is_ok_and(|meta| meta.len() > 0)
}

/// Follows the `main` that a remote shows, as far as that can be checked: the signature, the space, that the
/// number grows, that the pen is in the hands that the new state names, and in the same ones as long as its epoch
/// lasts.
pub fn follow(
    context: &Context,
    space: &Space<'_, GitStore>,
    remote: &Remote,
    listed: &RefMap,
    ui: &Ui,
) -> anyhow::Result<Vec<String>> {
    let mut unchecked = vec![UNCHECKED.to_owned()];
    let old = Page::read(&context.store, space.tip()?)?;
    let shown = listed.get(refs::MAIN).copied();
    if shown.is_none_or(|shown| shown == old.id) {
        return Ok(unchecked);
    }
    let tip = bring_newest(context, remote, ui)?;
    let new = look(space, tip)?;
    if new.number() <= old.number() {
        let what = format!(
            "expected a page after common@{}, found common@{}",
            old.number(),
            new.number()
        );
        return Err(Problem::new(Code::WentBack, what).into());
    }
    require_epoch(space, &old, &new)?;
    if new.message.epoch != old.message.epoch {
        unchecked.push(format!(
            "the pen changed hands between common@{} and common@{}",
            old.number(),
            new.number()
        ));
    }
    worktree::check(context, old.id, tip)?;
    context.store.apply(&[RefEdit {
        name: refs::MAIN.into(),
        expect: Expect::At(old.id),
        new: Some(tip),
        message: "folio: fetch without history".into(),
    }])?;
    drop_newest(context, remote)?;
    allowed_signers::refresh(context)?;
    worktree::follow(context, ui)?;
    Ok(unchecked)
}

/// Brings the newest page alone.
pub fn bring_newest(context: &Context, remote: &Remote, ui: &Ui) -> anyhow::Result<Oid> {
    let into = peer::incoming_ref(&remote.key, refs::MAIN);
    let wanted = [(refs::MAIN.to_owned(), into.clone())];
    {
        let _waiting = ui.spinner("Fetching");
        context.store.begin_writing()?;
        remote.transport(context).fetch(&wanted, Some(1))?;
    }
    let vanished = || {
        let what = "the other side's main vanished meanwhile";
        Problem::new(Code::RemoteFailed, what)
    };
    Ok(context.store.get(&into)?.ok_or_else(vanished)?)
}

/// Drops the ref below which the newest page was brought.
pub fn drop_newest(context: &Context, remote: &Remote) -> anyhow::Result<()> {
    context.store.apply(&[RefEdit {
        name: peer::incoming_ref(&remote.key, refs::MAIN),
        expect: Expect::Any,
        new: None,
        message: "folio: taken in".into(),
    }])?;
    Ok(())
}

/// One key signs in each epoch, and epochs only grow: that much follows from the page that is here.
fn require_epoch(space: &Space<'_, GitStore>, old: &Page, new: &Page) -> anyhow::Result<()> {
    let pen = check::pen_of(&view_of(&space.tables, old))?;
    let signer = seal::open(&new.commit)?;
    let epoch = new.message.epoch;
    if epoch > pen.epoch || (epoch == pen.epoch && signer == pen.key) {
        return Ok(());
    }
    let what = format!(
        "common@{} of epoch {epoch} is signed by {}, and at common@{} the pen is {}'s, in epoch {}",
        new.number(),
        sshsig::fingerprint(&signer),
        old.number(),
        pen.member,
        pen.epoch
    );
    Err(Problem::new(Code::SignerWrong, what).into())
}

/// Reads a page and checks what it says about itself.
pub fn look(space: &Space<'_, GitStore>, tip: Oid) -> anyhow::Result<Page> {
    let page = Page::read(space.store, tip)?;
    let signer = seal::open(&page.commit)?;
    if page.message.space != space.id {
        let what = format!(
            "expected the space {}, found {}",
            space.id, page.message.space
        );
        return Err(Problem::new(Code::SpaceMismatch, what).into());
    }
    let pen = check::pen_of(&view_of(&space.tables, &page))?;
    if signer != pen.key || page.message.epoch != pen.epoch {
        let what = format!(
            "common@{} is signed by {}, and the pen that it shows is {}'s",
            page.number(),
            sshsig::fingerprint(&signer),
            pen.member
        );
        return Err(Problem::new(Code::SignerWrong, what).into());
    }
    Ok(page)
}

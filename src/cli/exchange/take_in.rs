//! Taking in what was brought, and everything that follows `main` here.

use super::evidence;
use super::home::Home;
use crate::cli::context::Context;
use crate::cli::numbering::or_warn;
use crate::cli::ui::Ui;
use crate::cli::{allowed_signers, observed, verified, worktree};
use crate::journal::reconcile::RefMap;
use crate::journal::reconcile::receive::{self, Hooks, Peer, Received};
use crate::journal::refs;
use crate::journal::{Fault, Space};
use crate::store::{GitStore, Refs as _};
use std::collections::BTreeSet;

/// Verifies and takes in what a peer shows; what was brought from others earlier and waits is looked at again.
pub fn take_in(
    context: &Context,
    space: &Space<'_, GitStore>,
    key: &str,
    who: &str,
    shown: &RefMap,
    ui: &Ui,
) -> anyhow::Result<Received> {
    let mut index = context.index()?;
    verified::require(context, space, &mut index, ui)?;
    let home = Home::of(context, space)?;
    let peer = Peer {
        key,
        is_home: home == Home::Remote(key.to_owned()),
        here_is_home: home == Home::Here,
    };
    let mut progress = ui.progress("Verifying");
    let mut hooks = Hooks {
        before_move: &mut |old, new| worktree::check(context, old, new).map_err(Fault::from),
        progress: &mut |done, total| progress.at(done, total),
    };
    let received = receive::receive(space, &mut index, &peer, shown, &mut hooks);
    drop(progress);
    let mut received =
        received.map_err(|fault| evidence::of_pages(context, ui, who, shown, fault))?;
    evidence::of_course(context, ui, who, shown, &received);
    if received.from != received.to || received.lost.is_some() {
        let tip = space.tip()?;
        // The pages were verified before main moved; a crash here costs a second verification.
        verified::remember(context, received.to, tip)?;
        or_warn(ui, allowed_signers::refresh(context));
        or_warn(ui, worktree::follow(context, ui));
    } else {
        or_warn(ui, worktree::make_up(context, false));
    }
    for peer in waiting_peers(context)? {
        let more = receive::retry(space, &mut index, &peer)?;
        received.branches.taken.extend(more.taken);
    }
    or_warn(ui, observed::look_for_takers(context, space));
    Ok(received)
}

/// The peers of whom something waits to be looked at again.
fn waiting_peers(context: &Context) -> anyhow::Result<Vec<String>> {
    let listed = context.store.list(refs::INCOMING)?;
    let keys: BTreeSet<String> = listed
        .into_iter()
        .filter_map(|(name, _)| {
            let rest = name.strip_prefix(refs::INCOMING)?;
            rest.split_once('/').map(|(key, _)| key.to_owned())
        })
        .collect();
    Ok(keys.into_iter().collect())
}

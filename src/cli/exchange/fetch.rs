//! Fetching from one remote: list, bring what is new below refs of its own, verify, take in.

use super::take_in::take_in;
use super::{Remote, say_remote, shallow};
use crate::cli::context::Context;
use crate::cli::ui::Ui;
use crate::journal::Space;
use crate::journal::reconcile::receive::Received;
use crate::journal::reconcile::{RefMap, peer, travels};
use crate::store::{GitStore, Objects as _};

/// What one fetch did.
#[derive(Debug)]
pub struct Fetched {
    /// What became of what was shown; nothing for a shallow clone, whose `main` is only followed.
    pub received: Option<Received>,
    /// Refs over there that are none of a space's; they were not fetched.
    pub foreign: usize,
    /// What a shallow clone cannot check.
    pub unchecked: Vec<String>,
}

/// Fetches and takes in.
pub fn fetch(
    context: &Context,
    space: &Space<'_, GitStore>,
    remote: &Remote,
    ui: &Ui,
) -> anyhow::Result<Fetched> {
    let transport = remote.transport(context);
    let listed = {
        let _waiting = ui.spinner("Asking");
        transport.list()?
    };
    let all = listed.len();
    let listed: RefMap = listed
        .into_iter()
        .filter(|(name, _)| travels(name))
        .collect();
    let foreign = all - listed.len();
    if shallow::is_shallow(context) {
        let unchecked = shallow::follow(context, space, remote, &listed, ui)?;
        return Ok(Fetched {
            received: None,
            foreign,
            unchecked,
        });
    }
    let shown = bring(context, remote, &listed, ui)?;
    let received = take_in(context, space, &remote.key, &remote.name, &shown, ui)?;
    Ok(Fetched {
        received: Some(received),
        foreign,
        unchecked: Vec::new(),
    })
}

/// Brings what is not here, and returns what the remote shows. A crash at any moment leaves objects and refs that
/// no reader looks at; the next fetch goes on from there.
pub fn bring(
    context: &Context,
    remote: &Remote,
    listed: &RefMap,
    ui: &Ui,
) -> anyhow::Result<RefMap> {
    let seen = peer::seen(&context.store, &remote.key)?;
    let is_new = |name: &String, id: &crate::model::Oid| {
        seen.get(name) != Some(id) || !context.store.is_known(id)
    };
    let wanted: Vec<(String, String)> = listed
        .iter()
        .filter(|(name, id)| is_new(name, id))
        .map(|(name, _)| (name.clone(), peer::incoming_ref(&remote.key, name)))
        .collect();
    let mut shown = listed.clone();
    if wanted.is_empty() {
        return Ok(shown);
    }
    let words = {
        let _waiting = ui.spinner("Fetching");
        remote.transport(context).fetch(&wanted, None)?
    };
    say_remote(ui, &words);
    // A ref may have moved between listing and fetching: what came counts. What lies there from earlier fetches
    // says nothing about today.
    let brought = peer::incoming(&context.store, &remote.key)?;
    for (name, _) in &wanted {
        shown.extend(brought.get(name).map(|id| (name.clone(), *id)));
    }
    Ok(shown)
}

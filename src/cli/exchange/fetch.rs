//! Fetching from one remote: list, bring what is new below refs of its own, verify, take in.

use super::artifacts::of_artifacts;
use super::take_in::take_in;
use super::{Remote, address, evidence, say_remote, shallow};
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::ui::{Ui, escape};
use crate::journal::reconcile::course::Course;
use crate::journal::reconcile::receive::Received;
use crate::journal::reconcile::{RefMap, peer, travels};
use crate::journal::{Page, Space, refs};
use crate::model::Code;
use crate::remote::Transport;
use crate::store::{GitStore, Objects as _, Refs as _, StoreFault};
use std::collections::BTreeSet;

/// Branches that may fail one by one before a fetch is given up.
const MISSING: usize = 32;

/// What one fetch did.
#[derive(Debug)]
pub struct Fetched {
    /// What became of what was shown; nothing for a shallow clone, whose `main` is only followed.
    pub received: Option<Received>,
    /// The refs of artifacts over there.
    pub artifacts: RefMap,
    /// Refs over there that are none of a space's; they were not fetched.
    pub foreign: usize,
    /// What a shallow clone cannot check.
    pub unchecked: Vec<String>,
    /// Whether it stands still while home goes on.
    pub frozen: bool,
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
    let artifacts = of_artifacts(&listed);
    let all = listed.len() - artifacts.len();
    let listed: RefMap = listed
        .into_iter()
        .filter(|(name, _)| travels(name))
        .collect();
    let foreign = all - listed.len();
    if shallow::is_shallow(context) {
        let unchecked = shallow::follow(context, space, remote, &listed, ui)?;
        return Ok(Fetched {
            received: None,
            artifacts,
            foreign,
            unchecked,
            frozen: false,
        });
    }
    address::settle(context, remote, ui)?;
    let before = peer::seen(&context.store, &remote.key)?;
    let shown = bring(context, remote, &listed, ui)?;
    let received = take_in(context, space, &remote.key, &remote.name, &shown, ui)?;
    let frozen = is_frozen(context, &before, &shown, &received)?;
    if let (true, Some(home), Some(main)) = (
        frozen,
        context.store.get(refs::HOME)?,
        shown.get(refs::MAIN),
    ) {
        evidence::of_frozen(context, ui, &remote.name, home, *main);
    }
    Ok(Fetched {
        received: Some(received),
        artifacts,
        foreign,
        unchecked: Vec::new(),
        frozen,
    })
}

/// Whether a mirror shows the very page that it showed when it was last asked, and home is known to have gone on
/// since. Once is late; twice is frozen.
fn is_frozen(
    context: &Context,
    before: &RefMap,
    shown: &RefMap,
    received: &Received,
) -> anyhow::Result<bool> {
    let Some(Course::Behind(number)) = &received.course else {
        return Ok(false);
    };
    let home = context.store.get(refs::HOME)?;
    if before.get(refs::MAIN) != shown.get(refs::MAIN) {
        return Ok(false);
    }
    let Some(home) = home else { return Ok(false) };
    Ok(Page::read(&context.store, home)?.number() > *number)
}

/// Brings what is not here, and returns what the remote shows. A crash at any moment leaves objects and refs that
/// no reader looks at; the next fetch goes on from there.
pub fn bring(
    context: &Context,
    remote: &Remote,
    listed: &RefMap,
    ui: &Ui,
) -> anyhow::Result<RefMap> {
    // git leaves out what is here: that has to stay until the refs are there.
    context.store.begin_writing()?;
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
    let missing = {
        let _waiting = ui.spinner("Fetching");
        some(&remote.transport(context), &wanted, ui)?
    };
    // A ref may have moved between listing and fetching: what came counts. What lies there from earlier fetches
    // says nothing about today.
    let brought = peer::incoming(&context.store, &remote.key)?;
    for (name, _) in &wanted {
        match brought.get(name) {
            Some(_) if missing.contains(name) => drop(shown.remove(name)),
            Some(id) => drop(shown.insert(name.clone(), *id)),
            // git leaves out, without a word, what would make this repository shallow.
            None if name == refs::MAIN => {
                let what = format!(
                    "{} of `{}` did not come: it has no whole history",
                    refs::MAIN,
                    remote.name
                );
                return Err(Problem::new(Code::RemoteFailed, what)
                    .hint("ask a repository that has all pages")
                    .into());
            }
            None => drop(shown.remove(name)),
        }
    }
    Ok(shown)
}

/// Fetches refs; returns the names of those that did not come. One branch that vanished meanwhile, or whose objects
/// are broken, keeps neither `main` nor the others out: anybody may have put it there.
fn some(
    transport: &Transport,
    wanted: &[(String, String)],
    ui: &Ui,
) -> Result<BTreeSet<String>, StoreFault> {
    let mut missing = BTreeSet::new();
    let all = match transport.fetch(wanted, None) {
        Ok(words) => {
            say_remote(ui, &words);
            return Ok(missing);
        }
        Err(fault) => fault,
    };
    let (main, branches): (Vec<_>, Vec<_>) = wanted
        .iter()
        .cloned()
        .partition(|(name, _)| name == refs::MAIN);
    match main.is_empty() {
        false if branches.is_empty() => return Err(all),
        false => drop(transport.fetch(&main, None)?),
        // Whether it can be reached at all.
        true => drop(transport.list()?),
    }
    let mut left = vec![branches];
    while let Some(mut refs) = left.pop() {
        let Err(fault) = transport.fetch(&refs, None) else {
            continue;
        };
        if let [(name, _)] = refs.as_slice() {
            ui.say(format!(
                "not brought: {}: {}",
                escape(name.trim_start_matches("refs/heads/")),
                escape(&fault.what)
            ));
            missing.insert(name.clone());
            if missing.len() > MISSING {
                return Err(fault);
            }
            continue;
        }
        let rest = refs.split_off(refs.len() / 2);
        left.extend([rest, refs]);
    }
    Ok(missing)
}

//! What `folio show` may be asked for: a snapshot or a proposal, by any of their names.

use super::context::{Context, number_of};
use super::error::Problem;
use super::proposals;
use super::ui::{Ui, escape};
use crate::codec::message::Message;
use crate::journal::heartbeat::Heartbeat;
use crate::journal::page::read_commit;
use crate::journal::proposal::Proposal;
use crate::journal::{Page, Space, refs};
use crate::model::{Code, Number, Oid};
use crate::store::{GitStore, Kind, Objects as _, Refs as _};

/// What an id names.
#[derive(Debug)]
pub enum Found {
    /// A snapshot.
    Snapshot(Box<Page>),
    /// A proposal, and the snapshot that numbered it, if any.
    Proposal(Box<Proposal>, Option<Number>),
}

/// Finds `N`, a ref, a commit id, AUTHOR/SLUG or the beginning of a proposal's digest.
pub fn find(
    context: &Context,
    space: &Space<'_, GitStore>,
    id: &str,
    ui: &Ui,
) -> anyhow::Result<Found> {
    if number_of(id).is_some() || matches!(id, "main" | "HEAD") {
        let page = context.page(space, Some(id), ui)?;
        return Ok(Found::Snapshot(Box::new(page)));
    }
    if let Some(commit) = commit_of(context, id)? {
        return read(context, space, commit, ui);
    }
    match by_digest(context, space, id, ui)? {
        Some(commit) => read(context, space, commit, ui),
        None => Err(unknown(context, id)?),
    }
}

/// A commit by branch, ref or id. What else has such an id is not meant.
fn commit_of(context: &Context, id: &str) -> anyhow::Result<Option<Oid>> {
    let store = &context.store;
    if let Some(commit) = store.get(&format!("{}{id}", refs::PROPOSALS))? {
        return Ok(Some(commit));
    }
    let id = id.to_ascii_lowercase();
    let longer = id.len() > store.object_format().id_len() * 2;
    if longer && id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let Some(found) = context.commit_by_name(&id)? else {
        return Ok(None);
    };
    let is_commit = matches!(store.header(&found)?, Some((Kind::Commit, _)));
    Ok(is_commit.then_some(found))
}

fn read(
    context: &Context,
    space: &Space<'_, GitStore>,
    commit: Oid,
    ui: &Ui,
) -> anyhow::Result<Found> {
    let store = &context.store;
    match Message::parse(&read_commit(store, &commit)?.message)? {
        Message::Snapshot(_) => Ok(Found::Snapshot(Box::new(Page::read(store, commit)?))),
        Message::Heartbeat(_) => {
            let page = Heartbeat::authenticate(space, commit)?.page;
            Ok(Found::Snapshot(Box::new(page)))
        }
        // A review says something about one proposal: its only parent.
        Message::Review(_) => {
            let parents = read_commit(store, &commit)?.parents;
            let proposal = parents.first().copied().unwrap_or(commit);
            proposal_at(context, space, proposal, ui)
        }
        Message::Proposal(_) => proposal_at(context, space, commit, ui),
        Message::Catalog(_) => {
            let what = format!("{commit} says where artifacts are, and decides nothing");
            Err(Problem::new(Code::NotFound, what).into())
        }
    }
}

fn proposal_at(
    context: &Context,
    space: &Space<'_, GitStore>,
    commit: Oid,
    ui: &Ui,
) -> anyhow::Result<Found> {
    let proposal = Proposal::authenticate(&space.tables, &context.store, Some(&space.id), commit)?;
    let mut index = context.index()?;
    let history = context.history(space, &mut index, ui)?;
    let number = history.numbered(&proposal.digest(), proposal.base().number)?;
    Ok(Found::Proposal(Box::new(proposal), number))
}

/// Looks through the queue, then through the numbered proposals from the newest back.
fn by_digest(
    context: &Context,
    space: &Space<'_, GitStore>,
    id: &str,
    ui: &Ui,
) -> anyhow::Result<Option<Oid>> {
    let id = id.to_ascii_lowercase();
    let hex = (4..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit());
    if !hex {
        return Ok(None);
    }
    let mut index = context.index()?;
    let entries = proposals::gather(context, space, &mut index, ui)?;
    match proposals::find(&entries, &id) {
        Ok(crate::journal::queue::Entry::Authentic(candidate)) => {
            return Ok(Some(candidate.branch.commit));
        }
        Ok(crate::journal::queue::Entry::Invalid { commit, .. }) => return Ok(Some(*commit)),
        Err(error) if super::error::parts(&error).0 == Some(Code::NotFound) => {}
        Err(error) => return Err(error),
    }
    let history = context.history(space, &mut index, ui)?;
    let mut found = None;
    for number in (1..=history.len().0).rev() {
        let Some(record) = history.page(Number(number)) else {
            continue;
        };
        if !record.proposal.to_hex().starts_with(&id) {
            continue;
        }
        if found.is_some() {
            let what = format!("`{id}` names several proposals");
            return Err(Problem::new(Code::BadRequest, what)
                .hint("write more of it")
                .into());
        }
        found = Some(Page::read(&context.store, record.commit)?.proposal());
    }
    Ok(found)
}

fn unknown(context: &Context, id: &str) -> anyhow::Result<anyhow::Error> {
    let branches = context.store.list(refs::PROPOSALS)?;
    let names = branches.iter().map(|(name, _)| proposals::short_name(name));
    let near = super::suggest::near(id, names);
    let what = format!("no snapshot and no proposal is called `{}`", escape(id));
    let otherwise = "folio log lists the snapshots, folio queue the proposals";
    let problem = Problem::new(Code::NotFound, what);
    Ok(super::suggest::hint(problem, &near, otherwise).into())
}

//! Proposals as people name them: AUTHOR/SLUG, the beginning of a digest, of a commit id, or a full ref.

use super::context::Context;
use super::error::Problem;
use super::lookup;
use super::ui::{Ui, escape};
use crate::journal::Space;
use crate::journal::queue::{self, Candidate, Entry};
use crate::journal::refs;
use crate::model::{Code, Number};
use crate::store::{GitStore, Index, Refs as _};
use std::collections::BTreeSet;

/// The full ref name of a queue's entry.
pub fn branch_of(entry: &Entry) -> &str {
    match entry {
        Entry::Invalid { name, .. } => name,
        Entry::Authentic(candidate) => &candidate.branch.name,
    }
}

/// AUTHOR/SLUG.
pub fn short_name(branch: &str) -> &str {
    branch.strip_prefix(refs::PROPOSALS).unwrap_or(branch)
}

/// The whole queue, authenticated.
pub fn gather(
    context: &Context,
    space: &Space<'_, GitStore>,
    index: &mut Index,
    ui: &Ui,
) -> anyhow::Result<Vec<Entry>> {
    let history = context.history(space, index, ui)?;
    Ok(queue::gather(space, &history)?)
}

/// The branches that some ids name; each must name exactly one. The queue is read only where an id is not the name
/// of a branch: no digest is one, for they have no `/`.
pub fn choose(
    context: &Context,
    space: &Space<'_, GitStore>,
    index: &mut Index,
    ids: &[String],
    ui: &Ui,
) -> anyhow::Result<BTreeSet<String>> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut chosen = BTreeSet::new();
    let mut digests = Vec::new();
    for id in ids {
        match branch_named(context, id) {
            Some(branch) => {
                chosen.insert(branch);
            }
            None => digests.push(id),
        }
    }
    if !digests.is_empty() {
        let entries = gather(context, space, index, ui)?;
        for id in digests {
            chosen.insert(branch_of(find(&entries, id)?).to_owned());
        }
    }
    Ok(chosen)
}

/// The branch in the queue that has this name, whole or short.
fn branch_named(context: &Context, id: &str) -> Option<String> {
    let (head, below) = (id.split('/').next()?, refs::PROPOSALS);
    let full = match head {
        "refs" => id.to_owned(),
        "proposals" if id.matches('/').count() == 2 => format!("refs/heads/{id}"),
        _ => format!("{below}{id}"),
    };
    let is_one = full.starts_with(below) && refs::is_exact(&full);
    let there = is_one && matches!(context.store.get(&full), Ok(Some(_)));
    there.then_some(full)
}

/// The one entry that an id names.
pub fn find<'e>(entries: &'e [Entry], id: &str) -> anyhow::Result<&'e Entry> {
    let named: Vec<&Entry> = entries.iter().filter(|entry| is_named(entry, id)).collect();
    match named.as_slice() {
        [one] => Ok(one),
        [] => {
            let what = format!("no proposal in the queue is called `{}`", escape(id));
            Err(Problem::new(Code::NotFound, what)
                .hint("folio queue lists them")
                .into())
        }
        more => {
            let what = format!("`{}` names {} proposals", escape(id), more.len());
            Err(Problem::new(Code::BadRequest, what)
                .hint("write more of it")
                .into())
        }
    }
}

/// The candidate that an id names; what was numbered is told from what is unknown.
pub fn waiting<'e>(
    context: &Context,
    space: &Space<'_, GitStore>,
    entries: &'e [Entry],
    id: &str,
    ui: &Ui,
) -> anyhow::Result<&'e Candidate> {
    match find(entries, id) {
        Ok(Entry::Authentic(candidate)) => Ok(candidate),
        // Nobody's signed words are there to judge; the queue says what is wrong with it.
        Ok(Entry::Invalid { fault, .. }) => Err(fault.clone().into()),
        Err(error) => match lookup::find(context, space, id, ui) {
            Ok(lookup::Found::Proposal(_, Some(number))) => Err(numbered(number).into()),
            _ => Err(error),
        },
    }
}

/// What is said of a proposal that was numbered and can be judged no more.
pub fn numbered(number: Number) -> Problem {
    let what = format!("it was numbered already as common@{number}");
    Problem::new(Code::BadRequest, what).hint(format!(
        "folio show {number}; what it decided can only be changed by a new proposal"
    ))
}

fn is_named(entry: &Entry, id: &str) -> bool {
    let branch = branch_of(entry);
    if branch == id || short_name(branch) == id || branch.strip_prefix("refs/heads/") == Some(id) {
        return true;
    }
    if id.len() < 4 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return false;
    }
    match entry {
        Entry::Invalid { commit, .. } => commit.to_hex().starts_with(id),
        Entry::Authentic(candidate) => {
            candidate.branch.commit.to_hex().starts_with(id)
                || candidate.proposal.digest().to_hex().starts_with(id)
        }
    }
}

//! Which other proposals in the queue cannot stand beside one.

use super::proposals::short_name;
use crate::fold::Decision;
use crate::journal::queue::{Candidate, Entry};
use crate::journal::tally;
use crate::journal::{Fault, Page, Space};
use crate::model::{ChainDigest, Oid};
use crate::store::GitStore;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Other proposals that are judged: those that share a name with this one come first.
pub const OTHERS: usize = 200;

/// Two proposals of which only one can be numbered as they are.
#[derive(Debug, Clone, Serialize)]
pub struct Conflict {
    /// The other one: AUTHOR/SLUG.
    pub proposal: String,
    /// Its digest.
    pub digest: String,
    /// What happens to it once this one is numbered.
    pub then: Option<Refused>,
    /// What happens to this one once the other is numbered.
    pub otherwise: Option<Refused>,
}

/// A refusal that numbering another proposal brings about.
#[derive(Debug, Clone, Serialize)]
pub struct Refused {
    /// The stable code.
    pub code: &'static str,
    /// What was expected and found.
    pub what: String,
}

/// What was found, and how much was looked at.
#[derive(Debug, Clone, Default)]
pub struct Conflicts {
    /// The conflicts, by name.
    pub found: Vec<Conflict>,
    /// Proposals that were not looked at.
    pub left_out: usize,
}

/// Judges the others after this one and this one after the others, as if each had its approvals. `after` is
/// the tree that this one makes on `page`; its objects are staged.
pub fn find(
    space: &Space<'_, GitStore>,
    page: &Page,
    after: Oid,
    this: &Candidate,
    entries: &[Entry],
) -> Result<Conflicts, Fault> {
    let names = names_of(this);
    let mut others: Vec<&Candidate> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Authentic(other) => Some(&**other),
            Entry::Invalid { .. } => None,
        })
        .filter(|other| other.proposal.digest() != this.proposal.digest())
        .collect();
    others.sort_by_key(|other| names.is_disjoint(&names_of(other)));
    let left_out = others.len().saturating_sub(OTHERS);
    others.truncate(OTHERS);
    let mut found = Vec::new();
    for other in others {
        let staged = space.tables.staged();
        let conflict = between(space, page, after, this, other);
        space.tables.discard(staged);
        found.extend(conflict?);
    }
    found.sort_by(|a, b| a.proposal.cmp(&b.proposal));
    Ok(Conflicts { found, left_out })
}

fn between(
    space: &Space<'_, GitStore>,
    page: &Page,
    after: Oid,
    this: &Candidate,
    other: &Candidate,
) -> Result<Option<Conflict>, Fault> {
    let alone = match tally::foresee(&space.tables, page.tree(), page.message.chain, other) {
        Ok(judgement) => judgement,
        Err(fault) if fault.is_environment() || fault.is_damage() => return Err(fault),
        // It is refused today whatever becomes of this one.
        Err(_) => return Ok(None),
    };
    let then = refusal(space, after, other)?;
    let otherwise = refusal(space, alone.tree, this)?;
    let meets = then.is_some() || otherwise.is_some();
    Ok(meets.then(|| Conflict {
        proposal: short_name(&other.branch.name).to_owned(),
        digest: other.proposal.digest().to_hex(),
        then,
        otherwise,
    }))
}

fn refusal(
    space: &Space<'_, GitStore>,
    root: Oid,
    candidate: &Candidate,
) -> Result<Option<Refused>, Fault> {
    // A page that is not made yet: whatever its chain will be, it is not the one before it.
    let chain = ChainDigest([0; 32]);
    match tally::foresee(&space.tables, root, chain, candidate) {
        Ok(_) => Ok(None),
        Err(fault) if fault.is_environment() || fault.is_damage() => Err(fault),
        Err(fault) => Ok(Some(Refused {
            code: fault.code.as_str(),
            what: fault.what,
        })),
    }
}

/// The names that a proposal disposes of.
fn names_of(candidate: &Candidate) -> BTreeSet<Cow<'_, str>> {
    let decisions = candidate.proposal.decisions().iter();
    decisions.flat_map(Decision::policy_keys).collect()
}

//! `refs/heads/reviews/<reviewer>/<proposal12>`: replaced freely by its reviewer, deleted by anybody once the
//! proposal is numbered or gone.

use super::Update;
use super::line::Line;
use crate::codec::message::Message;
use crate::journal::fault::Fault;
use crate::journal::page::read_commit;
use crate::journal::review::Review;
use crate::journal::{judge as judged, refs};
use crate::model::{Code, Handle, Oid};
use crate::store::Store;

pub(super) fn judge<S: Store + Clone + Send>(
    line: &Line<'_, '_, '_, S>,
    update: &Update,
    all: &[Update],
) -> Result<(), Fault> {
    let (reviewer, short) = refs::parse_review(&update.name)?;
    match (update.new, update.old) {
        (Some(new), _) => offered(line, &reviewer, &short, new),
        (None, Some(old)) => removed(line, old, all),
        (None, None) => Ok(()),
    }
}

/// One commit on one proposal, signed by the reviewer, under the name that its proposal gives it.
fn offered<S: Store + Clone + Send>(
    line: &Line<'_, '_, '_, S>,
    reviewer: &Handle,
    short: &str,
    new: Oid,
) -> Result<(), Fault> {
    let proposal = line.proposal(proposal_of(line, new)?)?;
    let review = Review::authenticate(line.space.store, &proposal, new)?;
    let found = proposal.digest().short();
    if found != short {
        let what = "the digits in the name";
        return Err(Fault::differs(Code::RefInvalid, what, found, short).in_commit(new));
    }
    line.member(&review.reviewer(), reviewer)
        .map_err(|fault| fault.in_commit(new))?;
    judged::require_address(&line.view(), &review.reviewer(), review.commit())
        .map_err(|fault| fault.in_commit(new))
}

/// The one parent of a review.
fn proposal_of<S: Store>(line: &Line<'_, '_, '_, S>, review: Oid) -> Result<Oid, Fault> {
    let commit = read_commit(line.space.store, &review)?;
    let Message::Review(_) = Message::parse(&commit.message)? else {
        let what = "expected a review, found a commit of another kind";
        return Err(Fault::new(Code::ReviewInvalid, what).in_commit(review));
    };
    match commit.parents.as_slice() {
        [proposal] => Ok(*proposal),
        more => {
            let what = format!("expected a review with one parent, found {}", more.len());
            Err(Fault::new(Code::ReviewInvalid, what).in_commit(review))
        }
    }
}

fn removed<S: Store + Clone + Send>(
    line: &Line<'_, '_, '_, S>,
    old: Oid,
    all: &[Update],
) -> Result<(), Fault> {
    let proposal = proposal_of(line, old)?;
    if line.numbered(&line.proposal(proposal)?)?.is_some() || !waits(line, proposal, all)? {
        return Ok(());
    }
    let what = "its proposal still waits; its reviewer may replace it";
    Err(Fault::new(Code::RefProtected, what).in_commit(old))
}

/// Whether a branch below `proposals/` points at this commit once the push is through.
fn waits<S: Store>(
    line: &Line<'_, '_, '_, S>,
    proposal: Oid,
    all: &[Update],
) -> Result<bool, Fault> {
    if all.iter().any(|update| update.new == Some(proposal)) {
        return Ok(true);
    }
    let there = line.space.store.list(refs::PROPOSALS)?;
    let stays = |name: &str| all.iter().all(|update| update.name != name);
    Ok(there
        .iter()
        .any(|(name, commit)| *commit == proposal && stays(name)))
}

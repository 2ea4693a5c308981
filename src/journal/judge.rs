//! One proposal on one state: authority, rules, addresses, preview. The same function decides when a page
//! is made and when it is verified.

use super::fault::Fault;
use super::proposal::Proposal;
use super::review::Review;
use crate::codec::commit::Commit;
use crate::fold::{self, Outcome, Scene, Stop, Submission, View, Vote, policy};
use crate::model::rows::{KeyRow, SpaceRow};
use crate::model::{ChainDigest, Code, Oid, PublicKey, RowKey};
use crate::state::{Tables, TreeView};
use crate::store::Objects;

/// What a proposal makes of a state.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The rows it changes, and which decision touched which.
    pub outcome: Outcome,
    /// The root tree with the changes; its new objects are staged in the tables.
    pub tree: Oid,
}

/// Judges an authenticated proposal on the state with that root, which the chain `after` leads to. A refusal
/// stages nothing.
pub fn judge<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    root: Option<Oid>,
    after: ChainDigest,
    proposal: &Proposal,
    reviews: &[Review],
) -> Result<Judgement, Fault> {
    let votes: Vec<Vote> = reviews
        .iter()
        .map(|review| Vote {
            reviewer: review.reviewer(),
            approve: review.approves(),
        })
        .collect();
    judge_votes(tables, root, after, proposal, &votes)
}

/// As [`judge`], on votes of any origin: also of those who have not voted yet.
pub(super) fn judge_votes<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    root: Option<Oid>,
    after: ChainDigest,
    proposal: &Proposal,
    votes: &[Vote],
) -> Result<Judgement, Fault> {
    let staged = tables.staged();
    let judged = judge_staging(tables, root, after, proposal, votes);
    if judged.is_err() {
        tables.discard(staged);
    }
    judged.map_err(|fault| fault.in_commit(proposal.id()))
}

fn judge_staging<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    root: Option<Oid>,
    after: ChainDigest,
    proposal: &Proposal,
    votes: &[Vote],
) -> Result<Judgement, Fault> {
    let view = TreeView::new(tables, root);
    let outcome = fold::fold(&view, &submission(proposal, after, votes))?;
    let stands_there = proposal.base().tree == root && proposal.base().chain == after;
    if !stands_there && !proposal.preview_is_true() {
        // The same is made of the base in a moment, for its preview.
        tables.note_changes();
    }
    let tree = tables.edit(root, &outcome.edits)?;
    let made = TreeView::new(tables, Some(tree));
    // The charter makes the very rows that its own commit is compared with.
    let authority: &dyn View = if root.is_some() { &view } else { &made };
    require_address(authority, &proposal.author(), proposal.commit())?;
    if root.is_none() {
        require_formats(&made, tables)?;
    }
    require_true_preview(tables, stands_there.then_some(tree), proposal)?;
    tables.forget_changes();
    Ok(Judgement { outcome, tree })
}

fn submission<'a>(proposal: &'a Proposal, after: ChainDigest, votes: &'a [Vote]) -> Submission<'a> {
    Submission {
        digest: proposal.digest(),
        author: proposal.author(),
        after,
        decisions: proposal.decisions(),
        votes,
    }
}

/// Author and committer are those of the signing key's row, so that blame cannot be made to name
/// somebody else.
pub fn require_address(view: &dyn View, key: &PublicKey, commit: &Commit) -> Result<(), Fault> {
    let scene = Scene::new(view);
    let row: Option<KeyRow> = scene.get(&RowKey::of(key))?;
    let Some(row) = row else {
        return Err(Fault::new(
            Code::NotAMember,
            format!("no member has the key {key}"),
        ));
    };
    for (who, ident) in [("author", &commit.author), ("committer", &commit.committer)] {
        if ident.email != row.email.as_str() {
            let what = format!("the {who}'s address, signed with a key of `{}`", row.member);
            return Err(Fault::differs(
                Code::EmailMismatch,
                &what,
                row.email,
                &ident.email,
            ));
        }
    }
    Ok(())
}

fn require_formats<S: Objects + ?Sized>(
    after: &dyn View,
    tables: &Tables<'_, S>,
) -> Result<(), Fault> {
    let space: Option<SpaceRow> = Scene::new(after).get(&RowKey::of(""))?;
    let found = space.map(|space| space.object_format);
    let here = tables.format();
    if found != Some(here) {
        let found = found.map_or("none", |format| format.as_str());
        return Err(Fault::differs(
            Code::Unsupported,
            "the object format",
            here.as_str(),
            found,
        ));
    }
    Ok(())
}

/// The tree of a proposal is its base's, or what its decisions make of it: nothing else. `tree` is what they
/// make where that was judged on the base itself.
fn require_true_preview<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    tree: Option<Oid>,
    proposal: &Proposal,
) -> Result<(), Fault> {
    let base = proposal.base().tree;
    let claimed = proposal.preview();
    if base == Some(claimed) || (base.is_none() && claimed == tables.empty_tree()) {
        return Ok(());
    }
    if let Some(tree) = tree {
        return preview_is(tree, claimed);
    }
    // The base is older than the state it is judged on: the preview is about the base.
    match proposal.preview_is_true() {
        true => Ok(()),
        false => require_preview_of_base(tables, proposal),
    }
}

/// The tree of a proposal is its base's, or what its decisions make of it, whatever holds today.
///
/// # Errors
/// `preview-false`.
pub fn require_preview_of_base<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    proposal: &Proposal,
) -> Result<(), Fault> {
    let (base, claimed) = (proposal.base().tree, proposal.preview());
    if base == Some(claimed) {
        return Ok(());
    }
    let staged = tables.staged();
    let made = preview_tree(tables, proposal, base);
    tables.discard(staged);
    match made {
        Ok(made) => preview_is(made, claimed),
        Err(fault) if fault.is_environment() || fault.is_damage() => Err(fault),
        Err(stop) => {
            let what = format!(
                "the preview shows a state, but on its base the proposal is refused: {stop}"
            );
            Err(Fault::new(Code::PreviewFalse, what))
        }
    }
}

fn preview_tree<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    proposal: &Proposal,
    base: Option<Oid>,
) -> Result<Oid, Fault> {
    let view = TreeView::new(tables, base);
    let outcome =
        fold::apply::fold_rules(&view, &submission(proposal, proposal.base().chain, &[]))?;
    Ok(tables.edit(base, &outcome.edits)?)
}

fn preview_is(expected: Oid, found: Oid) -> Result<(), Fault> {
    if expected != found {
        let what = "the state in the proposal's tree";
        return Err(Fault::differs(Code::PreviewFalse, what, expected, found));
    }
    Ok(())
}

/// The member whose current key this is, in a state.
pub fn member_of(view: &dyn View, key: &PublicKey) -> Result<crate::model::rows::MemberRow, Stop> {
    policy::member_of(&Scene::new(view), key)
}

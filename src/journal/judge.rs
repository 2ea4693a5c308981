//! One proposal on one state: authority, rules, addresses, preview. The same function decides when a page
//! is made and when it is verified.

use super::fault::Fault;
use super::proposal::Proposal;
use super::review::Review;
use crate::codec::commit::Commit;
use crate::fold::{self, Outcome, Scene, Stop, Submission, View, Vote, policy};
use crate::model::rows::{KeyRow, SpaceRow};
use crate::model::{Code, Oid, PublicKey, RowKey};
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

/// Judges an authenticated proposal on the state with that root. A refusal stages nothing.
pub fn judge<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    root: Option<Oid>,
    proposal: &Proposal,
    reviews: &[Review],
) -> Result<Judgement, Fault> {
    let staged = tables.staged();
    let judged = judge_staging(tables, root, proposal, reviews);
    if judged.is_err() {
        tables.discard(staged);
    }
    judged.map_err(|fault| fault.in_commit(proposal.id()))
}

fn judge_staging<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    root: Option<Oid>,
    proposal: &Proposal,
    reviews: &[Review],
) -> Result<Judgement, Fault> {
    let view = TreeView::new(tables, root);
    let votes: Vec<Vote> = reviews
        .iter()
        .map(|review| Vote {
            reviewer: review.reviewer(),
            approve: review.approves(),
        })
        .collect();
    let outcome = fold::fold(&view, &submission(proposal, &votes))?;
    let tree = tables.edit(root, &outcome.edits)?;
    let after = TreeView::new(tables, Some(tree));
    // The charter makes the very rows that its own commit is compared with.
    let authority: &dyn View = if root.is_some() { &view } else { &after };
    require_address(authority, &proposal.author(), proposal.commit())?;
    if root.is_none() {
        require_formats(&after, tables)?;
    }
    require_true_preview(tables, root, tree, proposal)?;
    Ok(Judgement { outcome, tree })
}

fn submission<'a>(proposal: &'a Proposal, votes: &'a [Vote]) -> Submission<'a> {
    Submission {
        digest: proposal.digest(),
        author: proposal.author(),
        decisions: proposal.decisions(),
        votes,
    }
}

/// Author and committer are those of the signing key's row, so that blame cannot be made to name
/// somebody else.
pub fn require_address(view: &dyn View, key: &PublicKey, commit: &Commit) -> Result<(), Fault> {
    let scene = Scene::new(view);
    let row: Option<KeyRow> = scene.get(&RowKey::of(key.to_string()))?;
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

/// The tree of a proposal is its base's, or what its decisions make of it: nothing else.
fn require_true_preview<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    root: Option<Oid>,
    tree: Oid,
    proposal: &Proposal,
) -> Result<(), Fault> {
    let base = proposal.base().tree;
    let claimed = proposal.preview();
    if base == Some(claimed) || (base.is_none() && claimed == tables.empty_tree()) {
        return Ok(());
    }
    if base == root {
        return preview_is(tree, claimed);
    }
    // The base is older than the state it is judged on: the preview is about the base.
    require_preview_of_base(tables, proposal)
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
    let outcome = fold::apply::fold_rules(&view, &submission(proposal, &[]))?;
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

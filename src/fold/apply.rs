//! One proposal on one state.

use super::cosign;
use super::decision::Decision;
use super::kind::{Kind as _, Place};
use super::policy;
use super::refusal::{Refusal, Stop};
use super::rules::{PenRelease, PenTake};
use super::scene::Scene;
use super::steps::Steps;
use super::view::View;
use crate::model::rows::{MemberRow, PenRow, SpaceRow};
use crate::model::{ChainDigest, Code, ProposalDigest, PublicKey, RowEdits, RowKey, Table};

/// One review, as far as the fold cares: authenticated, bound to this proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vote {
    /// Whose key signed it.
    pub reviewer: PublicKey,
    /// Approve, else reject.
    pub approve: bool,
}

/// An authenticated proposal, as far as the fold cares.
#[derive(Debug, Clone, Copy)]
pub struct Submission<'a> {
    /// Its digest.
    pub digest: ProposalDigest,
    /// The key that signed it.
    pub author: PublicKey,
    /// The chain digest of the page before the one that it is judged for; for a preview, its base's.
    pub after: ChainDigest,
    /// What it decides, in order.
    pub decisions: &'a [Decision],
    /// The reviews that come with it.
    pub votes: &'a [Vote],
}

/// What a proposal does to a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The rows that change.
    pub edits: RowEdits,
    /// Per decision, the keys it wrote; empty where it found everything as it wants it.
    pub touched: Vec<Vec<(Table, RowKey)>>,
}

/// Applies a proposal to a state: whole, or a refusal and no change.
pub fn fold(view: &dyn View, submission: &Submission<'_>) -> Result<Outcome, Stop> {
    let author = require_authorised(view, submission)?;
    let outcome = fold_rules(view, submission)?;
    if let Some(author) = author {
        cosign::require(view, &author, submission, &outcome)?;
    }
    Ok(outcome)
}

/// As [`fold`] on the state below some steps, except that approvals, or a pen that was released, are still to come.
/// The steps are the first of the decisions, as they were drafted; whoever gives none has all of them made here.
pub fn fold_drafted(steps: Steps<'_>, submission: &Submission<'_>) -> Result<Outcome, Stop> {
    let view = steps.scene().base();
    let to_come = |stop: &Stop| matches!(stop.code(), Code::ApprovalsMissing | Code::PenReleased);
    let author = match require_authorised(view, submission) {
        Err(stop) if to_come(&stop) => None,
        other => other?,
    };
    let outcome = make(steps, submission)?;
    if let Some(author) = author {
        match cosign::require(view, &author, submission, &outcome) {
            Err(stop) if !to_come(&stop) => return Err(stop),
            _ => {}
        }
    }
    Ok(outcome)
}

/// Everything that is asked of a proposal before what it decides: its author, unless it is a charter's.
fn require_authorised(
    view: &dyn View,
    submission: &Submission<'_>,
) -> Result<Option<MemberRow>, Stop> {
    let scene = Scene::new(view);
    let founded = scene.has::<SpaceRow>(&RowKey::of(""))?;
    require_after(submission)?;
    let author = authorise(view, submission, founded)?;
    require_pen_in_use(&scene, submission)?;
    Ok(author)
}

/// Said before anything else: no approval makes a take of another page acceptable.
fn require_after(submission: &Submission<'_>) -> Result<(), Stop> {
    for (index, decision) in submission.decisions.iter().enumerate() {
        if let Decision::PenTake(take) = decision {
            take.require_after(&submission.after)
                .map_err(|stop| stop.at(index))?;
        }
    }
    Ok(())
}

/// After a release nothing but a take is valid. A preview does not ask, so that what is proposed meanwhile can
/// be shown and numbered later.
fn require_pen_in_use(scene: &Scene<'_>, submission: &Submission<'_>) -> Result<(), Stop> {
    let is_take = |decision: &Decision| matches!(decision, Decision::PenTake(_));
    if submission.decisions.iter().any(is_take) {
        return Ok(());
    }
    match scene.get::<PenRow>(&RowKey::of(""))? {
        Some(pen) if pen.released => {
            let what = format!(
                "`{}` released the pen: expected a `pen.take` before anything else",
                pen.member
            );
            Stop::refuse(Code::PenReleased, what)
        }
        _ => Ok(()),
    }
}

/// The pen moves in a proposal of its own, so that whoever approves or refuses a take judges that alone. The
/// taker's own appointment may stand before it.
fn require_alone(decisions: &[Decision]) -> Result<(), Stop> {
    for (index, decision) in decisions.iter().enumerate() {
        let (op, alone) = match (decision, decisions) {
            (Decision::PenTake(_), [_]) | (Decision::PenRelease(_), [_]) => continue,
            (Decision::PenTake(take), [Decision::WitnessAppoint(own), _]) => {
                (PenTake::OP, index == 1 && own.member == take.member)
            }
            (Decision::PenTake(_), _) => (PenTake::OP, false),
            (Decision::PenRelease(_), _) => (PenRelease::OP, false),
            _ => continue,
        };
        if !alone {
            let what = format!(
                "expected `{op}` alone in its proposal{}, found {} decisions",
                if op == PenTake::OP {
                    " or after the taker's own `witness.appoint`"
                } else {
                    ""
                },
                decisions.len()
            );
            return Err(Stop::Refused(Refusal::new(Code::NotAlone, what)).at(index));
        }
    }
    Ok(())
}

/// What a proposal makes of a state by the rules alone, whoever its author is: what a preview shows.
pub fn fold_rules(view: &dyn View, submission: &Submission<'_>) -> Result<Outcome, Stop> {
    make(Steps::new(view), submission)
}

/// Makes the decisions that were not drafted, and judges what all of them come to.
fn make(drafted: Steps<'_>, submission: &Submission<'_>) -> Result<Outcome, Stop> {
    if submission.decisions.is_empty() {
        return Stop::refuse(Code::Empty, "expected at least one decision, found none");
    }
    require_alone(submission.decisions)?;
    let mut steps = drafted.wherever();
    let founded = Scene::new(steps.scene().base()).has::<SpaceRow>(&RowKey::of(""))?;
    for (index, decision) in submission.decisions.iter().enumerate() {
        let is_charter = matches!(decision, Decision::SpaceFound(_));
        if is_charter != (!founded && index == 0) {
            let what = "`space.found` is the first decision of the first page, and only that";
            return Err(Stop::Refused(Refusal::new(Code::CharterMisplaced, what)).at(index));
        }
        if index < steps.count() {
            continue;
        }
        let place = Place {
            proposal: submission.digest,
            index: index as u64,
            author: submission.author,
            after: submission.after,
        };
        let made = steps.add(decision, place);
        made.map_err(|stop| stop.at(index))?;
    }
    if touches_authority(steps.touched()) {
        policy::require_changeable(steps.scene())?;
    }
    steps.finish()
}

/// Whether roles or policy changed: then somebody must still be able to change the policy when all of the
/// proposal is applied, the charter included.
fn touches_authority(touched: &[Vec<(Table, RowKey)>]) -> bool {
    let mut tables = touched.iter().flatten().map(|(table, _)| *table);
    tables.any(|table| matches!(table, Table::Roles | Table::Policy | Table::Space))
}

/// Validates one decision and applies it to a scene that already holds the earlier ones; the keys it
/// wrote. A refused one changes nothing there.
pub fn step(
    scene: &mut Scene<'_>,
    decision: &Decision,
    place: Place,
) -> Result<Vec<(Table, RowKey)>, Stop> {
    decision.validate()?;
    let before = scene.take_touched();
    debug_assert!(before.is_empty(), "each step takes what it touched");
    if let Err(stop) = decision.apply(scene, place) {
        // A rule may find out late, when it has made a part of its changes to see what they come to.
        scene.take_back();
        return Err(stop);
    }
    Ok(scene.take_touched())
}

/// Authority is judged in the state before the page, whatever the proposal itself decides about it. The
/// author, unless it is a charter's.
fn authorise(
    view: &dyn View,
    submission: &Submission<'_>,
    founded: bool,
) -> Result<Option<MemberRow>, Stop> {
    let scene = Scene::new(view);
    if !founded {
        return match submission.decisions.first() {
            Some(Decision::SpaceFound(charter)) if charter.founder.key == submission.author => {
                Ok(None)
            }
            Some(Decision::SpaceFound(charter)) => {
                let what = format!(
                    "expected the charter signed by its founder's key {}, found {}",
                    charter.founder.key, submission.author
                );
                Stop::refuse(Code::NotAllowed, what)
            }
            _ => Stop::refuse(
                Code::CharterMisplaced,
                "expected a charter as the first page",
            ),
        };
    }
    let author = policy::member_of(&scene, &submission.author)?;
    let mut book = policy::Rulebook::default();
    for (index, decision) in submission.decisions.iter().enumerate() {
        policy::require_by(&mut book, &scene, &author, decision, submission.votes)
            .map_err(|stop| stop.at(index))?;
    }
    Ok(Some(author))
}

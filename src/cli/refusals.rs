//! Signed reasons: what the witness leaves for the author of a proposal that was refused.

use super::args::Global;
use super::context::{Context, view_of};
use super::identity;
use super::ui::{Ui, escape};
use crate::codec::message::{Reason, Verdict, clean_text};
use crate::crypto::Sign;
use crate::fold::Stop;
use crate::journal::accept::Report;
use crate::journal::queue::Candidate;
use crate::journal::review::{Opinion, write_review};
use crate::journal::{Page, Space, check, judge, refs};
use crate::model::rows::MemberRow;
use crate::model::{Code, ProposalDigest, PublicKey};
use crate::store::{Expect, GitStore, Kind, Objects as _, REFS_AT_ONCE, RefEdit, Refs as _};
use std::collections::BTreeMap;

/// Signs a rejection for every refused proposal that does not have this very reason from us yet, in one
/// pack; per proposal, whether a signed reason stands there now. Where one cannot be left, that is said
/// and nothing else fails: what was numbered is numbered.
pub fn leave(
    context: &Context,
    global: &Global,
    ui: &Ui,
    space: &Space<'_, GitStore>,
    signer: &dyn Sign,
    report: &Report,
) -> anyhow::Result<Vec<bool>> {
    let mut signed = vec![false; report.refused.len()];
    if signed.is_empty() {
        return Ok(signed);
    }
    let Some(reviewer) = holder(context, space, &signer.public_key())? else {
        return Ok(signed);
    };
    let mut objects = Vec::new();
    let mut written: BTreeMap<String, Answer> = BTreeMap::new();
    for (at, (candidate, fault)) in report.refused.iter().enumerate() {
        let digest = candidate.proposal.digest();
        if waits(fault.code) {
            continue;
        }
        if has_reason(candidate, signer, fault.code) {
            signed[at] = true;
            continue;
        }
        // A ref holds one review of ours, and what we said of our own judgement is worth more.
        if approved(candidate, signer) {
            continue;
        }
        // One proposal on two branches, or two whose digests begin alike: a ref holds one reason.
        if let Some(reason) = written.get_mut(&refs::review(&reviewer.handle, &digest)) {
            if reason.digest == digest {
                reason.answers.push(at);
            }
            continue;
        }
        let grounds = Grounds {
            code: fault.code,
            words: &fault.what,
        };
        match reject(context, global, candidate, &grounds, &reviewer, signer) {
            Ok((edit, object)) => {
                objects.push(object);
                let answers = vec![at];
                let name = edit.name.clone();
                let reason = Answer {
                    edit,
                    digest,
                    answers,
                };
                written.insert(name, reason);
            }
            Err(error) => not_left(ui, candidate, &error),
        }
    }
    context.store.write_all(&objects)?;
    for at in publish(context, ui, report, written) {
        signed[at] = true;
    }
    Ok(signed)
}

/// Whether a proposal waits for the taker of the pen, or for bytes to come: it is neither wrong nor its author's
/// to change.
fn waits(code: Code) -> bool {
    matches!(
        code,
        Code::SignerWrong | Code::PenReleased | Code::ArtifactMissing | Code::ArtifactDamaged
    )
}

/// A reason that is written, and which of the refused proposals it answers.
struct Answer {
    edit: RefEdit,
    digest: ProposalDigest,
    answers: Vec<usize>,
}

/// Moves the refs; returns which of the refused proposals have their reason now. A crash before leaves objects that
/// nothing refers to; the next run signs again.
fn publish(
    context: &Context,
    ui: &Ui,
    report: &Report,
    written: BTreeMap<String, Answer>,
) -> Vec<usize> {
    let mut answered = Vec::new();
    let written: Vec<Answer> = written.into_values().collect();
    for reasons in written.chunks(REFS_AT_ONCE) {
        let edits: Vec<RefEdit> = reasons.iter().map(|reason| reason.edit.clone()).collect();
        let together = context.store.apply(&edits).is_ok();
        for reason in reasons {
            let alone = || context.store.apply(std::slice::from_ref(&reason.edit));
            match if together { Ok(()) } else { alone() } {
                Ok(()) => answered.extend(&reason.answers),
                Err(fault) => {
                    let (candidate, _) = &report.refused[reason.answers[0]];
                    not_left(ui, candidate, &fault.into());
                }
            }
        }
    }
    answered
}

fn not_left(ui: &Ui, candidate: &Candidate, error: &anyhow::Error) {
    let (code, what, _) = super::error::parts(error);
    let code = code.map_or("error", Code::as_str);
    let branch = escape(super::proposals::short_name(&candidate.branch.name));
    ui.warn(format!(
        "no signed reason was left for {branch}: {code}: {}",
        escape(&what)
    ));
}

/// The member who holds the pen, if this is the pen's key: nobody else leaves reasons.
pub fn holder(
    context: &Context,
    space: &Space<'_, GitStore>,
    key: &PublicKey,
) -> anyhow::Result<Option<MemberRow>> {
    let page = Page::read(&context.store, space.tip()?)?;
    let view = view_of(&space.tables, &page);
    if check::pen_of(&view)?.key != *key {
        return Ok(None);
    }
    // A holder whose key was rotated goes on numbering with it, but signs nothing else.
    match judge::member_of(&view, key) {
        Ok(member) => Ok(Some(member)),
        Err(Stop::Refused(_)) => Ok(None),
        Err(broken) => Err(broken.into()),
    }
}

fn has_reason(candidate: &Candidate, signer: &dyn Sign, code: Code) -> bool {
    candidate.reviews.iter().any(|review| {
        let reason = review.message().reason.as_ref();
        review.reviewer() == signer.public_key()
            && !review.approves()
            && reason.is_some_and(|reason| reason.as_str() == code.as_str())
    })
}

fn approved(candidate: &Candidate, signer: &dyn Sign) -> bool {
    let mut reviews = candidate.reviews.iter();
    reviews.any(|review| review.reviewer() == signer.public_key() && review.approves())
}

type Written = (RefEdit, (crate::model::Oid, Kind, Vec<u8>));

/// Why a proposal is refused.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// The stable code.
    pub code: Code,
    /// The witness's or the rule's words.
    pub words: &'a str,
}

/// A signed rejection, and the ref that will name it.
pub fn reject(
    context: &Context,
    global: &Global,
    candidate: &Candidate,
    grounds: &Grounds<'_>,
    reviewer: &MemberRow,
    signer: &dyn Sign,
) -> anyhow::Result<Written> {
    let plain: String = grounds
        .words
        .chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .take(2000)
        .collect();
    let opinion = Opinion {
        verdict: Verdict::Reject,
        reason: Some(Reason::from(grounds.code)),
        text: clean_text(&format!("Refused: {}\n\n{plain}", grounds.code))?,
    };
    let when = identity::when(global)?;
    let (id, bytes) = write_review(
        &context.store,
        &candidate.proposal,
        opinion,
        reviewer,
        signer,
        &when,
    )?;
    let name = refs::review(&reviewer.handle, &candidate.proposal.digest());
    let edit = RefEdit {
        expect: context.store.get(&name)?.map_or(Expect::Absent, Expect::At),
        name,
        new: Some(id),
        message: "folio: refuse".into(),
    };
    Ok((edit, (id, Kind::Commit, bytes)))
}

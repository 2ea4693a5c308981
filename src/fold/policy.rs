//! Authority: who may propose what, judged in the state before the page.

use super::apply::Vote;
use super::decision::Decision;
use super::kind::Kind as _;
use super::refusal::Stop;
use super::rules::PolicySet;
use super::scene::Scene;
use crate::model::rows::{KeyRow, KeyStatus, MemberRow, PolicyRow, RoleRow, Tier};
use crate::model::{Code, Handle, PublicKey, RowKey};
use std::collections::BTreeSet;

/// The member whose current key this is.
pub fn member_of(scene: &Scene<'_>, key: &PublicKey) -> Result<MemberRow, Stop> {
    let row: Option<KeyRow> = scene.get(&RowKey::of(key.to_string()))?;
    let Some(row) = row else {
        return Stop::refuse(Code::NotAMember, format!("no member has the key {key}"));
    };
    if row.status != KeyStatus::Current {
        let how = match row.status {
            KeyStatus::Rotated => "rotated away",
            _ => "removed with its member",
        };
        let what = format!("the key {key} of `{}` was {how}", row.member);
        return Stop::refuse(Code::KeyRetired, what);
    }
    match scene.get(&RowKey::of(row.member.as_str()))? {
        Some(member) => Ok(member),
        None => Stop::refuse(Code::NotAMember, format!("`{}` is no member", row.member)),
    }
}

/// The row that decides: the kind's own rows before its family's before `*`, and among those of one
/// scope the longest prefix of the key.
pub fn rule_of(
    scene: &Scene<'_>,
    op: &str,
    family: &str,
    key: &str,
) -> Result<Option<PolicyRow>, Stop> {
    for scope in [op, family, "*"] {
        let rows: Vec<PolicyRow> = scene.list(scope)?;
        let fitting = rows
            .into_iter()
            .filter(|row| key.starts_with(row.prefix.as_str()));
        if let Some(row) = fitting.max_by_key(|row| row.prefix.as_str().len()) {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// How many members hold a role.
pub fn holders(scene: &Scene<'_>, role: &Handle) -> Result<Vec<Handle>, Stop> {
    let rows: Vec<RoleRow> = scene.list(role.as_str())?;
    Ok(rows.into_iter().map(|row| row.member).collect())
}

/// Judges one decision of `author`: role, tier, approvals.
pub fn require_authority(
    scene: &Scene<'_>,
    author: &MemberRow,
    decision: &Decision,
    votes: &[Vote],
) -> Result<(), Stop> {
    // Everybody may replace their own key, else a suspected theft would wait for somebody else.
    if matches!(decision, Decision::MemberRotate(rotate) if rotate.handle == author.handle) {
        return Ok(());
    }
    for key in decision.policy_keys() {
        require_authority_on(scene, author, decision, key, votes)?;
    }
    Ok(())
}

fn require_authority_on(
    scene: &Scene<'_>,
    author: &MemberRow,
    decision: &Decision,
    key: &str,
    votes: &[Vote],
) -> Result<(), Stop> {
    let Some(rule) = rule_of(scene, decision.op(), decision.family().as_str(), key)? else {
        let what = format!(
            "no policy row covers `{}` on `{key}`, so nobody may propose it",
            decision.op()
        );
        return Stop::refuse(Code::NotAllowed, what);
    };
    if matches!(rule.tier, Tier::Local | Tier::Eventual) {
        let what = format!(
            "`{}` on `{key}` is of another tier than `witness` and `quorum`",
            decision.op()
        );
        return Stop::refuse(Code::TierUnsupported, what);
    }
    if !rule.roles.iter().any(|role| author.roles.contains(role)) {
        let words = |roles: &[Handle]| {
            roles
                .iter()
                .map(Handle::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let what = format!(
            "`{}` on `{key}` needs one of the roles [{}], `{}` holds [{}]",
            decision.op(),
            words(&rule.roles),
            author.handle,
            words(&author.roles)
        );
        return Stop::refuse(Code::NotAllowed, what);
    }
    require_approvals(scene, author, &rule, votes)
}

fn require_approvals(
    scene: &Scene<'_>,
    author: &MemberRow,
    rule: &PolicyRow,
    votes: &[Vote],
) -> Result<(), Stop> {
    if rule.approvals.is_empty() {
        return Ok(());
    }
    let mut approved = BTreeSet::new();
    let mut rejected = BTreeSet::new();
    for vote in votes {
        // A key that is no longer current, or never was, does not count; it is no fault of the proposal.
        let member = match member_of(scene, &vote.reviewer) {
            Ok(member) => member,
            Err(Stop::Refused(_)) => continue,
            Err(broken) => return Err(broken),
        };
        match vote.approve {
            true => approved.insert(member.handle),
            false => rejected.insert(member.handle),
        };
    }
    for needed in &rule.approvals {
        let holders: BTreeSet<_> = holders(scene, &needed.role)?.into_iter().collect();
        let counted = approved.difference(&rejected).filter(|handle| {
            holders.contains(*handle) && (rule.self_approval || **handle != author.handle)
        });
        let found = counted.count() as u64;
        if found < needed.count {
            let what = format!(
                "expected {} approvals of role `{}`, found {found}",
                needed.count, needed.role
            );
            return Stop::refuse(Code::ApprovalsMissing, what);
        }
    }
    Ok(())
}

/// Policy must stay changeable: some member must be able to propose a change of `policy.set` itself, in a
/// tier that is numbered, and others must be able to give the approvals it then needs.
pub fn require_changeable(scene: &Scene<'_>) -> Result<(), Stop> {
    let (op, family) = (PolicySet::OP, PolicySet::FAMILY.as_str());
    let rule = rule_of(scene, op, family, op)?;
    if let Some(rule) = rule
        && matches!(rule.tier, Tier::Witness | Tier::Quorum)
        && somebody_can(scene, &rule)?
    {
        return Ok(());
    }
    let what =
        "nobody could change the policy any more: by role, by tier, or for want of approvals";
    Stop::refuse(Code::PolicyUnsafe, what)
}

/// Whether some member may propose under this rule, and enough others could approve it.
fn somebody_can(scene: &Scene<'_>, rule: &PolicyRow) -> Result<bool, Stop> {
    let mut approvers = Vec::new();
    for needed in &rule.approvals {
        let holders: BTreeSet<Handle> = holders(scene, &needed.role)?.into_iter().collect();
        approvers.push((needed.count, holders));
    }
    let enough = |author: &Handle| {
        approvers.iter().all(|(count, holders)| {
            let own = !rule.self_approval && holders.contains(author);
            holders.len() as u64 - u64::from(own) >= *count
        })
    };
    for role in &rule.roles {
        if holders(scene, role)?.iter().any(enough) {
            return Ok(true);
        }
    }
    Ok(false)
}

//! Authority: who may propose what, judged in the state before the page.

use super::apply::Vote;
use super::decision::Decision;
use super::kind::Kind as _;
use super::refusal::Stop;
use super::rules::{PenTake, PolicySet, TakeFrom};
use super::scene::Scene;
use crate::model::rows::{
    Approvals, KeyRow, KeyStatus, MemberRow, PenRow, PolicyRow, RoleRow, Tier,
};
use crate::model::{Code, Handle, Name, Prefix, PublicKey, RowKey, limits};
use std::collections::BTreeSet;

/// The member whose current key this is.
pub fn member_of(scene: &Scene<'_>, key: &PublicKey) -> Result<MemberRow, Stop> {
    let row: Option<KeyRow> = scene.get(&RowKey::of(key))?;
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
    match scene.get(&RowKey::of(&row.member))? {
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
    let mut book = Rulebook::default();
    let known = book.rule(scene, [op, family, "*"], key)?;
    Ok(known.map(|known| known.row.clone()))
}

/// A policy row, and the kinds that the author of one proposal may decide by it.
struct Known {
    row: PolicyRow,
    passed: Vec<&'static str>,
}

/// The policy of one state, read once for all decisions of one proposal, and what was found by it for its author
/// and its votes: the rows of each scope that was asked for. There are as many as kinds and families of them, at most.
#[derive(Default)]
pub struct Rulebook(Vec<(String, Vec<Known>)>);

impl Rulebook {
    fn rule(
        &mut self,
        scene: &Scene<'_>,
        scopes: [&str; 3],
        key: &str,
    ) -> Result<Option<&mut Known>, Stop> {
        for scope in scopes {
            let at = self.scope(scene, scope)?;
            let rows = self.0[at].1.iter().enumerate();
            let prefix = |known: &Known| known.row.prefix.as_str().len();
            let fitting = rows.filter(|(_, known)| key.starts_with(known.row.prefix.as_str()));
            if let Some((row, _)) = fitting.max_by_key(|(_, known)| prefix(known)) {
                return Ok(Some(&mut self.0[at].1[row]));
            }
        }
        Ok(None)
    }

    /// Where the rows of a scope are.
    fn scope(&mut self, scene: &Scene<'_>, scope: &str) -> Result<usize, Stop> {
        if let Some(at) = self.0.iter().position(|(known, _)| known == scope) {
            return Ok(at);
        }
        let rows: Vec<PolicyRow> = scene.list(scope)?;
        let known = rows.into_iter().map(|row| Known {
            row,
            passed: Vec::new(),
        });
        self.0.push((scope.to_owned(), known.collect()));
        Ok(self.0.len() - 1)
    }
}

/// How many members hold a role.
pub fn holders(scene: &Scene<'_>, role: &Handle) -> Result<Vec<Handle>, Stop> {
    let rows: Vec<RoleRow> = scene.list(role.as_str())?;
    Ok(rows.into_iter().map(|row| row.member).collect())
}

/// The word in a policy row's scope whose rows alone say who may take the pen.
const TAKE: &str = PenTake::OP;
/// Who takes the pen: the rule itself asks that they are appointed.
const WITNESS: &str = "witness";
/// Who approves that a pen is taken from its holder, where no row says otherwise.
const RECOVERY: &str = "recovery";

/// The row that decides about a decision on one of its policy keys.
pub fn governing(
    scene: &Scene<'_>,
    decision: &Decision,
    key: &str,
) -> Result<Option<PolicyRow>, Stop> {
    match decision {
        Decision::PenTake(take) => take_rule(scene, take.from).map(Some),
        _ => rule_of(scene, decision.op(), decision.family().as_str(), key),
    }
}

/// The rule for taking a pen that is there: of the rows of the scope `pen.take` the one with the longest
/// prefix of that word, else the built-in one. Rows of `pen` and `*` do not cover it.
pub fn take_rule(scene: &Scene<'_>, from: TakeFrom) -> Result<PolicyRow, Stop> {
    let rows: Vec<PolicyRow> = scene.list(TAKE)?;
    let fitting = rows
        .into_iter()
        .filter(|row| from.as_str().starts_with(row.prefix.as_str()));
    let given = fitting.max_by_key(|row| row.prefix.as_str().len());
    Ok(given.unwrap_or_else(|| built_in_take_rule(from)))
}

fn built_in_take_rule(from: TakeFrom) -> PolicyRow {
    let role = |word: &str| Handle::new(word).expect("built-in roles are handles");
    let (approvals, tier) = match from {
        TakeFrom::Released => (Vec::new(), Tier::Witness),
        TakeFrom::Held => {
            let role = role(RECOVERY);
            (vec![Approvals { count: 1, role }], Tier::Quorum)
        }
    };
    PolicyRow {
        approvals,
        lock_delay: None,
        prefix: Prefix::new(from.as_str()).expect("a plain word"),
        roles: vec![role(WITNESS)],
        safe: None,
        scope: Name::new(TAKE).expect("a plain word"),
        self_approval: false,
        tier,
        ttl: None,
    }
}

/// Judges one decision of `author`: role, tier, approvals.
pub fn require_authority(
    scene: &Scene<'_>,
    author: &MemberRow,
    decision: &Decision,
    votes: &[Vote],
) -> Result<(), Stop> {
    require_by(&mut Rulebook::default(), scene, author, decision, votes)
}

/// As [`require_authority`], by a rulebook of that scene, that author and those votes.
pub fn require_by(
    book: &mut Rulebook,
    scene: &Scene<'_>,
    author: &MemberRow,
    decision: &Decision,
    votes: &[Vote],
) -> Result<(), Stop> {
    match decision {
        // Everybody may replace their own key, else a suspected theft would wait for somebody else.
        Decision::MemberRotate(rotate) if rotate.handle == author.handle => return Ok(()),
        Decision::PenRelease(_) => return require_holder(scene, author),
        _ => {}
    }
    for key in decision.policy_keys() {
        require_authority_on(book, scene, author, decision, &key, votes)?;
    }
    Ok(())
}

/// The pen is laid down by whoever holds it, with whatever key of theirs is current.
fn require_holder(scene: &Scene<'_>, author: &MemberRow) -> Result<(), Stop> {
    let pen: Option<PenRow> = scene.get(&RowKey::of(""))?;
    match pen {
        Some(pen) if pen.member == author.handle => Ok(()),
        Some(pen) => {
            let what = format!("`{}` holds the pen, not `{}`", pen.member, author.handle);
            Stop::refuse(Code::NotAllowed, what)
        }
        None => Stop::refuse(Code::NotAllowed, "there is no pen"),
    }
}

fn require_authority_on(
    book: &mut Rulebook,
    scene: &Scene<'_>,
    author: &MemberRow,
    decision: &Decision,
    key: &str,
    votes: &[Vote],
) -> Result<(), Stop> {
    if let Decision::PenTake(take) = decision {
        let rule = take_rule(scene, take.from)?;
        return require_rule(scene, author, decision, key, &rule, votes);
    }
    let op = decision.op();
    let scopes = [op, decision.family().as_str(), "*"];
    let Some(known) = book.rule(scene, scopes, key)? else {
        let what = format!("no policy row covers `{op}` on `{key}`, so nobody may propose it");
        return Stop::refuse(Code::NotAllowed, what);
    };
    // What a row asks for depends on the author, the kind and the votes, and on no key.
    if !known.passed.contains(&op) {
        require_rule(scene, author, decision, key, &known.row, votes)?;
        known.passed.push(op);
    }
    Ok(())
}

/// Judges by the row that decides.
fn require_rule(
    scene: &Scene<'_>,
    author: &MemberRow,
    decision: &Decision,
    key: &str,
    rule: &PolicyRow,
    votes: &[Vote],
) -> Result<(), Stop> {
    if matches!(rule.tier, Tier::Local | Tier::Eventual) {
        let what = format!(
            "`{}` on `{key}` is of another tier than `witness` and `quorum`",
            decision.op()
        );
        return Stop::refuse(Code::TierUnsupported, what);
    }
    let takes = matches!(decision, Decision::PenTake(_));
    let holds = |role: &Handle| author.roles.contains(role) || (takes && role.as_str() == WITNESS);
    if !rule.roles.iter().any(holds) {
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
    if rule.approvals.is_empty() {
        return Ok(());
    }
    let approving = approving(scene, votes)?;
    require_approvals(scene, author, rule, &approving, "")
}

/// The members whose approval counts by itself: by a key that is current in this state, once per member,
/// never beside a rejection of the same member.
pub(super) fn approving(scene: &Scene<'_>, votes: &[Vote]) -> Result<BTreeSet<Handle>, Stop> {
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
    Ok(approved.difference(&rejected).cloned().collect())
}

/// Asks for what a row needs of each role; who holds it is read in the scene. `whose` is said of the policy.
pub(super) fn require_approvals(
    scene: &Scene<'_>,
    author: &MemberRow,
    rule: &PolicyRow,
    approving: &BTreeSet<Handle>,
    whose: &str,
) -> Result<(), Stop> {
    for needed in &rule.approvals {
        let holders: BTreeSet<_> = holders(scene, &needed.role)?.into_iter().collect();
        let counted = approving.iter().filter(|handle| {
            holders.contains(*handle) && (rule.self_approval || **handle != author.handle)
        });
        let found = counted.count() as u64;
        let asked = needed.count.max(floor_of(rule, holders.len()));
        if found < asked {
            let what = format!(
                "expected {asked} approvals of role `{}`{whose}, found {found}",
                needed.role
            );
            return Stop::refuse(Code::ApprovalsMissing, what);
        }
    }
    Ok(())
}

/// Whether these votes are the approvals that a row asks of an author in this state; never where it asks for none.
pub fn is_approved(
    scene: &Scene<'_>,
    author: &MemberRow,
    rule: &PolicyRow,
    votes: &[Vote],
) -> Result<bool, Stop> {
    if rule.approvals.is_empty() {
        return Ok(false);
    }
    match require_approvals(scene, author, rule, &approving(scene, votes)?, "") {
        Ok(()) => Ok(true),
        Err(Stop::Refused(_)) => Ok(false),
        Err(broken) => Err(broken),
    }
}

/// How many approvals a row needs of a role today: what it says, and with `safe` more than half of all who
/// hold the role and of those who may lie.
pub fn required(scene: &Scene<'_>, rule: &PolicyRow, needed: &Approvals) -> Result<u64, Stop> {
    Ok(needed.count.max(floor(scene, rule, needed)?))
}

/// The least count that is safe today: 0 where the row does not ask for it.
pub fn floor(scene: &Scene<'_>, rule: &PolicyRow, needed: &Approvals) -> Result<u64, Stop> {
    if rule.safe.is_none() {
        return Ok(0);
    }
    Ok(floor_of(rule, holders(scene, &needed.role)?.len()))
}

/// Two quorums of this size share more members than may lie.
fn floor_of(rule: &PolicyRow, holders: usize) -> u64 {
    rule.safe
        .map_or(0, |liars| (holders as u64).saturating_add(liars) / 2 + 1)
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

/// A pen that was laid down must be taken before anything else happens, so somebody must be able to: at least
/// whoever lays it down.
pub fn require_takeable(scene: &Scene<'_>, holder: &Handle) -> Result<(), Stop> {
    let rule = take_rule(scene, TakeFrom::Released)?;
    let member: Option<MemberRow> = scene.get(&RowKey::of(holder))?;
    let holds = |role: &Handle| {
        let given = member.as_ref().is_some_and(|row| row.roles.contains(role));
        given || role.as_str() == WITNESS
    };
    let numbered = matches!(rule.tier, Tier::Witness | Tier::Quorum);
    if numbered && rule.roles.iter().any(holds) && enough_others(scene, &rule, [holder])? {
        return Ok(());
    }
    let what = format!("by the policy of `pen.take` not even `{holder}` could take it again");
    Stop::refuse(Code::PolicyUnsafe, what)
}

/// Whether some member may propose under this rule, and enough others could approve it.
fn somebody_can(scene: &Scene<'_>, rule: &PolicyRow) -> Result<bool, Stop> {
    for role in &rule.roles {
        if enough_others(scene, rule, &holders(scene, role)?)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether one of these authors would find as many others as the rule asks to approve it.
fn enough_others<'h>(
    scene: &Scene<'_>,
    rule: &PolicyRow,
    authors: impl IntoIterator<Item = &'h Handle>,
) -> Result<bool, Stop> {
    let mut approvers = Vec::new();
    for needed in &rule.approvals {
        let holders: BTreeSet<Handle> = holders(scene, &needed.role)?.into_iter().collect();
        let asked = needed.count.max(floor_of(rule, holders.len()));
        if asked > limits::APPROVALS {
            // A page has room for so many reviews, however many hold the role.
            return Ok(false);
        }
        approvers.push((asked, holders));
    }
    let enough = |author: &Handle| {
        approvers.iter().all(|(count, holders)| {
            let own = !rule.self_approval && holders.contains(author);
            holders.len() as u64 - u64::from(own) >= *count
        })
    };
    Ok(authors.into_iter().any(enough))
}

//! Which reviews of a proposal count for what the policy asks, and why the others do not.

use super::fault::Fault;
use super::judge::{self, Judgement};
use super::proposal::Proposal;
use super::queue::{self, Candidate};
use super::review::Review;
use crate::fold::apply::fold_rules;
use crate::fold::{Decision, Family, Outcome, Scene, Stop, Submission, View, Vote, cosign, policy};
use crate::model::rows::{KeyRow, MemberRow, PolicyRow};
use crate::model::{ChainDigest, Code, Handle, Oid, RowKey, limits};
use crate::state::{Tables, TreeView};
use crate::store::Store;
use std::collections::{BTreeMap, BTreeSet};

/// So many approvals of one role, as the policy asks of some decision of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The role.
    pub role: Handle,
    /// How many members must approve.
    pub count: u64,
    /// Whether the author's own approval counts.
    pub self_approval: bool,
    /// Whether it is the policy that the proposal makes which asks for them.
    pub afterwards: bool,
    /// Who holds the role in the state that is asked.
    pub holders: BTreeSet<Handle>,
    /// Who approved and counts, sorted.
    pub found: BTreeSet<Handle>,
}

impl Need {
    /// How many are still missing.
    pub fn missing(&self) -> u64 {
        self.count.saturating_sub(self.found.len() as u64)
    }
}

/// What a review is worth today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// It is an approval that the policy asks for.
    Counts,
    /// It rejects. That adds to nothing and takes back the reviewer's own approval.
    Rejects,
    /// Its key is nobody's.
    NotAMember,
    /// Its key was rotated away or removed.
    KeyRetired,
    /// It stands under another address than its reviewer's.
    EmailMismatch,
    /// The policy asks for no approval of this proposal.
    NotAsked,
    /// Its reviewer is the author, whose own approval does not count here.
    Own,
    /// Its reviewer holds none of the roles that are asked for.
    OtherRole,
    /// Its reviewer also rejects the proposal.
    AlsoRejects,
    /// Another approval by the same member counts already.
    Again,
}

impl Worth {
    /// Why it does not count, in words for people; none where it counts.
    pub fn why(self) -> Option<&'static str> {
        Some(match self {
            Worth::Counts => return None,
            Worth::Rejects => {
                "a rejection takes back the reviewer's own approval and nobody else's"
            }
            Worth::NotAMember => "the key is no member's",
            Worth::KeyRetired => "the key was rotated away or removed",
            Worth::EmailMismatch => "it stands under another address than the reviewer's",
            Worth::NotAsked => "the policy asks for no approval here",
            Worth::Own => "the author's own approval does not count here",
            Worth::OtherRole => "the reviewer holds none of the roles asked for",
            Worth::AlsoRejects => "the reviewer also rejects it",
            Worth::Again => "the reviewer approved once already",
        })
    }

    /// The same in one word, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Worth::Counts => "counts",
            Worth::Rejects => "rejects",
            Worth::NotAMember => "not-a-member",
            Worth::KeyRetired => "key-retired",
            Worth::EmailMismatch => "email-mismatch",
            Worth::NotAsked => "not-asked",
            Worth::Own => "own",
            Worth::OtherRole => "other-role",
            Worth::AlsoRejects => "also-rejects",
            Worth::Again => "again",
        }
    }
}

/// One review and what it is worth.
#[derive(Debug, Clone)]
pub struct Mark {
    /// The review.
    pub review: Review,
    /// Whose key signed it, now or once.
    pub member: Option<Handle>,
    /// What it is worth.
    pub worth: Worth,
}

/// The reviews of a proposal, held against the policy of a state.
#[derive(Debug, Clone)]
pub struct Tally {
    /// What the policy asks for; empty where it asks for nothing.
    pub needs: Vec<Need>,
    /// Every review, in the order given.
    pub marks: Vec<Mark>,
}

impl Tally {
    /// Whether nothing is missing.
    pub fn complete(&self) -> bool {
        self.needs.iter().all(|need| need.missing() == 0)
    }

    /// The approvals that become parents of the page, sorted by digest: every need is served first, and then
    /// there is room for others that count. Nobody crowds out anybody by reviews that do not.
    pub fn parents(&self) -> Vec<Review> {
        let most = limits::PARENTS - 2;
        let counting = || self.marks.iter().filter(|mark| mark.worth == Worth::Counts);
        let mut chosen: BTreeSet<&Handle> = BTreeSet::new();
        for need in &self.needs {
            let serving = need.found.iter().take(need.count as usize);
            chosen.extend(serving);
        }
        for mark in counting() {
            if chosen.len() >= most {
                break;
            }
            chosen.extend(mark.member.as_ref());
        }
        let is_chosen = |mark: &&Mark| mark.member.as_ref().is_some_and(|m| chosen.contains(m));
        let mut parents: Vec<Review> = counting()
            .filter(is_chosen)
            .map(|mark| mark.review.clone())
            .collect();
        parents.truncate(most);
        parents.sort_by_key(Review::digest);
        parents
    }
}

/// Holds the reviews of a proposal against the policy of a state. Each member counts once.
pub fn tally(view: &dyn View, proposal: &Proposal, reviews: &[Review]) -> Result<Tally, Fault> {
    let author = owner(&Scene::new(view), proposal)?;
    let mut needs = needs(view, author.as_ref(), proposal)?;
    let mut marks = Vec::with_capacity(reviews.len());
    for review in reviews {
        let (member, worth) = standing_of(view, review, reviews)?;
        let mut mark = Mark {
            review: review.clone(),
            member,
            worth,
        };
        if let (Worth::Counts, Some(member)) = (mark.worth, &mark.member) {
            mark.worth = enter(&mut needs, author.as_ref(), member);
        }
        marks.push(mark);
    }
    Ok(Tally { needs, marks })
}

/// Whose key signed a proposal, now or once.
fn owner(scene: &Scene<'_>, proposal: &Proposal) -> Result<Option<Handle>, Stop> {
    let row: Option<KeyRow> = scene.get(&RowKey::of(&proposal.author()))?;
    Ok(row.map(|row| row.member))
}

/// What the policy asks for, all decisions taken together: that of the state, and where the proposal changes
/// it, the one that it makes.
fn needs(view: &dyn View, author: Option<&Handle>, proposal: &Proposal) -> Result<Vec<Need>, Stop> {
    let scene = Scene::new(view);
    let mut asked = Asked::new();
    for decision in proposal.decisions() {
        // As in `policy::require_authority`: one's own key needs nobody, nor does laying down the pen.
        match decision {
            Decision::MemberRotate(rotate) if Some(&rotate.handle) == author => continue,
            Decision::PenRelease(_) => continue,
            _ => {}
        }
        for key in decision.policy_keys() {
            if let Some(rule) = policy::governing(&scene, decision, &key)? {
                ask(&mut asked, &scene, &rule, false)?;
            }
        }
    }
    if let Some(outcome) = outcome_of(view, proposal)? {
        let mut each = |_, after: &Scene<'_>, rule: &PolicyRow| ask(&mut asked, after, rule, true);
        cosign::asked(view, proposal.decisions(), &outcome, &mut each)?;
    }
    let need = |((role, self_approval, afterwards), (count, holders))| Need {
        role,
        count,
        self_approval,
        afterwards,
        holders,
        found: BTreeSet::new(),
    };
    Ok(asked.into_iter().map(need).collect())
}

/// By role, whether one's own counts, and whether the policy afterwards asks: how many, and of whom.
type Asked = BTreeMap<(Handle, bool, bool), (u64, BTreeSet<Handle>)>;

fn ask(
    asked: &mut Asked,
    scene: &Scene<'_>,
    rule: &PolicyRow,
    afterwards: bool,
) -> Result<(), Stop> {
    for needed in &rule.approvals {
        let required = policy::required(scene, rule, needed)?;
        let holders = policy::holders(scene, &needed.role)?;
        let key = (needed.role.clone(), rule.self_approval, afterwards);
        let (count, known) = asked.entry(key).or_default();
        *count = required.max(*count);
        known.extend(holders);
    }
    Ok(())
}

/// What a proposal makes of a state by the rules, where that can change who must approve; nothing where the
/// rules refuse it.
fn outcome_of(view: &dyn View, proposal: &Proposal) -> Result<Option<Outcome>, Stop> {
    let changes = |decision: &Decision| decision.family() == Family::Charter;
    if !proposal.decisions().iter().any(changes) {
        return Ok(None);
    }
    let submission = Submission {
        digest: proposal.digest(),
        author: proposal.author(),
        // Nothing that relies on it changes the policy or who holds roles.
        after: proposal.base().chain,
        decisions: proposal.decisions(),
        votes: &[],
    };
    match fold_rules(view, &submission) {
        Ok(outcome) => Ok(Some(outcome)),
        Err(Stop::Refused(_)) => Ok(None),
        Err(broken) => Err(broken),
    }
}

/// What a review is worth by itself and beside the others, before roles are looked at.
fn standing_of(
    view: &dyn View,
    review: &Review,
    all: &[Review],
) -> Result<(Option<Handle>, Worth), Fault> {
    let key = review.reviewer();
    let row: Option<KeyRow> = Scene::new(view).get(&RowKey::of(&key))?;
    let member = row.map(|row| row.member);
    let worth = match judge::member_of(view, &key) {
        Ok(_) if !review.approves() => Worth::Rejects,
        Ok(_) => match judge::require_address(view, &key, review.commit()) {
            Ok(()) if also_rejects(review, all) => Worth::AlsoRejects,
            Ok(()) => Worth::Counts,
            Err(fault) if fault.is_damage() || fault.is_environment() => return Err(fault),
            Err(_) => Worth::EmailMismatch,
        },
        Err(Stop::Refused(refusal)) if refusal.code == Code::KeyRetired => Worth::KeyRetired,
        Err(Stop::Refused(_)) => Worth::NotAMember,
        Err(broken) => return Err(broken.into()),
    };
    Ok((member, worth))
}

fn also_rejects(review: &Review, all: &[Review]) -> bool {
    let key = review.reviewer();
    all.iter()
        .any(|other| other.reviewer() == key && !other.approves())
}

/// Counts a member's approval wherever it is asked for.
fn enter(needs: &mut [Need], author: Option<&Handle>, member: &Handle) -> Worth {
    if needs.is_empty() {
        return Worth::NotAsked;
    }
    let (mut own, mut again, mut counts) = (false, false, false);
    for need in needs {
        if !need.holders.contains(member) {
            continue;
        }
        if author == Some(member) && !need.self_approval {
            own = true;
        } else if need.found.insert(member.clone()) {
            counts = true;
        } else {
            again = true;
        }
    }
    match (counts, again, own) {
        (true, ..) => Worth::Counts,
        (_, true, _) => Worth::Again,
        (_, _, true) => Worth::Own,
        _ => Worth::OtherRole,
    }
}

/// Judges a candidate on a state as if everybody had approved it whose approval the policy asks for: what it
/// would do once it has its approvals. `after` is the chain digest of the page with that state.
pub fn foresee<S: Store>(
    tables: &Tables<'_, S>,
    root: Oid,
    after: ChainDigest,
    candidate: &Candidate,
) -> Result<Judgement, Fault> {
    queue::require_own_branch(tables, root, candidate)?;
    let proposal = &candidate.proposal;
    let view = TreeView::new(tables, Some(root));
    let scene = Scene::new(&view);
    let author = owner(&scene, proposal)?;
    let needs = needs(&view, author.as_ref(), proposal)?;
    let mut votes = Vec::new();
    for holder in needs.iter().flat_map(|need| &need.holders) {
        let row: Option<MemberRow> = scene.get(&RowKey::of(holder))?;
        votes.extend(row.map(|member| Vote {
            reviewer: member.key,
            approve: true,
        }));
    }
    judge::judge_votes(tables, Some(root), after, proposal, &votes)
}

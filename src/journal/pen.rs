//! The pen: where it is, who may take it and how, and the decisions that move it. Nothing here moves it: that is
//! done by proposing those decisions and numbering them, as with any others.

use super::check;
use super::fault::Fault;
use super::judge;
use super::page::Page;
use super::proposal::Proposal;
use super::review::Review;
use super::space::Space;
use crate::fold::rules::{PenRelease, PenTake, TakeFrom, WitnessAppoint};
use crate::fold::{Decision, Scene, View, Vote, policy};
use crate::model::rows::{MemberRow, PenRow, PolicyRow, WitnessRow};
use crate::model::{Handle, Oid, RowKey, Slug};
use crate::state::TreeView;
use crate::store::Store;

/// Where the pen is in a state, and on which terms it is taken there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Who holds it, or laid it down last.
    pub pen: PenRow,
    /// The row that decides who takes it as it is now; the built-in one where there is none.
    pub terms: PolicyRow,
    /// How many approvals of which role a take needs today.
    pub approvals: Vec<(u64, Handle)>,
}

impl Standing {
    /// Reads it.
    pub fn of(view: &dyn View) -> Result<Self, Fault> {
        let scene = Scene::new(view);
        let pen = check::pen_of(view)?;
        let terms = policy::take_rule(&scene, TakeFrom::of(&pen))?;
        let mut approvals = Vec::new();
        for needed in &terms.approvals {
            let count = policy::required(&scene, &terms, needed)?;
            approvals.push((count, needed.role.clone()));
        }
        Ok(Self {
            pen,
            terms,
            approvals,
        })
    }

    /// Whether nobody may take it as it is now, whatever they have.
    pub fn is_closed(&self) -> bool {
        self.terms.roles.is_empty()
    }
}

/// Whether a member is an appointed witness.
pub fn is_appointed(view: &dyn View, member: &Handle) -> Result<bool, Fault> {
    Ok(Scene::new(view).has::<WitnessRow>(&RowKey::of(member))?)
}

/// The decisions by which a member takes the pen right after a page; with `appoint`, which appoint them first.
pub fn take(
    page: &Page,
    pen: &PenRow,
    member: &MemberRow,
    instance: Option<Slug>,
    appoint: bool,
) -> Vec<Decision> {
    let own = Decision::WitnessAppoint(WitnessAppoint {
        member: member.handle.clone(),
    });
    let take = Decision::PenTake(PenTake {
        after: page.message.chain,
        epoch: pen.epoch.next(),
        from: TakeFrom::of(pen),
        instance,
        key: member.key,
        member: member.handle.clone(),
    });
    appoint.then_some(own).into_iter().chain([take]).collect()
}

/// The decision by which the holder lays the pen down.
pub fn release(view: &dyn View) -> Result<Decision, Fault> {
    let epoch = check::pen_of(view)?.epoch;
    let mut decision = Decision::PenRelease(PenRelease { epoch, was: None });
    decision.refresh(&Scene::new(view), true)?;
    Ok(decision)
}

/// Whether a verified page takes the pen on terms that asked for approvals: a reader follows no other take away
/// from pages that it has. The approvals are over that very `after`, because they bind the proposal's digest.
pub fn is_approved_take<S: Store>(space: &Space<'_, S>, page: &Page) -> Result<bool, Fault> {
    let Some(previous) = page.previous() else {
        return Ok(false);
    };
    let tables = &space.tables;
    let id = page.proposal();
    let proposal = Proposal::authenticate(tables, space.store, Some(&space.id), id)?;
    let Some(take) = check::take_in(&proposal) else {
        return Ok(false);
    };
    let before = Page::read(space.store, previous)?.tree();
    let terms = policy::take_rule(&Scene::new(&TreeView::new(tables, Some(before))), take.from)?;
    Ok(!terms.approvals.is_empty())
}

/// Whether the approvals of such a take are also those that another state asks for, by its policy and of those
/// who hold its roles: whoever numbers pages by themselves brings no voters of their own.
pub fn is_approved_in<S: Store>(
    space: &Space<'_, S>,
    page: &Page,
    root: Oid,
) -> Result<bool, Fault> {
    let (tables, store) = (&space.tables, space.store);
    let proposal = Proposal::authenticate(tables, store, Some(&space.id), page.proposal())?;
    let (Some(take), Some(previous)) = (check::take_in(&proposal), page.previous()) else {
        return Ok(false);
    };
    let mut votes = Vec::new();
    for id in page.reviews() {
        let review = Review::authenticate(store, &proposal, *id)?;
        votes.push(Vote {
            reviewer: review.reviewer(),
            approve: review.approves(),
        });
    }
    let before = Page::read(store, previous)?.tree();
    let taker = judge::member_of(&TreeView::new(tables, Some(before)), &take.key)?;
    let view = TreeView::new(tables, Some(root));
    let scene = Scene::new(&view);
    let terms = policy::take_rule(&scene, take.from)?;
    Ok(policy::is_approved(&scene, &taker, &terms, &votes)?)
}

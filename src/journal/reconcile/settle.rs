//! Moving `main` to what was verified: forward, or over to a chain that an approved take-over leads.

use super::apply::apply_each;
use crate::fold::{Scene, View};
use crate::journal::fault::Fault;
use crate::journal::history::History;
use crate::journal::judge;
use crate::journal::page::Page;
use crate::journal::proposal::Proposal;
use crate::journal::refs;
use crate::journal::review::Review;
use crate::journal::space::Space;
use crate::journal::verify::Branch;
use crate::model::rows::KeyRow;
use crate::model::{Number, Oid, ProposalDigest, RowKey, Slug};
use crate::state::TreeView;
use crate::store::{Expect, RefEdit, Store};
use std::collections::BTreeSet;

/// A move of `main` that is decided and not yet made.
#[must_use = "main has not moved yet"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The branches of what goes back to the queue. They come first: between this and the move a crash leaves
    /// branches that say nothing new.
    before: Vec<RefEdit>,
    /// The refs that change together.
    edits: Vec<RefEdit>,
    /// Where `main` will be.
    pub to: Oid,
    /// Where the pages that are cut off are kept, if some are.
    pub lost: Option<String>,
    /// The branches of proposals that only those pages had numbered: back in the queue.
    pub returned: Vec<String>,
}

impl Move {
    /// Makes it. A crash before `main` moves loses nothing, and one after it is made up for by the next run, which
    /// finds the same page on both sides.
    ///
    /// # Errors
    /// `race-lost` where `main` moved meanwhile; those of the store.
    pub fn make<S: Store>(&self, store: &S) -> Result<(), Fault> {
        apply_each(store, &self.before)?;
        Ok(store.apply(&self.edits)?)
    }
}

/// Forward along verified pages.
pub fn forward(history: &History<'_>, branch: &Branch) -> Option<Move> {
    let (from, to) = (history.tip()?.id, *branch.pages.last()?);
    Some(Move {
        before: Vec::new(),
        edits: vec![main_edit(from, to, "folio: fetch")],
        to,
        lost: None,
        returned: Vec::new(),
    })
}

/// Over to another, verified chain: our pages after the fork are kept by name, and the proposals that only they
/// had numbered are branches again, and so are the reviews that counted for them.
pub fn over<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    branch: &Branch,
) -> Result<Move, Fault> {
    let tip = history.tip().expect("an open space has a tip");
    let to = *branch.pages.last().expect("a fork has pages");
    let lost = format!("{}{}", refs::LOST, tip.message.chain.short());
    let mut edits = vec![
        RefEdit {
            name: lost.clone(),
            expect: Expect::Any,
            new: Some(tip.id),
            message: "folio: cut off by a take-over".into(),
        },
        main_edit(tip.id, to, "folio: follow a take-over"),
    ];
    // What stood beside ours is ours now.
    for (name, id) in space.store.list(refs::OTHER)? {
        if branch.pages.contains(&id) {
            edits.push(RefEdit {
                name,
                expect: Expect::At(id),
                new: None,
                message: "folio: followed".into(),
            });
        }
    }
    let returned = returned(space, history, branch)?;
    let proposals = returned.iter().map(|edit| edit.name.clone());
    let names = proposals
        .filter(|name| name.starts_with(refs::PROPOSALS))
        .collect();
    Ok(Move {
        before: returned,
        edits,
        to,
        lost: Some(lost),
        returned: names,
    })
}

fn main_edit(from: Oid, to: Oid, message: &str) -> RefEdit {
    RefEdit {
        name: refs::MAIN.into(),
        expect: Expect::At(from),
        new: Some(to),
        message: message.into(),
    }
}

/// The proposals of the pages that are cut and that the other chain did not number, with their reviews.
fn returned<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    branch: &Branch,
) -> Result<Vec<RefEdit>, Fault> {
    let mut numbered: BTreeSet<ProposalDigest> = BTreeSet::new();
    for page in &branch.pages {
        numbered.insert(Page::read(space.store, *page)?.message.proposal);
    }
    let queued: BTreeSet<Oid> = space
        .store
        .list(refs::PROPOSALS)?
        .into_iter()
        .map(|(_, commit)| commit)
        .collect();
    let mut edits = Vec::new();
    for number in branch.fork.0 + 1..=history.len().0 {
        let page = Page::read(space.store, history.commit_of(Number(number))?)?;
        let digest = page.message.proposal;
        if numbered.contains(&digest) {
            continue;
        }
        let proposal =
            Proposal::authenticate(&space.tables, space.store, Some(&space.id), page.proposal())?;
        // A take names the chain that it comes after: it can never be numbered anywhere else.
        if proposal.decisions().iter().any(|d| d.op() == "pen.take") {
            continue;
        }
        let previous = page
            .previous()
            .expect("a page after a fork is not the first");
        let before = Page::read(space.store, previous)?;
        let view = TreeView::new(&space.tables, Some(before.tree()));
        for id in page.reviews() {
            edits.extend(reviewed(space, &view, &proposal, *id)?);
        }
        if queued.contains(&page.proposal()) {
            continue;
        }
        let author = judge::member_of(&view, &proposal.author())?;
        let slug = Slug::new(format!("again-{}", digest.short()))
            .expect("a word and hexadecimal digits are a slug");
        edits.push(RefEdit {
            name: refs::proposal(&author.handle, &slug),
            expect: Expect::Any,
            new: Some(proposal.id()),
            message: "folio: back in the queue".into(),
        });
    }
    Ok(edits)
}

/// The branch of a review that a page had as a parent; none where the reviewer has another one there.
fn reviewed<S: Store>(
    space: &Space<'_, S>,
    view: &dyn View,
    proposal: &Proposal,
    id: Oid,
) -> Result<Option<RefEdit>, Fault> {
    let review = Review::authenticate(space.store, proposal, id)?;
    let row: Option<KeyRow> = Scene::new(view).get(&RowKey::of(&review.reviewer()))?;
    let Some(row) = row else {
        return Ok(None);
    };
    let name = refs::review(&row.member, &proposal.digest());
    if space.store.get(&name)?.is_some() {
        return Ok(None);
    }
    Ok(Some(RefEdit {
        name,
        expect: Expect::Absent,
        new: Some(id),
        message: "folio: waits again".into(),
    }))
}

//! One snapshot, checked on the one before it. The state there is a tree too, so this needs nothing else:
//! pages are checked in any order and on all cores, and together they prove the chain.

use super::fault::Fault;
use super::judge::{self, Judgement};
use super::page::Page;
use super::pages::{NewPage, PageRecord, change_keys};
use super::proposal::Proposal;
use super::review::Review;
use crate::crypto::{digest, seal};
use crate::fold::rules::PenTake;
use crate::fold::{Decision, Scene};
use crate::model::rows::PenRow;
use crate::model::{
    ChainDigest, Code, Epoch, Number, Oid, ProposalDigest, PublicKey, RowKey, SpaceId,
};
use crate::state::{Footing, Tables, TreeView};
use crate::store::Objects;

/// What a checked page tells whoever follows the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its number.
    pub number: Number,
    /// Its commit.
    pub id: Oid,
    /// The proposal it numbers.
    pub proposal: ProposalDigest,
    /// The snapshot that the proposal stands on: nothing for the charter. Whether that snapshot is one of
    /// this chain is for the caller to say, who knows the chain.
    pub base: Option<(Number, Oid)>,
    /// How many decisions the proposal holds.
    pub decisions: u64,
    /// What the index keeps of it.
    pub entry: NewPage,
}

/// Checks one snapshot on the one before it: every rule of the format but two, which need the chain
/// before: that the proposal's base lies in it, and that no page before numbered the same proposal.
///
/// # Errors
/// The fault, with number and commit.
pub fn check_page<S: Objects>(
    store: &S,
    tables: &Tables<'_, S>,
    space: &SpaceId,
    number: Number,
    id: Oid,
    previous: Option<Oid>,
) -> Result<Checked, Fault> {
    check(store, tables, space, number, id, previous).map_err(|fault| {
        tables.discard(0);
        fault.at(number).in_commit(id)
    })
}

fn check<S: Objects>(
    store: &S,
    tables: &Tables<'_, S>,
    space: &SpaceId,
    number: Number,
    id: Oid,
    previous: Option<Oid>,
) -> Result<Checked, Fault> {
    let page = Page::read_first(tables, store, id)?;
    let signer = seal::open(&page.commit)?;
    require_place(&page, space, number)?;
    let previous = previous_page(tables, store, &page, previous)?;
    let proposal = Proposal::authenticate(tables, store, Some(space), page.proposal())?;
    require_older_base(&proposal, number)?;
    require_named(&page, &proposal)?;
    let root = previous.map(|page| page.tree);
    let reviews = page_reviews(store, &page, &proposal)?;
    require_reviewers(tables, root, &reviews)?;
    let after = previous.map(|page| page.chain);
    let after = after.unwrap_or_else(|| digest::chain_start(space));
    let judged = judge::judge(tables, root, after, &proposal, &reviews);
    tables.discard(0);
    let Judgement { tree, outcome } = judged?;
    if tree != page.tree() {
        let what = "the state tree";
        return Err(Fault::differs(Code::TreeMismatch, what, tree, page.tree()));
    }
    if proposal.preview() != tree {
        // Its commit has that state with the decisions beside it, and what lies below.
        tables.may_be_absent(&proposal.preview());
    }
    // The charter makes the pen that its own page is signed with.
    let authority = root.unwrap_or(tree);
    require_pen(tables, authority, &page, &proposal, signer)?;
    require_chain(&page, previous, &proposal, &reviews, signer)?;
    let base = proposal.base();
    let record = PageRecord {
        commit: id,
        proposal: proposal.digest(),
        chain: page.message.chain,
    };
    let changes = change_keys(&outcome.edits);
    Ok(Checked {
        entry: (record, changes),
        number,
        id,
        proposal: proposal.digest(),
        base: base.commit.map(|commit| (base.number, commit)),
        decisions: proposal.decisions().len() as u64,
    })
}

/// The page says of which space it is, and which number it has.
fn require_place(page: &Page, space: &SpaceId, number: Number) -> Result<(), Fault> {
    let (found, what) = (page.message.space, "the space");
    if found != *space {
        return Err(Fault::differs(Code::SpaceMismatch, what, space, found));
    }
    let (found, what) = (page.number(), "the number");
    if found != number {
        return Err(Fault::differs(Code::NumberMismatch, what, number, found));
    }
    Ok(())
}

/// The page names the proposal that it numbers.
fn require_named(page: &Page, proposal: &Proposal) -> Result<(), Fault> {
    let (expected, found) = (proposal.digest(), page.message.proposal);
    if expected != found {
        let what = "the proposal's digest";
        return Err(Fault::differs(
            Code::ProposalMismatch,
            what,
            expected,
            found,
        ));
    }
    Ok(())
}

/// The page before, which the caller names: it must be the first parent.
fn previous_page<S: Objects>(
    tables: &Tables<'_, S>,
    store: &S,
    page: &Page,
    expected: Option<Oid>,
) -> Result<Option<Footing>, Fault> {
    let found = page.previous();
    if found != expected {
        let words = |id: Option<Oid>| id.map_or("none".to_owned(), |id| id.to_string());
        let (what, expected, found) = ("the first parent", words(expected), words(found));
        return Err(Fault::differs(Code::ParentsWrong, what, expected, found));
    }
    let page = found.map(|id| Page::footing_of(tables, store, id));
    page.transpose()
}

/// Only the charter stands on nothing, and nothing stands on itself or on what comes later.
fn require_older_base(proposal: &Proposal, number: Number) -> Result<(), Fault> {
    let base = proposal.base();
    let fits = match base.commit {
        None => number == Number(1),
        Some(_) => base.number < number,
    };
    if fits {
        return Ok(());
    }
    Err(unknown_base(base.number))
}

/// A base that is no snapshot of the chain.
pub(super) fn unknown_base(number: Number) -> Fault {
    let what = format!("the proposal's base says it is common@{number}, which is another");
    Fault::new(Code::BaseUnknown, what)
}

fn page_reviews<S: Objects>(
    store: &S,
    page: &Page,
    proposal: &Proposal,
) -> Result<Vec<Review>, Fault> {
    let ids = page.reviews().iter();
    let reviews: Vec<Review> = ids
        .map(|id| Review::authenticate(store, proposal, *id))
        .collect::<Result<_, _>>()?;
    if !reviews.is_sorted_by(|a, b| a.digest() < b.digest()) {
        let what = "expected the reviews sorted by digest, each once";
        return Err(Fault::new(Code::ParentsWrong, what));
    }
    if let Some(other) = reviews.iter().find(|review| !review.approves()) {
        let what = "expected approvals among the parents, found a rejection";
        return Err(Fault::new(Code::ReviewInvalid, what).in_commit(other.id()));
    }
    Ok(reviews)
}

/// Each review is under the address of the key that signed it, as every other commit of a page; one of
/// somebody whom the state before does not know made nothing acceptable.
fn require_reviewers<S: Objects>(
    tables: &Tables<'_, S>,
    root: Option<Oid>,
    reviews: &[Review],
) -> Result<(), Fault> {
    let view = TreeView::new(tables, root);
    for review in reviews {
        judge::require_address(&view, &review.reviewer(), review.commit())
            .map_err(|fault| fault.in_commit(review.id()))?;
    }
    Ok(())
}

/// The signer is whoever takes the pen in this very page, else its holder in the state before, in that epoch and
/// under their address there.
fn require_pen<S: Objects>(
    tables: &Tables<'_, S>,
    root: Oid,
    page: &Page,
    proposal: &Proposal,
    signer: PublicKey,
) -> Result<(), Fault> {
    let view = TreeView::new(tables, Some(root));
    let pen = pen_for(&view, proposal)?;
    if signer != pen.key {
        let what = format!("the snapshot's signer (the pen is `{}`'s)", pen.member);
        return Err(Fault::differs(Code::SignerWrong, &what, pen.key, signer));
    }
    if page.message.epoch != pen.epoch {
        let what = "the epoch";
        return Err(Fault::differs(
            Code::EpochMismatch,
            what,
            pen.epoch,
            page.message.epoch,
        ));
    }
    judge::require_address(&view, &signer, &page.commit)
}

/// Who holds the pen in a state.
pub fn pen_of(view: &dyn crate::fold::View) -> Result<PenRow, Fault> {
    let pen: Option<PenRow> = Scene::new(view).get(&RowKey::of(""))?;
    pen.ok_or_else(|| Fault::new(Code::TreeMalformed, "expected a row in `pen`, found none"))
}

/// Who numbers a proposal on a state: whoever takes the pen by it, else the holder there.
pub fn pen_for(view: &dyn crate::fold::View, proposal: &Proposal) -> Result<PenRow, Fault> {
    match take_in(proposal) {
        Some(take) => Ok(take.row()),
        None => pen_of(view),
    }
}

/// The take that a proposal is about.
pub fn take_in(proposal: &Proposal) -> Option<&PenTake> {
    match proposal.decisions().last() {
        Some(Decision::PenTake(take)) => Some(take),
        _ => None,
    }
}

fn require_chain(
    page: &Page,
    previous: Option<Footing>,
    proposal: &Proposal,
    reviews: &[Review],
    signer: PublicKey,
) -> Result<(), Fault> {
    let chain = chain_after(page.message.epoch, previous, proposal, reviews, signer);
    require_claimed(chain, page.message.chain)
}

/// The chain digest of a page is the one that the page claims.
pub(super) fn require_claimed(chain: ChainDigest, claimed: ChainDigest) -> Result<(), Fault> {
    if chain == claimed {
        return Ok(());
    }
    let what = "the chain digest";
    Err(Fault::differs(Code::ChainMismatch, what, chain, claimed))
}

/// The chain digest of the page after `previous` that numbers a proposal.
pub fn chain_of(
    epoch: Epoch,
    previous: Option<&Page>,
    proposal: &Proposal,
    reviews: &[Review],
    signer: PublicKey,
) -> ChainDigest {
    let previous = previous.map(Page::footing);
    chain_after(epoch, previous, proposal, reviews, signer)
}

fn chain_after(
    epoch: Epoch,
    previous: Option<Footing>,
    proposal: &Proposal,
    reviews: &[Review],
    signer: PublicKey,
) -> ChainDigest {
    let (before, number) = match previous {
        Some(page) => (page.chain, page.number.next()),
        None => (digest::chain_start(&proposal.space()), Number(1)),
    };
    let digests: Vec<_> = reviews.iter().map(Review::digest).collect();
    digest::chain_next(
        &before,
        &digest::Link {
            number,
            epoch,
            signer,
            proposal: proposal.digest(),
            reviews: &digests,
        },
    )
}

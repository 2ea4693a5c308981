//! Verifying snapshots. One step needs the page before and nothing else, because the state there is a
//! tree too; so pages are verified in any order and on all cores, and together they prove the chain.

use super::fault::Fault;
use super::history::History;
use super::judge;
use super::page::Page;
use super::proposal::{Base, Proposal};
use super::review::Review;
use super::space::Space;
use crate::crypto::{digest, seal};
use crate::fold::Scene;
use crate::model::rows::PenRow;
use crate::model::{Code, Epoch, Number, Oid, ProposalDigest, PublicKey, RowKey, SpaceId};
use crate::parallel;
use crate::state::{Tables, TreeView};
use crate::store::{Objects, Store};
use std::collections::HashMap;

/// Pages verified between two reports of progress.
const REPORT: u64 = 4096;

/// What a full run found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The first number that was verified.
    pub from: Number,
    /// The last one.
    pub to: Number,
    /// How many decisions they hold.
    pub decisions: u64,
}

/// Verifies the snapshots `from..=to` of a history: every rule of the format, for each of them. The pages
/// below `from` are taken as verified.
pub fn verify<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    history: &History<'_>,
    from: Number,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, Fault> {
    refuse_replacements(space)?;
    let to = history.len();
    let ids = page_ids(history)?;
    let of = space.id;
    let mut seen = HashMap::new();
    for number in 1..from.0.min(to.0 + 1) {
        if let Some(record) = history.page(Number(number)) {
            seen.insert(record.proposal, Number(number));
        }
    }
    let total = (to.0 + 1).saturating_sub(from.0);
    let mut decisions = 0;
    let mut done = 0;
    while done < total {
        let first = from.0 + done;
        let last = (first + REPORT - 1).min(to.0);
        let numbers: Vec<u64> = (first..=last).collect();
        let verified = parallel::map(space.store, numbers, |store, tables, number| {
            verify_at(store, tables, &of, &ids, Number(number))
        });
        for (number, page) in (first..).zip(verified) {
            let page = page?;
            decisions += page.decisions;
            require_once(&mut seen, page.proposal, Number(number))?;
        }
        done = last - from.0 + 1;
        progress(done, total);
    }
    Ok(Report {
        from,
        to,
        decisions,
    })
}

/// Plain git honours replacement refs, so what it shows would not be what was verified here.
fn refuse_replacements<S: Store>(space: &Space<'_, S>) -> Result<(), Fault> {
    match space.store.list("refs/replace/")?.first() {
        None => Ok(()),
        Some((name, _)) => {
            let what = format!("expected no replacement refs, found {name}");
            Err(Fault::new(Code::ReplacedObjects, what))
        }
    }
}

fn page_ids(history: &History<'_>) -> Result<Vec<Oid>, Fault> {
    (1..=history.len().0)
        .map(|number| history.commit_of(Number(number)))
        .collect()
}

fn require_once(
    seen: &mut HashMap<ProposalDigest, Number>,
    proposal: ProposalDigest,
    number: Number,
) -> Result<(), Fault> {
    match seen.insert(proposal, number) {
        None => Ok(()),
        Some(earlier) => {
            let what = format!("the proposal {proposal} was numbered as common@{earlier} already");
            Err(Fault::new(Code::DuplicateProposal, what).at(number))
        }
    }
}

/// What one verified page tells the run.
struct VerifiedPage {
    proposal: ProposalDigest,
    decisions: u64,
}

fn verify_at<S: Objects>(
    store: &S,
    tables: &Tables<'_, S>,
    space: &SpaceId,
    ids: &[Oid],
    number: Number,
) -> Result<VerifiedPage, Fault> {
    let id = ids[number.0 as usize - 1];
    verify_page(store, tables, space, ids, number, id).map_err(|fault| {
        let staged = 0;
        tables.discard(staged);
        fault.at(number).in_commit(id)
    })
}

fn verify_page<S: Objects>(
    store: &S,
    tables: &Tables<'_, S>,
    space: &SpaceId,
    ids: &[Oid],
    number: Number,
    id: Oid,
) -> Result<VerifiedPage, Fault> {
    let page = Page::read(store, id)?;
    let signer = seal::open(&page.commit)?;
    if page.message.space != *space {
        let what = "the space";
        return Err(Fault::differs(
            Code::SpaceMismatch,
            what,
            space,
            page.message.space,
        ));
    }
    if page.number() != number {
        let what = "the number";
        return Err(Fault::differs(
            Code::NumberMismatch,
            what,
            number,
            page.number(),
        ));
    }
    let previous = previous_page(store, &page, ids)?;
    let proposal = Proposal::authenticate(tables, store, Some(space), page.proposal())?;
    require_base(&proposal, ids, number)?;
    if proposal.digest() != page.message.proposal {
        let what = "the proposal's digest";
        let found = page.message.proposal;
        return Err(Fault::differs(
            Code::ProposalMismatch,
            what,
            proposal.digest(),
            found,
        ));
    }
    let root = previous.as_ref().map(Page::tree);
    let reviews = page_reviews(store, &page, &proposal)?;
    require_reviewers(tables, root, &reviews)?;
    let judged = judge::judge(tables, root, &proposal, &reviews);
    tables.discard(0);
    let tree = judged?.tree;
    if tree != page.tree() {
        return Err(Fault::differs(
            Code::TreeMismatch,
            "the state tree",
            tree,
            page.tree(),
        ));
    }
    // The charter makes the pen that its own page is signed with.
    let authority = root.unwrap_or(tree);
    require_pen(tables, authority, &page, signer)?;
    require_chain(&page, previous.as_ref(), &proposal, &reviews, signer)?;
    Ok(VerifiedPage {
        proposal: proposal.digest(),
        decisions: proposal.decisions().len() as u64,
    })
}

fn previous_page<S: Objects>(store: &S, page: &Page, ids: &[Oid]) -> Result<Option<Page>, Fault> {
    let Some(id) = page.previous() else {
        return Ok(None);
    };
    let expected = ids[page.number().0 as usize - 2];
    if id != expected {
        return Err(Fault::differs(
            Code::ParentsWrong,
            "the first parent",
            expected,
            id,
        ));
    }
    Page::read(store, id).map(Some)
}

fn require_base(proposal: &Proposal, ids: &[Oid], number: Number) -> Result<(), Fault> {
    let base: &Base = proposal.base();
    let fits = match base.commit {
        None => number == Number(1),
        Some(commit) => {
            base.number < number && ids.get(base.number.0 as usize - 1) == Some(&commit)
        }
    };
    if !fits {
        let what = format!(
            "the proposal's base says it is common@{}, which is another",
            base.number
        );
        return Err(Fault::new(Code::BaseUnknown, what));
    }
    Ok(())
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

/// The signer is the holder of the pen in the state before, in its epoch, under the holder's address.
fn require_pen<S: Objects>(
    tables: &Tables<'_, S>,
    root: Oid,
    page: &Page,
    signer: PublicKey,
) -> Result<(), Fault> {
    let view = TreeView::new(tables, Some(root));
    let pen = pen_of(&view)?;
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

fn require_chain(
    page: &Page,
    previous: Option<&Page>,
    proposal: &Proposal,
    reviews: &[Review],
    signer: PublicKey,
) -> Result<(), Fault> {
    let chain = chain_of(page.message.epoch, previous, proposal, reviews, signer);
    if chain != page.message.chain {
        let what = "the chain digest";
        return Err(Fault::differs(
            Code::ChainMismatch,
            what,
            chain,
            page.message.chain,
        ));
    }
    Ok(())
}

/// The chain digest of the page after `previous` that numbers a proposal.
pub fn chain_of(
    epoch: Epoch,
    previous: Option<&Page>,
    proposal: &Proposal,
    reviews: &[Review],
    signer: PublicKey,
) -> crate::model::ChainDigest {
    let start = digest::chain_start(&proposal.space());
    let (before, number) = match previous {
        Some(page) => (page.message.chain, page.number().next()),
        None => (start, Number(1)),
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

//! Pages that were signed and perhaps not published: the same bytes are published, or nothing.

use super::guard::Guard;
use super::publish::Committed;
use super::{BeforePublish, Numbered};
use crate::codec::commit::Commit;
use crate::codec::message::Message;
use crate::crypto::seal;
use crate::journal::fault::Fault;
use crate::journal::history::History;
use crate::journal::judge;
use crate::journal::memory::Mark;
use crate::journal::page::Page;
use crate::journal::proposal::Proposal;
use crate::journal::refs;
use crate::journal::review::Review;
use crate::journal::space::Space;
use crate::model::{Code, Number, Oid};
use crate::state::StagedBefore;
use crate::store::{Kind, Store};

/// A page that was signed before, and its exact bytes.
struct SignedPage {
    page: Page,
    bytes: Vec<u8>,
}

/// Looks at every batch that the memory keeps: what `main` has is done, what fits on its tip is published,
/// and what it went past is put away. Returns the pages that are published now.
pub(super) fn settle<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    guard: &mut Guard<'_>,
    before_publish: &mut BeforePublish<'_>,
) -> Result<Vec<Numbered>, Fault> {
    let tip = history.tip().expect("an open space has a tip");
    let (mut fitting, mut waiting): (Option<Vec<SignedPage>>, _) = (None, Vec::new());
    for last in guard.recall()?.batches {
        if history.contains(last.number, &last.commit) {
            continue;
        }
        let mut pages = read(space, guard, &last)?;
        let is_there = |at: &&SignedPage| history.contains(at.page.number(), &at.page.id);
        let there = pages.iter().take_while(is_there).count();
        let before = match there {
            0 => pages[0].page.previous(),
            _ => Some(pages[there - 1].page.id),
        };
        if before == Some(tip.id) {
            if let Some(other) = fitting {
                return Err(two_of_one_number(&other[0].page, &pages[there].page));
            }
            fitting = Some(pages.split_off(there));
        } else if history.len().next() >= pages[0].page.number() {
            guard.lose(&last)?;
        } else {
            // `main` ends before these pages begin: they wait until it has what is between.
            waiting.push(last);
        }
    }
    guard.wait(waiting);
    match fitting {
        Some(pages) => publish(space, tip, pages, before_publish),
        None => Ok(Vec::new()),
    }
}

/// As when two copies of a repository were merged by a program that copies files.
fn two_of_one_number(one: &Page, other: &Page) -> Fault {
    let what = format!(
        "the memory here holds two pages for one number, {} and {}",
        one.id, other.id
    );
    Fault::new(Code::AlreadySigned, what).at(other.number())
}

/// A batch, and that it is what it says: pages of this key and space that follow each other.
fn read<S: Store>(
    space: &Space<'_, S>,
    guard: &Guard<'_>,
    last: &Mark,
) -> Result<Vec<SignedPage>, Fault> {
    let batch = guard.batch(last)?;
    let mut pages: Vec<SignedPage> = Vec::with_capacity(batch.commits.len());
    for bytes in batch.commits {
        let id = space.store.id_of(Kind::Commit, &bytes);
        let commit = Commit::parse(&bytes, space.store.format())?;
        let page = page_of(id, commit)?;
        let follows = match pages.last() {
            Some(before) => {
                page.previous() == Some(before.page.id)
                    && page.number() == before.page.number().next()
            }
            None => page.number() > Number(1),
        };
        if !follows || page.message.space != guard.hand().space {
            return Err(damaged(last));
        }
        let bytes = bytes.into_vec();
        pages.push(SignedPage { page, bytes });
    }
    match pages.last() {
        Some(end) if Mark::of(&end.page) == *last => {}
        _ => return Err(damaged(last)),
    }
    // Each page names the one before, so the last signature speaks for all of them.
    match seal::open(&pages[pages.len() - 1].page.commit)? == guard.hand().key {
        true => Ok(pages),
        false => Err(damaged(last)),
    }
}

fn damaged(last: &Mark) -> Fault {
    let what = "the batch in the signer's memory is not one of these pages";
    let fault = Fault::new(Code::ObjectDamaged, what);
    fault.at(last.number).in_commit(last.commit)
}

/// Makes the trees again, which may never have been written, and publishes the pages as they were signed. A
/// crash anywhere in it: the memory has the pages still, and the next run is here again.
fn publish<S: Store>(
    space: &Space<'_, S>,
    tip: &Page,
    pages: Vec<SignedPage>,
    before_publish: &mut BeforePublish<'_>,
) -> Result<Vec<Numbered>, Fault> {
    let branches = space.store.list(refs::PROPOSALS)?;
    let mut numbered = Vec::with_capacity(pages.len());
    let mut before = tip;
    for SignedPage { page, .. } in &pages {
        let proposal = judge_again(space, before, page)
            .map_err(|fault| unpublishable(fault).at(page.number()))?;
        before = page;
        let found = branches.iter().find(|(_, at)| *at == page.proposal());
        numbered.push(Numbered {
            number: page.number(),
            commit: page.id,
            branch: match found {
                Some((name, _)) => name.clone(),
                None => page.proposal().to_hex(),
            },
            subject: proposal.subject().to_owned(),
        });
    }
    let new = pages.last().expect("a batch has pages").page.id;
    let mut objects = space.tables.take();
    for SignedPage { page, bytes } in pages {
        objects.push((page.id, Kind::Commit, bytes));
    }
    space.store.write_all(&objects)?;
    before_publish(tip.id, new)?;
    let committed = Committed {
        old: tip.id,
        new,
        pages: numbered,
        staged: StagedBefore::default(),
    };
    let published = committed.publish(space);
    published
        .map(|(pages, _)| pages)
        .map_err(|(fault, _)| fault)
}

/// The proposal of a page, judged as when the page was made.
fn judge_again<S: Store>(
    space: &Space<'_, S>,
    before: &Page,
    page: &Page,
) -> Result<Proposal, Fault> {
    let of = Some(&space.id);
    let proposal = Proposal::authenticate(&space.tables, space.store, of, page.proposal())?;
    let reviews = page.reviews().iter();
    let reviews: Vec<Review> = reviews
        .map(|id| Review::authenticate(space.store, &proposal, *id))
        .collect::<Result<_, _>>()?;
    let judgement = judge::judge(
        &space.tables,
        Some(before.tree()),
        before.message.chain,
        &proposal,
        &reviews,
    )?;
    if judgement.tree != page.tree() {
        let what = "the state tree of a page that was signed before";
        return Err(Fault::differs(
            Code::TreeMismatch,
            what,
            judgement.tree,
            page.tree(),
        ));
    }
    Ok(proposal)
}

/// A proposal may be gone by now, when its branch was removed.
fn unpublishable(fault: Fault) -> Fault {
    if fault.code != Code::ObjectMissing {
        return fault;
    }
    let what = format!(
        "this page was signed before and is not published, and what it numbers is gone: {} (bring its \
         branch back, or let a new epoch begin with `folio pen take`)",
        fault.what
    );
    Fault { what, ..fault }
}

/// A commit that was made here, as a page.
fn page_of(id: Oid, commit: Commit) -> Result<Page, Fault> {
    match Message::parse(&commit.message)? {
        Message::Snapshot(message) => Ok(Page {
            id,
            commit,
            message,
        }),
        _ => Err(Fault::new(
            Code::NotASnapshot,
            "expected the snapshot that was made here",
        )),
    }
}

//! Remembered, written, then published by one compare-and-swap.

use super::Numbered;
use super::guard::Guard;
use super::plan::PlannedPage;
use crate::journal::fault::Fault;
use crate::journal::history::History;
use crate::journal::memory::{Batch, Mark};
use crate::journal::pages::NewPage;
use crate::journal::refs;
use crate::journal::space::Space;
use crate::journal::tidy;
use crate::model::Oid;
use crate::state::StagedBefore;
use crate::store::{Expect, Parcel, RefEdit, Store, unnamed};

/// Snapshots that are remembered, written and fsynced, and that no ref names: nothing has happened yet.
#[must_use = "pages that are not published have not been made"]
pub(super) struct Committed<P> {
    pub(super) old: Oid,
    pub(super) new: Oid,
    pub(super) pages: Vec<P>,
    /// Their objects, which are written.
    pub(super) staged: StagedBefore,
}

/// Remembers the signed pages of a plan, and writes all its objects as one pack, which is there only after that: both
/// wait for the disk together. A crash before they are remembered leaves the queue as it was. A crash afterwards leaves objects that nothing refers to, and the
/// next run publishes the same pages. `gone`: the branches that are removed after that.
pub(super) fn commit<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    guard: &mut Guard<'_>,
    pages: Vec<PlannedPage>,
    parcel: Parcel,
    gone: &[(String, Oid)],
) -> Result<Committed<PlannedPage>, Fault> {
    let last = &pages
        .last()
        .expect("a plan that is committed has pages")
        .page;
    let new = last.id;
    let batch = Batch {
        last: Mark::of(last),
        commits: pages.iter().map(|page| page.bytes.clone()).collect(),
    };
    // Both are written, then remembered, then the pack gets its name.
    let remembered = guard.remember(&batch)?;
    let packed = space.store.prepare(parcel)?;
    // What the refs will hold waits for the disk with them; nobody sees it before it is published.
    let moved = space.store.foretell(refs::MAIN, new)?;
    let mut all = vec![remembered, packed, moved];
    // Branches can go later, and without a word before.
    all.extend(space.store.foretell_clear(gone));
    unnamed::settle(all)?;
    let old = history.tip().expect("an open space has a tip").id;
    let staged = space.tables.written();
    Ok(Committed {
        old,
        new,
        pages,
        staged,
    })
}

impl<P> Committed<P> {
    /// The one compare-and-swap that makes it true. A crash before it: the next run does it. A crash after
    /// it: the pages are numbered, and the branches are removed by the next run.
    pub(super) fn publish<S: Store>(
        self,
        space: &Space<'_, S>,
    ) -> Result<(Vec<P>, StagedBefore), (Fault, Vec<P>)> {
        let edit = RefEdit {
            name: refs::MAIN.into(),
            expect: Expect::At(self.old),
            new: Some(self.new),
            message: format!("folio: accept {} proposals", self.pages.len()),
        };
        match space.store.apply(&[edit]) {
            Ok(()) => Ok((self.pages, self.staged)),
            Err(fault) => Err((fault.into(), self.pages)),
        }
    }
}

/// To give back so many pages takes longer than to start a thread.
const MANY: usize = 64;

/// What pages were made of, which nobody needs once they are published. To give all of it back takes a while.
#[derive(Debug, Default)]
pub(super) struct Spent {
    pages: Vec<PlannedPage>,
    _staged: StagedBefore,
}

impl Spent {
    /// Says that it takes a while to give back.
    pub(super) fn is_large(&self) -> bool {
        self.pages.len() >= MANY
    }
}

/// After publishing: the index and the branches. Both can be made up for later.
pub(super) fn finish<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    history: &mut History<'_>,
    (mut pages, staged): (Vec<PlannedPage>, StagedBefore),
    gone: &[(String, Oid)],
) -> (Vec<Numbered>, Spent) {
    let tip = pages.last().expect("published pages").page.clone();
    let numbered = tidy::remove_while(space.store, gone, || {
        let (new, numbered): (Vec<NewPage>, Vec<_>) = pages.iter_mut().map(told).unzip();
        // The index is disposable and follows when it is opened again; the pages are published whatever it says.
        let _ = history.extend(&new, tip);
        numbered
    });
    let spent = Spent {
        pages,
        _staged: staged,
    };
    (numbered, spent)
}

/// What the index and the report say of a page, taken out of it.
fn told(page: &mut PlannedPage) -> (NewPage, Numbered) {
    let (record, keys) = &mut page.entry;
    let numbered = Numbered {
        number: page.page.number(),
        commit: page.page.id,
        subject: page.candidate.proposal.subject().to_owned(),
        branch: std::mem::take(&mut page.candidate.branch.name),
    };
    ((*record, std::mem::take(keys)), numbered)
}

//! Signing one page after the other, each with the id of the one before in it, while the next are being judged.

use super::plan::PlannedPage;
use super::snapshot::Unsigned;
use crate::crypto::Sign;
use crate::fold::Outcome;
use crate::journal::fault::Fault;
use crate::journal::queue::Candidate;
use crate::model::Oid;
use crate::store::Objects;
use std::sync::mpsc;

/// For fewer proposals than this no thread is started.
const FEW: usize = 8;

/// A page that was judged and may be signed.
pub(super) struct Draft {
    pub(super) candidate: Candidate,
    pub(super) page: Unsigned,
    pub(super) outcome: Outcome,
}

/// Whoever judges hands over drafts, in order. `false`: no more of them are wanted.
pub(super) type HandOver<'h> = dyn FnMut(Draft) -> bool + 'h;

/// Runs `judge` over `count` proposals and signs what it hands over, as the pages after `tip`.
///
/// # Errors
/// Those of signing, which say why nothing more was wanted, before those of `judge`.
pub(super) fn seal_each<S: Objects + Clone + Send, T>(
    store: &S,
    signer: &dyn Sign,
    tip: Oid,
    count: usize,
    judge: impl FnOnce(&mut HandOver<'_>) -> Result<T, Fault>,
) -> Result<(Vec<PlannedPage>, T), Fault> {
    if count < FEW {
        let mut drafts = Vec::new();
        let judged = judge(&mut |draft| {
            drafts.push(draft);
            true
        })?;
        return Ok((seal_all(store, signer, tip, drafts)?, judged));
    }
    std::thread::scope(|scope| {
        let (give, take) = mpsc::channel();
        let store = store.clone();
        let sealing = scope.spawn(move || seal_all(&store, signer, tip, take));
        let judged = judge(&mut |draft| give.send(draft).is_ok());
        drop(give);
        let pages = sealing.join().expect("signing does not panic")?;
        Ok((pages, judged?))
    })
}

fn seal_all<S: Objects>(
    store: &S,
    signer: &dyn Sign,
    mut previous: Oid,
    drafts: impl IntoIterator<Item = Draft>,
) -> Result<Vec<PlannedPage>, Fault> {
    let mut pages = Vec::new();
    for draft in drafts {
        let (page, bytes) = draft.page.seal_after(previous, store, signer)?;
        previous = page.id;
        pages.push(PlannedPage {
            candidate: draft.candidate,
            page,
            bytes,
            outcome: draft.outcome,
        });
    }
    Ok(pages)
}

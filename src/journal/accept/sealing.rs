//! Signing one page after the other, each with the id of the one before in it, and packing what is new, by two threads, while
//! the next are being judged. Then whoever judged goes on with the packing.

use super::plan::PlannedPage;
use super::snapshot::Unsigned;
use crate::cores;
use crate::crypto::Sign;
use crate::journal::fault::Fault;
use crate::journal::judge::Judgement;
use crate::journal::page::Page;
use crate::journal::pages::{NewPage, PageRecord, change_keys};
use crate::journal::queue::Candidate;
use crate::model::Oid;
use crate::store::{Bytes, Kind, Objects, Parcel, Shared};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};

/// For fewer proposals than this no thread is started.
const FEW: usize = 8;
/// New objects of one kind that a state has, about.
const OBJECTS: usize = 4;

/// A page that was judged and may be signed.
pub(super) struct Draft {
    pub(super) candidate: Candidate,
    pub(super) page: Unsigned,
    pub(super) judgement: Box<Judgement>,
}

/// Pages that were judged, and the new objects of their states.
#[derive(Default)]
pub(super) struct Drafts {
    pub(super) pages: Vec<Draft>,
    pub(super) objects: Vec<Shared>,
}

/// Signed pages, with their objects ready to be written.
pub(super) struct Signed {
    pub(super) pages: Vec<PlannedPage>,
    pub(super) parcel: Parcel,
}

/// Whoever judges hands over drafts, in order. `false`: no more of them are wanted.
pub(super) type HandOver<'h> = dyn FnMut(Drafts) -> bool + 'h;

/// Runs `judge` over `count` proposals, signs what it hands over, as the pages after `tip`, and packs it.
///
/// # Errors
/// Those of signing, which say why nothing more was wanted, before those of `judge`.
pub(super) fn seal_each<S: Objects + Clone + Send, T>(
    store: &S,
    signer: &dyn Sign,
    tip: Oid,
    count: usize,
    judge: impl FnOnce(&mut HandOver<'_>) -> Result<T, Fault>,
) -> Result<(Signed, T), Fault> {
    if count < FEW {
        let (mut pages, mut objects) = (Vec::new(), Vec::new());
        let judged = judge(&mut |drafts| {
            pages.push(drafts.pages);
            objects.extend(drafts.objects);
            true
        })?;
        let mut parcel = Parcel::new(store.format(), objects.len() + count);
        let pages = seal_all(store, signer, tip, pages, &mut |commits| {
            objects.extend(commits);
        })?;
        parcel.add(objects)?;
        return Ok((Signed { pages, parcel }, judged));
    }
    let judging = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let (give_pages, take_pages) = mpsc::channel();
        let (give_objects, take_objects) = mpsc::channel();
        let give_commits = give_objects.clone();
        let (format, store) = (store.format(), store.clone());
        let sealing = scope.spawn(move || {
            cores::make_room();
            // Where packing failed it says so itself.
            let give = &mut |commits| drop(give_commits.send(commits));
            seal_all(&store, signer, tip, take_pages, give)
        });
        // Signing needs the page before, and packing what a page makes does not need its signature.
        let judging = &judging;
        let packing = scope.spawn(move || {
            cores::make_room();
            let parcel = Parcel::new(format, count * OBJECTS);
            pack_while(judging, parcel, take_objects)
        });
        let judged = judge(&mut |drafts| {
            let Drafts { pages, objects } = drafts;
            give_pages.send(pages).is_ok() && give_objects.send(objects).is_ok()
        });
        drop((give_pages, give_objects));
        // Whoever judged goes on with the packing. The system has let both others share a core for 30 ms, and the one
        // that had been judged on stay idle.
        judging.store(false, Ordering::Relaxed);
        let packed = packing.join().expect("packing does not panic");
        let packed = packed.and_then(|(mut parcel, left)| {
            let mut left = left.into_iter();
            left.try_for_each(|objects| parcel.add(objects))?;
            Ok(parcel)
        });
        let pages = sealing.join().expect("signing does not panic");
        let (pages, parcel) = (pages?, packed?);
        Ok((Signed { pages, parcel }, judged?))
    })
}

/// Packs what comes, as long as somebody is judging, and hands over with what is still to come.
fn pack_while(
    judging: &AtomicBool,
    mut parcel: Parcel,
    coming: Receiver<Vec<Shared>>,
) -> Result<(Parcel, Receiver<Vec<Shared>>), Fault> {
    while let Ok(objects) = coming.recv() {
        parcel.add(objects)?;
        if !judging.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok((parcel, coming))
}

/// Signs pages, and gives away their commits.
fn seal_all<S: Objects>(
    store: &S,
    signer: &dyn Sign,
    mut previous: Oid,
    drafts: impl IntoIterator<Item = Vec<Draft>>,
    give: &mut dyn FnMut(Vec<Shared>),
) -> Result<Vec<PlannedPage>, Fault> {
    let mut signed = Vec::new();
    for pages in drafts {
        let mut commits: Vec<Shared> = Vec::with_capacity(pages.len());
        for draft in pages {
            let (page, bytes) = draft.page.seal_after(previous, store, signer)?;
            let bytes = Bytes::from(bytes);
            previous = page.id;
            commits.push((page.id, Kind::Commit, bytes.clone()));
            signed.push(PlannedPage {
                candidate: draft.candidate,
                entry: index_entry(&page, &draft.judgement),
                page,
                bytes,
            });
        }
        give(commits);
    }
    Ok(signed)
}

fn index_entry(page: &Page, judgement: &Judgement) -> NewPage {
    let record = PageRecord {
        commit: page.id,
        proposal: page.message.proposal,
        chain: page.message.chain,
    };
    (record, change_keys(&judgement.outcome.edits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectFormat;
    use crate::store::MemoryStore;

    fn blob(text: &str) -> Shared {
        let store = MemoryStore::new(ObjectFormat::Sha1);
        let bytes = text.as_bytes().to_vec();
        (store.id_of(Kind::Blob, &bytes), Kind::Blob, bytes.into())
    }

    #[test]
    fn what_is_left_when_nobody_judges_any_more_is_handed_over() {
        for judging in [true, false] {
            let (give, take) = mpsc::channel();
            for text in ["one", "two", "three"] {
                give.send(vec![blob(text)]).unwrap();
            }
            drop(give);
            let parcel = Parcel::new(ObjectFormat::Sha1, 3);
            let packed = pack_while(&AtomicBool::new(judging), parcel, take);
            let (mut parcel, left) = packed.unwrap();
            let left: Vec<_> = left.into_iter().flatten().collect();
            assert_eq!(left.len(), if judging { 0 } else { 2 });
            parcel.add(left).unwrap();
            let all = parcel.into_objects();
            let texts: Vec<_> = all.iter().map(|(_, _, bytes)| &bytes[..]).collect();
            assert_eq!(texts, [&b"one"[..], b"two", b"three"]);
        }
    }
}

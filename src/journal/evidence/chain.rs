//! The rules of one page, and the two that need the pages before it.

use super::recording::Recording;
use super::signed::Signed;
use crate::journal::check::{Checked, check_page, unknown_base};
use crate::journal::fault::Fault;
use crate::journal::page::Page;
use crate::model::{Code, Number, Oid, limits};
use crate::state::Tables;
use crate::store::Objects;

/// What the rules say of a signed page.
pub(super) enum Judged {
    /// They accept it, or do not come to an end with what is there.
    Accepted,
    /// They refuse it, whatever else there may be in the world.
    Refused(Fault),
    /// Nothing follows.
    Unknown(String),
}

/// Judges a signed page on the page that it names as the one before.
pub(super) fn judge<S: Objects>(store: &Recording<'_, S>, id: Oid, page: &Signed) -> Judged {
    let judged = by_rules(store, id, page);
    if store.is_full() {
        return Judged::Unknown("judging it reads more than one file holds".into());
    }
    match judged {
        Ok(()) if !store.missed() => Judged::Accepted,
        Err(fault) if !store.missed() && follows(&fault) => Judged::Refused(fault),
        Ok(()) => Judged::Unknown("an object that judging it needs is not there".into()),
        Err(fault) => Judged::Unknown(fault.to_string()),
    }
}

/// Whether a fault is about the signed objects themselves. A kind of decision that this program does not
/// know may be one that a newer program knows.
fn follows(fault: &Fault) -> bool {
    let elsewhere = matches!(
        fault.code,
        Code::ObjectMissing | Code::ObjectDamaged | Code::OperationUnknown
    );
    !elsewhere && !fault.is_environment()
}

fn by_rules<S: Objects>(store: &Recording<'_, S>, id: Oid, page: &Signed) -> Result<(), Fault> {
    let tables = Tables::new(store);
    let previous = page.previous();
    // The page before says which number comes next, and in which space. Where it is no page at all, the
    // check of this one says so.
    let before = previous.and_then(|previous| Page::read(store, previous).ok());
    let (space, number) = match &before {
        Some(before) => (before.message.space, before.number().next()),
        None => (page.message.space, page.number()),
    };
    let checked = check_page(store, &tables, &space, number, id, previous)?;
    match before {
        Some(before) => on_chain(store, &checked, before).map_err(|fault| fault.in_commit(id)),
        None => Ok(()),
    }
}

/// The proposal stands on a page of this very chain, and no page since then numbered it.
fn on_chain<S: Objects>(
    store: &Recording<'_, S>,
    checked: &Checked,
    before: Page,
) -> Result<(), Fault> {
    let Some((base, commit)) = checked.base else {
        return Ok(());
    };
    let mut at = before;
    for _ in 0..limits::EVIDENCE_OBJECTS {
        if at.number() <= base {
            return match at.id == commit {
                true => Ok(()),
                false => Err(unknown_base(base).at(checked.number)),
            };
        }
        if at.message.proposal == checked.proposal {
            let what = format!(
                "the proposal was numbered as common@{} already",
                at.number()
            );
            return Err(Fault::new(Code::DuplicateProposal, what).at(checked.number));
        }
        at = page_below(store, &at)?;
    }
    let what = format!("common@{base} is too far below to be shown in one file");
    Err(Fault::new(Code::Unsupported, what))
}

/// The page before, where it has the number before. Otherwise it is a lower page that is wrong, and
/// nothing follows about the one above.
fn page_below<S: Objects>(store: &Recording<'_, S>, page: &Page) -> Result<Page, Fault> {
    let below = |what: &str| Fault::new(Code::Unsupported, what);
    let previous = page
        .previous()
        .ok_or_else(|| below("the chain below ends before the proposal's base"))?;
    let previous = Page::read(store, previous)?;
    if previous.number() >= Number(1) && previous.number().next() == page.number() {
        return Ok(previous);
    }
    Err(below(
        "the numbers of the chain below do not follow each other",
    ))
}

//! The gate: which refs a push may move, and to what. One rule per kind of ref, the same for everybody.
//!
//! It stands in front of a server as a courtesy to everybody behind it: whoever gets around it (an
//! administrator, a copied directory) has not made anything valid, since every reader verifies again.
//!
//! Nothing is locked while it judges. It judges against the `main` that is there, and the compare-and-swap
//! that follows moves no ref that has changed since.

mod artifacts;
mod line;
mod pen;
mod proposal;
mod review;

use super::fault::Fault;
use super::history::History;
use super::pages::PageIndex;
use super::refs;
use super::space::Space;
use crate::model::{Code, Oid, SpaceId};
use crate::store::Store;
use line::{Ground, Line};
use std::collections::BTreeSet;

/// Refs that one push may move.
pub const UPDATES: usize = 65_536;

/// One ref that a push would move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The full name.
    pub name: String,
    /// Where it points, as the pusher believes; `None` if it is not there.
    pub old: Option<Oid>,
    /// Where it would point; `None` deletes it.
    pub new: Option<Oid>,
}

/// What becomes of one ref.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The full name.
    pub name: String,
    /// Why it is refused, if it is.
    pub refused: Option<Fault>,
}

/// Judges a push, every ref of it, in O(what is new). `main` comes first: the other refs are judged by the
/// state that it will have, or by the one it has where its own move is refused. `space` is whose space this
/// has to be, if that is known; else the first push decides it.
///
/// The index is brought up to date with the `main` that is there, never with what is pushed.
///
/// # Errors
/// `too-large` for too many refs; what is wrong with the repository itself. Nothing may be moved then.
pub fn judge<S: Store + Clone + Send>(
    store: &S,
    index: &mut dyn PageIndex,
    space: Option<SpaceId>,
    updates: &[Update],
) -> Result<Vec<Verdict>, Fault> {
    if updates.len() > UPDATES {
        let what = format!("expected at most {UPDATES} refs, found {}", updates.len());
        return Err(Fault::new(Code::TooLarge, what));
    }
    let moved = updates.iter().find(|update| update.name == refs::MAIN);
    let ground = Ground::open(store, index, space, moved)?;
    let (mut line, mut of_main) = (None, None);
    match &ground {
        Ok(ground) => {
            let mut opened = Line::on(&ground.space, &ground.history);
            of_main = moved.and_then(|update| opened.advance(update).err());
            line = Some(opened);
        }
        Err(fault) if moved.is_some() => of_main = Some(fault.clone()),
        Err(_) => {}
    }
    let mut names = BTreeSet::new();
    let verdicts = updates.iter().map(|update| {
        let refused = match (names.insert(update.name.as_str()), &line) {
            (false, _) => Some(twice()),
            (true, _) if update.name == refs::MAIN => of_main.clone(),
            (true, line) => one(line.as_ref(), update, updates).err(),
        };
        Verdict {
            name: update.name.clone(),
            refused,
        }
    });
    Ok(verdicts.collect())
}

/// Whether a reader takes in what somebody else shows on a branch: the rule of a push, judged by the newest
/// snapshot here. `old` is what the branch is here.
///
/// # Errors
/// Why a push of it would be refused.
pub fn admit<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    history: &History<'_>,
    name: &str,
    old: Option<Oid>,
    new: Oid,
) -> Result<(), Fault> {
    let update = Update {
        name: name.to_owned(),
        old,
        new: Some(new),
    };
    one(Some(&Line::on(space, history)), &update, &[])
}

fn twice() -> Fault {
    Fault::new(Code::RefInvalid, "expected each ref once in a push")
}

/// Judges any ref but `main`.
fn one<S: Store + Clone + Send>(
    line: Option<&Line<'_, '_, '_, S>>,
    update: &Update,
    all: &[Update],
) -> Result<(), Fault> {
    let name = update.name.as_str();
    let known = [refs::PROPOSALS, refs::REVIEWS, refs::PENS, refs::ARTIFACTS];
    if !known.iter().any(|prefix| name.starts_with(prefix)) {
        return Err(foreign(name));
    }
    let line = line.ok_or_else(|| {
        let what = format!("there is no space here yet: {} comes first", refs::MAIN);
        Fault::new(Code::NotASpace, what)
    })?;
    match name {
        _ if name.starts_with(refs::PROPOSALS) => proposal::judge(line, update),
        _ if name.starts_with(refs::REVIEWS) => review::judge(line, update, all),
        _ if name.starts_with(refs::ARTIFACTS) => artifacts::judge(line, update, all),
        _ => pen::judge(line, update),
    }
}

/// Refs that no rule knows: some later, most never.
fn foreign(name: &str) -> Fault {
    // Where a later version lets these in, it gets a file beside this one.
    if name.starts_with(refs::EVENTUAL) {
        let what = "refs of this kind are not taken by this version";
        return Fault::new(Code::Unsupported, what);
    }
    let what = match name.starts_with(refs::LOCAL) {
        true => "refs below refs/folio/ stay where they are",
        false => "a space has no such ref",
    };
    Fault::new(Code::RefInvalid, what)
}

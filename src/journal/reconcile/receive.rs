//! Taking in what another repository shows, whose objects are in the store already: verify, move `main`, merge
//! the branches, remember what was shown. Each step can be run again after a crash, and changes nothing then.

use super::apply::apply_each;
use super::branches::{self, Merged, Rules};
use super::course::{Course, Fork, course};
use super::settle::{self, Move};
use super::settled::{drop_settled, settled};
use super::takeover::Stand;
use super::{RefMap, peer};
use crate::journal::fault::Fault;
use crate::journal::gate;
use crate::journal::history::History;
use crate::journal::page::Page;
use crate::journal::pages::{NewPage, PageIndex};
use crate::journal::refs;
use crate::journal::space::Space;
use crate::model::{Code, Number, Oid};
use crate::store::{Expect, RefEdit, Store};

/// The other repository.
#[derive(Debug, Clone)]
pub struct Peer<'a> {
    /// What its refs are kept under here.
    pub key: &'a str,
    /// Whether it is the home of the space: what it shows on `main` is final.
    pub is_home: bool,
    /// Whether this repository is the home: then every page here is final.
    pub here_is_home: bool,
}

/// What asking for a move and for progress looks like.
pub struct Hooks<'a> {
    /// Called with the old and the new tip before `main` moves: the last moment to say no.
    pub before_move: &'a mut dyn FnMut(Oid, Oid) -> Result<(), Fault>,
    /// Called with the pages verified so far, and how many there are.
    pub progress: &'a mut dyn FnMut(u64, u64),
}

/// What became of what was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Where its `main` lies; nothing if it shows none.
    pub course: Option<Course>,
    /// The newest number before and after.
    pub from: Number,
    /// The newest number now.
    pub to: Number,
    /// Where pages that were cut off are kept.
    pub lost: Option<String>,
    /// Branches of proposals that are back in the queue.
    pub returned: Vec<String>,
    /// It showed this page of ours before, and now shows an older one.
    pub went_back: Option<Oid>,
    /// The branches.
    pub branches: Merged,
}

/// Takes everything in. Our own `main` must have been verified before.
///
/// # Errors
/// What the rules refuse about the pages that are shown: then nothing has changed. `busy`, `race-lost`, `io`.
pub fn receive<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    index: &mut dyn PageIndex,
    peer: &Peer<'_>,
    shown: &RefMap,
    hooks: &mut Hooks<'_>,
) -> Result<Received, Fault> {
    let seen = peer::seen(space.store, peer.key)?;
    let mut history = open(space, index)?;
    let from = history.len();
    let final_up_to = match peer.here_is_home {
        true => from,
        false => peer::final_number(space.store, &history)?,
    };
    let mut checked = Vec::new();
    let (course, went_back) = match shown.get(refs::MAIN) {
        None => (None, seen.get(refs::MAIN).copied()),
        Some(main) => {
            let found = course(space, &history, *main, final_up_to, hooks.progress)?;
            let (mut course, pages) = found;
            if let (true, Course::Fork(fork)) = (peer.is_home, &mut course) {
                fork.stand = fork.stand.shown_by_home();
            }
            let back = went_back(space, &history, &course, seen.get(refs::MAIN))?;
            checked = pages;
            (Some(course), back)
        }
    };
    let step = match &course {
        Some(Course::Ahead(branch)) => settle::forward(&history, branch),
        Some(Course::Fork(fork)) => settle_fork(space, &history, fork)?,
        _ => None,
    };
    let (mut lost, mut returned) = (None, Vec::new());
    let moves = step.is_some();
    if let Some(step) = step {
        let (old, to) = (history.tip().expect("an open space has a tip").id, step.to);
        (hooks.before_move)(old, to)?;
        step.make(space.store)?;
        (lost, returned) = (step.lost, step.returned);
        if lost.is_none() {
            let new: Vec<NewPage> = checked.into_iter().map(|page| page.entry).collect();
            // The index is disposable: what could not be added is read again right away.
            let _ = history.extend(&new, Page::read(space.store, to)?);
        }
    }
    drop(history);
    let history = open(space, index)?;
    let branches = merge(space, &history, &seen, shown)?;
    if moves {
        drop_settled(space, &history)?;
    }
    remember(space, &history, peer, &seen, shown, &branches, went_back)?;
    drop_incoming(space.store, peer.key, shown, &branches.waiting)?;
    Ok(Received {
        course,
        from,
        to: history.len(),
        lost,
        returned,
        went_back,
        branches,
    })
}

/// Looks again at what another repository brought earlier and what could not be taken then: a proposal on a page
/// that had not come yet, a review of a proposal that came on another stick. It waits also where that repository
/// does not show it any more.
pub fn retry<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    index: &mut dyn PageIndex,
    key: &str,
) -> Result<Merged, Fault> {
    let mut left = peer::incoming(space.store, key)?;
    // A `main` that lies there was refused, or a fetch of it did not end: only a fetch looks at it.
    left.remove(refs::MAIN);
    if left.is_empty() {
        return Ok(Merged::default());
    }
    let seen = peer::seen(space.store, key)?;
    let history = open(space, index)?;
    let mut shown = seen.clone();
    shown.extend(left.clone());
    let mut merged = merge(space, &history, &seen, &shown)?;
    let mut now = shown;
    for (name, _) in &merged.waiting {
        match seen.get(name) {
            Some(before) => now.insert(name.clone(), *before),
            None => now.remove(name),
        };
    }
    apply_each(space.store, &peer::remember(key, &seen, &now))?;
    // What no page can put right is not kept. Where it is still shown, it comes with the next fetch.
    merged.waiting.retain(|(_, fault)| may_heal(fault));
    drop_incoming(space.store, key, &left, &merged.waiting)?;
    Ok(merged)
}

/// Whether pages or objects that come later may make a branch acceptable.
fn may_heal(fault: &Fault) -> bool {
    matches!(
        fault.code,
        Code::BaseUnknown | Code::ObjectMissing | Code::NotAMember
    )
}

/// Of what was brought and looked at, only what waits stays; the rest is known by other names now, or by none.
fn drop_incoming<S: Store>(
    store: &S,
    key: &str,
    looked_at: &RefMap,
    waiting: &[(String, Fault)],
) -> Result<(), Fault> {
    let waits = |name: &String| waiting.iter().any(|(waiting, _)| waiting == name);
    let mut edits = Vec::new();
    for (name, id) in peer::incoming(store, key)? {
        if looked_at.contains_key(&name) && !waits(&name) {
            edits.push(RefEdit {
                name: peer::incoming_ref(key, &name),
                expect: Expect::At(id),
                new: None,
                message: "folio: taken in".into(),
            });
        }
    }
    apply_each(store, &edits)
}

fn open<'i, S: Store>(
    space: &Space<'_, S>,
    index: &'i mut dyn PageIndex,
) -> Result<History<'i>, Fault> {
    let tip = Some(space.tip()?);
    History::open(&space.tables, space.store, tip, index, &mut |_, _| {})
}

/// The page that it showed before, where it now shows one before that.
fn went_back<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    course: &Course,
    seen: Option<&Oid>,
) -> Result<Option<Oid>, Fault> {
    let (Course::Behind(shown), Some(seen)) = (course, seen) else {
        return Ok(None);
    };
    let before = Page::read(space.store, *seen)?;
    let ours = history.contains(before.number(), seen);
    Ok((ours && before.number() > *shown).then_some(*seen))
}

/// Another child of one of our pages: follow, or keep it by name for a person to look at.
fn settle_fork<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    fork: &Fork,
) -> Result<Option<Move>, Fault> {
    if let Stand::Follow(_) = fork.stand {
        return settle::over(space, history, &fork.theirs).map(Some);
    }
    let tip = *fork.theirs.pages.last().expect("a fork has pages");
    let chain = Page::read(space.store, tip)?.message.chain;
    space.store.apply(&[RefEdit {
        name: format!("{}{}", refs::OTHER, chain.short()),
        expect: Expect::Any,
        new: Some(tip),
        message: "folio: another child of a page".into(),
    }])?;
    Ok(None)
}

fn merge<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    history: &History<'_>,
    seen: &RefMap,
    shown: &RefMap,
) -> Result<Merged, Fault> {
    let ours = peer::ours(space.store)?;
    let rules = Rules {
        // The rules are those of a server's hook.
        admit: &|name, new| gate::admit(space, history, name, ours.get(name).copied(), new),
        settled: &|name, commit| settled(space, history, name, commit),
    };
    let merged = branches::merge(space.store, &ours, seen, shown, &rules)?;
    apply_each(space.store, &merged.edits)?;
    Ok(merged)
}

/// What was shown becomes what was seen, except what waits and a `main` that goes back or stands beside ours.
fn remember<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    peer: &Peer<'_>,
    seen: &RefMap,
    shown: &RefMap,
    branches: &Merged,
    went_back: Option<Oid>,
) -> Result<(), Fault> {
    let mut now = shown.clone();
    now.retain(|name, _| super::travels(name));
    for (name, _) in &branches.waiting {
        match seen.get(name) {
            Some(before) => now.insert(name.clone(), *before),
            None => now.remove(name),
        };
    }
    let main = shown.get(refs::MAIN).copied();
    let ours = match main {
        Some(main) => {
            let number = Page::read(space.store, main)?.number();
            history.contains(number, &main).then_some(main)
        }
        None => None,
    };
    if went_back.is_some() || ours.is_none() {
        match seen.get(refs::MAIN) {
            Some(before) => now.insert(refs::MAIN.into(), *before),
            None => now.remove(refs::MAIN),
        };
    }
    let mut edits = peer::remember(peer.key, seen, &now);
    if let (true, Some(main), None) = (peer.is_home, ours, went_back) {
        edits.extend(peer::home_edit(space.store, history, main)?);
    }
    apply_each(space.store, &edits)
}

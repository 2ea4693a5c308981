//! Pushing to one remote: list, compare ref by ref, send. `main` goes first and alone; it only moves forward.

use super::artifacts::of_artifacts;
use super::artifacts::send::Sender;
use super::home::Home;
use super::{Remote, address, say_remote};
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::ui::Ui;
use crate::journal::history::History;
use crate::journal::reconcile::outgoing::{self, Rules};
use crate::journal::reconcile::settled::settled_up_to;
use crate::journal::reconcile::{RefMap, peer, travels};
use crate::journal::{Page, Space, refs};
use crate::model::{Code, Handle, Number, Oid};
use crate::remote::{Push, Pushed, Transport};
use crate::store::{self, GitStore};

/// Refs sent at a time: a command line is only so long.
const AT_ONCE: usize = 400;

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub enum What<'a> {
    /// `main` and every branch.
    Everything,
    /// The proposals and reviews of this member.
    Own(&'a Handle),
}

/// What one push did.
#[derive(Debug, Default)]
pub struct Sent {
    /// What became of each ref, by full name.
    pub refs: Vec<Pushed>,
    /// Branches of numbered proposals that were removed there.
    pub removed: Vec<String>,
    /// Branches that changed on both sides: fetching comes first.
    pub held: Vec<String>,
    /// Whether the other side has our newest page now, as far as we asked.
    pub main: bool,
}

/// Sends what the other side lacks.
pub fn push(
    context: &Context,
    global: &Global,
    space: &Space<'_, GitStore>,
    remote: &Remote,
    what: What<'_>,
    ui: &Ui,
) -> anyhow::Result<Sent> {
    let transport = remote.transport(context);
    let (there, artifacts) = {
        let _waiting = ui.spinner("Asking");
        let all = transport.list()?;
        require_undiverted(&all, remote)?;
        let artifacts = of_artifacts(&all);
        (ours_of(all), artifacts)
    };
    let sender = Sender {
        context,
        global,
        space,
        remote,
        transport: &transport,
        there: &artifacts,
        ui,
    };
    let mut index = context.index()?;
    let history = context.history(space, &mut index, ui)?;
    let mut sent = Sent::default();
    address::settle(context, remote, ui)?;
    let mut seen = peer::seen(&context.store, &remote.key)?;
    let before = seen.clone();
    // What is there as it is here was sent by a push whose answer was lost, or came the same way as ours.
    let ours = peer::ours(&context.store)?;
    let branches = there.iter().filter(|(name, _)| *name != refs::MAIN);
    let same = branches.filter(|(name, id)| ours.get(*name) == Some(*id));
    seen.extend(same.map(|(name, id)| (name.clone(), *id)));
    if let What::Everything = what {
        send_main(context, &transport, &history, remote, &there, &mut sent, ui)?;
        if sent.main {
            let tip = history.tip().expect("an open space has a tip").id;
            seen.insert(refs::MAIN.into(), tip);
        }
    }
    let main_there = there.contains_key(refs::MAIN) || sent.main;
    if let (What::Own(_), false) = (what, main_there) {
        return Err(no_space_at(remote).into());
    }
    if main_there {
        let pages = pages_there(context, &history, &there, &seen, sent.main);
        let edits = lacking(space, &history, pages, &there, &seen, what, &mut sent)?;
        sender.offers(&proposals(&ours, &there, &edits), &mut sent)?;
        send_branches(&transport, &edits, &mut seen, &mut sent, ui)?;
        sender.tidy(what, &there, &before, &mut sent)?;
    }
    let mut edits = peer::remember(&remote.key, &before, &seen);
    if sent.main && Home::of(context, space)? == Home::Remote(remote.key.clone()) {
        let tip = history.tip().expect("an open space has a tip").id;
        edits.extend(peer::home_edit(&context.store, &history, tip)?);
    }
    // A crash before this makes the next look at that remote compare with older memories: nothing is lost.
    store::apply_in_parts(&context.store, &edits)?;
    if sent.main && sent.held.is_empty() {
        sender.shelf(&mut sent)?;
    }
    Ok(sent)
}

fn no_space_at(remote: &Remote) -> Problem {
    let what = format!("there is no {} at `{}`", refs::MAIN, remote.name);
    let hint = format!("to begin with everything: folio push {}", remote.name);
    Problem::new(Code::NotASpace, what).hint(hint)
}

/// The proposals of ours that are there as they are here, once these changes are made.
fn proposals(ours: &RefMap, there: &RefMap, edits: &[Push]) -> Vec<String> {
    let is_sent = |name: &String, id: &Oid| {
        let mut edits = edits.iter();
        edits.any(|edit| edit.name == *name && edit.new == Some(*id))
    };
    let ours = ours.iter().filter(|(name, id)| {
        name.starts_with(refs::PROPOSALS) && (there.get(*name) == Some(id) || is_sent(name, id))
    });
    ours.map(|(name, _)| name.clone()).collect()
}

fn ours_of(all: Vec<(String, Oid)>) -> RefMap {
    let all = all.into_iter();
    all.filter(|(name, _)| travels(name)).collect()
}

/// git completes names on the other side: where `refs/heads/refs/heads/main` is, a push of `refs/heads/main` may
/// end up there.
fn require_undiverted(all: &[(String, Oid)], remote: &Remote) -> anyhow::Result<()> {
    let Some((name, _)) = all
        .iter()
        .find(|(name, _)| name.starts_with("refs/heads/refs/"))
    else {
        return Ok(());
    };
    let what = format!(
        "`{}` has the branch {name}, which would divert what is pushed",
        remote.name
    );
    Err(Problem::new(Code::PushRefused, what)
        .hint("ask who runs it to remove that branch, and to install the hooks: folio hook install --server")
        .into())
}

fn send_main(
    context: &Context,
    transport: &Transport,
    history: &History<'_>,
    remote: &Remote,
    there: &RefMap,
    sent: &mut Sent,
    ui: &Ui,
) -> anyhow::Result<()> {
    let tip = history.tip().expect("an open space has a tip").id;
    let old = there.get(refs::MAIN).copied();
    if old == Some(tip) {
        sent.main = true;
        return Ok(());
    }
    if let Some(old) = old {
        require_ours(context, history, remote, old)?;
    }
    let edit = Push {
        name: refs::MAIN.into(),
        new: Some(tip),
        old,
        replace: false,
    };
    let pushed = {
        let _waiting = ui.spinner("Pushing");
        transport.push(std::slice::from_ref(&edit))
    };
    match pushed {
        Ok((mut results, words)) => {
            say_remote(ui, &words);
            look_again(transport, std::slice::from_ref(&edit), &mut results, sent)?;
            sent.main = sent.held.is_empty() && results.iter().all(|one| one.refused.is_none());
            sent.refs.extend(results);
        }
        // The answer of a push that succeeded may be lost: what counts is what is there now.
        Err(fault) => match transport.list().map(ours_of) {
            Ok(now) if now.get(refs::MAIN) == Some(&tip) => sent.main = true,
            _ => return Err(fault.into()),
        },
    }
    Ok(())
}

/// What was refused because somebody else was faster: there already as we want it, or moved on since we looked.
fn look_again(
    transport: &Transport,
    edits: &[Push],
    results: &mut Vec<Pushed>,
    sent: &mut Sent,
) -> anyhow::Result<()> {
    if results.iter().all(|one| one.refused.is_none()) {
        return Ok(());
    }
    let now = ours_of(transport.list()?);
    results.retain_mut(|one| {
        let edit = edits.iter().find(|edit| edit.name == one.name);
        let (Some(edit), true) = (edit, one.refused.is_some()) else {
            return true;
        };
        let now = now.get(&one.name).copied();
        if now == edit.new {
            one.refused = None;
        } else if now != edit.old {
            sent.held.push(one.name.clone());
            return false;
        }
        true
    });
    Ok(())
}

/// Their newest page is one of ours, else fetching comes first.
fn require_ours(
    context: &Context,
    history: &History<'_>,
    remote: &Remote,
    theirs: Oid,
) -> anyhow::Result<()> {
    let ours = Page::read(&context.store, theirs)
        .is_ok_and(|page| history.contains(page.number(), &theirs));
    if ours {
        return Ok(());
    }
    let what = format!("`{}` has pages that are not here", remote.name);
    Err(Problem::new(Code::RaceLost, what)
        .hint(format!("folio fetch {}", remote.name))
        .into())
}

/// How many of our pages the other side is known to have. What only later ones numbered waits there still: they came from
/// elsewhere, or were refused there.
fn pages_there(
    context: &Context,
    history: &History<'_>,
    there: &RefMap,
    seen: &RefMap,
    sent: bool,
) -> Number {
    if sent {
        return history.len();
    }
    // What it has may be ahead of us; then it is at least what it had before.
    let mut known = [there, seen].into_iter().filter_map(|map| {
        let page = Page::read(&context.store, *map.get(refs::MAIN)?).ok()?;
        let ours = history.contains(page.number(), &page.id);
        ours.then(|| page.number())
    });
    known.next().unwrap_or(Number(0))
}

/// The branches that the other side lacks, as far as they are asked for; `pages` of our history are there.
fn lacking(
    space: &Space<'_, GitStore>,
    history: &History<'_>,
    pages: Number,
    there: &RefMap,
    seen: &RefMap,
    what: What<'_>,
    sent: &mut Sent,
) -> anyhow::Result<Vec<Push>> {
    let ours = peer::ours(space.store)?;
    let rules = Rules {
        wanted: &|name| match what {
            What::Everything => true,
            What::Own(handle) => [refs::PROPOSALS, refs::REVIEWS]
                .iter()
                .any(|prefix| name.starts_with(&format!("{prefix}{handle}/"))),
        },
        settled: &|name, commit| settled_up_to(space, history, name, commit, pages),
    };
    let outgoing = outgoing::branches(&ours, seen, there, &rules)?;
    sent.held.extend(outgoing.held);
    let send = outgoing.send.into_iter();
    Ok(send
        .map(|send| Push {
            name: send.name,
            new: send.new,
            old: send.old,
            replace: true,
        })
        .collect())
}

fn send_branches(
    transport: &Transport,
    edits: &[Push],
    seen: &mut RefMap,
    sent: &mut Sent,
    ui: &Ui,
) -> anyhow::Result<()> {
    for some in edits.chunks(AT_ONCE) {
        let (mut results, words) = {
            let _waiting = ui.spinner("Pushing");
            transport.push(some)?
        };
        say_remote(ui, &words);
        look_again(transport, some, &mut results, sent)?;
        for pushed in results {
            let edit = some.iter().find(|edit| edit.name == pushed.name);
            if let (None, Some(edit)) = (&pushed.refused, edit) {
                if let Some(new) = edit.new {
                    seen.insert(edit.name.clone(), new);
                } else {
                    seen.remove(&edit.name);
                    sent.removed.push(pushed.name);
                    continue;
                }
            }
            sent.refs.push(pushed);
        }
    }
    Ok(())
}

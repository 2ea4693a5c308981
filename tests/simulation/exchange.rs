//! Between repositories, as `folio fetch` and `folio push` do it.

use crate::node::{Node, Store};
use folio::journal::evidence::{Evidence, culprit};
use folio::journal::gate::{self, Update};
use folio::journal::history::History;
use folio::journal::reconcile::course::{Course, Fork};
use folio::journal::reconcile::outgoing::{self, Rules};
use folio::journal::reconcile::receive::{self, Hooks, Peer, Received};
use folio::journal::reconcile::{RefMap, peer, settle, settled::settled, takeover, travels};
use folio::journal::verify::{Branch, verify_branch};
use folio::journal::{Fault, Page, Space, refs};
use folio::model::{Code, Oid};
use folio::store::{Expect, MemoryStore, RefEdit, Refs as _};
use std::collections::BTreeSet;

/// What a repository shows to somebody who asks.
pub struct Shown {
    /// What the asker calls it.
    pub key: String,
    pub is_home: bool,
    pub objects: MemoryStore,
    pub refs: RefMap,
}

impl Shown {
    pub fn by(node: &Node, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            is_home: node.is_home,
            objects: node.store.inner().clone(),
            refs: peer::ours(node.store.inner()).unwrap(),
        }
    }
}

/// Brings what is shown and takes it in.
pub fn fetch(node: &mut Node, from: &Shown) -> Result<Received, Fault> {
    node.store.inner().take_objects(&from.objects);
    let mut listed = from.refs.clone();
    listed.retain(|name, _| travels(name));
    let seen = peer::seen(&node.store, &from.key)?;
    let wanted = listed
        .iter()
        .filter(|(name, id)| seen.get(*name) != Some(id));
    let edits: Vec<RefEdit> = wanted
        .map(|(name, id)| edit(peer::incoming_ref(&from.key, name), Expect::Any, Some(*id)))
        .collect();
    node.store.apply(&edits)?;
    let mut shown = listed.clone();
    for (name, id) in peer::incoming(&node.store, &from.key)? {
        if listed.contains_key(&name) {
            shown.insert(name, id);
        }
    }
    let space = Space::open(&node.store)?;
    let peer = Peer {
        key: &from.key,
        is_home: from.is_home,
        here_is_home: node.is_home,
    };
    let mut hooks = Hooks {
        before_move: &mut |_, _| Ok(()),
        progress: &mut |_, _| {},
    };
    let received = receive::receive(&space, &mut node.index, &peer, &shown, &mut hooks);
    let received = match received {
        Ok(received) => received,
        Err(fault) => {
            node.evidence.extend(of_pages(&node.store, &shown, &fault));
            return Err(fault);
        }
    };
    node.evidence
        .extend(of_course(&node.store, &shown, &received));
    for other in waiting(&node.store)? {
        if other != from.key {
            receive::retry(&space, &mut node.index, &other)?;
        }
    }
    Ok(received)
}

fn of_pages(store: &Store, shown: &RefMap, fault: &Fault) -> Option<Evidence> {
    if fault.is_environment() || fault.code == Code::ObjectMissing {
        return None;
    }
    let page = culprit(store, *shown.get(refs::MAIN)?).or(fault.commit)?;
    Evidence::invalid_page(store, page).ok().flatten()
}

fn of_course(store: &Store, shown: &RefMap, received: &Received) -> Vec<Evidence> {
    let mut made = Vec::new();
    if let Some(Course::Fork(Fork { ours, theirs, .. })) = &received.course {
        made.push(Evidence::two_pages(store, *ours, theirs.pages[0]));
    }
    if let (Some(newer), Some(older)) = (received.went_back, shown.get(refs::MAIN)) {
        made.push(Evidence::went_back(store, newer, *older, "shown"));
    }
    made.into_iter()
        .filter_map(|made| made.ok().flatten())
        .collect()
}

fn waiting(store: &Store) -> Result<BTreeSet<String>, Fault> {
    let listed = store.list(refs::INCOMING)?.into_iter();
    let key = |name: String| {
        let rest = name.strip_prefix(refs::INCOMING)?;
        rest.split_once('/').map(|(key, _)| key.to_owned())
    };
    Ok(listed.filter_map(|(name, _)| key(name)).collect())
}

fn edit(name: String, expect: Expect, new: Option<Oid>) -> RefEdit {
    RefEdit {
        name,
        expect,
        new,
        message: String::new(),
    }
}

/// What the server makes of one push: the gate, then a compare-and-swap for each ref. The refs that moved.
pub fn offer(
    home: &mut Node,
    from: &MemoryStore,
    updates: &[Update],
) -> Result<Vec<String>, Fault> {
    home.store.inner().take_objects(from);
    let verdicts = gate::judge(&home.store, &mut home.index, None, updates)?;
    let mut moved = Vec::new();
    for (update, verdict) in updates.iter().zip(verdicts) {
        if verdict.refused.is_some() {
            continue;
        }
        let expect = update.old.map_or(Expect::Absent, Expect::At);
        let edit = edit(update.name.clone(), expect, update.new);
        if home.store.apply(&[edit]).is_ok() {
            moved.push(update.name.clone());
        }
    }
    Ok(moved)
}

/// Sends what home lacks. With `answer` false everything arrives and nobody here hears of it.
pub fn push(node: &mut Node, home: &mut Node, answer: bool) -> Result<(), Fault> {
    let there = peer::ours(&home.store)?;
    let space = Space::open(&node.store)?;
    let tip = space.tip()?;
    let history = History::open(
        &space.tables,
        &node.store,
        Some(tip),
        &mut node.index,
        &mut |_, _| {},
    )?;
    let before = peer::seen(&node.store, "home")?;
    let mut seen = before.clone();
    let old = there.get(refs::MAIN).copied().expect("home has pages");
    if old != tip {
        let ours =
            Page::read(&node.store, old).is_ok_and(|page| history.contains(page.number(), &old));
        if !ours {
            return Err(Fault::new(
                Code::RaceLost,
                "home has pages that are not here",
            ));
        }
        let update = Update {
            name: refs::MAIN.into(),
            old: Some(old),
            new: Some(tip),
        };
        let moved = offer(home, node.store.inner(), &[update])?;
        if moved.is_empty() {
            return Err(Fault::new(Code::RaceLost, "home took no pages"));
        }
    }
    seen.insert(refs::MAIN.into(), tip);
    let rules = Rules {
        wanted: &|_| true,
        settled: &|name, commit| settled(&space, &history, name, commit),
    };
    let ours = peer::ours(&node.store)?;
    let sends = outgoing::branches(&ours, &seen, &there, &rules)?
        .send
        .into_iter();
    let updates: Vec<Update> = sends
        .map(|send| Update {
            name: send.name,
            old: send.old,
            new: send.new,
        })
        .collect();
    let moved = offer(home, node.store.inner(), &updates)?;
    if !answer {
        return Ok(());
    }
    for update in updates.iter().filter(|update| moved.contains(&update.name)) {
        match update.new {
            Some(new) => seen.insert(update.name.clone(), new),
            None => seen.remove(&update.name),
        };
    }
    let mut edits = peer::remember("home", &before, &seen);
    edits.extend(peer::home_edit(&node.store, &history, tip)?);
    node.store.apply(&edits)?;
    Ok(())
}

/// A server without a gate, and somebody who forces.
pub fn push_unguarded(node: &mut Node, home: &mut Node) -> Result<(), Fault> {
    home.store.inner().take_objects(node.store.inner());
    let main = node.store.get(refs::MAIN)?;
    home.store
        .apply(&[edit(refs::MAIN.into(), Expect::Any, main)])?;
    Ok(())
}

/// What a reader must not do: go over to whatever is shown.
pub fn go_over(node: &mut Node, branch: &Branch) -> Result<(), Fault> {
    let space = Space::open(&node.store)?;
    let tip = Some(space.tip()?);
    let history = History::open(
        &space.tables,
        &node.store,
        tip,
        &mut node.index,
        &mut |_, _| {},
    )?;
    let step = settle::over(&space, &history, branch)?;
    step.make(&node.store)?;
    Ok(())
}

/// What a person does who asked and was told that home's chain is the one: `folio pin --takeover`.
pub fn follow(node: &mut Node, home_tip: &Page) -> Result<(), Fault> {
    let space = Space::open(&node.store)?;
    let chain = home_tip.message.chain;
    let name = format!("{}{}", refs::OTHER, chain.short());
    let kept = node.store.get(&name)?;
    let kept = kept.ok_or_else(|| Fault::new(Code::NotFound, format!("{name} is not kept")))?;
    let tip = Some(space.tip()?);
    let history = History::open(
        &space.tables,
        &node.store,
        tip,
        &mut node.index,
        &mut |_, _| {},
    )?;
    let branch = Branch::read(&node.store, &history, kept)?;
    verify_branch(&space, &history, &branch, &mut |_, _| {})?;
    let page = Page::read(&node.store, kept)?;
    let known = peer::final_number(&node.store, &history)?;
    takeover::explicit(&branch, &page, chain, known)?;
    let step = settle::over(&space, &history, &branch)?;
    step.make(&node.store)?;
    Ok(())
}

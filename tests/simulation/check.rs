//! What must hold: after each step where it is cheap to see, and of everything at the end.

use crate::exchange::Shown;
use crate::node::Node;
use crate::world::{Broken, World};
use folio::codec::commit::Commit;
use folio::codec::message::Message;
use folio::crypto::seal;
use folio::journal::check::take_in;
use folio::journal::evidence::{self, Evidence, Verdict};
use folio::journal::history::History;
use folio::journal::pages::MemoryIndex;
use folio::journal::proposal::Proposal;
use folio::journal::reconcile::course::Course;
use folio::journal::reconcile::receive::Received;
use folio::journal::reconcile::takeover::Stand;
use folio::journal::verify::verify;
use folio::journal::{Page, Space, queue, refs, replay};
use folio::model::{Number, ObjectFormat, Oid, ProposalDigest};
use folio::store::{MemoryStore, Objects, Refs as _};
use std::collections::{BTreeMap, BTreeSet};

/// The pages above `known` up to a tip, oldest first; nothing where `known` is not below it.
fn above<S: Objects>(store: &S, tip: Oid, known: Option<Oid>) -> Option<Vec<Page>> {
    let (mut pages, mut at) = (Vec::new(), Some(tip));
    while at != known {
        let page = Page::read(store, at?).ok()?;
        at = page.previous();
        pages.push(page);
    }
    pages.reverse();
    Some(pages)
}

impl World {
    /// Home only grows; what waits there is written down.
    pub fn look_at_home(&mut self) -> Result<(), Broken> {
        let store = self.home().store.inner().clone();
        let known = self.home_chain.last().copied();
        let main = self.home().main();
        let new = above(&store, main, known)
            .ok_or_else(|| format!("home went from {known:?} to {main}"))?;
        self.home_chain.extend(new.iter().map(|page| page.id));
        self.home_branches
            .extend(store.list("refs/heads/").unwrap());
        let queue = store.list(refs::PROPOSALS).unwrap();
        self.last_at_home.extend(queue);
        Ok(())
    }
}

/// Nobody's `main` loses pages, unless they are kept as lost.
pub fn keep_their_chains(world: &mut World) -> Result<(), Broken> {
    for (at, node) in world.nodes.iter().enumerate() {
        let (old, new) = (world.mains[at], node.main());
        let store = node.store.inner();
        if old != new && above(store, new, Some(old)).is_none() {
            let lost = store.list(refs::LOST).unwrap();
            if !lost.iter().any(|(_, id)| *id == old) {
                return Err(format!("{} lost its pages up to {old}", node.name()));
            }
        }
        world.mains[at] = new;
    }
    Ok(())
}

/// What came of taking something in, and that it was right.
pub fn receipt(
    world: &mut World,
    at: usize,
    before: Oid,
    shown: &Shown,
    received: &Received,
) -> Result<String, Broken> {
    accuses_nobody_honest(world, at)?;
    let node = &world.nodes[at];
    let store = node.store.inner();
    let fork = match &received.course {
        Some(Course::Fork(fork)) => fork,
        Some(Course::Ahead(branch)) => {
            let follows = branch.pages.last() == Some(&node.main());
            return match follows {
                true => Ok(format!("{} pages", branch.pages.len())),
                false => Err(format!("{} did not follow {}", node.name(), shown.key)),
            };
        }
        Some(Course::Behind(_)) => return Ok("behind".into()),
        Some(Course::Same) | None => return Ok("the same".into()),
    };
    let tip = *fork.theirs.pages.last().unwrap();
    let Stand::Follow(number) = fork.stand else {
        if node.main() != before {
            return Err(format!(
                "{} went over to a chain that no approved take leads",
                node.name()
            ));
        }
        let other = store.list(refs::OTHER).unwrap();
        if !other.iter().any(|(_, id)| *id == tip) {
            return Err(format!("{} did not keep the other chain", node.name()));
        }
        let shown = Evidence::two_pages(store, fork.ours, fork.theirs.pages[0]).unwrap();
        if shown.is_none() {
            return Err("two children of one page are no evidence".into());
        }
        world.count("two children of one page");
        return Ok(format!("{:?}", fork.stand));
    };
    let take = Page::read(
        store,
        fork.theirs.pages[(number.0 - fork.theirs.fork.0 - 1) as usize],
    )
    .unwrap();
    if world.setting.appointed || take.reviews().is_empty() {
        return Err(format!(
            "{} followed a take that nobody approved",
            node.name()
        ));
    }
    let lost = store.list(refs::LOST).unwrap();
    if !lost.iter().any(|(_, id)| *id == before) {
        return Err(format!(
            "{} did not keep the pages that a take cut off",
            node.name()
        ));
    }
    nothing_is_dropped(world, at, before, fork.ours)?;
    world.count("an approved take is followed");
    Ok(format!("{:?}", fork.stand))
}

/// Proposals of pages that were cut off are numbered again, or wait again; a take is of no use any more.
fn nothing_is_dropped(world: &World, at: usize, old: Oid, first: Oid) -> Result<(), Broken> {
    let node = &world.nodes[at];
    let store = node.store.inner();
    let fork = Page::read(store, first).unwrap().previous();
    let cut = above(store, old, fork).unwrap();
    let now = above(store, node.main(), fork).unwrap();
    let numbered: BTreeSet<ProposalDigest> = now.iter().map(|page| page.message.proposal).collect();
    let queue: BTreeSet<Oid> = store
        .list(refs::PROPOSALS)
        .unwrap()
        .into_iter()
        .map(|(_, id)| id)
        .collect();
    for page in cut {
        let is_take = page.commit.message.contains(": take ");
        let there = numbered.contains(&page.message.proposal) || queue.contains(&page.proposal());
        if !there && !is_take {
            return Err(format!(
                "{} dropped the proposal of {}",
                node.name(),
                page.id
            ));
        }
    }
    Ok(())
}

fn accuses_nobody_honest(world: &mut World, at: usize) -> Result<(), Broken> {
    for one in std::mem::take(&mut world.nodes[at].evidence) {
        let finding = evidence::check(&one, &MemoryStore::new(ObjectFormat::Sha1)).unwrap();
        if !finding.proves() {
            return Err(format!("evidence that shows nothing: {}", finding.words));
        }
        if let Some(key) = finding.accused
            && !world.stolen.contains(&key)
        {
            return Err(format!("an honest key is accused: {}", finding.words));
        }
        world.count(match finding.verdict {
            Verdict::Equivocation => "evidence of equivocation",
            Verdict::Invalid => "evidence of an invalid page",
            Verdict::Withheld => "evidence of pages withheld",
            _ => "evidence of two chains",
        });
    }
    Ok(())
}

/// Everything, once all have talked to home until nothing changed.
pub fn at_the_end(world: &mut World) -> Result<(), Broken> {
    let main = world.home().main();
    if let Some(node) = world.nodes.iter().find(|node| node.main() != main) {
        return Err(format!(
            "{} is at {} and home at {main}",
            node.name(),
            node.main()
        ));
    }
    verifies_and_replays(world)?;
    nobody_signed_twice(world)?;
    each_proposal_has_its_answer(world)
}

/// All are at one commit, so what holds of home's pages holds of everybody's.
fn verifies_and_replays(world: &World) -> Result<(), Broken> {
    let store = world.home().store.inner();
    let words =
        |fault: folio::journal::Fault| format!("home does not verify: {}: {fault}", fault.code);
    let space = Space::open(store).map_err(words)?;
    let mut index = MemoryIndex::default();
    let tip = Some(space.tip().map_err(words)?);
    let history =
        History::open(&space.tables, store, tip, &mut index, &mut |_, _| {}).map_err(words)?;
    verify(&space, &history, Number(1), &mut |_, _| {}).map_err(words)?;
    let view =
        replay::replay(&space, &history, history.len(), None, &mut |_, _| {}).map_err(words)?;
    let tree = replay::tree_of(&space.tables, &view).map_err(words)?;
    match tree == history.tip().unwrap().tree() {
        true => Ok(()),
        false => Err("what is replayed is not what is stored".into()),
    }
}

/// No two payloads for one epoch and number by one key, unless it was stolen: over every store and all that ever
/// left a process.
fn nobody_signed_twice(world: &World) -> Result<(), Broken> {
    let mut seen = BTreeSet::new();
    let mut signed: BTreeMap<(u64, u64), BTreeMap<Vec<u8>, Commit>> = BTreeMap::new();
    let mut note = |bytes: &[u8]| {
        let Ok(commit) = Commit::parse(bytes, ObjectFormat::Sha1) else {
            return;
        };
        if let Ok(Message::Snapshot(page)) = Message::parse(&commit.message) {
            let place = (page.epoch.0, page.number.0);
            signed
                .entry(place)
                .or_default()
                .insert(commit.payload(), commit);
        }
    };
    for node in &world.nodes {
        for (id, bytes) in node.store.inner().commits() {
            if seen.insert(id) {
                note(&bytes);
            }
        }
        node.memory
            .signed
            .lock()
            .unwrap()
            .iter()
            .for_each(|bytes| note(bytes));
    }
    for ((epoch, number), payloads) in &signed {
        let mut keys = BTreeSet::new();
        for commit in payloads.values() {
            match seal::open(commit) {
                Ok(key) if !keys.insert(key) && !world.stolen.contains(&key) => {
                    return Err(format!(
                        "{key} signed common@{number} of epoch {epoch} twice"
                    ));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whatever waited at home once is numbered once, was replaced by its author, or waits with a reason.
fn each_proposal_has_its_answer(world: &mut World) -> Result<(), Broken> {
    let store = world.home().store.inner().clone();
    let mut numbers: BTreeMap<ProposalDigest, u64> = BTreeMap::new();
    for (number, id) in (1..).zip(&world.home_chain) {
        let page = Page::read(&store, *id).unwrap();
        if let Some(other) = numbers.insert(page.message.proposal, number) {
            return Err(format!(
                "one proposal is common@{other} and common@{number}"
            ));
        }
    }
    let space = Space::open(&store).unwrap();
    let mut index = MemoryIndex::default();
    let tip = Some(space.tip().unwrap());
    let history = History::open(&space.tables, &store, tip, &mut index, &mut |_, _| {}).unwrap();
    let mut waits: BTreeMap<Oid, String> = BTreeMap::new();
    for entry in queue::gather(&space, &history).unwrap() {
        match entry {
            queue::Entry::Invalid { commit, fault, .. } => {
                waits.insert(commit, fault.code.to_string());
            }
            queue::Entry::Authentic(candidate) => {
                let tip = history.tip().unwrap();
                let (standing, _) =
                    queue::standing(&space.tables, tip, &history, &candidate).unwrap();
                let why = match standing {
                    queue::Standing::Refused(fault) => Some(fault.code.to_string()),
                    // Only its taker numbers it, or nobody.
                    _ => take_in(&candidate.proposal).map(|_| "a take".into()),
                };
                waits.extend(why.map(|why| (candidate.branch.commit, why)));
            }
        }
    }
    let mut answers = Vec::new();
    for (name, commit) in &world.home_branches {
        if !name.starts_with(refs::PROPOSALS) {
            continue;
        }
        let proposal = Proposal::authenticate(&space.tables, &store, Some(&space.id), *commit)
            .map_err(|fault| format!("home held {name}: {fault}"))?;
        let digest = proposal.digest();
        // The gate lets nobody but its author put something else in its place. The author may also have what cannot
        // be sent: made on a page that was cut off.
        let has_another = |node: &Node| {
            let theirs = name[refs::PROPOSALS.len()..].split('/').next();
            let now = node.store.inner().get(name).unwrap();
            theirs == Some(node.person.handle) && now.is_some_and(|now| now != *commit)
        };
        let replaced =
            world.last_at_home.get(name) != Some(commit) || world.nodes.iter().any(has_another);
        answers.push(
            match (numbers.contains_key(&digest), waits.get(commit), replaced) {
                (true, _, _) => "proposals numbered",
                (_, Some(_), _) => "proposals refused",
                (_, _, true) => "proposals replaced",
                _ => {
                    return Err(format!(
                        "{name} {} was at home and has no answer",
                        digest.short()
                    ));
                }
            },
        );
    }
    answers.into_iter().for_each(|answer| world.count(answer));
    Ok(())
}

//! Somebody with a stolen key, and somebody without any: what they put up for others to see.

use crate::exchange::offer;
use crate::node::{Node, Person};
use crate::world::{HOME, WIM, World};
use folio::codec::commit::Commit;
use folio::crypto::keyfile::KeyPair;
use folio::crypto::{Sign as _, seal};
use folio::journal::gate::Update;
use folio::journal::{Page, refs};
use folio::model::{ObjectFormat, Oid, PublicKey};
use folio::store::{Expect, Kind, MemoryStore, Objects as _, RefEdit, Refs as _};

/// Who signed a page.
fn signer(page: &Page) -> PublicKey {
    seal::open(&page.commit).unwrap()
}

/// The key of whoever holds the pen at home is copied.
pub fn steal(world: &mut World) {
    let key = world.home().pen().unwrap().key;
    world.stolen.insert(key);
}

/// A key that is nobody's; whoever has it signs what they like.
pub fn stranger() -> KeyPair {
    KeyPair::from_seed([77; 32])
}

fn stolen_key(world: &World) -> Option<(&'static str, KeyPair)> {
    for at in [WIM, world.wanda()] {
        let person = &world.nodes[at].person;
        for (n, key) in person.keys.iter().enumerate() {
            if world.stolen.contains(&key.public_key()) {
                // The same seed again: a key is made from the name.
                let mut copy = Person::new(person.handle);
                for _ in 0..n {
                    copy.new_key();
                }
                return Some((person.handle, copy.keys.pop().unwrap()));
            }
        }
    }
    None
}

/// Signs other pages with a stolen key, beside one of home's or on top of the newest, and puts them on the lying
/// mirror; sometimes home gets them too.
pub fn equivocate(world: &mut World) -> Option<&'static str> {
    let (handle, key) = stolen_key(world)?;
    let public = key.public_key();
    let home = world.home().store.inner().clone();
    let pages: Vec<Page> = world
        .home_chain
        .iter()
        .map(|id| Page::read(&home, *id).unwrap())
        .collect();
    let (mut places, holder) = (Vec::new(), world.home().pen().unwrap().key);
    for n in 1..=pages.len() {
        match pages.get(n) {
            Some(next) if signer(next) == public => places.push((n, Some(next.proposal()))),
            None if holder == public => places.push((n, None)),
            _ => {}
        }
    }
    if places.is_empty() {
        return None;
    }
    let (n, proposal) = *world.rng.pick(&places);
    let store = MemoryStore::new(home.format());
    store.take_objects(&home);
    let mut edits = vec![(refs::MAIN.to_owned(), pages[n - 1].id)];
    let author = world
        .made
        .iter()
        .find(|made| Some(made.2) == proposal)
        .map(|made| made.1.clone());
    match (author, proposal) {
        (Some(name), Some(proposal)) => edits.push((name, proposal)),
        _ => edits.extend(home.list(refs::PROPOSALS).unwrap()),
    }
    let edits: Vec<RefEdit> = edits.into_iter().map(|(name, to)| edit(name, to)).collect();
    store.apply(&edits).unwrap();
    let person = Person {
        handle,
        keys: vec![key],
    };
    let mut thief = Node::new(person, store, false, true);
    thief.clock += 100_000 + world.rng.below(1000) as u64;
    let report = thief.accept(&|_| true).ok()?;
    let page = report.numbered.last()?.commit;
    world.mirrors.forgery.take_objects(thief.store.inner());
    world.mirrors.forged = Some(page);
    if n == pages.len() && world.rng.once_in(4) {
        let update = Update {
            name: refs::MAIN.into(),
            old: Some(pages[n - 1].id),
            new: Some(page),
        };
        offer(&mut world.nodes[HOME], thief.store.inner(), &[update]).unwrap();
        return Some("pages of a thief pushed to home");
    }
    Some("other pages signed by a stolen key")
}

/// Makes a page that nobody may believe out of home's newest: altered, signed by a stranger, or with a state that
/// does not follow, signed by a stolen key.
pub fn forge(world: &mut World) -> &'static str {
    let home = world.home().store.inner().clone();
    let tip = world.home().tip();
    let before = tip.previous().map(|id| Page::read(&home, id).unwrap());
    let mut commit = tip.commit.clone();
    let stolen = stolen_key(world).filter(|(_, key)| key.public_key() == signer(&tip));
    let (what, bytes) = match (world.rng.below(4), stolen, before) {
        (0, _, _) => {
            let text = tip.commit.encode();
            let at = text.windows(8).position(|w| w == b"\ngpgsig ").unwrap();
            (
                "a page with one more header",
                [&text[..at], b"\nencoding UTF-8", &text[at..]].concat(),
            )
        }
        (1, _, _) => {
            commit.committer.seconds += 1;
            ("a page with another date", commit.encode())
        }
        (_, Some((_, key)), Some(before)) => {
            commit.armor = None;
            commit.tree = before.tree();
            ("a page with a false state", sealed(commit, &key))
        }
        _ => {
            commit.armor = None;
            ("a page by a stranger", sealed(commit, &stranger()))
        }
    };
    world.mirrors.forged = Some(write(&world.mirrors.forgery, bytes));
    what
}

fn sealed(commit: Commit, key: &KeyPair) -> Vec<u8> {
    seal::seal(commit, key).unwrap().encode()
}

fn write(store: &MemoryStore, bytes: Vec<u8>) -> Oid {
    assert_eq!(store.format(), ObjectFormat::Sha1);
    let id = store.id_of(Kind::Commit, &bytes);
    store.write_all(&[(id, Kind::Commit, bytes)]).unwrap();
    id
}

fn edit(name: String, to: Oid) -> RefEdit {
    RefEdit {
        name,
        expect: Expect::Any,
        new: Some(to),
        message: String::new(),
    }
}

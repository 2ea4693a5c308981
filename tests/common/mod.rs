//! What the tests share: people with fixed keys, and a small space in any store.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod bytes;
pub mod disk;
pub mod made;
pub mod moves;
pub mod payloads;
pub mod pens;
pub mod recorder;
pub mod repo;
pub mod rng;
pub mod shelves;

use folio::codec::commit::Zone;
use folio::crypto::Sign;
use folio::crypto::keyfile::KeyPair;
use folio::fold::Decision;
use folio::fold::rules::{Person, SpaceFound};
use folio::journal::accept::{self, Report, Witness};
use folio::journal::found::{self, Charter};
use folio::journal::history::History;
use folio::journal::memory::{ShortMemory, SignerMemory};
use folio::journal::pages::{MemoryIndex, PageIndex};
use folio::journal::proposal::Base;
use folio::journal::propose::{self, Intent, When};
use folio::journal::{Fault, Page, Space, judge, refs};
use folio::model::{
    Email, Handle, Name, Nonce, Note, Number, ObjectFormat, Oid, PersonName, ProposalDigest, Slug,
    SpaceId,
};
use folio::state::{Tables, TreeView};
use folio::store::{Expect, MemoryStore, Store};

/// 2026-01-01, and never the clock.
pub const DATE: u64 = 1_767_225_600;

/// Somebody with a key made from their name.
pub struct Actor {
    pub handle: &'static str,
    pub key: KeyPair,
}

impl Actor {
    pub fn new(handle: &'static str) -> Self {
        let seed = *blake3::hash(handle.as_bytes()).as_bytes();
        Self {
            handle,
            key: KeyPair::from_seed(seed),
        }
    }

    pub fn person(&self) -> Person {
        Person {
            email: Email::new(format!("{}@example.org", self.handle)).unwrap(),
            handle: Handle::new(self.handle).unwrap(),
            key: self.key.public_key(),
            name: PersonName::new(self.handle).unwrap(),
        }
    }

    /// The line that adds this actor as a member.
    pub fn member_add(&self, roles: &str) -> String {
        let person = self.person();
        format!(
            r#"{{"op":"member.add","email":"{}","handle":"{}","key":"{}","name":"{}","roles":[{roles}]}}"#,
            person.email, person.handle, person.key, person.name
        )
    }
}

pub fn when() -> When {
    When {
        seconds: DATE,
        zone: Zone::UTC,
    }
}

/// The default policy of the tests: members decide about names, groups and overlays, admins about all.
pub const POLICY: &[&str] = &[
    r#"{"op":"policy.set","approvals":[],"prefix":"","roles":["admin"],"scope":"*","self_approval":false,"tier":"witness"}"#,
    r#"{"op":"policy.set","approvals":[],"prefix":"","roles":["admin","member"],"scope":"names","self_approval":false,"tier":"witness"}"#,
    r#"{"op":"policy.set","approvals":[],"prefix":"","roles":["admin","member"],"scope":"equivalence","self_approval":false,"tier":"witness"}"#,
    r#"{"op":"policy.set","approvals":[],"prefix":"","roles":["admin","member"],"scope":"overlays","self_approval":false,"tier":"witness"}"#,
];

/// A space founded by alice, with bob as member and wanda as witness.
pub struct TestSpace<S: Store> {
    pub store: S,
    pub index: MemoryIndex,
    pub memory: Box<dyn SignerMemory + Send>,
    pub id: SpaceId,
    pub alice: Actor,
    pub bob: Actor,
    pub wanda: Actor,
}

pub fn charter(alice: &Actor, wanda: &Actor, format: ObjectFormat) -> SpaceFound {
    SpaceFound {
        description: Note::new("A space for tests").unwrap(),
        format: 1,
        founder: alice.person(),
        home: Note::new("").unwrap(),
        name: Name::new("tests").unwrap(),
        nonce: Nonce([7; 32]),
        object_format: format,
        witness: wanda.person(),
    }
}

impl<S: Store + Clone + Send> TestSpace<S> {
    pub fn found(store: S) -> Result<Self, Fault> {
        let (alice, bob, wanda) = (Actor::new("alice"), Actor::new("bob"), Actor::new("wanda"));
        let mut rest: Vec<Decision> = POLICY.iter().map(|line| decision(line)).collect();
        rest.push(decision(&bob.member_add(r#""member""#)));
        let charter = Charter {
            found: charter(&alice, &wanda, store.format()),
            rest,
            text: "Found the space\n",
            when: when(),
        };
        let (id, _) = found::found(&store, &charter, &alice.key, &wanda.key)?;
        Ok(Self {
            store,
            index: MemoryIndex::default(),
            memory: Box::new(ShortMemory::default()),
            id,
            alice,
            bob,
            wanda,
        })
    }

    /// Opens a space that [`TestSpace::found`] made.
    pub fn reopen(store: S) -> Self {
        let id = Space::open(&store).unwrap().id;
        Self {
            store,
            index: MemoryIndex::default(),
            memory: Box::new(ShortMemory::default()),
            id,
            alice: Actor::new("alice"),
            bob: Actor::new("bob"),
            wanda: Actor::new("wanda"),
        }
    }

    pub fn space(&self) -> Space<'_, S> {
        Space::open(&self.store).unwrap()
    }

    pub fn tip(&self) -> Page {
        Page::read(&self.store, self.space().tip().unwrap()).unwrap()
    }

    /// Proposes on today's state, with `was` filled in.
    pub fn propose(
        &self,
        author: &Actor,
        slug: &str,
        lines: &[&str],
    ) -> Result<(Oid, ProposalDigest), Fault> {
        self.propose_on(&self.tip(), author, slug, lines)
    }

    /// Proposes on a given snapshot.
    pub fn propose_on(
        &self,
        base: &Page,
        author: &Actor,
        slug: &str,
        lines: &[&str],
    ) -> Result<(Oid, ProposalDigest), Fault> {
        let space = self.space();
        let view = TreeView::new(&space.tables, Some(base.tree()));
        let member = judge::member_of(&view, &author.key.public_key())?;
        let mut scene = folio::fold::Scene::new(&view);
        let mut decisions = Vec::new();
        for line in lines {
            let mut decision = decision(line);
            decision.refresh(&scene, false)?;
            // What a later decision relies on may be made by an earlier one.
            let place = folio::fold::kind::Place {
                proposal: ProposalDigest([0; 32]),
                index: decisions.len() as u64,
                author: author.key.public_key(),
                after: base.message.chain,
            };
            folio::fold::apply::step(&mut scene, &decision, place)?;
            decisions.push(decision);
        }
        let intent = Intent {
            base: Base::of(base),
            author: &member,
            decisions: &decisions,
            text: &format!("{slug}\n"),
            when: when(),
        };
        let prepared = propose::prepare(&space.tables, &self.store, self.id, &intent, &author.key)?;
        let slug = Slug::new(slug).unwrap();
        let name = refs::proposal(&member.handle, &slug);
        prepared.publish(&space, name, Expect::Any)
    }

    /// Numbers everything that is acceptable.
    pub fn accept_all(&mut self) -> Result<Report, Fault> {
        let mut index = std::mem::take(&mut self.index);
        let report = self.accept_into(&mut index);
        self.index = index;
        report
    }

    /// As [`TestSpace::accept_all`], with an index of the caller's.
    pub fn accept_into(&self, index: &mut dyn PageIndex) -> Result<Report, Fault> {
        let space = Space::open(&self.store)?;
        let witness = Witness {
            signer: &self.wanda.key,
            when: when(),
            memory: &*self.memory,
        };
        accept::accept(&space, index, &witness, &|_| true, &mut |_, _| Ok(()))
    }

    /// Verifies the whole history with an empty index.
    pub fn verify(&self) -> Result<Number, Fault> {
        let report = self.with_history(|space, history| {
            folio::journal::verify::verify(space, history, Number(1), &mut |_, _| {})
        })?;
        Ok(report?.to)
    }

    /// Runs something on the space and its whole history, with an index of its own.
    pub fn with_history<T>(
        &self,
        work: impl FnOnce(&Space<'_, S>, &mut History<'_>) -> T,
    ) -> Result<T, Fault> {
        let space = Space::open(&self.store)?;
        let mut index = MemoryIndex::default();
        let tip = Some(space.tip()?);
        let mut history =
            History::open(&space.tables, &self.store, tip, &mut index, &mut |_, _| {})?;
        Ok(work(&space, &mut history))
    }

    /// The root tree of the state that replaying all decisions comes to, made where nothing of it is yet; the same
    /// whether or not the signatures were checked before.
    pub fn replayed(&self) -> Result<Oid, Fault> {
        self.with_history(|space, history| {
            let tip = history.tip().map(|page| (page.number(), page.id));
            let tree = |verified| {
                let to = history.len();
                let view =
                    folio::journal::replay::replay(space, history, to, verified, &mut |_, _| {})?;
                let elsewhere = MemoryStore::new(self.store.format());
                folio::journal::replay::tree_of(&Tables::new(&elsewhere), &view)
            };
            let whole = tree(None)?;
            assert_eq!(tree(tip)?, whole);
            Ok(whole)
        })?
    }
}

/// Reads a decision as people write it.
pub fn decision(line: &str) -> Decision {
    Decision::parse_lenient(line).unwrap_or_else(|fault| panic!("{line}: {fault}"))
}

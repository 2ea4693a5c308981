//! One repository of one person: everything that a command does there, on the real code.

use crate::common::moves::{Move, RULES_OF_NAMES};
use crate::common::rng::Rng;
use crate::memory::MachineMemory;
use folio::codec::commit::Zone;
use folio::codec::message::{Reason, Verdict};
use folio::crypto::Sign as _;
use folio::crypto::keyfile::KeyPair;
use folio::fold::Decision;
use folio::journal::accept::{self, Report, Witness};
use folio::journal::evidence::Evidence;
use folio::journal::memory::ShortMemory;
use folio::journal::pages::MemoryIndex;
use folio::journal::proposal::{Base, Proposal};
use folio::journal::propose::{self, Intent, When};
use folio::journal::queue::Candidate;
use folio::journal::review::{Opinion, write_review};
use folio::journal::{Fault, Page, Space, check, judge, pen, refs};
use folio::model::rows::{MemberRow, PenRow};
use folio::model::{Code, Number, Oid, ProposalDigest, PublicKey, Slug};
use folio::state::TreeView;
use folio::store::{Expect, Faulty, Kind, MemoryStore, Objects as _, RefEdit, Refs as _, Script};

pub type Store = Faulty<MemoryStore>;

/// Somebody and every key that they ever had, the newest last.
pub struct Person {
    pub handle: &'static str,
    pub keys: Vec<KeyPair>,
}

impl Person {
    pub fn new(handle: &'static str) -> Self {
        let keys = vec![crate::common::Actor::new(handle).key];
        Self { handle, keys }
    }

    pub fn new_key(&mut self) -> PublicKey {
        let seed = format!("{}-{}", self.handle, self.keys.len());
        self.keys.push(KeyPair::from_seed(
            *blake3::hash(seed.as_bytes()).as_bytes(),
        ));
        self.keys.last().unwrap().public_key()
    }
}

pub struct Node {
    pub person: Person,
    pub is_home: bool,
    pub store: Store,
    pub memory: MachineMemory,
    pub index: MemoryIndex,
    /// Seconds since 1970, as wrong as this machine's clock is.
    pub clock: u64,
    pub backup: Option<(MemoryStore, ShortMemory)>,
    pub evidence: Vec<Evidence>,
    pub made: u64,
}

/// A proposal that was made: by its digest, on a branch.
pub type Made = (ProposalDigest, String, Oid);

/// What somebody decides, given the state and their own row there.
type Decide<'a> = dyn Fn(&TreeView<'_, '_, Store>, &MemberRow) -> Result<Vec<Decision>, Fault> + 'a;

impl Node {
    pub fn new(person: Person, store: MemoryStore, is_home: bool, forgets: bool) -> Self {
        let script = Script::new();
        Self {
            person,
            is_home,
            store: Faulty::new(store, script.clone()),
            memory: MachineMemory::new(script, forgets),
            index: MemoryIndex::default(),
            clock: crate::common::DATE,
            backup: None,
            evidence: Vec::new(),
            made: 0,
        }
    }

    pub fn name(&self) -> &'static str {
        match self.is_home {
            true => "home",
            false => self.person.handle,
        }
    }

    pub fn when(&mut self) -> When {
        self.clock += 1;
        let zone = Zone::UTC;
        let seconds = self.clock;
        When { seconds, zone }
    }

    pub fn main(&self) -> Oid {
        self.store.inner().get(refs::MAIN).unwrap().unwrap()
    }

    pub fn tip(&self) -> Page {
        Page::read(self.store.inner(), self.main()).unwrap()
    }

    pub fn pen(&self) -> Result<PenRow, Fault> {
        let space = Space::open(&self.store)?;
        let tip = Page::read(&self.store, space.tip()?)?;
        check::pen_of(&TreeView::new(&space.tables, Some(tip.tree())))
    }

    /// The newest of this person's keys that is current on a page, with the row there.
    fn member_on(
        &self,
        space: &Space<'_, Store>,
        page: &Page,
    ) -> Result<(MemberRow, usize), Fault> {
        let view = TreeView::new(&space.tables, Some(page.tree()));
        let mut last = Fault::new(Code::NotAMember, "no key");
        for (at, key) in self.person.keys.iter().enumerate().rev() {
            match judge::member_of(&view, &key.public_key()) {
                Ok(member) => return Ok((member, at)),
                Err(stop) => last = stop.into(),
            }
        }
        Err(last)
    }

    /// Signs decisions as a proposal on a page and names it by a branch.
    pub fn propose(&mut self, page: &Page, slug: &str, decide: &Decide<'_>) -> Result<Made, Fault> {
        let when = self.when();
        self.made += 1;
        let space = Space::open(&self.store)?;
        let (author, key) = self.member_on(&space, page)?;
        let view = TreeView::new(&space.tables, Some(page.tree()));
        let decisions = decide(&view, &author)?;
        let intent = Intent {
            base: Base::of(page),
            author: &author,
            decisions: &decisions,
            text: &format!("{slug} {}\n", self.made),
            when,
        };
        let key = &self.person.keys[key];
        let prepared = propose::prepare(&space.tables, &self.store, space.id, &intent, key)?;
        let name = refs::proposal(&author.handle, &Slug::new(slug).unwrap());
        let (id, digest) = prepared.publish(&space, name.clone(), Expect::Any)?;
        Ok((digest, name, id))
    }

    /// Proposes something about names, mostly on the newest page.
    pub fn propose_names(&mut self, rng: &mut Rng) -> Result<Made, Fault> {
        let mut page = Page::read(&self.store, Space::open(&self.store)?.tip()?)?;
        while rng.once_in(4) {
            page = match page.previous() {
                Some(previous) if page.number() > Number(3) => Page::read(&self.store, previous)?,
                _ => break,
            };
        }
        let mut name = || rng.below(5);
        let (a, b, c) = (name(), name(), name());
        let kind = rng.below(usize::from(RULES_OF_NAMES)) as u8;
        let blind = rng.once_in(10);
        let one = Move {
            kind,
            a,
            b,
            c,
            blind,
        };
        let slug = format!("s{}", rng.below(4));
        self.propose(&page, &slug, &|view, _| Ok(vec![one.draft(view)]))
    }

    pub fn propose_take(&mut self) -> Result<Made, Fault> {
        let page = Page::read(&self.store, Space::open(&self.store)?.tip()?)?;
        self.propose(&page, "take", &|view, member| {
            let appoint = !pen::is_appointed(view, &member.handle)?;
            let row = check::pen_of(view)?;
            Ok(pen::take(&page, &row, member, None, appoint))
        })
    }

    pub fn propose_release(&mut self) -> Result<Made, Fault> {
        let page = Page::read(&self.store, Space::open(&self.store)?.tip()?)?;
        self.propose(&page, "release", &|view, _| Ok(vec![pen::release(view)?]))
    }

    pub fn propose_rotation(&mut self) -> Result<Made, Fault> {
        let page = Page::read(&self.store, Space::open(&self.store)?.tip()?)?;
        let (handle, key) = (self.person.handle, self.person.new_key());
        let line = format!(r#"{{"op":"member.rotate","handle":"{handle}","key":"{key}"}}"#);
        self.propose(&page, "rotate", &|view, _| {
            let mut decision = crate::common::decision(&line);
            decision.refresh(&folio::fold::Scene::new(view), false)?;
            Ok(vec![decision])
        })
    }

    /// Reviews the proposal at a commit.
    pub fn review(&mut self, id: Oid, verdict: Verdict, reason: Option<&str>) -> Result<(), Fault> {
        let when = self.when();
        let space = Space::open(&self.store)?;
        let tip = Page::read(&self.store, space.tip()?)?;
        let (member, key) = self.member_on(&space, &tip)?;
        let proposal = Proposal::authenticate(&space.tables, &self.store, Some(&space.id), id)?;
        let opinion = Opinion {
            verdict,
            reason: reason.and_then(Reason::new),
            text: "I looked\n".into(),
        };
        let key = &self.person.keys[key];
        let (id, bytes) = write_review(&self.store, &proposal, opinion, &member, key, &when)?;
        self.store.write_all(&[(id, Kind::Commit, bytes)])?;
        self.store.apply(&[RefEdit {
            name: refs::review(&member.handle, &proposal.digest()),
            expect: Expect::Any,
            new: Some(id),
            message: String::new(),
        }])?;
        Ok(())
    }

    /// Numbers what can be numbered with whichever key of this person's has the right to, and signs a reason for
    /// each refusal.
    pub fn accept(&mut self, chosen: &dyn Fn(&str) -> bool) -> Result<Report, Fault> {
        let pen = self.pen()?.key;
        let holds = |key: &KeyPair| key.public_key() == pen;
        let own = self.person.keys.iter().position(holds);
        self.accept_with(own, chosen)
    }

    /// As [`Node::accept`]; without a key, with the newest one that is current.
    pub fn accept_with(
        &mut self,
        own: Option<usize>,
        chosen: &dyn Fn(&str) -> bool,
    ) -> Result<Report, Fault> {
        let when = self.when();
        let space = Space::open(&self.store)?;
        let tip = Page::read(&self.store, space.tip()?)?;
        let (_, current) = self.member_on(&space, &tip)?;
        let keys = &self.person.keys;
        let witness = Witness {
            signer: &keys[own.unwrap_or(current)],
            when,
            memory: &self.memory,
        };
        let pick = |entry: &folio::journal::queue::Entry| match entry {
            folio::journal::queue::Entry::Invalid { name, .. } => chosen(name),
            folio::journal::queue::Entry::Authentic(candidate) => chosen(&candidate.branch.name),
        };
        let report = accept::accept(&space, &mut self.index, &witness, &pick, &mut |_, _| Ok(()))?;
        if own.is_some() {
            for (candidate, fault) in &report.refused {
                self.refuse(candidate, fault)?;
            }
        }
        Ok(report)
    }

    fn refuse(&mut self, candidate: &Candidate, fault: &Fault) -> Result<(), Fault> {
        // As the command: who waits for the taker of the pen is not wrong.
        if matches!(fault.code, Code::SignerWrong | Code::PenReleased) {
            return Ok(());
        }
        let code = fault.code.as_str();
        let has = candidate.reviews.iter().any(|review| {
            let reason = review.message().reason.as_ref();
            reason.is_some_and(|reason| reason.as_str() == code)
        });
        match has {
            true => Ok(()),
            false => self.review(candidate.proposal.id(), Verdict::Reject, Some(code)),
        }
    }

    /// Everything that is in the repository, as a backup has it.
    pub fn back_up(&mut self) {
        self.backup = Some((self.store.inner().copy(), self.memory.backup()));
    }

    /// Puts the backup back, perhaps without the memory in it. Indexes are in no backup.
    pub fn restore(&mut self, memory_too: bool) -> bool {
        let Some((store, memory)) = &self.backup else {
            return false;
        };
        let script = self.store.script().clone();
        self.store = Faulty::new(store.copy(), script);
        if memory_too {
            self.memory.restore(memory.clone());
        }
        true
    }
}

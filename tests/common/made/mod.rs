//! Spaces of any size from a seed, valid in every respect, made through the same functions as everybody's, and
//! many thousand pages a second: for tests that need many pages or rows, and for measuring.
//!
//! What differs from daily use is that the disk is asked once for many pages, and that previews which were just
//! made are not judged twice. One thread proposes what another one numbers; the seed decides about every byte all
//! the same.

mod author;
mod held;
mod script;

use super::{Actor, DATE, POLICY, charter, decision, when};
use author::{Author, Signed, Wish, propose_all};
use folio::crypto::keyfile::KeyPair;
use folio::fold::{self, Decision, Submission};
use folio::journal::accept::{Witness, snapshot_commit};
use folio::journal::found::{self, Charter};
use folio::journal::memory::ShortMemory;
use folio::journal::proposal::Proposal;
use folio::journal::propose::When;
use folio::journal::{Page, refs};
use folio::model::{Name, Oid, Slug, SpaceId};
use folio::state::{Tables, TreeView};
use folio::store::{Expect, Kind, Objects as _, RefEdit, Store, apply_in_parts};
use held::Held;
use script::Script;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

/// Pages written at a time, at least.
const AT_ONCE: usize = 4096;
/// Packs that the pages are written to, at most: in more of them every look for an object takes longer.
const PACKS: usize = 40;
/// Rows that one proposal adds.
const ROWS_AT_ONCE: usize = 100_000;
/// Seconds between proposals. git stops looking where what it knows is older than what is new: were all of it of one second, it
/// would walk through the whole log for each page that travels.
const PACE: u64 = 10;
/// Proposals that are signed before they are numbered, at most.
const SIGNED_AHEAD: usize = 256;

/// How large, and from which seed.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub seed: u64,
    /// Aliases that the first pages add, many in each.
    pub rows: usize,
    /// Pages of one decision after those.
    pub pages: usize,
    /// Members who take turns at proposing.
    pub authors: usize,
    /// So many proposals in a row stand on the same snapshot, as where they were numbered together.
    pub queue: usize,
    /// Proposals that wait on branches in the end, all on the newest snapshot.
    pub waiting: usize,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Made {
    pub id: SpaceId,
    pub tip: Oid,
    /// An alias that is there, and what it stands for.
    pub alias: Option<(Name, Name)>,
}

/// Founds a space in an empty store and fills it.
pub fn make<S: Store + Clone + Send>(store: &S, shape: &Shape) -> Made {
    assert!(shape.authors > 0 && shape.queue > 0, "{shape:?}");
    let (alice, wanda) = (Actor::new("alice"), Actor::new("wanda"));
    let authors: Vec<Author> = (0..shape.authors).map(Author::new).collect();
    let mut rest: Vec<Decision> = POLICY.iter().map(|line| decision(line)).collect();
    rest.extend(authors.iter().map(Author::joins));
    let charter = Charter {
        found: charter(&alice, &wanda, store.format()),
        rest,
        text: "Found a register of works\n",
        when: when(),
    };
    let (id, first) = found::found(store, &charter, &alice.key, &wanda.key).expect("a charter");
    let held = Held::new(store.clone());
    let (wishes, wished) = channel();
    let (done, signed) = sync_channel(SIGNED_AHEAD);
    std::thread::scope(|scope| {
        let (elsewhere, members) = (held.clone(), authors.as_slice());
        scope.spawn(move || propose_all(&elsewhere, id, members, &wished, &done));
        let tables = Tables::new(&held);
        tables.rely_on_chain();
        let maker = Maker {
            tables,
            store: &held,
            authors: &authors,
            witness: wanda.key,
            script: Script::new(shape.seed),
            wishes,
            signed,
        };
        maker.fill(store, first, id, shape)
    })
}

/// The time of the nth proposal after a snapshot; those before it took as many turns.
fn after(base: &Page, nth: usize) -> When {
    let turns = base.number().0 + nth as u64;
    When {
        seconds: DATE + turns * PACE,
        ..when()
    }
}

struct Maker<'h, S: Store> {
    tables: Tables<'h, Held<S>>,
    store: &'h Held<S>,
    authors: &'h [Author],
    witness: KeyPair,
    script: Script,
    wishes: Sender<Wish>,
    signed: Receiver<Signed>,
}

impl<S: Store> Maker<'_, S> {
    fn fill(mut self, store: &S, first: Oid, id: SpaceId, shape: &Shape) -> Made {
        let mut tip = Page::read(self.store, first).expect("the first page");
        tip = self.rows(tip, shape.rows);
        tip = self.pages(tip, shape);
        let alias = self.script.some_alias();
        let waiting = self.waiting(&tip, shape.waiting);
        self.store.flush().expect("written");
        let main = RefEdit {
            name: refs::MAIN.into(),
            expect: Expect::At(first),
            new: Some(tip.id),
            message: "made".into(),
        };
        apply_in_parts(store, &waiting).expect("branches");
        store.apply(&[main]).expect("`main`");
        Made {
            id,
            tip: tip.id,
            alias,
        }
    }

    fn rows(&mut self, mut tip: Page, rows: usize) -> Page {
        let mut left = rows;
        while left > 0 {
            let some = left.min(ROWS_AT_ONCE);
            let decisions = (0..some).map(|_| self.script.add()).collect();
            let base = Arc::new(tip.clone());
            let when = after(&base, 1);
            self.wish((base, 1), 0, decisions);
            let proposal = self.proposed();
            tip = self.number(&tip, &proposal, when);
            self.store.flush().expect("written");
            left -= some;
        }
        tip
    }

    fn pages(&mut self, mut tip: Page, shape: &Shape) -> Page {
        let at_once = (shape.pages / PACKS).max(AT_ONCE);
        for from in (0..shape.pages).step_by(shape.queue) {
            let base = Arc::new(tip.clone());
            let queue = from..shape.pages.min(from + shape.queue);
            self.script.next_base();
            // Numbered together, when the last of them was there.
            let when = after(&base, queue.len());
            for (nth, at) in (1..).zip(queue.clone()) {
                let decision = self.script.next();
                self.wish((base.clone(), nth), at, vec![decision]);
            }
            for at in queue {
                let proposal = self.proposed();
                tip = self.number(&tip, &proposal, when);
                if at % at_once == at_once - 1 {
                    self.store.flush().expect("written");
                }
            }
        }
        tip
    }

    fn waiting(&mut self, tip: &Page, count: usize) -> Vec<RefEdit> {
        let base = Arc::new(tip.clone());
        self.script.next_base();
        for at in 0..count {
            let decision = self.script.next();
            self.wish((base.clone(), at + 1), at, vec![decision]);
        }
        let branch = |at: usize| {
            let author = &self.authors[at % self.authors.len()].row.handle;
            let slug = Slug::new(format!("change-{at:06}")).expect("a slug");
            RefEdit {
                name: refs::proposal(author, &slug),
                expect: Expect::Absent,
                new: Some(self.proposed().id()),
                message: "made".into(),
            }
        };
        (0..count).map(branch).collect()
    }

    /// Has something proposed as the nth after a snapshot, by whose turn it is; [`Maker::proposed`] gives it, in the same
    /// order.
    fn wish(&self, (base, nth): (Arc<Page>, usize), at: usize, decisions: Vec<Decision>) {
        let author = at % self.authors.len();
        let wish = Wish {
            when: after(&base, nth),
            base,
            author,
            decisions,
        };
        self.wishes.send(wish).expect("somebody proposes");
    }

    fn proposed(&self) -> Proposal {
        let Signed { proposal, objects } = self.signed.recv().expect("what was wished");
        self.store.write_all(&objects).expect("kept");
        proposal
    }

    fn number(&self, tip: &Page, proposal: &Proposal, when: When) -> Page {
        let (tables, root) = (&self.tables, Some(tip.tree()));
        let view = TreeView::new(tables, root);
        let submission = Submission {
            digest: proposal.digest(),
            author: proposal.author(),
            after: tip.message.chain,
            decisions: proposal.decisions(),
            votes: &[],
        };
        let outcome = fold::fold(&view, &submission).expect("acceptable");
        let tree = tables.edit(root, &outcome.edits).expect("a tree");
        let witness = Witness {
            signer: &self.witness,
            when,
            memory: &ShortMemory::default(),
        };
        let page = snapshot_commit(&view, Some(tip), proposal, &[], &witness, tree);
        let page = page.and_then(|page| page.seal(&witness)).expect("a page");
        let bytes = page.encode();
        let id = self.store.id_of(Kind::Commit, &bytes);
        let mut objects = tables.take();
        objects.push((id, Kind::Commit, bytes));
        self.store.write_all(&objects).expect("kept");
        Page::read(self.store, id).expect("a page")
    }
}

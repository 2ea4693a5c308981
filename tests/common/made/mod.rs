//! Spaces of any size from a seed, valid in every respect, made through the same functions as everybody's, and
//! many thousand pages a second: for tests that need many pages or rows, and for measuring.
//!
//! What differs from daily use is that the disk is asked once for many pages, and that what was just signed is
//! not judged twice.

mod held;
mod script;

use super::{Actor, POLICY, charter, decision, when};
use folio::crypto::Sign as _;
use folio::crypto::keyfile::KeyPair;
use folio::fold::rules::MemberAdd;
use folio::fold::{Decision, Scene};
use folio::journal::accept::{Witness, snapshot_commit};
use folio::journal::found::{self, Charter};
use folio::journal::memory::ShortMemory;
use folio::journal::proposal::{Base, Proposal};
use folio::journal::propose::{self, Intent};
use folio::journal::{Page, judge, refs};
use folio::model::rows::MemberRow;
use folio::model::{Email, Handle, Name, Oid, PersonName, Slug, SpaceId};
use folio::state::{Tables, TreeView};
use folio::store::{Expect, Kind, Objects as _, RefEdit, Store, apply_in_parts};
use held::Held;
use script::Script;

/// Pages written at a time.
const AT_ONCE: usize = 4096;
/// Rows that one proposal adds.
const ROWS_AT_ONCE: usize = 100_000;

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

/// A member who proposes.
struct Author {
    key: KeyPair,
    row: MemberRow,
}

impl Author {
    fn new(at: usize) -> Self {
        let handle = format!("author-{at:04}");
        let key = KeyPair::from_seed(*blake3::hash(handle.as_bytes()).as_bytes());
        let row = MemberRow {
            email: Email::new(format!("{handle}@example.org")).expect("an address"),
            handle: Handle::new(&handle).expect("a handle"),
            key: key.public_key(),
            name: PersonName::new(format!("Author {at:04} Ångström")).expect("a name"),
            roles: vec![Handle::new("member").expect("a role")],
        };
        Self { key, row }
    }

    fn joins(&self) -> Decision {
        let row = self.row.clone();
        Decision::MemberAdd(MemberAdd {
            email: row.email,
            handle: row.handle,
            key: row.key,
            name: row.name,
            roles: row.roles,
            was: None,
        })
    }
}

/// Founds a space in an empty store and fills it.
pub fn make<S: Store>(store: &S, shape: &Shape) -> Made {
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
    let held = Held::new(store);
    let maker = Maker {
        tables: Tables::new(&held),
        store: &held,
        id,
        authors,
        witness: wanda.key,
    };
    let mut script = Script::new(shape.seed);
    let mut tip = Page::read(&held, first).expect("the first page");
    tip = maker.rows(tip, shape.rows, &mut script);
    tip = maker.pages(tip, shape, &mut script);
    let alias = script.some_alias();
    let waiting = maker.waiting(&tip, shape.waiting, &mut script);
    held.flush().expect("written");
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

struct Maker<'h, 's, S: Store> {
    tables: Tables<'h, Held<'s, S>>,
    store: &'h Held<'s, S>,
    id: SpaceId,
    authors: Vec<Author>,
    witness: KeyPair,
}

impl<S: Store> Maker<'_, '_, S> {
    fn rows(&self, mut tip: Page, rows: usize, script: &mut Script) -> Page {
        let mut left = rows;
        while left > 0 {
            let some = left.min(ROWS_AT_ONCE);
            let decisions: Vec<Decision> = (0..some).map(|_| script.add()).collect();
            let proposal = self.propose(&tip, &self.authors[0], &decisions);
            tip = self.number(&tip, proposal);
            self.store.flush().expect("written");
            left -= some;
        }
        tip
    }

    fn pages(&self, mut tip: Page, shape: &Shape, script: &mut Script) -> Page {
        let mut base = tip.clone();
        for at in 0..shape.pages {
            if at % shape.queue == 0 {
                base = tip.clone();
                script.next_base();
            }
            let proposal = self.propose_next(&base, at, script);
            tip = self.number(&tip, proposal);
            if at % AT_ONCE == AT_ONCE - 1 {
                self.store.flush().expect("written");
            }
        }
        tip
    }

    fn waiting(&self, tip: &Page, count: usize, script: &mut Script) -> Vec<RefEdit> {
        script.next_base();
        let mut branch = |at: usize| {
            let proposal = self.propose_next(tip, at, script);
            let author = &self.authors[at % self.authors.len()].row.handle;
            let slug = Slug::new(format!("change-{at:06}")).expect("a slug");
            RefEdit {
                name: refs::proposal(author, &slug),
                expect: Expect::Absent,
                new: Some(proposal),
                message: "made".into(),
            }
        };
        (0..count).map(&mut branch).collect()
    }

    /// A proposal of one decision, with what it relies on filled in.
    fn propose_next(&self, base: &Page, at: usize, script: &mut Script) -> Oid {
        let view = TreeView::new(&self.tables, Some(base.tree()));
        let mut decision = script.next();
        decision
            .refresh(&Scene::new(&view), false)
            .expect("it is about what is there");
        self.propose(base, &self.authors[at % self.authors.len()], &[decision])
    }

    fn propose(&self, base: &Page, author: &Author, decisions: &[Decision]) -> Oid {
        let intent = Intent {
            base: Base::of(base),
            author: &author.row,
            decisions,
            text: &format!("Decide {} things\n", decisions.len()),
            when: when(),
        };
        let signer = &author.key;
        let prepared = propose::prepare(&self.tables, self.store, self.id, &intent, signer);
        prepared.expect("a good proposal").id
    }

    fn number(&self, tip: &Page, proposal: Oid) -> Page {
        let (tables, root) = (&self.tables, Some(tip.tree()));
        let proposal = Proposal::authenticate(tables, self.store, Some(&self.id), proposal);
        let proposal = proposal.expect("authentic");
        let judged = judge::judge(tables, root, tip.message.chain, &proposal, &[]);
        let tree = judged.expect("acceptable").tree;
        let witness = Witness {
            signer: &self.witness,
            when: when(),
            memory: &ShortMemory::default(),
        };
        let view = TreeView::new(tables, root);
        let page = snapshot_commit(&view, Some(tip), &proposal, &[], &witness, tree);
        let page = page.and_then(|page| page.seal(&witness)).expect("a page");
        let bytes = page.encode();
        let id = self.store.id_of(Kind::Commit, &bytes);
        let mut objects = tables.take();
        objects.push((id, Kind::Commit, bytes));
        self.store.write_all(&objects).expect("kept");
        Page::read(self.store, id).expect("a page")
    }
}

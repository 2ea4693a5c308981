//! The members who propose, and the thread that does it for them while another one numbers.

use super::held::{Held, Object};
use folio::crypto::Sign as _;
use folio::crypto::keyfile::KeyPair;
use folio::fold::rules::MemberAdd;
use folio::fold::{Decision, Scene};
use folio::journal::Page;
use folio::journal::proposal::{Base, Proposal};
use folio::journal::propose::{self, Intent, When};
use folio::model::rows::MemberRow;
use folio::model::{Email, Handle, PersonName, SpaceId};
use folio::state::{Tables, TreeView};
use folio::store::Objects;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

/// A member who proposes.
pub struct Author {
    key: KeyPair,
    pub row: MemberRow,
}

impl Author {
    pub fn new(at: usize) -> Self {
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

    pub fn joins(&self) -> Decision {
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

/// What is to be proposed, by whom, and where it stands.
pub struct Wish {
    pub base: Arc<Page>,
    pub author: usize,
    pub when: When,
    /// What they rely on is filled in here.
    pub decisions: Vec<Decision>,
}

/// A proposal, with its objects, which are written nowhere yet: when that is done does not depend on how threads
/// take turns.
pub struct Signed {
    pub proposal: Proposal,
    pub objects: Vec<Object>,
}

/// Signs what is wished, in that order, until nobody wishes any more or nobody listens.
pub fn propose_all<S: Objects + Clone>(
    store: &Held<S>,
    space: SpaceId,
    authors: &[Author],
    wishes: &Receiver<Wish>,
    signed: &SyncSender<Signed>,
) {
    let own = Held::new(store.clone());
    let tables = Tables::new(&own);
    tables.rely_on_chain();
    for wish in wishes {
        let proposal = propose(&tables, &own, space, &authors[wish.author], wish);
        let objects = own.take();
        if signed.send(Signed { proposal, objects }).is_err() {
            return;
        }
    }
}

fn propose<S: Objects>(
    tables: &Tables<'_, S>,
    store: &S,
    space: SpaceId,
    author: &Author,
    wish: Wish,
) -> Proposal {
    let Wish {
        base,
        when,
        mut decisions,
        ..
    } = wish;
    let view = TreeView::new(tables, Some(base.tree()));
    if let [only] = decisions.as_mut_slice() {
        only.refresh(&Scene::new(&view), false)
            .expect("it is about what is there");
    }
    let intent = Intent {
        base: Base::of(&base),
        author: &author.row,
        decisions: &decisions,
        text: &format!("Decide {} things\n", decisions.len()),
        when,
    };
    let prepared = propose::prepare(tables, store, space, &intent, &author.key);
    let id = prepared.expect("a good proposal").id;
    Proposal::authenticate(tables, store, Some(&space), id).expect("authentic")
}

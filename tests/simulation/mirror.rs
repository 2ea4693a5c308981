//! Three mirrors that nobody should have to trust: one is slow, one loses things, one lies.

use crate::common::rng::Rng;
use crate::exchange::Shown;
use crate::node::Node;
use folio::journal::reconcile::{RefMap, peer};
use folio::journal::{Page, refs};
use folio::model::Oid;
use folio::store::{MemoryStore, Objects as _};

pub struct Mirrors {
    slow: RefMap,
    lossy: RefMap,
    /// What the liar shows as `main`, if it is none of home's own pages.
    pub forged: Option<Oid>,
    /// Objects that only the liar has.
    pub forgery: MemoryStore,
}

impl Mirrors {
    pub fn new(home: &Node) -> Self {
        let now = peer::ours(home.store.inner()).unwrap();
        Self {
            slow: now.clone(),
            lossy: now,
            forged: None,
            forgery: MemoryStore::new(home.store.inner().format()),
        }
    }

    pub fn refresh_slow(&mut self, home: &Node) {
        self.slow = peer::ours(home.store.inner()).unwrap();
    }

    /// Shows what home had a while ago.
    pub fn slow(&self, home: &Node) -> Shown {
        shown("slow", home.store.inner().clone(), self.slow.clone())
    }

    /// Shows what home has, without some of it; now and then with nothing newer than the last time.
    pub fn lossy(&mut self, home: &Node, rng: &mut Rng) -> Shown {
        if !rng.once_in(3) {
            self.lossy = peer::ours(home.store.inner()).unwrap();
        }
        let mut refs = self.lossy.clone();
        refs.retain(|_, _| !rng.once_in(3));
        shown("lossy", home.store.inner().clone(), refs)
    }

    /// Shows whatever serves it: an older page, forged ones, hidden branches, names that are none, branches of one
    /// person below the name of another.
    pub fn lying(&self, home: &Node, rng: &mut Rng) -> Shown {
        let store = home.store.inner();
        let objects = store.clone();
        let mut refs = peer::ours(store).unwrap();
        let main = refs[refs::MAIN];
        match (rng.below(4), self.forged) {
            (0, _) => {
                refs.insert(refs::MAIN.into(), older(store, main, rng));
            }
            (1, _) => refs.retain(|name, _| name == refs::MAIN),
            (_, Some(forged)) => {
                refs.insert(refs::MAIN.into(), forged);
            }
            _ => {}
        }
        let all: Vec<(String, Oid)> = refs.clone().into_iter().collect();
        let (_, any) = rng.pick(&all).clone();
        let name = *rng.pick(&[
            "refs/heads/refs/heads/main",
            "refs/heads/proposals",
            "refs/heads/proposals/bob/s1",
            "refs/heads/proposals/alice/stolen",
            "refs/heads/reviews/rick/0123456789ab",
            "refs/heads/pen/wim",
            "refs/tags/v1",
            "refs/folio/home",
        ]);
        refs.insert(name.into(), any);
        objects.take_objects(&self.forgery);
        shown("lying", objects, refs)
    }
}

fn older(store: &MemoryStore, main: Oid, rng: &mut Rng) -> Oid {
    let mut at = main;
    for _ in 0..=rng.below(4) {
        at = Page::read(store, at).unwrap().previous().unwrap_or(at);
    }
    at
}

fn shown(key: &str, objects: MemoryStore, refs: RefMap) -> Shown {
    Shown {
        key: key.to_owned(),
        is_home: false,
        objects,
        refs,
    }
}

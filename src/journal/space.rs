//! An open space: a store, the tables in it, and whose space it is.

use super::fault::Fault;
use super::page::Page;
use super::refs;
use crate::model::{Code, Oid, SpaceId};
use crate::state::Tables;
use crate::store::Store;

/// A space in a store.
pub struct Space<'s, S: Store> {
    /// Objects and refs.
    pub store: &'s S,
    /// The state tables in it.
    pub tables: Tables<'s, S>,
    /// Its id, as its newest snapshot says; `verify` compares it with the charter.
    pub id: SpaceId,
}

impl<'s, S: Store> Space<'s, S> {
    /// Opens the space whose newest snapshot `refs/heads/main` names.
    pub fn open(store: &'s S) -> Result<Self, Fault> {
        let tip = tip_of(store)?.ok_or_else(|| {
            let what = format!("expected a snapshot at {}, found no such ref", refs::MAIN);
            Fault::new(Code::NotASpace, what)
        })?;
        let page = Page::read(store, tip)?;
        Ok(Self {
            store,
            tables: Tables::new(store),
            id: page.message.space,
        })
    }

    /// Where `main` points now.
    pub fn tip(&self) -> Result<Oid, Fault> {
        tip_of(self.store)?
            .ok_or_else(|| Fault::new(Code::NotASpace, format!("{} is gone", refs::MAIN)))
    }
}

fn tip_of<S: Store>(store: &S) -> Result<Option<Oid>, Fault> {
    Ok(store.get(refs::MAIN)?)
}

//! An open space: a store, the tables in it, and whose space it is.

use super::fault::Fault;
use super::page::{Page, read_commit};
use super::refs;
use crate::model::{Code, Oid, RowKey, SpaceId, Table};
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
        Self::open_newest(store).map(|(space, _)| space)
    }

    /// As [`Space::open`], with that snapshot.
    pub fn open_newest(store: &'s S) -> Result<(Self, Page), Fault> {
        let tip = tip_of(store)?.ok_or_else(|| {
            let what = format!("expected a snapshot at {}, found no such ref", refs::MAIN);
            Fault::new(Code::NotASpace, what)
        })?;
        let tables = Tables::new(store);
        let page = Page::read(store, tip).map_err(|fault| match fault.code {
            Code::NotASnapshot | Code::CommitGrammar if !holds_a_space(store, &tables, &tip) => {
                let what = format!("{} is a commit of some other project", refs::MAIN);
                Fault::new(Code::NotASpace, what).in_commit(tip)
            }
            _ => fault,
        })?;
        let space = Self {
            store,
            tables,
            id: page.message.space,
        };
        Ok((space, page))
    }

    /// The space that a page says it belongs to, where `main` is not there yet. Only verifying the whole chain
    /// down to the charter makes that true.
    pub fn claimed(store: &'s S, tip: &Page) -> Self {
        Self {
            store,
            tables: Tables::new(store),
            id: tip.message.space,
        }
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

/// Whether a commit's tree has the row that describes a space: then somebody moved `main` off the
/// snapshots; otherwise it never was on one.
fn holds_a_space<S: Store>(store: &S, tables: &Tables<'_, S>, commit: &Oid) -> bool {
    let Ok(commit) = read_commit(store, commit) else {
        // Not even git's usual form: somebody altered it, and the fault says how.
        return true;
    };
    let row = tables.row(Some(commit.tree), Table::Space, &RowKey::of(""));
    row.is_ok_and(|row| row.is_some())
}

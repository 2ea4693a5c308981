//! A snapshot's commit, read and shaped but not yet verified.

use super::fault::Fault;
use crate::codec::commit::Commit;
use crate::codec::message::{Message, SnapshotMessage};
use crate::model::{Code, Number, Oid, limits};
use crate::state::{Footing, Tables};
use crate::store::{Kind, Objects};

/// A commit that has the message and the parents of a snapshot.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its id.
    pub id: Oid,
    /// The commit.
    pub commit: Commit,
    /// Its message, parsed.
    pub message: SnapshotMessage,
}

/// Reads any commit.
pub fn read_commit<S: Objects + ?Sized>(store: &S, id: &Oid) -> Result<Commit, Fault> {
    let bytes = store.read(id, Kind::Commit, limits::COMMIT)?;
    Commit::parse(&bytes, store.format()).map_err(|fault| Fault::from(fault).in_commit(*id))
}

fn parse_message(id: Oid, commit: &Commit) -> Result<Message, Fault> {
    Message::parse(&commit.message).map_err(|fault| Fault::from(fault).in_commit(id))
}

impl Page {
    /// Reads a snapshot. A commit of another kind is `not-a-snapshot`.
    pub fn read<S: Objects + ?Sized>(store: &S, id: Oid) -> Result<Self, Fault> {
        let commit = read_commit(store, &id)?;
        let message = parse_message(id, &commit)?;
        Self::of(id, commit, message).map_err(|fault| fault.in_commit(id))
    }

    /// As [`Page::read`], for a page on which others are likely to stand: [`Page::footing_of`] need not read it again.
    pub fn read_first<S: Objects + ?Sized, T: Objects + ?Sized>(
        tables: &Tables<'_, T>,
        store: &S,
        id: Oid,
    ) -> Result<Self, Fault> {
        let page = Self::read(store, id)?;
        tables.note_footing(id, page.footing());
        Ok(page)
    }

    /// What a page tells whoever stands on it, where the same page is likely to have been read just before.
    pub fn footing_of<S: Objects + ?Sized, T: Objects + ?Sized>(
        tables: &Tables<'_, T>,
        store: &S,
        id: Oid,
    ) -> Result<Footing, Fault> {
        tables.footing(&id, || Ok(Self::read(store, id)?.footing()))
    }

    /// What it tells whoever stands on it.
    pub fn footing(&self) -> Footing {
        Footing {
            space: self.message.space,
            number: self.number(),
            chain: self.message.chain,
            tree: self.tree(),
            previous: self.previous(),
        }
    }

    fn of(id: Oid, commit: Commit, message: Message) -> Result<Self, Fault> {
        let Message::Snapshot(message) = message else {
            let what = "expected the trailers of a snapshot, found a commit of another kind";
            return Err(Fault::new(Code::NotASnapshot, what));
        };
        let page = Self {
            id,
            commit,
            message,
        };
        let first = page.number() == Number(1);
        let parents = page.commit.parents.len();
        if page.number() < Number(1) || (first && parents != 1) || (!first && parents < 2) {
            let what = format!(
                "expected {}, found {parents} for number {}",
                "one parent for number 1, at least two above it",
                page.number()
            );
            return Err(Fault::new(Code::ParentsWrong, what));
        }
        Ok(page)
    }

    /// Its number.
    pub fn number(&self) -> Number {
        self.message.number
    }

    /// Its state tree.
    pub fn tree(&self) -> Oid {
        self.commit.tree
    }

    /// The previous snapshot; the first has none.
    pub fn previous(&self) -> Option<Oid> {
        (self.number() > Number(1)).then(|| self.commit.parents[0])
    }

    /// The proposal it numbers.
    pub fn proposal(&self) -> Oid {
        let at = usize::from(self.number() > Number(1));
        self.commit.parents[at]
    }

    /// The reviews among its parents.
    pub fn reviews(&self) -> &[Oid] {
        self.commit.parents.get(2..).unwrap_or_default()
    }
}

//! A commit that somebody signed as a snapshot: the least that evidence is made of.

use crate::codec::commit::Commit;
use crate::codec::message::{Message, SnapshotMessage};
use crate::crypto::seal;
use crate::journal::fault::Fault;
use crate::journal::page::read_commit;
use crate::model::{Code, Number, Oid, PublicKey};
use crate::store::Objects;

/// A snapshot whose own signature is good. Whether the rules accept it is another question.
pub(super) struct Signed {
    pub(super) commit: Commit,
    pub(super) message: SnapshotMessage,
    pub(super) signer: PublicKey,
}

impl Signed {
    /// Reads it: the one spelling of the commit, a strict signature, the trailers of a snapshot.
    ///
    /// # Errors
    /// What of that does not hold. Then nobody signed this, whatever git says of it.
    pub(super) fn read<S: Objects>(store: &S, id: &Oid) -> Result<Self, Fault> {
        let commit = read_commit(store, id)?;
        Self::of(commit).map_err(|fault| fault.in_commit(*id))
    }

    fn of(commit: Commit) -> Result<Self, Fault> {
        let Message::Snapshot(message) = Message::parse(&commit.message)? else {
            let what = "expected the trailers of a snapshot, found a commit of another kind";
            return Err(Fault::new(Code::NotASnapshot, what));
        };
        let signer = seal::open(&commit)?;
        Ok(Self {
            commit,
            message,
            signer,
        })
    }

    pub(super) fn number(&self) -> Number {
        self.message.number
    }

    /// The snapshot it stands on, as its parents say.
    pub(super) fn previous(&self) -> Option<Oid> {
        let first = self.number() <= Number(1);
        self.commit.parents.first().copied().filter(|_| !first)
    }
}

//! Reviews: signed, bound to one proposal's digest, with the proposal as their only parent.

use super::fault::Fault;
use super::page::read_commit;
use super::proposal::{Open, Proposal};
use super::propose::When;
use crate::codec::commit::{Commit, Ident};
use crate::codec::message::{Message, Reason, ReviewMessage, Verdict};
use crate::crypto::{Sign, digest, seal};
use crate::model::rows::MemberRow;
use crate::model::{Code, Oid, PublicKey, ReviewDigest};
use crate::store::{Kind, Objects};

/// An authenticated review. There is one constructor: [`Review::authenticate`].
#[derive(Debug, Clone)]
pub struct Review {
    id: Oid,
    commit: Commit,
    reviewer: PublicKey,
    message: ReviewMessage,
    digest: ReviewDigest,
}

impl Review {
    /// Reads a review of that proposal: grammar, signature, message, parent, tree.
    pub fn authenticate<S: Objects + ?Sized>(
        store: &S,
        proposal: &Proposal,
        id: Oid,
    ) -> Result<Self, Fault> {
        Self::read(store, proposal, id, seal::open)
    }

    /// As [`Review::authenticate`]; `open` says who signed it.
    pub(super) fn read<S: Objects + ?Sized>(
        store: &S,
        proposal: &Proposal,
        id: Oid,
        open: Open,
    ) -> Result<Self, Fault> {
        Self::read_opened(store, proposal, id, open).map_err(|fault| fault.in_commit(id))
    }

    fn read_opened<S: Objects + ?Sized>(
        store: &S,
        proposal: &Proposal,
        id: Oid,
        open: Open,
    ) -> Result<Self, Fault> {
        let invalid = |what: &str| Fault::new(Code::ReviewInvalid, what);
        let commit = read_commit(store, &id)?;
        let reviewer = open(&commit)?;
        let Message::Review(message) = Message::parse(&commit.message)? else {
            return Err(invalid("expected a review, found a commit of another kind"));
        };
        if commit.parents != [proposal.id()] || commit.tree != proposal.commit().tree {
            return Err(invalid(
                "expected the proposal as only parent, and its tree",
            ));
        }
        if message.space != proposal.space() {
            let found = message.space;
            return Err(Fault::differs(
                Code::SpaceMismatch,
                "the space",
                proposal.space(),
                found,
            ));
        }
        if message.proposal != proposal.digest() {
            return Err(invalid(
                "it names the digest of another proposal than its parent's",
            ));
        }
        let digest = digest::review(&digest::ReviewFields {
            space: message.space,
            proposal: message.proposal,
            reviewer,
            verdict: message.verdict.as_str(),
            reason: message.reason.as_ref().map_or("", Reason::as_str),
            text: &message.text,
        });
        Ok(Self {
            id,
            commit,
            reviewer,
            message,
            digest,
        })
    }

    /// Its commit's id.
    pub fn id(&self) -> Oid {
        self.id
    }

    /// The commit.
    pub fn commit(&self) -> &Commit {
        &self.commit
    }

    /// The key that signed it.
    pub fn reviewer(&self) -> PublicKey {
        self.reviewer
    }

    /// What it says.
    pub fn message(&self) -> &ReviewMessage {
        &self.message
    }

    /// Whether it approves.
    pub fn approves(&self) -> bool {
        self.message.verdict == Verdict::Approve
    }

    /// Its digest.
    pub fn digest(&self) -> ReviewDigest {
        self.digest
    }
}

/// What a new review says.
#[derive(Debug, Clone)]
pub struct Opinion {
    /// Approve or reject.
    pub verdict: Verdict,
    /// The code of a rejection.
    pub reason: Option<Reason>,
    /// Clean text (`codec::message::clean_text`).
    pub text: String,
}

/// Makes and signs a review; the commit is returned with its id, not yet written.
pub fn write_review<S: Objects + ?Sized>(
    store: &S,
    proposal: &Proposal,
    opinion: Opinion,
    reviewer: &MemberRow,
    signer: &dyn Sign,
    when: &When,
) -> Result<(Oid, Vec<u8>), Fault> {
    let message = Message::Review(ReviewMessage {
        text: opinion.text,
        space: proposal.space(),
        verdict: opinion.verdict,
        proposal: proposal.digest(),
        reason: opinion.reason,
    });
    let ident: Ident = when.ident(reviewer);
    let commit = Commit {
        tree: proposal.commit().tree,
        parents: vec![proposal.id()],
        author: ident.clone(),
        committer: ident,
        armor: None,
        message: message.encode(),
    };
    let bytes = seal::seal(commit, signer)?.encode();
    Ok((store.id_of(Kind::Commit, &bytes), bytes))
}

//! From decisions to a signed branch.

use super::fault::Fault;
use super::proposal::{self, Base};
use super::space::Space;
use crate::codec::commit::{Commit, Ident, Zone};
use crate::codec::message::{Message, ProposalBlock, ProposalMessage};
use crate::cores;
use crate::crypto::{Sign, digest, seal};
use crate::fold::apply::{Submission, fold_drafted};
use crate::fold::{Decision, Steps, decision};
use crate::model::rows::MemberRow;
use crate::model::{ObjectFormat, Oid, ProposalDigest, PublicKey, SpaceId};
use crate::state::{Tables, TreeView};
use crate::store::{Expect, Kind, Objects, RefEdit, Store, id_of};

/// From this many decisions on, all cores write them down.
const MANY: usize = 1000;

/// A digest for decisions that do not ask where they stand.
const UNPROPOSED: ProposalDigest = ProposalDigest([0; 32]);

/// The time that a commit carries. It decides nothing.
#[derive(Debug, Clone, Copy)]
pub struct When {
    /// Seconds since 1970.
    pub seconds: u64,
    /// The zone.
    pub zone: Zone,
}

impl When {
    /// The identity of a member at that time.
    pub fn ident(&self, member: &MemberRow) -> Ident {
        Ident {
            name: member.name.to_string(),
            email: member.email.to_string(),
            seconds: self.seconds,
            zone: self.zone,
        }
    }
}

/// What somebody wants to propose.
#[derive(Debug, Clone)]
pub struct Intent<'a> {
    /// The snapshot it stands on.
    pub base: Base,
    /// Who signs, as their row stands there.
    pub author: &'a MemberRow,
    /// What it decides, at least one.
    pub decisions: &'a [Decision],
    /// Clean text (`codec::message::clean_text`).
    pub text: &'a str,
    /// The date in the commit.
    pub when: When,
}

/// A signed proposal whose objects are written and that no ref names yet: nothing has happened.
#[must_use = "a proposal that no ref names has not been made"]
#[derive(Debug)]
pub struct Prepared {
    /// Its commit.
    pub id: Oid,
    /// Its digest.
    pub digest: ProposalDigest,
}

/// Builds, signs and writes a proposal: a crash leaves objects that nothing refers to.
pub fn prepare<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    store: &S,
    space: SpaceId,
    intent: &Intent<'_>,
    signer: &dyn Sign,
) -> Result<Prepared, Fault> {
    let view = TreeView::new(tables, intent.base.tree);
    prepare_drafted(tables, store, space, intent, Steps::new(&view), signer)
}

/// As [`prepare`], of decisions the first of which were made on the base already.
pub fn prepare_drafted<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    store: &S,
    space: SpaceId,
    intent: &Intent<'_>,
    drafted: Steps<'_>,
    signer: &dyn Sign,
) -> Result<Prepared, Fault> {
    let author = signer.public_key();
    let make = |digest| {
        let submission = Submission {
            digest,
            author,
            after: intent.base.chain,
            decisions: intent.decisions,
            votes: &[],
        };
        let outcome = fold_drafted(drafted, &submission)?;
        let state = tables.edit(intent.base.tree, &outcome.edits)?;
        Ok::<_, Fault>((state, outcome))
    };
    let format = tables.format();
    let write = || write_down(format, space, intent, author);
    let many = intent.decisions.len() >= MANY;
    let (written, (state, outcome)) = match intent.decisions.iter().any(Decision::placed) {
        true => {
            let written = write()?;
            let made = make(written.digest)?;
            (written, made)
        }
        false => {
            // What they do does not depend on how they are written, so that is found out meanwhile.
            let staged = tables.staged();
            let (written, made) = cores::beside(many, write, || make(UNPROPOSED));
            let both = written.and_then(|written| Ok((written, made?)));
            both.inspect_err(|_| tables.discard(staged))?
        }
    };
    let finish = || finish(tables, store, space, intent, (written, state), signer);
    // To give back the memory of many rows takes a while.
    cores::beside(many, move || drop(outcome), finish).1
}

/// Seals and writes a proposal that makes this state of its base.
fn finish<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    store: &S,
    space: SpaceId,
    intent: &Intent<'_>,
    (written, state): (Written, Oid),
    signer: &dyn Sign,
) -> Result<Prepared, Fault> {
    let Written {
        bytes,
        blob,
        digest,
    } = written;
    let tree = tables.with_decisions(Some(state), blob)?;
    let commit = seal::seal(proposal_commit(space, intent, digest, tree), signer)?;
    let commit = commit.encode();
    let id = store.id_of(Kind::Commit, &commit);
    let mut objects = tables.take();
    objects.push((blob, Kind::Blob, bytes));
    objects.push((id, Kind::Commit, commit));
    store.write_all(&objects)?;
    Ok(Prepared { id, digest })
}

/// Decisions as they are written, the id of that, and the digest of their proposal.
struct Written {
    bytes: Vec<u8>,
    blob: Oid,
    digest: ProposalDigest,
}

fn write_down(
    format: ObjectFormat,
    space: SpaceId,
    intent: &Intent<'_>,
    author: PublicKey,
) -> Result<Written, Fault> {
    let parts = cores::parts(intent.decisions, MANY, |_, some| decision::encode_all(some));
    let bytes = parts.concat();
    // What is written must be readable, limits included.
    proposal::parse(&bytes)?;
    let digest = digest::proposal(&digest::ProposalFields {
        space,
        base: intent.base.number,
        base_chain: intent.base.chain,
        author,
        text: intent.text,
        decisions: &bytes,
    });
    let blob = id_of(format, Kind::Blob, &bytes);
    Ok(Written {
        bytes,
        blob,
        digest,
    })
}

fn proposal_commit(
    space: SpaceId,
    intent: &Intent<'_>,
    digest: ProposalDigest,
    tree: Oid,
) -> Commit {
    let message = Message::Proposal(ProposalMessage {
        text: intent.text.to_owned(),
        block: Some(ProposalBlock {
            space,
            base: intent.base.number,
            proposal: digest,
        }),
    });
    let ident = intent.when.ident(intent.author);
    Commit {
        tree,
        parents: intent.base.commit.into_iter().collect(),
        author: ident.clone(),
        committer: ident,
        armor: None,
        message: message.encode(),
    }
}

impl Prepared {
    /// Names the proposal by a ref: now it is made.
    pub fn publish<S: Store>(
        self,
        space: &Space<'_, S>,
        name: String,
        expect: Expect,
    ) -> Result<(Oid, ProposalDigest), Fault> {
        let edit = RefEdit {
            name,
            expect,
            new: Some(self.id),
            message: "folio: propose".into(),
        };
        space.store.apply(&[edit])?;
        Ok((self.id, self.digest))
    }
}

//! A proposal, authenticated: the signature is good, the format is kept, what it binds is true. Whether
//! its author may decide what it decides is a later question (`judge`).

use super::fault::Fault;
use super::judge;
use super::page::{Page, read_commit};
use crate::codec::commit::Commit;
use crate::codec::message::{Message, ProposalMessage};
use crate::cores;
use crate::crypto::sshsig::SigFault;
use crate::crypto::{digest, seal};
use crate::fold::Decision;
use crate::fold::decision;
use crate::model::{ChainDigest, Code, Number, Oid, ProposalDigest, PublicKey, SpaceId, limits};
use crate::state::{Footing, StateFault, Tables};
use crate::store::{Kind, Objects};

/// From this many decisions on, threads are worth starting.
const MANY: usize = 4096;

/// Finds out who signed a commit: [`seal::open`], or [`seal::claimed`] where that was done before.
pub(super) type Open = fn(&Commit) -> Result<PublicKey, SigFault>;

/// The snapshot that a proposal stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base {
    /// Its commit; the charter stands on nothing.
    pub commit: Option<Oid>,
    /// Its number, 0 for the charter.
    pub number: Number,
    /// Its chain digest.
    pub chain: ChainDigest,
    /// Its state tree.
    pub tree: Option<Oid>,
}

impl Base {
    /// What the charter stands on.
    pub fn nothing(space: &SpaceId) -> Self {
        Self {
            commit: None,
            number: Number(0),
            chain: digest::chain_start(space),
            tree: None,
        }
    }

    /// A snapshot.
    pub fn of(page: &Page) -> Self {
        Self::on(page.id, &page.footing())
    }

    /// The snapshot with that commit.
    fn on(id: Oid, footing: &Footing) -> Self {
        Self {
            commit: Some(id),
            number: footing.number,
            chain: footing.chain,
            tree: Some(footing.tree),
        }
    }
}

/// An authenticated proposal. There is one constructor: [`Proposal::authenticate`]. Queues pass it on from hand to hand,
/// so it is small.
#[derive(Debug, Clone)]
pub struct Proposal(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    id: Oid,
    commit: Commit,
    space: SpaceId,
    base: Base,
    author: PublicKey,
    text: String,
    subject: String,
    decisions: Vec<Decision>,
    digest: ProposalDigest,
    preview: Oid,
    /// Whether it was found that the preview is what its decisions make of its base.
    preview_true: bool,
}

impl Proposal {
    /// Reads a proposal's commit and checks everything that needs no state: grammar, signature, message,
    /// decisions, digest, parent. The caller says whether the base is a snapshot of its chain.
    pub fn authenticate<S: Objects + ?Sized>(
        tables: &Tables<'_, S>,
        store: &S,
        space: Option<&SpaceId>,
        id: Oid,
    ) -> Result<Self, Fault> {
        let split = |tree| tables.split_decisions(tree);
        let read = Self::read(tables, store, space, id, seal::open, &split);
        read.map_err(|fault| fault.in_commit(id))
    }

    /// As [`Proposal::authenticate`], for whoever folds its decisions and looks at no tree: its preview is not known.
    /// `open` says who signed it.
    pub(super) fn for_replay<S: Objects + ?Sized>(
        tables: &Tables<'_, S>,
        store: &S,
        space: &SpaceId,
        id: Oid,
        open: Open,
    ) -> Result<Self, Fault> {
        let blob = |tree| Ok((tables.empty_tree(), tables.decisions_of(tree)?));
        let read = Self::read(tables, store, Some(space), id, open, &blob);
        read.map_err(|fault| fault.in_commit(id))
    }

    fn read<S: Objects + ?Sized>(
        tables: &Tables<'_, S>,
        store: &S,
        space: Option<&SpaceId>,
        id: Oid,
        open: Open,
        split: &dyn Fn(Oid) -> Result<(Oid, Option<Oid>), StateFault>,
    ) -> Result<Self, Fault> {
        let commit = read_commit(store, &id)?;
        let author = open(&commit)?;
        let Message::Proposal(message) = Message::parse(&commit.message)? else {
            let what = "expected a proposal, found a snapshot or a review";
            return Err(Fault::new(Code::TrailersMalformed, what));
        };
        let (preview, blob) = split(commit.tree)?;
        let Some(blob) = blob else {
            let what = "expected `decisions.jsonl` in the proposal's tree, found none";
            return Err(Fault::new(Code::TreeMalformed, what));
        };
        let bytes = store.read(&blob, Kind::Blob, limits::DECISIONS_BYTES)?;
        let decisions = parse(&bytes)?;
        let (space, base) = stands_on(tables, store, space, &commit, &bytes)?;
        let digest = digest::proposal(&digest::ProposalFields {
            space,
            base: base.number,
            base_chain: base.chain,
            author,
            text: &message.text,
            decisions: &bytes,
        });
        require_true_block(&message, &space, &base, &digest)?;
        Ok(Self(Box::new(Parts {
            id,
            commit,
            space,
            base,
            author,
            subject: message.subject().to_owned(),
            text: message.text,
            decisions,
            digest,
            preview,
            preview_true: false,
        })))
    }

    /// Its commit's id.
    pub fn id(&self) -> Oid {
        self.0.id
    }

    /// The commit.
    pub fn commit(&self) -> &Commit {
        &self.0.commit
    }

    /// The space it is made for.
    pub fn space(&self) -> SpaceId {
        self.0.space
    }

    /// What it stands on.
    pub fn base(&self) -> &Base {
        &self.0.base
    }

    /// The key that signed it.
    pub fn author(&self) -> PublicKey {
        self.0.author
    }

    /// The proposer's words.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The first line of the proposer's words.
    pub fn subject(&self) -> &str {
        self.0.subject.as_str()
    }

    /// What it decides, in order; at least one.
    pub fn decisions(&self) -> &[Decision] {
        &self.0.decisions
    }

    /// As [`Proposal::decisions`], for whoever needs nothing else of it.
    pub(super) fn into_decisions(self) -> Vec<Decision> {
        self.0.decisions
    }

    /// Its digest.
    pub fn digest(&self) -> ProposalDigest {
        self.0.digest
    }

    /// Compares the preview with what the decisions make of the base, which no later page changes, and remembers
    /// if it is true. Where it is not, whoever judges the proposal says so.
    pub(super) fn prove_preview<S: Objects + ?Sized>(&mut self, tables: &Tables<'_, S>) {
        let is_true = || judge::require_preview_of_base(tables, self).is_ok();
        self.0.preview_true = self.0.preview_true || tables.naming(is_true);
    }

    /// Whether [`Proposal::prove_preview`] found the preview true.
    pub(super) fn preview_is_true(&self) -> bool {
        self.0.preview_true
    }

    /// The state that its tree claims: what it would produce on its base, or the base's own.
    pub fn preview(&self) -> Oid {
        self.0.preview
    }
}

/// Reads a `decisions.jsonl`, a long one on all cores.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Decision>, Fault> {
    let lines = decision::lines(bytes)?;
    let parts = cores::parts(&lines, MANY, |at, part| decision::parse_lines(part, at + 1));
    let mut all = Vec::new();
    for part in parts {
        let mut part = part?;
        match all.is_empty() {
            true => all = part,
            false => all.append(&mut part),
        }
    }
    Ok(all)
}

/// Space and base follow from the one parent; a commit without one can only be a charter.
fn stands_on<S: Objects + ?Sized>(
    tables: &Tables<'_, S>,
    store: &S,
    space: Option<&SpaceId>,
    commit: &Commit,
    decisions: &[u8],
) -> Result<(SpaceId, Base), Fault> {
    let (found, base) = match commit.parents.as_slice() {
        [] => {
            let space = digest::space_id(decisions);
            (space, Base::nothing(&space))
        }
        [parent] => {
            let footing = Page::footing_of(tables, store, *parent).map_err(|fault| {
                if fault.is_environment() {
                    return fault;
                }
                let what = format!("the proposal's parent is no snapshot: {}", fault.what);
                Fault::new(Code::BaseUnknown, what)
            })?;
            (footing.space, Base::on(*parent, &footing))
        }
        more => {
            let what = format!("expected a proposal with one parent, found {}", more.len());
            return Err(Fault::new(Code::ParentsWrong, what));
        }
    };
    match space {
        Some(expected) if *expected != found => Err(Fault::differs(
            Code::SpaceMismatch,
            "the space",
            expected,
            found,
        )),
        _ => Ok((found, base)),
    }
}

fn require_true_block(
    message: &ProposalMessage,
    space: &SpaceId,
    base: &Base,
    digest: &ProposalDigest,
) -> Result<(), Fault> {
    let Some(block) = &message.block else {
        return Ok(());
    };
    if block.space != *space {
        let what = "the space in the trailers";
        return Err(Fault::differs(
            Code::SpaceMismatch,
            what,
            space,
            block.space,
        ));
    }
    if block.base != base.number {
        let what = "the base in the trailers";
        return Err(Fault::differs(
            Code::BaseMismatch,
            what,
            base.number,
            block.base,
        ));
    }
    if block.proposal != *digest {
        let what = "the digest in the trailers";
        return Err(Fault::differs(
            Code::ProposalMismatch,
            what,
            digest,
            block.proposal,
        ));
    }
    Ok(())
}

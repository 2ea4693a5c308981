//! The commit of a snapshot.

use super::Witness;
use crate::codec::commit::Commit;
use crate::codec::message::{Message, SnapshotMessage};
use crate::crypto::{Sign, seal};
use crate::fold::Scene;
use crate::journal::check;
use crate::journal::fault::Fault;
use crate::journal::page::Page;
use crate::journal::proposal::Proposal;
use crate::journal::review::Review;
use crate::journal::space::Space;
use crate::model::rows::{KeyRow, MemberRow};
use crate::model::text::is_plain;
use crate::model::{Code, Epoch, Number, Oid, RowKey};
use crate::state::TreeView;
use crate::store::{Kind, Objects, Store};

/// A snapshot that is not signed yet.
#[must_use = "a snapshot without a signature is none"]
pub struct Unsigned {
    commit: Commit,
    message: SnapshotMessage,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its number.
    pub number: Number,
}

impl Unsigned {
    /// Signs it. Whoever calls this has made sure that no other page was signed for this epoch and number.
    pub fn seal(self, witness: &Witness<'_>) -> Result<Commit, Fault> {
        Ok(seal::seal(self.commit, witness.signer)?)
    }

    /// The page that it will be, as far as the next one is judged by it: without signature and id, for which that
    /// of the page before stands.
    pub(super) fn foretold(&self, previous: &Page) -> Page {
        Page {
            id: previous.id,
            commit: self.commit.clone(),
            message: self.message.clone(),
        }
    }

    /// Signs it as the page after `previous`, whose id was not known yet when it was made.
    pub(super) fn seal_after<S: Objects>(
        mut self,
        previous: Oid,
        store: &S,
        signer: &dyn Sign,
    ) -> Result<(Page, Vec<u8>), Fault> {
        self.commit.parents[0] = previous;
        let commit = seal::seal(self.commit, signer)?;
        let bytes = commit.encode();
        let id = store.id_of(Kind::Commit, &bytes);
        let page = Page {
            id,
            commit,
            message: self.message,
        };
        Ok((page, bytes))
    }
}

/// Makes the snapshot after `previous` that numbers a judged proposal.
pub fn page_commit<S: Store>(
    space: &Space<'_, S>,
    previous: &Page,
    proposal: &Proposal,
    reviews: &[Review],
    witness: &Witness<'_>,
    tree: Oid,
) -> Result<Unsigned, Fault> {
    let view = TreeView::new(&space.tables, Some(previous.tree()));
    snapshot_commit(&view, Some(previous), proposal, reviews, witness, tree)
}

/// As [`page_commit`], with the state that says who holds the pen: the one before, or for the first page
/// the one it makes.
pub fn snapshot_commit(
    authority: &dyn crate::fold::View,
    previous: Option<&Page>,
    proposal: &Proposal,
    reviews: &[Review],
    witness: &Witness<'_>,
    tree: Oid,
) -> Result<Unsigned, Fault> {
    let pen = check::pen_for(authority, proposal)?;
    let signer = witness.signer.public_key();
    if signer != pen.key {
        let what = format!(
            "numbering needs the key of `{}`, who holds the pen",
            pen.member
        );
        return Err(Fault::differs(Code::SignerWrong, &what, pen.key, signer));
    }
    let row: Option<MemberRow> = Scene::new(authority).get(&RowKey::of(&pen.member))?;
    let holder = row.ok_or_else(|| {
        Fault::new(
            Code::NoSuchMember,
            format!("`{}` holds the pen and is no member", pen.member),
        )
    })?;
    let number = previous.map_or(Number(1), |page| page.number().next());
    let chain = check::chain_of(pen.epoch, previous, proposal, reviews, signer);
    let message = SnapshotMessage {
        text: snapshot_text(number, proposal.subject()),
        space: proposal.space(),
        number,
        epoch: pen.epoch,
        proposal: proposal.digest(),
        chain,
    };
    // A rotated key goes on signing until the pen is taken, under the address it signed with last.
    let key: Option<KeyRow> = Scene::new(authority).get(&RowKey::of(&pen.key))?;
    let mut ident = witness.when.ident(&holder);
    if let Some(key) = key {
        ident.email = key.email.to_string();
    }
    let mut parents: Vec<Oid> = previous.map(|page| page.id).into_iter().collect();
    parents.push(proposal.id());
    parents.extend(reviews.iter().map(Review::id));
    let commit = Commit {
        tree,
        parents,
        author: ident.clone(),
        committer: ident,
        armor: None,
        message: Message::Snapshot(message.clone()).encode(),
    };
    Ok(Unsigned {
        commit,
        message,
        epoch: pen.epoch,
        number,
    })
}

/// The subject of a snapshot: its number and the proposer's first line, without what a terminal would obey.
fn snapshot_text(number: Number, subject: &str) -> String {
    let plain: String = subject
        .trim()
        .chars()
        .filter(|c| is_plain(*c))
        .take(200)
        .collect();
    format!("common@{number}: {}\n", plain.trim_end())
}

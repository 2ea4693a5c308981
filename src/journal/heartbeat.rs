//! Heartbeats: a witness's sign of life. They decide nothing; polite takers of the pen look at them.

use super::check;
use super::fault::Fault;
use super::judge;
use super::page::{Page, read_commit};
use super::propose::When;
use super::refs;
use super::space::Space;
use crate::codec::commit::Commit;
use crate::codec::message::{HeartbeatMessage, Message};
use crate::crypto::{Sign, seal};
use crate::fold::Scene;
use crate::model::rows::{MemberRow, WitnessRow};
use crate::model::{Code, Oid, PublicKey, RowKey};
use crate::state::TreeView;
use crate::store::{Expect, Kind, RefEdit, Store};

/// An authenticated heartbeat. There is one constructor: [`Heartbeat::authenticate`].
#[derive(Debug, Clone)]
pub struct Heartbeat {
    /// Its commit.
    pub id: Oid,
    /// Whose it is.
    pub witness: MemberRow,
    /// The key that signed it.
    pub key: PublicKey,
    /// How many the witness left, this one included.
    pub beat: u64,
    /// The newest snapshot that the witness had.
    pub page: Page,
}

impl Heartbeat {
    /// Reads a heartbeat: grammar, signature, message, and that its signer is an appointed witness in the state
    /// of the snapshot it stands on. The caller says whether that snapshot is one of its chain.
    ///
    /// # Errors
    /// `heartbeat-invalid` where it is another commit or another's, `space-mismatch`, `epoch-mismatch`,
    /// `chain-mismatch`, and those of commits and signatures.
    pub fn authenticate<S: Store>(space: &Space<'_, S>, id: Oid) -> Result<Self, Fault> {
        Self::read(space, id).map_err(|fault| fault.in_commit(id))
    }

    fn read<S: Store>(space: &Space<'_, S>, id: Oid) -> Result<Self, Fault> {
        let invalid = |what: &str| Fault::new(Code::HeartbeatInvalid, what);
        let commit = read_commit(space.store, &id)?;
        let key = seal::open(&commit)?;
        let Message::Heartbeat(message) = Message::parse(&commit.message)? else {
            return Err(invalid(
                "expected a heartbeat, found a commit of another kind",
            ));
        };
        let [parent] = commit.parents.as_slice() else {
            return Err(invalid("expected a snapshot as only parent"));
        };
        let page = Page::read(space.store, *parent)?;
        if commit.tree != page.tree() {
            return Err(invalid("expected the tree of its snapshot"));
        }
        require_true(space, &message, &page)?;
        let view = TreeView::new(&space.tables, Some(page.tree()));
        let witness = judge::member_of(&view, &key)?;
        require_appointed(&view, &witness)?;
        judge::require_address(&view, &key, &commit)?;
        Ok(Self {
            id,
            witness,
            key,
            beat: message.beat,
            page,
        })
    }
}

fn require_true<S: Store>(
    space: &Space<'_, S>,
    message: &HeartbeatMessage,
    page: &Page,
) -> Result<(), Fault> {
    for found in [message.space, page.message.space] {
        if found != space.id {
            return Err(Fault::differs(
                Code::SpaceMismatch,
                "the space",
                space.id,
                found,
            ));
        }
    }
    let pen = check::pen_of(&TreeView::new(&space.tables, Some(page.tree())))?;
    if message.epoch != pen.epoch {
        let (what, found) = ("the epoch", message.epoch);
        return Err(Fault::differs(Code::EpochMismatch, what, pen.epoch, found));
    }
    if message.chain != page.message.chain {
        let (what, found) = ("the chain digest", message.chain);
        let expected = page.message.chain;
        return Err(Fault::differs(Code::ChainMismatch, what, expected, found));
    }
    Ok(())
}

fn require_appointed(view: &dyn crate::fold::View, member: &MemberRow) -> Result<(), Fault> {
    match Scene::new(view).has::<WitnessRow>(&RowKey::of(&member.handle))? {
        true => Ok(()),
        false => {
            let what = format!("`{}` is no appointed witness", member.handle);
            Err(Fault::new(Code::HeartbeatInvalid, what))
        }
    }
}

/// Leaves a heartbeat on the newest snapshot, in place of the witness's last one. What it is numbered follows
/// from that one, where it can be read.
///
/// # Errors
/// `heartbeat-invalid` where the key is no appointed witness's, `race-lost` where another process left one
/// meanwhile.
pub fn beat<S: Store>(
    space: &Space<'_, S>,
    signer: &dyn Sign,
    when: &When,
) -> Result<Heartbeat, Fault> {
    let page = Page::read(space.store, space.tip()?)?;
    let view = TreeView::new(&space.tables, Some(page.tree()));
    let witness = judge::member_of(&view, &signer.public_key())?;
    require_appointed(&view, &witness)?;
    let name = refs::heartbeat(&witness.handle);
    let old = space.store.get(&name)?;
    let last = old.and_then(|id| Heartbeat::authenticate(space, id).ok());
    let ident = when.ident(&witness);
    let message = Message::Heartbeat(HeartbeatMessage {
        text: format!("{} is here\n", witness.handle),
        space: space.id,
        beat: last.map_or(0, |last| last.beat) + 1,
        epoch: check::pen_of(&view)?.epoch,
        chain: page.message.chain,
    });
    let commit = Commit {
        tree: page.tree(),
        parents: vec![page.id],
        author: ident.clone(),
        committer: ident,
        armor: None,
        message: message.encode(),
    };
    let bytes = seal::seal(commit, signer)?.encode();
    let id = space.store.id_of(Kind::Commit, &bytes);
    // A crash here leaves an object that nothing refers to.
    space.store.write_all(&[(id, Kind::Commit, bytes)])?;
    space.store.apply(&[RefEdit {
        name,
        expect: old.map_or(Expect::Absent, Expect::At),
        new: Some(id),
        message: "folio: heartbeat".into(),
    }])?;
    Heartbeat::authenticate(space, id)
}

//! Founding a space: the charter's proposal and `common@1`.

use super::accept::{self, Witness};
use super::fault::Fault;
use super::judge;
use super::memory::ShortMemory;
use super::proposal::{Base, Proposal};
use super::propose::{self, Intent, When};
use super::refs;
use crate::crypto::{Sign, digest};
use crate::fold::rules::SpaceFound;
use crate::fold::{Decision, decision};
use crate::model::rows::MemberRow;
use crate::model::{Oid, SpaceId};
use crate::state::{Tables, TreeView};
use crate::store::{Expect, Kind, RefEdit, Store};

/// A charter: `space.found` and the decisions of the same page.
pub struct Charter<'a> {
    /// Who founds what.
    pub found: SpaceFound,
    /// Members and policy, in order.
    pub rest: Vec<Decision>,
    /// Clean text (`codec::message::clean_text`).
    pub text: &'a str,
    /// The date in both commits.
    pub when: When,
}

/// Writes the charter and numbers it as the first page, in an empty store.
pub fn found<S: Store>(
    store: &S,
    charter: &Charter<'_>,
    founder: &dyn Sign,
    witness: &dyn Sign,
) -> Result<(SpaceId, Oid), Fault> {
    let tables = Tables::new(store);
    let mut decisions = vec![Decision::SpaceFound(charter.found.clone())];
    decisions.extend(charter.rest.iter().cloned());
    let space = digest::space_id(&decision::encode_all(&decisions));
    let person = &charter.found.founder;
    let author = MemberRow {
        email: person.email.clone(),
        handle: person.handle.clone(),
        key: person.key,
        name: person.name.clone(),
        roles: Vec::new(),
    };
    let intent = Intent {
        base: Base::nothing(&space),
        author: &author,
        decisions: &decisions,
        text: charter.text,
        when: charter.when,
    };
    // A crash from here on leaves objects that nothing refers to, in a repository without a space.
    let prepared = propose::prepare(&tables, store, space, &intent, founder)?;
    let proposal = Proposal::authenticate(&tables, store, Some(&space), prepared.id)?;
    let judgement = judge::judge(&tables, None, digest::chain_start(&space), &proposal, &[])?;
    let after = TreeView::new(&tables, Some(judgement.tree));
    let witness = Witness {
        signer: witness,
        when: charter.when,
        // Nothing can have been signed for a space that does not exist yet.
        memory: &ShortMemory::default(),
    };
    let page = accept::snapshot_commit(&after, None, &proposal, &[], &witness, judgement.tree)?;
    let page = page.seal(&witness)?;
    let bytes = page.encode();
    let id = store.id_of(Kind::Commit, &bytes);
    let mut objects = tables.take();
    objects.push((id, Kind::Commit, bytes));
    store.write_all(&objects)?;
    // From here on the space exists.
    store.apply(&[RefEdit {
        name: refs::MAIN.into(),
        expect: Expect::Absent,
        new: Some(id),
        message: "folio: found".into(),
    }])?;
    Ok((space, id))
}

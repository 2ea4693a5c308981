//! Offers: the bytes that are sent along with one's own proposals, and never before.

use super::args::Global;
use super::context::{Context, view_of};
use super::ui::Ui;
use super::{identity, imprint, signing};
use crate::artifact::offer::{self, Name};
use crate::artifact::{Shelves, ready};
use crate::crypto::Sign;
use crate::journal::proposal::Proposal;
use crate::journal::{Page, Space, refs};
use crate::model::{ContentDigest, Oid};
use crate::store::{GitStore, Refs as _};
use std::collections::BTreeSet;

/// A ref that goes with a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The branch of the proposal.
    pub proposal: String,
    /// The full name of the ref.
    pub name: String,
    /// Where it points.
    pub commit: Oid,
}

/// Makes what goes with these proposals (full names of their branches) before they are sent: for each of them that is
/// this key's own and publishes artifacts whose bytes only this repository has, a signed offer of those bytes. One
/// that is there already, and still right, is not made again. What others offered, and is here, goes along with
/// their proposals as it is.
///
/// # Errors
/// `artifact-damaged` where the bytes cannot be read; those of signing and writing.
pub fn prepare(
    context: &Context,
    global: &Global,
    ui: &Ui,
    proposals: &[String],
) -> anyhow::Result<Vec<Offer>> {
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let view = view_of(&space.tables, &page);
    let author = identity::author(context, global, &view)?;
    let mut desk = Desk {
        context,
        global,
        space: &space,
        page: &page,
        shelves: Shelves::open(&context.store)?,
        signer: None,
    };
    let mut offers = Vec::new();
    let mut progress = ui.progress("Offering");
    for (done, branch) in proposals.iter().enumerate() {
        let Ok((of, slug)) = refs::parse_proposal(branch) else {
            continue;
        };
        let own = author.as_ref().is_some_and(|author| author.handle == of);
        let name = Name { author: of, slug };
        let commit = match own {
            true => desk.offer(branch, &name)?,
            false => context.store.get(&refs::offer(&name.author, &name.slug))?,
        };
        offers.extend(commit.map(|commit| Offer {
            proposal: branch.clone(),
            name: refs::offer(&name.author, &name.slug),
            commit,
        }));
        progress.at(done as u64 + 1, proposals.len() as u64);
    }
    Ok(offers)
}

struct Desk<'a> {
    context: &'a Context,
    global: &'a Global,
    space: &'a Space<'a, GitStore>,
    page: &'a Page,
    shelves: Shelves,
    /// Opened once, and only if something is to be signed.
    signer: Option<Box<dyn Sign>>,
}

impl Desk<'_> {
    /// The offer of one's own proposal, made where it is not as it should be.
    fn offer(&mut self, branch: &str, name: &Name) -> anyhow::Result<Option<Oid>> {
        let (space, store) = (self.space, &self.context.store);
        let Some(commit) = store.get(branch)? else {
            return Ok(None);
        };
        // Who cannot read a proposal sends it as it is, and is told over there.
        let Ok(proposal) = Proposal::authenticate(&space.tables, store, Some(&space.id), commit)
        else {
            return Ok(None);
        };
        let published = ready::published_by(&proposal).map(|publish| publish.artifact);
        let keys: BTreeSet<ContentDigest> = offer::choose(&self.shelves, published)?;
        let key = signing::public_key(Some(self.context), self.global)?;
        let unsigned = imprint::of_key(space, self.page, self.global, None, &key)?;
        let standing = offer::standing(&self.shelves, store, name, &keys, (&unsigned, &key))?;
        if standing.is_some() || (keys.is_empty() && !self.is_offered(name)?) {
            return Ok(standing);
        }
        if self.signer.is_none() {
            self.signer = Some(signing::signer(Some(self.context), self.global)?);
        }
        let imprint = crate::artifact::Imprint {
            signer: self.signer.as_deref(),
            ..unsigned
        };
        Ok(offer::make(&self.shelves, store, name, &keys, &imprint)?)
    }

    fn is_offered(&self, name: &Name) -> anyhow::Result<bool> {
        let reference = refs::offer(&name.author, &name.slug);
        Ok(self.context.store.get(&reference)?.is_some())
    }
}

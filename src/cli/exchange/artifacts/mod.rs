//! Artifacts between repositories: which are wanted, where their bytes are, and that they are what their keys say.
//!
//! ```text
//! state -> wanted -> catalog there -> blocks by id -> verified by key -> our own catalog
//! ```
//!
//! Nothing that another repository says about artifacts is believed: its catalog is a hint, and every byte is compared
//! with its key before a ref of ours names it.

pub mod blocks;
pub mod bring;
pub mod choice;
pub mod demand;
pub mod offers;
pub mod send;
pub mod view;

use super::Remote;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::numbering::or_warn;
use crate::cli::settling::{self, Hand};
use crate::cli::signing;
use crate::cli::ui::Ui;
use crate::journal::Space;
use crate::journal::reconcile::RefMap;
use crate::journal::refs;
use crate::store::GitStore;
use bring::{Came, From};
use choice::{Choice, Wish};
use offers::Offers;

/// What is brought beside pages and branches.
#[derive(Clone)]
pub struct Bringing<'a> {
    /// Which of the published artifacts.
    pub choice: Choice,
    /// What others offer with their proposals, also where nobody numbers.
    pub offers: bool,
    /// Who signs what has to be signed.
    pub hand: Hand<'a>,
}

/// What of them followed.
#[derive(Debug, Default)]
pub struct Followed {
    /// Published artifacts.
    pub came: Came,
    /// Offers.
    pub offers: Offers,
}

impl Bringing<'_> {
    /// As the options of a command say.
    ///
    /// # Errors
    /// `bad-request`, `git-failed`.
    pub fn new(context: &Context, wish: &Wish, offers: bool) -> anyhow::Result<Self> {
        let choice = wish.settle(context)?;
        Ok(Self {
            choice,
            offers,
            hand: Hand::Ask,
        })
    }
}

/// Lets the bytes follow the pages: what is published comes from our own shelves, else from there.
///
/// # Errors
/// `remote-failed`, those of reading what is here and of writing. What is wrong over there is named in the answer.
pub fn follow(
    context: &Context,
    global: &Global,
    space: &Space<'_, GitStore>,
    remote: &Remote,
    there: &RefMap,
    bringing: &Bringing<'_>,
    ui: &Ui,
) -> anyhow::Result<Followed> {
    let from = From {
        context,
        global,
        remote,
        there,
        ui,
    };
    let mut came = bring::bring(&from, &bringing.choice)?;
    let own = std::mem::take(&mut came.at_hand);
    let damaged = bring::copy(&from, &own)?;
    if !damaged.is_empty() {
        came.add(bring::some(&from, &damaged, true)?);
    }
    // Whoever holds the pen signs for it all.
    or_warn(ui, settling::settle(context, global, ui, bringing.hand));
    let key = match bringing.hand {
        Hand::Key(signer) => Some(signer.public_key()),
        Hand::Ask => signing::public_key(Some(context), global).ok(),
    };
    let offers = match bringing.offers || offers::are_needed(context, space, key)? {
        true => offers::bring(context, space, remote, there, ui)?,
        false => Offers::default(),
    };
    Ok(Followed { came, offers })
}

/// The refs of artifacts among those of another repository.
pub fn of_artifacts(listed: &[(String, crate::model::Oid)]) -> RefMap {
    let ours = |name: &str| {
        [refs::CATALOG, refs::PUBLISHED].contains(&name) || refs::parse_offer(name).is_ok()
    };
    let listed = listed.iter().filter(|(name, _)| ours(name));
    listed.cloned().collect()
}

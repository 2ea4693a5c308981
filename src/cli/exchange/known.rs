//! Before a page is signed: whether another repository shows one that is not here. A machine that was restored
//! from a backup has forgotten what it signed; those who have the pages have not.

use super::home::Home;
use super::{Remote, all};
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::ui::{Ui, escape};
use crate::journal::history::History;
use crate::journal::memory::{Hand, SignerMemory, compare_shown};
use crate::journal::reconcile::{RefMap, peer};
use crate::journal::verify::Branch;
use crate::journal::{Fault, Page, Space, refs};
use crate::model::{Code, Oid};
use crate::store::{GitStore, Objects as _, Refs as _, StoreFault};

/// Asks every remote for its `main`. One that cannot be asked is named and holds nothing up: a witness may number
/// away from home.
///
/// # Errors
/// `restored-backup` or `already-signed` where one shows a page that this key signed and that is not remembered;
/// `race-lost` where home has pages that are not here.
pub fn require_not_behind(
    context: &Context,
    space: &Space<'_, GitStore>,
    memory: &dyn SignerMemory,
    hand: &Hand,
    ui: &Ui,
) -> anyhow::Result<()> {
    let remotes = all(context)?;
    if remotes.is_empty() {
        return Ok(());
    }
    let home = Home::of(context, space)?;
    let desk = Desk {
        context,
        space,
        memory,
        hand,
        ui,
    };
    for remote in &remotes {
        let listed = {
            let _waiting = ui.spinner("Asking");
            remote.transport(context).list()
        };
        let main = match listed {
            Ok(listed) => RefMap::from_iter(listed).get(refs::MAIN).copied(),
            Err(fault) => {
                say_away(remote, &fault, ui);
                continue;
            }
        };
        if let Some(main) = main {
            desk.compare(remote, main, home == Home::Remote(remote.key.clone()))?;
        }
    }
    Ok(())
}

/// Whoever is about to sign, and where.
struct Desk<'a> {
    context: &'a Context,
    space: &'a Space<'a, GitStore>,
    memory: &'a dyn SignerMemory,
    hand: &'a Hand,
    ui: &'a Ui,
}

impl Desk<'_> {
    fn compare(&self, remote: &Remote, main: Oid, is_home: bool) -> anyhow::Result<()> {
        let pages = self.elsewhere(remote, main)?;
        let Some(page) = pages.last() else {
            return Ok(());
        };
        let highest = self.memory.recall(self.hand)?.highest;
        // Somebody else's page may stand on ours.
        for page in &pages {
            match compare_shown(self.hand, highest.as_ref(), page) {
                Err(fault) if says_so(&fault) => return Err(fault.into()),
                // What nobody signed is for `folio fetch` to name; it says nothing about what was signed here.
                _ => {}
            }
        }
        let what = format!(
            "`{}` has common@{}, which is not here",
            remote.name,
            page.number()
        );
        if is_home {
            let hint = format!("folio fetch {}", remote.name);
            return Err(Problem::new(Code::RaceLost, what).hint(hint).into());
        }
        let words = escape(&what);
        self.ui
            .warn(format!("{words} (folio fetch {})", remote.shown()));
        Ok(())
    }

    /// The pages that a remote shows and that are none of ours, oldest first; they are brought here to be looked at.
    fn elsewhere(&self, remote: &Remote, main: Oid) -> anyhow::Result<Vec<Page>> {
        let Desk {
            context, space, ui, ..
        } = self;
        let mut index = context.index()?;
        let history: History<'_> = context.history(space, &mut index, ui)?;
        if context.store.header(&main)?.is_some() {
            return Ok(above(context, &history, main));
        }
        let into = peer::incoming_ref(&remote.key, refs::MAIN);
        let wanted = [(refs::MAIN.to_owned(), into.clone())];
        context.store.begin_writing()?;
        let brought = {
            let _waiting = ui.spinner("Fetching");
            remote.transport(context).fetch(&wanted, None)
        };
        if let Err(fault) = brought {
            say_away(remote, &fault, ui);
            return Ok(Vec::new());
        }
        let tip = context.store.get(&into)?;
        Ok(tip.map_or(Vec::new(), |tip| above(context, &history, tip)))
    }
}

fn says_so(fault: &Fault) -> bool {
    let signed = [Code::RestoredBackup, Code::AlreadySigned];
    signed.contains(&fault.code) || fault.is_environment()
}

/// What leads from our chain to a tip, as far down as it is snapshots. What is none there is for `folio fetch` to
/// name.
fn above(context: &Context, history: &History<'_>, tip: Oid) -> Vec<Page> {
    let store = &context.store;
    let pages = match Branch::read(store, history, tip) {
        Ok(branch) => branch.pages,
        Err(_) => vec![tip],
    };
    let pages = pages.iter().map(|id| Page::read(store, *id));
    pages.filter_map(Result::ok).collect()
}

fn say_away(remote: &Remote, fault: &StoreFault, ui: &Ui) {
    ui.say(format!(
        "note: {} cannot be asked ({}); what is numbered now is provisional until it has it",
        remote.shown(),
        escape(&fault.what)
    ));
}

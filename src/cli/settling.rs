//! The published shelf follows the state: after pages were numbered, and whenever a command passes by that sends
//! or brings. Nothing that is decided depends on it.

use super::args::Global;
use super::artifact::internal_imprint;
use super::context::{Context, view_of};
use super::imprint;
use super::published::Mark;
use super::signing;
use super::ui::{Ui, escape};
use crate::artifact::collect::lists::{self, List};
use crate::artifact::settle::{self, Settled, Wanted};
use crate::artifact::{Imprint, Shelves, offer};
use crate::crypto::Sign;
use crate::journal::{Page, Space, check};
use crate::model::{Code, ContentDigest};
use crate::store::GitStore;

/// Where it is remembered how far the shelf followed.
const MARK: &str = "settled";

/// Who signs what has to be signed.
#[derive(Clone, Copy)]
pub enum Hand<'a> {
    /// This key, where it is the one that holds the pen.
    Key(&'a dyn Sign),
    /// The key that signs here, opened where it holds the pen and there is something to sign.
    Ask,
}

/// Copies what the state publishes and the published shelf lacks, from the internal shelf or from an offer, and
/// removes the offers of proposals that wait no more. Says what could not be copied.
///
/// # Errors
/// Those of reading the state and of writing. A crash, or an error, is made up for by the next run.
pub fn settle(context: &Context, global: &Global, ui: &Ui, hand: Hand<'_>) -> anyhow::Result<()> {
    let (space, page) = context.newest()?;
    settle_at(context, global, ui, hand, &space, &page)
}

/// As [`settle()`], where the newest snapshot was read a moment ago.
///
/// # Errors
/// As [`settle()`].
pub fn settle_at(
    context: &Context,
    global: &Global,
    ui: &Ui,
    hand: Hand<'_>,
    space: &Space<'_, GitStore>,
    page: &Page,
) -> anyhow::Result<()> {
    let shelves = Shelves::open(&context.store)?;
    let pen = check::pen_of(&view_of(&space.tables, page))?.key;
    let holds = match hand {
        Hand::Key(signer) => signer.public_key() == pen,
        Hand::Ask => signing::public_key(Some(context), global).is_ok_and(|key| key == pen),
    };
    let is_new = shelves.published().catalog()?.commit.is_none();
    let mark = match is_new && holds {
        // Somebody took the shelf away, which others need: what was settled is to be looked at again.
        true => Mark::new(MARK),
        false => Mark::read(context, MARK),
    };
    let mut wanted = mark.wanted(space, page)?;
    // What was erased here is not to come back.
    let purged = lists::read(&context.folio_dir(), List::Purged)?;
    wanted.retain(|wanted| !purged.contains(&wanted.key));
    let pending = settle::pending(&shelves, &wanted)?;
    let unsigned = holds && !settle::is_signed(&shelves, &context.store, &space.id, &pen)?;
    let mut settled = Settled::default();
    if unsigned || !pending.is_empty() {
        let asked = match hand {
            Hand::Ask if holds => Some(signing::signer(Some(context), global)?),
            _ => None,
        };
        let signer = match hand {
            Hand::Key(signer) if holds => Some(signer),
            _ => asked.as_deref(),
        };
        let imprint = match holds {
            true => imprint::of_key(space, page, global, signer, &pen)?,
            false => internal_imprint(space.id, global)?,
        };
        settled = copy(context, &shelves, &pending, &imprint)?;
        if holds {
            settle::sign_again(&shelves, &context.store, &imprint, &pen)?;
        }
    }
    let left: Vec<ContentDigest> = settled.left.iter().map(|(one, _)| one.key).collect();
    offer::tidy(&shelves, &context.store, &left)?;
    say(ui, &settled, holds);
    if holds && is_new && wanted.is_empty() {
        // Whoever holds the pen reads no mark as long as nothing is published.
        return Ok(());
    }
    mark.follow(context, page, &wanted, if holds { &left } else { &[] })
}

fn copy(
    context: &Context,
    shelves: &Shelves,
    pending: &[Wanted],
    imprint: &Imprint<'_>,
) -> anyhow::Result<Settled> {
    Ok(settle::settle(shelves, &context.store, pending, imprint)?)
}

/// Whoever does not hold the pen need not have what others published.
fn say(ui: &Ui, settled: &Settled, holds: bool) {
    for (_, fault) in &settled.left {
        if holds || fault.code != Code::ArtifactMissing {
            ui.warn(format!("{}: {}", fault.code, escape(&fault.what)));
        }
    }
}

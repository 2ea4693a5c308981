//! `folio artifact purge`: erase the bytes of an artifact here.

use super::reasons::{self, ReasonView};
use super::{internal_imprint, key};
use crate::artifact::collect::purge::purge;
use crate::artifact::collect::why::why;
use crate::artifact::{Imprint, Shelves, collect};
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::gc::{bytes, require_known_rules};
use crate::cli::ui::{self, Ui};
use crate::cli::{identity, numbering};
use crate::model::{Code, ContentDigest, Oid, SpaceId};
use crate::remote::housekeeping::{self, Terms};
use crate::remote::require_git;
use crate::store::EveryStep;
use crate::store::collector::Collecting;
use serde::Serialize;
use std::collections::BTreeSet;

/// Erase an artifact's bytes here, and here only
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What was published stays published, and others keep what they have: withdraw it with `folio artifact \
tombstone`. Files of a directory are artifacts of their own. `folio fetch` does not bring it back."
)]
pub struct Arguments {
    /// The artifact: its key, or 6 or more digits of it
    key: String,
    /// Erase without asking
    #[arg(long)]
    yes: bool,
}

#[derive(Serialize)]
struct Answer {
    key: String,
    shelves: Vec<&'static str>,
    bytes: u64,
    reasons: Vec<ReasonView>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let (context, space) = super::open(global)?;
    require_known_rules(&context)?;
    let store = context.store.for_collecting();
    let key = key::named(&Shelves::open(&store)?, &arguments.key)?;
    let found = why(&store, &key)?;
    if found.shelves.is_empty() {
        let what = format!("there are no bytes of {key} here");
        return Err(Problem::new(Code::NotFound, what)
            .hint("`folio artifact ls` lists the keys that are here")
            .into());
    }
    let reasons = reasons::all(&found);
    for reason in &reasons {
        ui.say(format!(
            "will not be readable here any more: {}",
            reason.words()
        ));
    }
    if !arguments.yes {
        ask(&key)?;
    }
    let purged = erase(&context, &key, space, global, ui)?;
    let answer = Answer {
        key: key.to_hex(),
        shelves: purged.shelves,
        bytes: purged.bytes,
        reasons,
    };
    match ui.json() {
        true => ui.answer("artifact-purge", &answer)?,
        false => ui.say(format!("erased here: {key} ({} free)", bytes(answer.bytes))),
    }
    Ok(Exit::Done)
}

fn ask(key: &ContentDigest) -> anyhow::Result<()> {
    let no =
        |what: &str| Problem::new(Code::BadRequest, what).hint("`--yes` erases without asking");
    let question = format!("Erase the bytes of {key} here for good?");
    match ui::ask("", &question).as_deref() {
        Some("y" | "yes") => Ok(()),
        Some(_) => Err(no("nothing was erased").into()),
        None => Err(no("erasing asks first, and there is nobody to ask").into()),
    }
}

struct Erased {
    shelves: Vec<&'static str>,
    bytes: u64,
}

fn erase(
    context: &Context,
    key: &ContentDigest,
    space: SpaceId,
    global: &Global,
    ui: &Ui,
) -> anyhow::Result<Erased> {
    let store = context.store.for_collecting();
    let turn = Collecting::begin(store.common_dir())?;
    let imprint = internal_imprint(space, global)?;
    let now = identity::now(global)?;
    let terms = collect::Terms {
        grace: 0,
        now,
        steps: &EveryStep,
        imprint: imprint.clone(),
    };
    // The catalog that goes on without it is nobody's word but this repository's, so nobody signs it.
    let published: Imprint<'_> = imprint;
    let purged = purge(&store, &turn, key, &terms, &published)?;
    let mut bytes = purged.bytes;
    if !purged.freed.is_empty() {
        let erased = erase_objects(context, &turn, now, &purged.freed, ui);
        bytes += numbering::or_warn(ui, erased).unwrap_or(0);
    }
    Ok(Erased {
        shelves: purged.shelves,
        bytes,
    })
}

fn erase_objects(
    context: &Context,
    turn: &Collecting,
    now: u64,
    ids: &BTreeSet<Oid>,
    ui: &Ui,
) -> anyhow::Result<u64> {
    let spinner = std::cell::RefCell::new(None);
    let terms = Terms {
        grace: 0,
        now,
        steps: &EveryStep,
        git: require_git()?,
        tell: &|what| drop(spinner.replace(Some(ui.spinner(what)))),
    };
    let store = context.store.for_collecting();
    Ok(housekeeping::erase(&store, turn, &terms, ids)?.bytes)
}

//! `folio artifact tombstone`: draft that artifacts are withdrawn, and say what needs them.

use super::dependents::{self, Dependent};
use super::keys;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::cli::{draft, report};
use crate::fold::Decision;
use crate::fold::rules::ArtifactTombstone;
use crate::model::Note;
use serde::Serialize;

/// Draft: artifacts are withdrawn, with the reason
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Layers that have one as patch stay, and `folio overlays TARGET` marks them. No bytes are erased."
)]
pub struct Arguments {
    /// The keys of artifacts, published or not
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
    /// Why, in one line
    #[arg(short = 'm', long, value_name = "REASON")]
    reason: String,
}

#[derive(Serialize)]
struct Drafted {
    added: usize,
    already: usize,
    dependents: Vec<Dependent>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let keys = keys::parse(&arguments.keys)?;
    let reason = Note::new(arguments.reason.as_str())?;
    let context = Context::open(global)?;
    let (dependents, added) = draft::with_drafting(&context, global, |drafting, space, page| {
        let needed = dependents::of(&space.tables, page.tree(), drafting.scene(), &keys)?;
        for dependent in &needed {
            ui.say(dependent.words());
        }
        for artifact in keys {
            let decision = Decision::ArtifactTombstone(ArtifactTombstone {
                artifact,
                reason: reason.clone(),
                was: None,
            });
            drafting.add(decision, true)?;
        }
        Ok(needed)
    })?;
    if !ui.json() {
        return report::drafted(ui, added);
    }
    let draft::Added { added, already } = added;
    let answer = Drafted {
        added,
        already,
        dependents,
    };
    ui.answer("artifact-tombstone", &answer)?;
    Ok(Exit::Done)
}

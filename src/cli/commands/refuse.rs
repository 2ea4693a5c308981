//! `folio refuse`: refuse a proposal with a signed reason.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::refusals::{self, Grounds};
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::{proposals, signing};
use crate::journal::Space;
use crate::journal::queue::{Candidate, Entry};
use crate::model::Code;
use crate::store::{GitStore, Index, Objects as _, Refs as _};
use serde::Serialize;

/// Refuse a proposal with a signed reason (the witness)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The author reads it with `folio queue`. With the code `rejected`, `folio accept --all` passes \
the proposal over from now on; `folio accept ID` takes the refusal back."
)]
pub struct Arguments {
    /// Which: AUTHOR/SLUG, or the beginning of a digest or commit id
    id: String,
    /// Why, for its author; several make paragraphs
    #[arg(short, long, required = true, value_name = "REASON")]
    message: Vec<String>,
    /// A stable code; `folio explain CODE` explains it to the author
    #[arg(long, default_value = "rejected")]
    code: String,
}

#[derive(Serialize)]
struct Refused {
    proposal: String,
    code: &'static str,
    branch: String,
    commit: Option<String>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let code = Code::from_word(&arguments.code).ok_or_else(|| {
        let what = format!("`{}` is no code", escape(&arguments.code));
        Problem::new(Code::BadRequest, what).hint("leave --code out, or see `folio help codes`")
    })?;
    let space = context.space()?;
    let mut index = context.index()?;
    let entries = proposals::gather(&context, &space, &mut index, ui)?;
    let candidate = match proposals::find(&entries, &arguments.id)? {
        Entry::Authentic(candidate) => candidate,
        // Nobody's signed words are there to answer; the queue says what is wrong with it.
        Entry::Invalid { fault, .. } => return Err(fault.clone().into()),
    };
    require_waiting(&context, &space, &mut index, candidate, ui)?;
    let source = signing::source(Some(&context), global)?;
    let key = signing::public_of(&source)?;
    let Some(witness) = refusals::holder(&context, &space, &key)? else {
        let what = "only the holder of the pen refuses proposals, and this is another key";
        return Err(Problem::new(Code::NotAllowed, what)
            .hint("folio status says who holds the pen; --key FILE names their key")
            .into());
    };
    let words = arguments.message.join("\n\n");
    let grounds = Grounds {
        code,
        words: &words,
    };
    let signer = signing::open(&source)?;
    let (edit, object) =
        refusals::reject(&context, global, candidate, &grounds, &witness, &*signer)?;
    context.store.write_all(&[object])?;
    // A crash here leaves an object that nothing refers to; the next run signs again.
    context.store.apply(std::slice::from_ref(&edit))?;
    let refused = Refused {
        proposal: proposals::short_name(&candidate.branch.name).to_owned(),
        code: code.as_str(),
        branch: edit.name,
        commit: edit.new.map(|id| id.to_hex()),
    };
    if ui.json() {
        ui.answer("refuse", &refused)?;
        return Ok(Exit::Done);
    }
    let name = ui.paint(Style::Id, &escape(&refused.proposal));
    ui.line(format!("Refused {name}: {}", refused.code))?;
    Ok(Exit::Done)
}

/// What is numbered cannot be refused any more.
fn require_waiting(
    context: &Context,
    space: &Space<'_, GitStore>,
    index: &mut Index,
    candidate: &Candidate,
    ui: &Ui,
) -> anyhow::Result<()> {
    let history = context.history(space, index, ui)?;
    let proposal = &candidate.proposal;
    match history.numbered(&proposal.digest(), proposal.base().number)? {
        None => Ok(()),
        Some(number) => {
            let what = format!("it was numbered already as common@{number}");
            Err(Problem::new(Code::BadRequest, what)
                .hint("folio accept --all removes the branch that is left over")
                .into())
        }
    }
}

//! `folio verify`: check every rule of every snapshot.

use crate::cli::args::Global;
use crate::cli::context::{Context, number_of};
use crate::cli::error::Problem;
use crate::cli::evidence;
use crate::cli::exit::Exit;
use crate::cli::report::count;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::verified;
use crate::journal::verify;
use crate::model::{Code, Number};
use crate::remote::partial;
use serde::Serialize;

/// Check every rule of every snapshot
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Checks grammar and byte-exact form, signatures, numbers, epochs, chain digests, proposals, \
policy and trees of every snapshot up to the newest, and that no object of them is missing. Exit code 4 names the \
first fault; where somebody signed it, evidence is kept (`folio evidence`). Exit code 6: the repository is damaged."
)]
pub struct Arguments {
    /// Start at this snapshot and take the ones before as verified
    #[arg(long, value_name = "N")]
    from: Option<String>,
}

#[derive(Serialize)]
struct Verified {
    from: u64,
    to: u64,
    commit: String,
    chain: String,
    tree: String,
    decisions: u64,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    refuse_hidden_history(&context)?;
    let space = context.space()?;
    let mut index = context.index()?;
    let history = context
        .history(&space, &mut index, ui)
        .inspect_err(|_| evidence::keep_unwalkable(&context, &space, ui))?;
    let from = match &arguments.from {
        None => Number(1),
        Some(text) => first(text, history.len())?,
    };
    let report = {
        let mut progress = ui.progress("Verifying");
        verify::verify(&space, &history, from, &mut |done, total| {
            progress.at(done, total)
        })
    };
    let report =
        report.inspect_err(|fault| evidence::keep_refused(&context, &history, fault, ui))?;
    let tip = history.tip().expect("an open space has a tip");
    if remembers(&context, &history, from) {
        verified::remember(&context, report.to, tip.id)?;
    }
    if ui.json() {
        ui.answer(
            "verify",
            &Verified {
                from: report.from.0,
                to: report.to.0,
                commit: tip.id.to_hex(),
                chain: tip.message.chain.to_hex(),
                tree: tip.tree().to_hex(),
                decisions: report.decisions,
            },
        )?;
        return Ok(Exit::Done);
    }
    let good = ui.paint(Style::Good, "good");
    let range = format!("common@{}..common@{}", report.from, report.to);
    ui.line(format!(
        "{good} {range}: {}",
        count(report.decisions as usize, "decision")
    ))?;
    ui.line(format!(
        "chain {}",
        ui.paint(Style::Id, &tip.message.chain.to_hex())
    ))?;
    Ok(Exit::Done)
}

/// A run that began later says nothing about the pages before; they may have been verified earlier.
fn remembers(
    context: &Context,
    history: &crate::journal::history::History<'_>,
    from: Number,
) -> bool {
    from <= Number(1)
        || verified::last(context).is_some_and(|(number, commit)| {
            history.contains(number, &commit) && from <= number.next()
        })
}

fn first(text: &str, newest: Number) -> anyhow::Result<Number> {
    match number_of(text) {
        Some(number) if number >= Number(1) && number <= newest => Ok(number),
        Some(number) => {
            let what = format!("there is no common@{number}; the newest is common@{newest}");
            Err(Problem::new(Code::NotFound, what).into())
        }
        None => {
            let what = format!("expected a snapshot's number, found `{}`", escape(text));
            Err(Problem::new(Code::BadRequest, what).into())
        }
    }
}

/// Grafts and shallow boundaries change or hide what plain git shows of the history.
fn refuse_hidden_history(context: &Context) -> anyhow::Result<()> {
    let dir = context.store.common_dir();
    for (file, what) in [
        ("info/grafts", "the repository has grafts"),
        (
            "shallow",
            "the clone is shallow, so the snapshots before its boundary cannot be verified",
        ),
    ] {
        if std::fs::metadata(dir.join(file)).is_ok_and(|meta| meta.len() > 0) {
            return Err(Problem::new(Code::ReplacedObjects, what).into());
        }
    }
    if partial::is_partial(&context.store) {
        let what = "the clone is partial, so what was left out cannot be verified";
        let hint = "all of it: git config --unset remote.origin.partialclonefilter, then git fetch --refetch; git config --unset remote.origin.promisor";
        return Err(Problem::new(Code::ReplacedObjects, what).hint(hint).into());
    }
    Ok(())
}

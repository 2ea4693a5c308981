//! `folio accept`: number proposals.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exchange::home;
use crate::cli::exchange::report::say_provisional;
use crate::cli::exit::Exit;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::{numbering, proposals, signing};
use crate::journal::accept::{Choice, Pick, Report};
use crate::journal::queue::Entry;
use crate::model::Code;
use serde::Serialize;

/// Number proposals (the witness)
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "folio accept <ID>...\n       folio accept --all",
    after_help = "ID is AUTHOR/SLUG, the beginning of a digest or of a commit id, as `folio queue` shows them. \
What was refused by `folio refuse` is numbered only where it is named."
)]
pub struct Arguments {
    /// Which proposals
    #[arg(value_name = "ID", required_unless_present = "all")]
    ids: Vec<String>,
    /// Everything that is acceptable
    #[arg(long, conflicts_with = "ids")]
    all: bool,
}

#[derive(Serialize)]
struct Accepted {
    numbered: Vec<NumberedView>,
    already: Vec<AlreadyView>,
    refused: Vec<RefusedView>,
}

#[derive(Serialize)]
struct NumberedView {
    number: u64,
    commit: String,
    proposal: String,
    subject: String,
}

#[derive(Serialize)]
struct AlreadyView {
    proposal: String,
    number: u64,
}

#[derive(Serialize)]
struct RefusedView {
    proposal: String,
    code: &'static str,
    what: String,
    /// Whether a signed reason was left for its author.
    signed: bool,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let mut index = context.index()?;
    crate::cli::verified::require(&context, &space, &mut index, ui)?;
    let chosen = proposals::choose(&context, &space, &mut index, &arguments.ids, ui)?;
    let signer = signing::signer(Some(&context), global)?;
    let choose = |entry: &Entry| match chosen.contains(proposals::branch_of(entry)) {
        true => Choice::TakeAnyway,
        false if arguments.all => Choice::Take,
        false => Choice::Leave,
    };
    let pick = Pick {
        branches: (!arguments.all).then_some(&chosen),
        choose: &choose,
    };
    let report = numbering::number(&context, global, ui, &space, &mut index, &*signer, pick)?;
    let signed = numbering::conclude(&context, global, ui, &space, &mut index, &*signer, &report);
    let exit = show(ui, arguments, &report, &signed);
    if !report.numbered.is_empty() {
        let history = context.history(&space, &mut index, ui)?;
        say_provisional(ui, home::provisional(&context, &space, &history)?);
    }
    // The process ends in a moment; to give back all that was read and made would take longer than to leave it.
    std::mem::forget((space, report));
    std::mem::forget(context);
    exit
}

fn show(ui: &Ui, arguments: &Arguments, report: &Report, signed: &[bool]) -> anyhow::Result<Exit> {
    let refused = refused(report, signed);
    let failed = !arguments.all && !refused.is_empty();
    if ui.json() {
        ui.answer(
            "accept",
            &Accepted {
                numbered: report
                    .numbered
                    .iter()
                    .map(|page| NumberedView {
                        number: page.number.0,
                        commit: page.commit.to_hex(),
                        proposal: proposals::short_name(&page.branch).to_owned(),
                        subject: page.subject.clone(),
                    })
                    .collect(),
                already: report
                    .already
                    .iter()
                    .map(|(branch, number)| AlreadyView {
                        proposal: proposals::short_name(branch).to_owned(),
                        number: number.0,
                    })
                    .collect(),
                refused,
            },
        )?;
        return Ok(if failed { Exit::Refused } else { Exit::Done });
    }
    let numbered = report.numbered.iter().map(|page| {
        let number = ui.paint(Style::Id, &format!("common@{}", page.number));
        let name = escape(proposals::short_name(&page.branch));
        format!("{number} {name}: {}", escape(&page.subject))
    });
    let numbered: Vec<String> = numbered.collect();
    if !numbered.is_empty() {
        ui.line(numbered.join("\n"))?;
    }
    for (branch, number) in &report.already {
        ui.say(format!(
            "{} was numbered before as common@{number}",
            escape(proposals::short_name(branch))
        ));
    }
    for refused in &refused {
        let kept = if refused.signed {
            " (the reason is signed for its author)"
        } else {
            ""
        };
        ui.say(format!(
            "refused {}: {}: {}{kept}",
            escape(&refused.proposal),
            refused.code,
            escape(&refused.what)
        ));
    }
    if report.numbered.is_empty() && refused.is_empty() && report.already.is_empty() {
        ui.say("nothing to accept");
    }
    if failed {
        let first = &refused[0];
        let code = Code::from_word(first.code).unwrap_or(Code::Rejected);
        return Err(Problem::new(code, format!("{}: {}", first.proposal, first.what)).into());
    }
    Ok(Exit::Done)
}

fn refused(report: &Report, signed: &[bool]) -> Vec<RefusedView> {
    let judged = report
        .refused
        .iter()
        .zip(signed)
        .map(|((candidate, fault), signed)| RefusedView {
            proposal: proposals::short_name(&candidate.branch.name).to_owned(),
            code: fault.code.as_str(),
            what: fault.what.clone(),
            signed: *signed,
        });
    let invalid = report.invalid.iter().map(|(branch, fault)| RefusedView {
        proposal: proposals::short_name(branch).to_owned(),
        code: fault.code.as_str(),
        what: fault.what.clone(),
        signed: false,
    });
    judged.chain(invalid).collect()
}

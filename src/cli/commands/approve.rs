//! `folio approve`: sign an approval.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::cli::voting::{self, Ballot, Cast};
use crate::codec::message::Verdict;
use crate::model::Code;
use serde::Serialize;

/// Approve proposals with a signed review
#[derive(Debug, clap::Args)]
#[command(
    after_help = "ID is AUTHOR/SLUG, the beginning of a digest or of a commit id, as `folio queue` shows them. A \
newer review by you replaces the older one; one of another version of the proposal counts for that one only."
)]
pub struct Arguments {
    /// Which proposals
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Your words; several make paragraphs
    #[arg(short, long, value_name = "WORDS")]
    message: Vec<String>,
    /// Only if the proposal is still the one with this digest (12 digits or more)
    #[arg(long, value_name = "DIGEST")]
    expect: Option<String>,
}

#[derive(Serialize)]
struct Approved {
    reviews: Vec<Cast>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    if arguments.expect.is_some() && arguments.ids.len() > 1 {
        let what = "--expect names the digest of one proposal, and several IDs were given";
        return Err(Problem::new(Code::BadRequest, what).into());
    }
    let words = arguments.message.join("\n\n");
    let ballot = Ballot {
        ids: &arguments.ids,
        verdict: Verdict::Approve,
        words: &words,
        expect: arguments.expect.as_deref(),
    };
    let reviews = voting::cast(&context, global, ui, &ballot)?;
    match ui.json() {
        true => ui.answer("approve", &Approved { reviews })?,
        false => voting::show(ui, "Approved", &reviews)?,
    }
    Ok(Exit::Done)
}

//! `folio reject`: sign a rejection.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::cli::voting::{self, Ballot, Cast};
use crate::codec::message::Verdict;
use serde::Serialize;

/// Reject a proposal with a signed review
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Everybody reads it with `folio queue` and `folio review`, and it takes back your own approval. It \
stops nobody else's, unless you hold the pen: then it is the same as `folio refuse`."
)]
pub struct Arguments {
    /// Which: AUTHOR/SLUG, or the beginning of a digest or commit id
    id: String,
    /// Why; several make paragraphs
    #[arg(short, long, required = true, value_name = "WORDS")]
    message: Vec<String>,
    /// Only if the proposal is still the one with this digest (12 digits or more)
    #[arg(long, value_name = "DIGEST")]
    expect: Option<String>,
}

#[derive(Serialize)]
struct Rejected {
    reviews: Vec<Cast>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let words = arguments.message.join("\n\n");
    let ballot = Ballot {
        ids: std::slice::from_ref(&arguments.id),
        verdict: Verdict::Reject,
        words: &words,
        expect: arguments.expect.as_deref(),
    };
    let reviews = voting::cast(&context, global, ui, &ballot)?;
    match ui.json() {
        true => ui.answer("reject", &Rejected { reviews })?,
        false => voting::show(ui, "Rejected", &reviews)?,
    }
    Ok(Exit::Done)
}

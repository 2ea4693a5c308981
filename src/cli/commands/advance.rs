//! `folio advance`: move the pin forward.

use super::pin;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::journal::{Page, refs};
use crate::model::Code;
use crate::store::Refs as _;

/// Move the pin forward
#[derive(Debug, clap::Args)]
#[command(after_help = "Without N to the newest snapshot here; `folio fetch` brings newer ones.")]
pub struct Arguments {
    /// To this snapshot [default: the newest]
    #[arg(value_name = "N")]
    n: Option<String>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let Some(old) = context.store.get(refs::PIN)? else {
        let what = "there is no pin: asking commands stand on the newest snapshot already";
        return Err(Problem::new(Code::NotFound, what)
            .hint("folio pin N")
            .into());
    };
    let page = context.page(&space, arguments.n.as_deref(), ui)?;
    pin::require_ours(&context, &page, ui)?;
    let from = Page::read(&context.store, old)?.number();
    if page.number() < from {
        let what = format!(
            "the pin is at common@{from}, after common@{}",
            page.number()
        );
        let hint = format!("to go back: folio pin {}", page.number());
        return Err(Problem::new(Code::BadRequest, what).hint(hint).into());
    }
    pin::set(&context, Some(page.id), "folio: advance")?;
    pin::show(&context, "advance", None, Vec::new(), ui)
}

//! `folio submit`: one's own proposals and reviews, to where they are numbered.

use super::push;
use crate::cli::args::Global;
use crate::cli::context::{Context, view_of};
use crate::cli::exchange;
use crate::cli::exchange::push::What;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::cli::{identity, signing};
use crate::journal::Page;

/// Send your proposals and reviews
#[derive(Debug, clap::Args)]
#[command(
    after_help = "As `folio push`, for the branches below proposals/YOU and reviews/YOU only."
)]
pub struct Arguments {
    /// Remotes, URLs or directories [default: origin, else the only remote]
    #[arg(value_name = "REMOTE")]
    remotes: Vec<String>,
    /// To every remote
    #[arg(long, conflicts_with = "remotes")]
    all: bool,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let remotes = exchange::chosen(&context, global, &arguments.remotes, arguments.all)?;
    let handle = {
        let space = context.space()?;
        let page = Page::read(&context.store, space.tip()?)?;
        let key = signing::public_key(Some(&context), global)?;
        identity::member(&view_of(&space.tables, &page), &key)?.handle
    };
    push::send(&context, global, &remotes, What::Own(&handle), "submit", ui)
}

//! `folio fork`: draft a new entity that knows where it comes from.

use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::names::{self, entity};
use crate::cli::one;
use crate::cli::ui::Ui;
use crate::fold::Decision;
use crate::fold::rules::Fork;

/// Draft: a new entity that comes from another
#[derive(Debug, clap::Args)]
#[command(after_help = "For example: folio fork libressl --of openssl")]
pub struct Arguments {
    /// The new entity: a name that nothing mentions yet
    #[arg(value_name = "NEW")]
    name: String,
    /// What it comes from; of an alias the entity it stands for
    #[arg(long, value_name = "OLD")]
    of: String,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    one::draft(global, ui, |scene| {
        let of = entity(scene, &arguments.of, ui)?;
        Ok(Decision::Fork(Fork {
            name: names::parse(&arguments.name)?,
            // Filled in when it is added.
            resolved: of.clone(),
            of,
        }))
    })
}

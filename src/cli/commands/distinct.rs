//! `folio distinct`: draft that two entities are not the same.

use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::names::entity;
use crate::cli::one;
use crate::cli::ui::Ui;
use crate::fold::rules::Distinct;
use crate::fold::{Decision, Scene};
use crate::model::Name;

/// Draft: two entities are not the same
#[derive(Debug, clap::Args)]
#[command(
    after_help = "While a path connects the two it is refused and the path is shown. Name the edges on it that \
were wrong:\n\n    folio distinct A C --cut A B --cut B C"
)]
pub struct Arguments {
    /// One entity; of an alias the entity it stands for
    a: String,
    /// The other
    b: String,
    /// Remove the edge between these two first; may be given again
    #[arg(long, num_args = 2, value_names = ["X", "Y"], action = clap::ArgAction::Append)]
    cut: Vec<String>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    one::draft(global, ui, |scene| {
        Ok(Decision::Distinct(Distinct {
            a: entity(scene, &arguments.a, ui)?,
            b: entity(scene, &arguments.b, ui)?,
            cut: cut(scene, &arguments.cut, ui)?,
        }))
    })
}

/// Two names for each `--cut`.
fn cut(scene: &Scene<'_>, words: &[String], ui: &Ui) -> anyhow::Result<Vec<(Name, Name)>> {
    let pairs = words.chunks_exact(2);
    pairs
        .map(|pair| Ok((entity(scene, &pair[0], ui)?, entity(scene, &pair[1], ui)?)))
        .collect()
}

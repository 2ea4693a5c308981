//! `folio describe`: draft the space's name, description and home.

use crate::cli::args::Global;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::one;
use crate::cli::ui::Ui;
use crate::fold::Decision;
use crate::fold::rules::SpaceDescribe;
use crate::model::rows::SpaceRow;
use crate::model::{Code, Name, Note, RowKey};

/// Draft the space's name, description and home
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub struct Arguments {
    /// The space's name
    #[arg(long)]
    name: Option<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// The repository whose `main` is final: a URL or path; empty for none
    #[arg(long)]
    home: Option<String>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    one::draft(global, ui, |scene| {
        let now: Option<SpaceRow> = scene.get(&RowKey::of(""))?;
        let now = now.ok_or_else(|| Problem::new(Code::NotASpace, "no row describes the space"))?;
        let note = |given: &Option<String>, kept: Note| given.clone().map_or(Ok(kept), Note::new);
        Ok(Decision::SpaceDescribe(SpaceDescribe {
            description: note(&arguments.description, now.description)?,
            home: note(&arguments.home, now.home)?,
            name: arguments.name.clone().map_or(Ok(now.name), Name::new)?,
            was: None,
        }))
    })
}

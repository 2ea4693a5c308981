//! `folio alias`: draft aliases.

use crate::cli::alias_sync;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::draft;
use crate::cli::exit::Exit;
use crate::cli::names;
use crate::cli::report;
use crate::cli::ui::Ui;
use crate::fold::Decision;
use crate::fold::rules::{AliasDrop, AliasSet};
use clap::Subcommand;

/// Draft aliases: set, drop, sync with a file
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// A name stands for an alias or an entity
    Set {
        /// The name
        name: String,
        /// What it stands for
        target: String,
    },
    /// A name stands for nothing else any more
    Drop {
        /// The name
        name: String,
    },
    /// Draft what makes a scope of aliases equal a file
    Sync(alias_sync::Arguments),
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let decision = match &arguments.action {
        Action::Sync(arguments) => return alias_sync::run(&context, arguments, global, ui),
        Action::Set { name, target } => Decision::AliasSet(AliasSet {
            alias: names::parse(name)?,
            target: names::parse(target)?,
            was: None,
        }),
        Action::Drop { name } => Decision::AliasDrop(AliasDrop {
            alias: names::parse(name)?,
            was: None,
        }),
    };
    let (_, added) = draft::with_drafting(&context, global, |drafting, _, _| {
        drafting.add(decision, true)
    })?;
    report::drafted(ui, added)
}

//! `folio resolve`: what a name stands for.

use crate::cli::args::{At, Global};
use crate::cli::context::{Context, view_of};
use crate::cli::exit::Exit;
use crate::cli::names;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::view::{self, StepView};
use crate::fold::{Scene, graph};
use serde::Serialize;

/// What a name stands for
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The name
    name: String,
    /// Show the steps that lead there
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    at: At,
}

#[derive(Serialize)]
struct Resolution {
    at: view::At,
    name: String,
    entity: String,
    representative: String,
    steps: Vec<StepView>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let page = context.asked(&space, arguments.at.at.as_deref(), ui)?;
    let view = view_of(&space.tables, &page);
    let scene = Scene::new(&view);
    let name = names::parse(&arguments.name)?;
    let resolved = graph::resolve(&scene, &name)?;
    if !resolved.known {
        return Err(names::unknown(&space.tables, page.tree(), &name));
    }
    if ui.json() {
        ui.answer(
            "resolve",
            &Resolution {
                at: view::At::of(&page),
                name: name.to_string(),
                entity: resolved.entity.to_string(),
                representative: resolved.representative.to_string(),
                steps: resolved.steps.iter().map(StepView::of).collect(),
            },
        )?;
        return Ok(Exit::Done);
    }
    if arguments.verbose {
        for step in &resolved.steps {
            let via = ui.paint(Style::Dim, view::via(step.via));
            ui.line(format!(
                "{} {via} {}",
                escape(step.from.as_str()),
                escape(step.to.as_str())
            ))?;
        }
    }
    ui.line(escape(resolved.representative.as_str()))?;
    Ok(Exit::Done)
}

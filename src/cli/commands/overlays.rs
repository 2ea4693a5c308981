//! `folio overlays`: the layers over a target.

use crate::cli::args::{At, Global};
use crate::cli::context::{Context, view_of};
use crate::cli::exit::Exit;
use crate::cli::names;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::view;
use crate::fold::{Scene, Stop, artifacts, graph, rules};
use crate::model::rows::LayerRow;
use serde::Serialize;

/// The layers over a target
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Layers are listed from the lowest to the highest: id, base, patch; and where the patch is withdrawn, \
why."
)]
pub struct Arguments {
    /// What the layers lie on
    target: String,
    #[command(flatten)]
    at: At,
}

#[derive(Serialize)]
struct Stack {
    at: view::At,
    target: String,
    layers: Vec<LayerView>,
}

#[derive(Serialize)]
struct LayerView {
    id: String,
    base: String,
    patch: String,
    after: Option<String>,
    /// Why the patch is withdrawn.
    withdrawn: Option<String>,
}

impl LayerView {
    fn of(scene: &Scene<'_>, row: &LayerRow) -> Result<Self, Stop> {
        let patch = artifacts::row(scene, &row.patch)?;
        let withdrawn = patch.and_then(|row| row.tombstone);
        Ok(Self {
            id: row.id.to_hex(),
            base: row.base.to_string(),
            patch: row.patch.to_hex(),
            after: row.after.map(|below| below.to_hex()),
            withdrawn: withdrawn.map(String::from),
        })
    }
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let page = context.asked(&space, arguments.at.at.as_deref(), ui)?;
    let view = view_of(&space.tables, &page);
    let scene = Scene::new(&view);
    let target = names::entity(&scene, &arguments.target, ui)?;
    let rows: Vec<LayerRow> = scene.list(target.as_str())?;
    if rows.is_empty() && graph::treated_as_entity(&scene, &target)?.is_none() {
        return Err(names::unknown(&space.tables, page.tree(), &target));
    }
    let answer = Stack {
        at: view::At::of(&page),
        target: target.to_string(),
        layers: rules::overlay_stack(&rows)
            .into_iter()
            .map(|row| LayerView::of(&scene, row))
            .collect::<Result<_, _>>()?,
    };
    if ui.json() {
        ui.answer("overlays", &answer)?;
        return Ok(Exit::Done);
    }
    if answer.layers.is_empty() {
        ui.say(format!("nothing lies on `{}`", escape(&answer.target)));
    }
    for layer in &answer.layers {
        let id = ui.paint(Style::Id, &layer.id);
        let mut line = format!("{id} {} {}", escape(&layer.base), layer.patch);
        if let Some(reason) = &layer.withdrawn {
            let mark = ui.paint(Style::Bad, "withdrawn:");
            line.push_str(&format!(" {mark} {}", escape(reason)));
        }
        ui.line(line)?;
    }
    Ok(Exit::Done)
}

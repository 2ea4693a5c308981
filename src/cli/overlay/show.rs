//! `folio overlay show`: lays the layers over a target on a base.

use super::stacked::{self, Layer};
use super::{bytes, layer};
use crate::artifact::Shelves;
use crate::cli::args::{At, Global};
use crate::cli::context::{Context, view_of};
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::ui::{Ui, escape};
use crate::cli::{names, view};
use crate::crypto::groups;
use crate::fold::{Scene, graph, rules};
use crate::model::rows::LayerRow;
use crate::model::{Code, ContentDigest};
use crate::overlay::Stack;
use serde::Serialize;
use std::io::Write as _;

/// Lay the layers on a base, the lowest first
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The base is --base-file or --base, else the artifact that the lowest layer's base names, if it is a key; \
a whole file as lowest layer needs none. Without any the layers are listed. Layers that were made for another version, \
that are withdrawn or missing, and hunks that went elsewhere than they say, are marked."
)]
pub struct Arguments {
    /// What the layers lie on
    target: String,
    /// The bytes to lay them on: a file, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "base")]
    base_file: Option<String>,
    /// The artifact to lay them on: its key, or the beginning of it
    #[arg(long, value_name = "KEY")]
    base: Option<String>,
    /// The version that the base is; layers for another one are marked
    #[arg(long, value_name = "VERSION")]
    base_version: Option<String>,
    /// Only the layers below this one
    #[arg(long, value_name = "LAYER")]
    below: Option<String>,
    /// Leave out layers that cannot be used
    #[arg(long)]
    skip: bool,
    /// Write the result into this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    #[command(flatten)]
    at: At,
}

#[derive(Serialize)]
struct Shown {
    at: view::At,
    target: String,
    newest: Option<String>,
    layers: Vec<Layer>,
    result: Option<Outcome>,
    /// Whether bytes are to come of it, and not a list.
    #[serde(skip)]
    wanted: bool,
}

#[derive(Serialize)]
struct Outcome {
    key: String,
    size: usize,
    output: Option<String>,
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
    let mut order = rules::overlay_stack(&rows);
    if let Some(id) = &arguments.below {
        let above = layer::find(&scene, &target, id)?;
        let at = order.iter().position(|row| row.id == above.id);
        order.truncate(at.unwrap_or(order.len()));
    }
    let shelves = Shelves::open(&context.store)?;
    let base = base(arguments, global, &context, &scene, &shelves, &order)?;
    let newest = newest(arguments, base.as_deref(), &order);
    let given = base.is_some() || arguments.output.is_some() || arguments.base_version.is_some();
    let mut stack = Stack::new(base, arguments.skip)?;
    let mut layers = Vec::with_capacity(order.len());
    for row in order {
        let newest = newest.as_deref().unwrap_or_default();
        layers.push(stacked::lay(&mut stack, &shelves, &scene, row, newest)?);
    }
    // Only where the lowest is a diff on nothing there cannot be bytes at all.
    let wanted = given || layers.first().is_some_and(|layer| layer.state != "unknown");
    let shown = Shown {
        at: view::At::of(&page),
        target: target.to_string(),
        newest,
        layers,
        result: None,
        wanted,
    };
    finish(arguments, global, shown, stack.top(), ui)
}

/// The bytes to lay the layers on, if there are any.
fn base(
    arguments: &Arguments,
    global: &Global,
    context: &Context,
    scene: &Scene<'_>,
    shelves: &Shelves,
    order: &[&LayerRow],
) -> anyhow::Result<Option<Vec<u8>>> {
    if let Some(file) = &arguments.base_file {
        return bytes::file(&global.dir(), file).map(Some);
    }
    if let Some(key) = &arguments.base {
        let key = bytes::started(context, key)?;
        return bytes::of_key(context, scene, &key).map(Some);
    }
    let lowest = order.first().map(|row| row.base.as_str());
    let key = arguments.base_version.as_deref().or(lowest);
    match key.and_then(bytes::key_of) {
        Some(key) => bytes::read(shelves, &key),
        None => Ok(None),
    }
}

/// The version that the stack is about: the one that is said; else, where the lowest layer's is a key, that of the
/// bytes that are there; else the lowest layer's.
fn newest(arguments: &Arguments, base: Option<&[u8]>, order: &[&LayerRow]) -> Option<String> {
    if let Some(version) = &arguments.base_version {
        return Some(version.clone());
    }
    let lowest = order.first()?.base.as_str();
    let key: Option<ContentDigest> = base.map(groups::digest);
    match (bytes::key_of(lowest), key) {
        (Some(_), Some(key)) => Some(key.to_hex()),
        _ => Some(lowest.to_owned()),
    }
}

fn finish(
    arguments: &Arguments,
    global: &Global,
    mut shown: Shown,
    top: Option<Vec<u8>>,
    ui: &Ui,
) -> anyhow::Result<Exit> {
    if let Some(bytes) = &top {
        if let Some(output) = &arguments.output {
            bytes::write(&global.dir().join(output), bytes)?;
        }
        shown.result = Some(Outcome {
            key: groups::digest(bytes).to_hex(),
            size: bytes.len(),
            output: arguments.output.clone(),
        });
    }
    let to_stdout = top.as_ref().filter(|_| arguments.output.is_none());
    if ui.json() {
        ui.answer("overlay-show", &shown)?;
    } else if let Some(bytes) = to_stdout {
        say(&shown, true, ui);
        std::io::stdout().lock().write_all(bytes)?;
    } else if top.is_none() && shown.wanted {
        // The error says it, unless layers that cannot be used were left out.
        say(&shown, arguments.skip, ui);
    } else {
        list(&shown, ui)?;
    }
    match top.is_none() && shown.wanted {
        true => Err(no_result(arguments, &shown)),
        false => Ok(Exit::Done),
    }
}

/// Why there are no bytes.
fn no_result(arguments: &Arguments, shown: &Shown) -> anyhow::Error {
    let layers = shown.layers.iter();
    let mut broken = layers.filter_map(|layer| Some((&layer.id, layer.fault.as_ref()?)));
    if let Some((id, fault)) = broken.next()
        && !arguments.skip
    {
        let what = format!("layer {}: {}", &id[..12], fault.what);
        let hint =
            "--skip leaves out layers that cannot be used; `folio overlay rebase` makes one again";
        return Problem::new(fault.code, what).hint(hint).into();
    }
    Problem::new(Code::BadRequest, "there are no bytes to lay the layers on")
        .hint("--base-file FILE, or --base KEY")
        .into()
}

/// What is to be told of the layers, beside bytes on stdout.
fn say(shown: &Shown, faults: bool, ui: &Ui) {
    for layer in &shown.layers {
        for mark in layer.marks(faults) {
            ui.warn(format!("layer {}: {mark}", &layer.id[..12]));
        }
    }
}

fn list(shown: &Shown, ui: &Ui) -> anyhow::Result<()> {
    if shown.layers.is_empty() {
        ui.say(format!("nothing lies on `{}`", escape(&shown.target)));
    }
    shown
        .layers
        .iter()
        .try_for_each(|layer| ui.line(layer.line(ui)))
}

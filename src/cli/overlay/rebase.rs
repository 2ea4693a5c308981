//! `folio overlay rebase`: a layer is made again for another version of its target.

use super::patch::{Kind, Ready};
use super::remake::{self, Remade};
use super::{bytes, layer};
use crate::cli::args::Global;
use crate::cli::context::{Context, view_of};
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::names::entity;
use crate::cli::ui::{Ui, escape};
use crate::cli::{draft, report};
use crate::fold::rules::OverlayRebase;
use crate::fold::{Decision, Scene};
use crate::journal::Page;
use crate::model::rows::LayerRow;
use crate::model::{Code, Version};
use serde::Serialize;
use std::io::Write as _;

/// A layer is made again for another version of its target
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --patch the layer is merged: what it made of the old base, and the new base. Each base is what \
lies right below the layer: `folio overlay show TARGET --below LAYER --base-file FILE -o BASE` makes it. Conflicts are \
marked as git marks them and nothing is drafted; --merged FILE goes on with the file in which you decided them."
)]
pub struct Arguments {
    /// What it lies on
    target: String,
    /// The layer, or the beginning of its id
    id: String,
    /// The version of the target that it is made for now; may be an artifact's key
    #[arg(long, value_name = "VERSION")]
    base: String,
    /// The new patch: a file, - for standard input, or an artifact's key
    #[arg(long, value_name = "FILE", conflicts_with_all = ["old_base", "new_base", "merged", "output"])]
    patch: Option<String>,
    /// What the layer was made for: a file, -, or an artifact's key
    #[arg(long, value_name = "FILE", conflicts_with = "merged")]
    old_base: Option<String>,
    /// What it is made for now: a file, -, or an artifact's key
    #[arg(long, value_name = "FILE")]
    new_base: Option<String>,
    /// What the layer is to make of the new base
    #[arg(long, value_name = "FILE")]
    merged: Option<String>,
    /// Write a merge with conflicts into this file
    #[arg(short, long, value_name = "FILE", conflicts_with = "merged")]
    output: Option<String>,
    #[command(flatten)]
    kind: Kind,
}

#[derive(Serialize)]
struct Conflicts {
    target: String,
    layer: String,
    conflicts: usize,
    output: Option<String>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let base = Version::new(arguments.base.as_str())?;
    let context = Context::open(global)?;
    let made = match &arguments.patch {
        Some(word) => Remade::Patch(Ready::named(&context, global, word, arguments.kind)?),
        None => remake(arguments, global, &context, ui)?,
    };
    let patch = match made {
        Remade::Patch(patch) => patch,
        Remade::Nothing(row) => return nothing(&row, ui),
        Remade::Conflicts { bytes, count, row } => {
            return conflicts(arguments, global, &bytes, count, &row, ui);
        }
    };
    let (_, added) = draft::with_drafting(&context, global, |drafting, space, _| {
        let scene = drafting.scene();
        let target = entity(scene, &arguments.target, ui)?;
        let row = layer::find(scene, &target, &arguments.id)?;
        let layer = Decision::OverlayRebase(OverlayRebase {
            base,
            from: row.base,
            id: row.id,
            patch: patch.key,
            target,
            was: None,
        });
        patch.draft(&context, global, drafting, space, layer, ui)
    })?;
    report::drafted(ui, added)
}

/// Standard input can be read once.
fn one_stdin(arguments: &Arguments) -> anyhow::Result<()> {
    let words = [&arguments.old_base, &arguments.new_base, &arguments.merged];
    let count = words.into_iter().flatten().filter(|word| *word == "-");
    match count.count() {
        0 | 1 => Ok(()),
        _ => {
            let what = "`-` stands for standard input, and can be given once";
            Err(Problem::new(Code::BadRequest, what).into())
        }
    }
}

/// Makes the layer again from the bytes of both bases.
fn remake(
    arguments: &Arguments,
    global: &Global,
    context: &Context,
    ui: &Ui,
) -> anyhow::Result<Remade> {
    one_stdin(arguments)?;
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let view = view_of(&space.tables, &page);
    let scene = Scene::new(&view);
    let target = entity(&scene, &arguments.target, ui)?;
    let row = layer::find(&scene, &target, &arguments.id)?;
    let of = |word: &str| bytes::of(context, &scene, &global.dir(), word);
    let new = match &arguments.new_base {
        Some(word) => of(word)?,
        None => named_by(context, &scene, &row, &arguments.base, "--new-base")?,
    };
    if let Some(word) = &arguments.merged {
        return remake::merged(
            context,
            &scene,
            &row,
            &new,
            of(word)?,
            &arguments.base,
            arguments.kind,
        );
    }
    let old = match &arguments.old_base {
        Some(word) => of(word)?,
        None => named_by(context, &scene, &row, row.base.as_str(), "--old-base")?,
    };
    remake::merge(
        context,
        &scene,
        &row,
        [&old, &new],
        &arguments.base,
        arguments.kind,
        ui,
    )
}

/// A base that is an artifact by its version: that is what lies below the lowest layer.
fn named_by(
    context: &Context,
    scene: &Scene<'_>,
    row: &LayerRow,
    version: &str,
    option: &str,
) -> anyhow::Result<Vec<u8>> {
    match bytes::key_of(version).filter(|_| row.after.is_none()) {
        Some(key) => bytes::of_key(context, scene, &key),
        None => {
            let what = format!("nothing says what lies below the layer: {option} is missing");
            let hint = "--old-base FILE --new-base FILE, or --patch FILE; `folio overlay show TARGET --below LAYER` makes what lies below a layer";
            Err(Problem::new(Code::BadRequest, what).hint(hint).into())
        }
    }
}

/// The new base has already what the layer does.
fn nothing(row: &LayerRow, ui: &Ui) -> anyhow::Result<Exit> {
    ui.say(format!(
        "the new base has all that layer {} does; nothing is drafted",
        row.id.short()
    ));
    ui.hint(&format!(
        "folio overlay drop {} {} --as applied",
        row.target,
        row.id.short()
    ));
    if ui.json() {
        return report::drafted(ui, draft::Added::default());
    }
    Ok(Exit::Done)
}

/// Shows the merge with its conflicts, and drafts nothing.
fn conflicts(
    arguments: &Arguments,
    global: &Global,
    bytes: &[u8],
    count: usize,
    row: &LayerRow,
    ui: &Ui,
) -> anyhow::Result<Exit> {
    match &arguments.output {
        Some(output) => bytes::write(&global.dir().join(output), bytes)?,
        None if ui.json() => {}
        None => std::io::stdout().lock().write_all(bytes)?,
    }
    if ui.json() {
        let answer = Conflicts {
            target: row.target.to_string(),
            layer: row.id.to_hex(),
            conflicts: count,
            output: arguments.output.clone(),
        };
        ui.answer("overlay-rebase", &answer)?;
    }
    let file = arguments.output.as_deref().unwrap_or("FILE");
    let what = format!(
        "layer {} and {} changed the same lines in {}",
        row.id.short(),
        escape(&arguments.base),
        report::count(count, "place")
    );
    let new = arguments
        .new_base
        .as_deref()
        .map_or(String::new(), |new| format!(" --new-base {new}"));
    let hint = format!(
        "decide in {file}, then: folio overlay rebase {} {} --base {}{new} --merged {file}",
        row.target,
        row.id.short(),
        arguments.base
    );
    Err(Problem::new(Code::MergeConflict, what).hint(hint).into())
}

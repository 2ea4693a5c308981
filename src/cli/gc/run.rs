//! One collection, or with `--dry-run` what it would do.

use super::grace::{Grace, USUAL};
use super::{bytes, require_known_rules};
use crate::artifact::{Shelves, collect};
use crate::cli::args::Global;
use crate::cli::artifact::internal_imprint;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::identity;
use crate::cli::numbering::or_warn;
use crate::cli::report::count;
use crate::cli::settling::{self, Hand};
use crate::cli::ui::{Spinner, Ui, escape};
use crate::model::Code;
use crate::remote::housekeeping::leftovers::{self, Leftover};
use crate::remote::housekeeping::{self, Terms, expire, survey};
use crate::remote::{partial, require_git};
use crate::store::EveryStep;
use crate::store::collector::Collecting;
use serde::Serialize;
use std::cell::RefCell;

/// Pack what is needed; remove what nothing refers to any more
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// Say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// How long what nothing refers to is left alone: 14d, 12h, 0
    #[arg(long, value_name = "TIME", default_value = USUAL)]
    grace: Grace,
}

#[derive(Serialize)]
struct Answer {
    dry_run: bool,
    leftovers: Vec<LeftoverView>,
    objects: ObjectsView,
    artifacts: ArtifactsView,
    notes: Vec<&'static str>,
}

#[derive(Serialize)]
struct LeftoverView {
    path: String,
    bytes: u64,
}

#[derive(Serialize, Default)]
struct ArtifactsView {
    /// Gone, or what would go.
    removed: usize,
    /// Condemned now, or would be.
    condemned: usize,
    /// Blocks and other objects of the internal shelf that are gone.
    objects: usize,
    /// Bytes that are free now.
    bytes: u64,
}

impl ArtifactsView {
    fn of(report: &collect::Report) -> Self {
        Self {
            removed: report.removed,
            condemned: report.condemned,
            objects: report.objects,
            bytes: report.bytes,
        }
    }
}

#[derive(Serialize)]
struct ObjectsView {
    /// Gone, or what would go.
    removed: usize,
    /// Lie aside now, or would be put aside.
    aside: usize,
    /// Packs and loose objects before and after.
    before: Option<usize>,
    after: Option<usize>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?.id;
    require_known_rules(&context)?;
    if !arguments.dry_run {
        // Before anything is locked: what is published and waits for its bytes gets them first.
        or_warn(ui, settling::settle(&context, global, ui, Hand::Ask));
    }
    let now = identity::now(global)?;
    let spinner: RefCell<Option<Spinner>> = RefCell::new(None);
    let terms = Terms {
        grace: arguments.grace.0,
        now,
        steps: &EveryStep,
        git: require_git()?,
        tell: &|what| drop(spinner.replace(Some(ui.spinner(what)))),
    };
    let shelf = collect::Terms {
        grace: terms.grace,
        now,
        steps: terms.steps,
        imprint: internal_imprint(space, global)?,
    };
    let answer = match arguments.dry_run {
        true => look(&context, &terms, &shelf)?,
        false => collect(&context, &terms, &shelf)?,
    };
    drop(spinner);
    match ui.json() {
        true => ui.answer("gc", &answer)?,
        false => show(ui, &answer)?,
    }
    Ok(Exit::Done)
}

fn collect(
    context: &Context,
    terms: &Terms<'_>,
    shelf: &collect::Terms<'_>,
) -> anyhow::Result<Answer> {
    let store = context.store.for_collecting();
    let turn = Collecting::begin(store.common_dir())?;
    (terms.tell)("Marking artifacts");
    let artifacts = collect::run(&store, &turn, shelf)?;
    let mut report = housekeeping::run(&store, &turn, terms)?;
    if let Some(own) = Shelves::open(&store)?.internal().store() {
        let root = store.common_dir();
        let left = leftovers::clear(own, root, &turn, terms)?;
        report.leftovers.extend(left);
    }
    let (gone, packs) = (report.expired, report.repacked);
    let done = format!(
        "done {} removed, {} condemned; {} removed, {} put aside",
        count(artifacts.removed, "artifact"),
        artifacts.condemned,
        count(gone.objects, "object"),
        packs.aside
    );
    turn.log(terms.now, &[done])?;
    Ok(Answer {
        dry_run: false,
        leftovers: view(&report.leftovers),
        objects: ObjectsView {
            removed: gone.objects,
            aside: packs.aside,
            before: Some(packs.before),
            after: Some(packs.after),
        },
        artifacts: ArtifactsView::of(&artifacts),
        notes: [artifacts.notes, report.notes].concat(),
    })
}

fn look(
    context: &Context,
    terms: &Terms<'_>,
    shelf: &collect::Terms<'_>,
) -> anyhow::Result<Answer> {
    let store = context.store.for_collecting();
    if Collecting::is_running(store.common_dir()) {
        return Err(Problem::new(Code::Busy, "a collection is running").into());
    }
    let mut leftovers = leftovers::find(&store, store.common_dir(), terms)?;
    if let Some(own) = Shelves::open(&store)?.internal().store() {
        leftovers.extend(leftovers::find(own, store.common_dir(), terms)?);
    }
    let artifacts = collect::preview(&store, shelf)?;
    let (mut removed, mut aside) = (0, 0);
    if !partial::is_partial(&store) {
        (terms.tell)("Marking");
        removed = expire::preview(&store, terms)?;
        aside = survey::survey(&store)?.aside - removed + survey::unreachable(&store)?;
    }
    Ok(Answer {
        dry_run: true,
        leftovers: view(&leftovers),
        objects: ObjectsView {
            removed,
            aside,
            before: None,
            after: None,
        },
        artifacts: ArtifactsView::of(&artifacts),
        notes: Vec::new(),
    })
}

fn view(leftovers: &[Leftover]) -> Vec<LeftoverView> {
    let one = |left: &Leftover| LeftoverView {
        path: left.path.display().to_string(),
        bytes: left.bytes,
    };
    leftovers.iter().map(one).collect()
}

fn show(ui: &Ui, answer: &Answer) -> anyhow::Result<()> {
    let would = if answer.dry_run { "would be " } else { "" };
    for left in &answer.leftovers {
        let path = escape(&left.path);
        ui.line(format!("{would}removed {path} ({})", bytes(left.bytes)))?;
    }
    let artifacts = &answer.artifacts;
    ui.line(format!(
        "{} {would}removed, {} {would}condemned",
        count(artifacts.removed, "artifact"),
        artifacts.condemned
    ))?;
    let objects = &answer.objects;
    ui.line(format!(
        "{} {would}removed, {} {would}put aside",
        count(objects.removed, "object"),
        objects.aside
    ))?;
    if let (Some(before), Some(after)) = (objects.before, objects.after) {
        ui.say(format!("{before} packs and loose objects became {after}"));
    }
    for note in &answer.notes {
        ui.say(format!("note: {note}"));
    }
    Ok(())
}

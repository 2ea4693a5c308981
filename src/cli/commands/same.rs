//! `folio same`: whether two names are the same, and why.

use crate::cli::args::{At, Global};
use crate::cli::context::{Context, view_of};
use crate::cli::exit::Exit;
use crate::cli::names;
use crate::cli::numbered::Decided;
use crate::cli::path::{self, Reason};
use crate::cli::trace::{self, Tracer};
use crate::cli::ui::{Ui, escape};
use crate::cli::view;
use crate::fold::graph::Step;
use crate::fold::{Scene, Stop, graph};
use crate::journal::{Page, Space};
use crate::model::rows::DistinctRow;
use crate::model::{Name, RowKey, Table};
use crate::store::GitStore;
use serde::Serialize;

/// Whether two names are the same, and why
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code 0: they are the same. 1: they are not, or one is unknown.")]
pub struct Arguments {
    /// One name
    a: String,
    /// The other
    b: String,
    #[command(flatten)]
    at: At,
}

#[derive(Serialize)]
struct Answer {
    at: view::At,
    a: String,
    b: String,
    same: bool,
    path: Vec<Reason>,
    distinct: Vec<Apart>,
}

/// A declaration that keeps the two groups apart.
#[derive(Serialize)]
struct Apart {
    a: String,
    b: String,
    decided: Option<Decided>,
}

/// One of the two names, with its alias steps.
struct Side {
    steps: Vec<Step>,
    entity: Name,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let page = context.asked(&space, arguments.at.at.as_deref(), ui)?;
    let view = view_of(&space.tables, &page);
    let scene = Scene::new(&view);
    let a = side(&space, &page, &scene, &arguments.a)?;
    let b = side(&space, &page, &scene, &arguments.b)?;
    let steps = graph::path(&scene, &a.entity, &b.entity)?;
    let (path, distinct) = trace::with_tracer_if_here(&context, &space, &page, ui, |tracer| {
        Ok(match &steps {
            Some(steps) => (explain(&scene, tracer, &a, steps, &b)?, Vec::new()),
            None => (Vec::new(), apart(&scene, tracer, &a.entity, &b.entity)?),
        })
    })?;
    let answer = Answer {
        at: view::At::of(&page),
        a: arguments.a.clone(),
        b: arguments.b.clone(),
        same: steps.is_some(),
        path,
        distinct,
    };
    match ui.json() {
        true => ui.answer("same", &answer)?,
        false => print(ui, &answer)?,
    }
    Ok(if answer.same { Exit::Done } else { Exit::No })
}

fn side(
    space: &Space<'_, GitStore>,
    page: &Page,
    scene: &Scene<'_>,
    text: &str,
) -> anyhow::Result<Side> {
    let name = names::parse(text)?;
    let steps = graph::alias_chain(scene, &name)?;
    if steps.is_empty() && graph::treated_as_entity(scene, &name)?.is_none() {
        return Err(names::unknown(&space.tables, page.tree(), &name));
    }
    let entity = steps.last().map_or(name, |step| step.to.clone());
    Ok(Side { steps, entity })
}

/// From `a` through its aliases, along edges and redirects, and back through the aliases of `b`.
fn explain(
    scene: &Scene<'_>,
    tracer: &mut Tracer<'_, '_, '_, '_>,
    a: &Side,
    between: &[Step],
    b: &Side,
) -> anyhow::Result<Vec<Reason>> {
    let mut path = path::reasons(scene, tracer, &a.steps)?;
    path.extend(path::reasons(scene, tracer, between)?);
    let back = path::reasons(scene, tracer, &b.steps)?;
    path.extend(path::reversed(back));
    Ok(path)
}

/// The declarations between a member of one group and a member of the other.
fn apart(
    scene: &Scene<'_>,
    tracer: &mut Tracer<'_, '_, '_, '_>,
    a: &Name,
    b: &Name,
) -> anyhow::Result<Vec<Apart>> {
    let mut found = Vec::new();
    for row in declared(scene, a, b)? {
        let key = RowKey::pair(row.a.as_str(), row.b.as_str());
        let change = tracer.last(Table::Distinct, &key)?;
        found.push(Apart {
            a: row.a.to_string(),
            b: row.b.to_string(),
            decided: change.map(|change| change.decided()),
        });
    }
    Ok(found)
}

fn declared(scene: &Scene<'_>, a: &Name, b: &Name) -> Result<Vec<DistinctRow>, Stop> {
    let others = graph::component(scene, b)?;
    let mut found = Vec::new();
    for name in graph::component(scene, a)? {
        let rows: Vec<DistinctRow> = scene.list(name.as_str())?;
        found.extend(rows.into_iter().filter(|row| others.contains(&row.b)));
    }
    Ok(found)
}

fn print(ui: &Ui, answer: &Answer) -> anyhow::Result<()> {
    ui.line(if answer.same { "yes" } else { "no" })?;
    path::print(ui, &answer.path)?;
    for apart in &answer.distinct {
        let (a, b) = (escape(&apart.a), escape(&apart.b));
        ui.line(format!("`{a}` and `{b}` were declared distinct"))?;
        if let Some(decided) = &apart.decided {
            ui.line(format!("    {}", decided.line(ui)))?;
        }
    }
    Ok(())
}

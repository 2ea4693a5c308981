//! `folio group`: the names that are the same as one.

use crate::cli::args::{At, Global};
use crate::cli::context::{Context, view_of};
use crate::cli::exit::Exit;
use crate::cli::names;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::view;
use crate::fold::{Scene, Stop, graph};
use crate::model::Name;
use crate::model::rows::{AliasTargetRow, EdgeRow, MergeRow};
use serde::Serialize;
use std::collections::BTreeSet;

/// The names that are the same as one
#[derive(Debug, clap::Args)]
#[command(after_help = "The group's representative is marked with `*`.")]
pub struct Arguments {
    /// A name of the group
    name: String,
    /// Show edges, merges and aliases too
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    at: At,
}

#[derive(Serialize)]
struct GroupView {
    at: view::At,
    name: String,
    representative: String,
    members: Vec<String>,
    edges: Vec<Pair>,
    merges: Vec<Pair>,
    aliases: Vec<Pair>,
}

#[derive(Serialize)]
struct Pair {
    from: String,
    to: String,
}

impl Pair {
    fn new(from: &Name, to: &Name) -> Self {
        let (from, to) = (from.to_string(), to.to_string());
        Self { from, to }
    }
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
    let group = graph::group(&scene, &resolved.entity)?;
    let mut answer = GroupView {
        at: view::At::of(&page),
        name: name.to_string(),
        representative: group.representative.to_string(),
        edges: Vec::new(),
        merges: Vec::new(),
        aliases: Vec::new(),
        members: group.members.iter().map(Name::to_string).collect(),
    };
    // A thousand aliases may stand for one name: they are looked for only where they are shown.
    if ui.json() || arguments.verbose {
        answer.edges = edges(&scene, &group.members)?;
        answer.merges = merges(&scene, &group.members)?;
        answer.aliases = aliases(&scene, &group.members)?;
    }
    match ui.json() {
        true => ui.answer("group", &answer)?,
        false => print(ui, &answer, arguments.verbose)?,
    }
    Ok(Exit::Done)
}

/// Every edge once.
fn edges(scene: &Scene<'_>, members: &BTreeSet<Name>) -> Result<Vec<Pair>, Stop> {
    let mut found = Vec::new();
    for name in members {
        let rows: Vec<EdgeRow> = scene.list(name.as_str())?;
        let once = rows.iter().filter(|row| row.a < row.b);
        found.extend(once.map(|row| Pair::new(&row.a, &row.b)));
    }
    Ok(found)
}

fn merges(scene: &Scene<'_>, members: &BTreeSet<Name>) -> Result<Vec<Pair>, Stop> {
    let mut found = Vec::new();
    for name in members {
        let row: Option<MergeRow> = scene.get(&crate::model::RowKey::of(name))?;
        found.extend(row.map(|row| Pair::new(&row.from, &row.into)));
    }
    Ok(found)
}

/// The aliases of the members, those of aliases too.
fn aliases(scene: &Scene<'_>, members: &BTreeSet<Name>) -> Result<Vec<Pair>, Stop> {
    let mut found = Vec::new();
    let mut open: Vec<Name> = members.iter().rev().cloned().collect();
    // An alias has one target and chains have no cycles, so each row is met once.
    while let Some(target) = open.pop() {
        let rows: Vec<AliasTargetRow> = scene.list(target.as_str())?;
        for row in rows {
            found.push(Pair::new(&row.alias, &row.target));
            open.push(row.alias);
        }
    }
    found.sort_by(|a, b| a.from.cmp(&b.from));
    Ok(found)
}

fn print(ui: &Ui, answer: &GroupView, verbose: bool) -> anyhow::Result<()> {
    for member in &answer.members {
        match *member == answer.representative {
            true => ui.line(format!("* {}", ui.paint(Style::Bold, &escape(member))))?,
            false => ui.line(format!("  {}", escape(member)))?,
        }
    }
    if !verbose {
        return Ok(());
    }
    let parts = [
        ("edges", "bind", &answer.edges),
        ("merges", "merge", &answer.merges),
        ("aliases", "alias", &answer.aliases),
    ];
    for (heading, via, pairs) in parts {
        if pairs.is_empty() {
            continue;
        }
        ui.line(format!("{heading}:"))?;
        let via = ui.paint(Style::Dim, via);
        for pair in pairs {
            ui.line(format!(
                "  {} {via} {}",
                escape(&pair.from),
                escape(&pair.to)
            ))?;
        }
    }
    Ok(())
}

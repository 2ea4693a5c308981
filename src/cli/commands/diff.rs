//! `folio diff`: decisions and rows between two snapshots.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::numbered::{Decided, Numbered};
use crate::cli::rowview::{self, RowChangeView};
use crate::cli::ui::Ui;
use crate::cli::{view, words};
use crate::fold::Decision;
use crate::journal::{Page, Space};
use crate::model::{Code, Oid};
use crate::store::GitStore;
use serde::Serialize;

/// Decisions and rows between two snapshots
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Decisions are those of the snapshots after the older one up to the newer one, in order; where N \
is the newer, rows show the way back. Snapshots are named as for --at."
)]
pub struct Arguments {
    /// From this snapshot
    n: String,
    /// To this one [default: the newest]
    m: Option<String>,
    /// Only the rows
    #[arg(long, conflicts_with = "decisions")]
    rows: bool,
    /// Only the decisions
    #[arg(long)]
    decisions: bool,
    /// Exit code 1 if the states differ
    #[arg(long)]
    exit_code: bool,
}

#[derive(Serialize)]
struct Difference {
    from: view::At,
    to: view::At,
    decisions: Vec<PageView>,
    rows: Vec<RowChangeView>,
}

/// The decisions of one snapshot.
#[derive(Serialize)]
struct PageView {
    #[serde(flatten)]
    decided: Decided,
    decisions: Vec<Decision>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let from = context.page(&space, Some(&arguments.n), ui)?;
    let to = context.page(&space, arguments.m.as_deref(), ui)?;
    let pages = match arguments.rows {
        true => Vec::new(),
        false => between(&space, &from, &to)?,
    };
    let differ = from.tree() != to.tree();
    let changes = match arguments.decisions {
        true => Vec::new(),
        false => space.tables.diff(Some(from.tree()), Some(to.tree()))?,
    };
    if ui.json() {
        let rows = changes.iter().map(RowChangeView::of).collect();
        ui.answer("diff", &difference(&space, &from, &to, &pages, rows)?)?;
    } else {
        for id in &pages {
            print(ui, &read(&space, *id)?)?;
        }
        if !pages.is_empty() && !changes.is_empty() {
            ui.line("")?;
        }
        rowview::print(ui, &changes)?;
    }
    Ok(if arguments.exit_code && differ {
        Exit::No
    } else {
        Exit::Done
    })
}

fn difference(
    space: &Space<'_, GitStore>,
    from: &Page,
    to: &Page,
    pages: &[Oid],
    rows: Vec<RowChangeView>,
) -> anyhow::Result<Difference> {
    let mut decisions = Vec::with_capacity(pages.len());
    for id in pages {
        let numbered = read(space, *id)?;
        decisions.push(PageView {
            decided: Decided::of(&numbered),
            decisions: numbered.proposal.decisions().to_vec(),
        });
    }
    Ok(Difference {
        from: view::At::of(from),
        to: view::At::of(to),
        decisions,
        rows,
    })
}

fn read(space: &Space<'_, GitStore>, id: Oid) -> anyhow::Result<Numbered> {
    Ok(Numbered::read(space, Page::read(space.store, id)?)?)
}

/// The snapshots after the older one up to the newer one, oldest first: along first parents.
fn between(space: &Space<'_, GitStore>, a: &Page, b: &Page) -> anyhow::Result<Vec<Oid>> {
    let (older, newer) = match a.number() <= b.number() {
        true => (a, b),
        false => (b, a),
    };
    let mut found = Vec::new();
    let mut at = newer.clone();
    while at.number() > older.number() {
        found.push(at.id);
        let Some(previous) = at.previous() else {
            break;
        };
        at = Page::read(space.store, previous)?;
    }
    if at.id != older.id {
        let what = format!(
            "common@{} ({}) is not a page before common@{} ({})",
            older.number(),
            older.id.short(),
            newer.number(),
            newer.id.short()
        );
        let hint = "they are pages of two histories; `folio diff --rows` compares their states";
        return Err(Problem::new(Code::BadRequest, what).hint(hint).into());
    }
    found.reverse();
    Ok(found)
}

fn print(ui: &Ui, numbered: &Numbered) -> anyhow::Result<()> {
    ui.line(Decided::of(numbered).line(ui))?;
    for decision in numbered.proposal.decisions() {
        ui.line(format!("    {}", words::decision(decision)))?;
    }
    Ok(())
}

//! `folio blame`: who decided what a name says.

use crate::cli::args::{At, Global};
use crate::cli::commands::state;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::numbered::{Decided, print_text};
use crate::cli::rowview;
use crate::cli::trace::{self, Change, Tracer};
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::{names, view, words};
use crate::fold::Decision;
use crate::journal::{Page, Space};
use crate::model::{RowKey, Table, limits};
use crate::store::GitStore;
use serde::Serialize;

/// Who decided what a name says
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Asked are the alias of that name, else its other rows: merges, edges, distinct, pins, forks, \
overlays, artifacts, members, policy. A row that was removed is found too, by its full key."
)]
pub struct Arguments {
    /// The name, or what else a row is about
    #[arg(value_name = "KEY")]
    subject: String,
    /// The other part of the row's key, where it has two
    detail: Option<String>,
    /// Only rows of this table
    #[arg(long)]
    table: Option<String>,
    /// Every change, the newest first
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    at: At,
}

/// Asked together where a name is no alias.
const OTHERS: &[Table] = &[
    Table::Merges,
    Table::Edges,
    Table::Distinct,
    Table::Pins,
    Table::Forks,
    Table::Overlays,
    Table::Artifacts,
    Table::Members,
    Table::Policy,
];

#[derive(Serialize)]
struct Blame {
    at: view::At,
    key: String,
    rows: Vec<RowView>,
}

#[derive(Serialize)]
struct RowView {
    table: &'static str,
    subject: String,
    detail: String,
    changes: Vec<ChangeView>,
}

#[derive(Serialize)]
struct ChangeView {
    #[serde(flatten)]
    decided: Decided,
    text: String,
    index: usize,
    decision: Decision,
    before: Option<serde_json::Value>,
    after: Option<serde_json::Value>,
}

/// A row and its changes, the newest first.
type Blamed = (Table, RowKey, Vec<Change>);

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let page = context.asked(&space, arguments.at.at.as_deref(), ui)?;
    let blamed = trace::with_tracer(&context, &space, &page, ui, |tracer| {
        blame(&space, &page, arguments, tracer)
    })?;
    if blamed.is_empty() {
        let name = names::parse(&arguments.subject)?;
        return Err(names::unknown(&space.tables, page.tree(), &name));
    }
    if ui.json() {
        let answer = Blame {
            at: view::At::of(&page),
            key: arguments.subject.clone(),
            rows: blamed.iter().map(row_view).collect(),
        };
        ui.answer("blame", &answer)?;
        return Ok(Exit::Done);
    }
    for row in &blamed {
        print(ui, row)?;
    }
    Ok(Exit::Done)
}

fn blame(
    space: &Space<'_, GitStore>,
    page: &Page,
    arguments: &Arguments,
    tracer: &mut Tracer<'_, '_, '_, '_>,
) -> anyhow::Result<Vec<Blamed>> {
    let key = arguments.subject.as_str();
    let asked: &[&[Table]] = match &arguments.table {
        Some(name) => &[&[state::table(name)?]],
        None => &[&[Table::Aliases], OTHERS],
    };
    // Rows that stand there come first; then those that once did, where their key can be told.
    for standing in [true, false] {
        for tables in asked {
            let mut found = Vec::new();
            for table in *tables {
                for row in rows(
                    space,
                    page,
                    *table,
                    key,
                    arguments.detail.as_deref(),
                    standing,
                )? {
                    let changes = tracer.changes(*table, &row, arguments.all)?;
                    if !changes.is_empty() {
                        found.push((*table, row, changes));
                    }
                }
            }
            if !found.is_empty() {
                return Ok(found);
            }
        }
    }
    Ok(Vec::new())
}

/// The keys of the rows about a subject.
fn rows(
    space: &Space<'_, GitStore>,
    page: &Page,
    table: Table,
    subject: &str,
    detail: Option<&str>,
    standing: bool,
) -> anyhow::Result<Vec<RowKey>> {
    if !standing {
        return Ok(vec![RowKey::pair(subject, detail.unwrap_or_default())]);
    }
    let tables = &space.tables;
    let rows = tables.rows_of(Some(page.tree()), table, subject, limits::SUBJECT_ROWS)?;
    let keys = rows.into_iter().map(|(key, _)| key);
    let wanted = |key: &RowKey| detail.is_none_or(|detail| key.detail() == detail);
    Ok(keys.filter(wanted).collect())
}

fn row_view((table, key, changes): &Blamed) -> RowView {
    RowView {
        table: table.name(),
        subject: key.subject().to_owned(),
        detail: key.detail().to_owned(),
        changes: changes.iter().map(change_view).collect(),
    }
}

fn change_view(change: &Change) -> ChangeView {
    ChangeView {
        decided: change.decided(),
        text: change.by.numbered.proposal.text().to_owned(),
        index: change.index,
        decision: change.decision().clone(),
        before: change.before.as_ref().map(rowview::value),
        after: change.after.as_ref().map(rowview::value),
    }
}

fn print(ui: &Ui, (table, key, changes): &Blamed) -> anyhow::Result<()> {
    let shown = escape(&key.to_string());
    ui.line(ui.paint(Style::Bold, &format!("{table} `{shown}`")))?;
    for change in changes {
        let numbered = &change.by.numbered;
        let decided = change.decided();
        let short = numbered.proposal.digest().short();
        let proposal = ui.paint(Style::Dim, &format!("(proposal {short})"));
        ui.line(format!("{} {proposal}", decided.line(ui)))?;
        let rest = numbered.proposal.text().trim_start();
        print_text(ui, rest.split_once('\n').map_or("", |(_, rest)| rest))?;
        let decision = words::decision(change.decision());
        ui.line(format!("  decision {}: {decision}", change.index + 1))?;
        ui.line(format!("  - {}", words::row(change.before.as_ref())))?;
        ui.line(format!("  + {}", words::row(change.after.as_ref())))?;
    }
    Ok(())
}

//! `folio state`: the tables of a state, or the rows of one.

use crate::cli::args::{At, Global};
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::view;
use crate::journal::{Page, Space};
use crate::model::{Code, Oid, Row, Table};
use crate::state::{StateFault, Tables};
use crate::store::GitStore;
use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use std::cell::RefCell;
use std::io::Write as _;
use std::ops::ControlFlow;

/// The rows of the state
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Rows are JSON lines as they stand in the tables: sorted by key while a table is one file, by \
hashed place above 64 rows. `| sort` sorts them all."
)]
pub struct Arguments {
    /// The table [default: list the tables]
    table: Option<String>,
    /// Only rows whose subject starts so
    #[arg(long, requires = "table", value_name = "TEXT")]
    prefix: Option<String>,
    /// At most so many rows
    #[arg(long, requires = "table", value_name = "N")]
    limit: Option<u64>,
    #[command(flatten)]
    at: At,
}

#[derive(Serialize)]
struct TablesView {
    at: view::At,
    tables: Vec<TableView>,
}

#[derive(Serialize)]
struct TableView {
    table: &'static str,
    rows: u64,
    about: &'static str,
}

#[derive(Serialize)]
struct RowsView<'a> {
    at: view::At,
    table: &'static str,
    rows: Rows<'a>,
}

/// Rows that are read while they are written, so that memory stays bounded.
struct Rows<'a> {
    tables: &'a Tables<'a, GitStore>,
    root: Oid,
    table: Table,
    prefix: &'a str,
    limit: u64,
    /// Why reading ended early: serde's own error carries text only.
    fault: RefCell<Option<StateFault>>,
}

impl Rows<'_> {
    /// Calls `each` with the chosen rows until it fails; whether there were more than the limit.
    fn each<E>(
        &self,
        mut each: impl FnMut(&Row) -> Result<(), E>,
    ) -> Result<Result<bool, E>, StateFault> {
        let mut seen = 0;
        let flow = self.tables.iter(Some(self.root), self.table, |key, row| {
            if !key.subject().starts_with(self.prefix) {
                return ControlFlow::Continue(());
            }
            if seen == self.limit {
                return ControlFlow::Break(Ok(true));
            }
            seen += 1;
            match each(row) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(Err(error)),
            }
        })?;
        Ok(match flow {
            ControlFlow::Continue(()) => Ok(false),
            ControlFlow::Break(ended) => ended,
        })
    }
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let written = self.each(|row| {
            let row: serde_json::Value =
                serde_json::from_str(row.as_str()).map_err(S::Error::custom)?;
            list.serialize_element(&row)
        });
        match written {
            Ok(ended) => ended.map(drop)?,
            Err(fault) => {
                let error = S::Error::custom(&fault);
                self.fault.replace(Some(fault));
                return Err(error);
            }
        }
        list.end()
    }
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let page = context.asked(&space, arguments.at.at.as_deref(), ui)?;
    let Some(name) = &arguments.table else {
        return list(&space, &page, ui);
    };
    let answer = RowsView {
        at: view::At::of(&page),
        table: table(name)?.name(),
        rows: Rows {
            tables: &space.tables,
            root: page.tree(),
            table: table(name)?,
            prefix: arguments.prefix.as_deref().unwrap_or_default(),
            limit: arguments.limit.unwrap_or(u64::MAX),
            fault: RefCell::new(None),
        },
    };
    match ui.json() {
        true => answer_rows(ui, &answer)?,
        false => print(ui, &answer.rows)?,
    }
    Ok(Exit::Done)
}

fn answer_rows(ui: &Ui, answer: &RowsView<'_>) -> anyhow::Result<()> {
    ui.answer("state", answer).map_err(|error| {
        let fault = answer.rows.fault.take();
        fault.map_or(error, anyhow::Error::from)
    })
}

fn print(ui: &Ui, rows: &Rows<'_>) -> anyhow::Result<()> {
    // One write per row would be most of the time for a million of them.
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let more = rows.each(|row| writeln!(out, "{}", escape(row.as_str())))??;
    out.flush()?;
    if more {
        ui.say("there are more rows; raise --limit to see them");
    }
    Ok(())
}

/// The table of that name; near names are suggested.
pub fn table(name: &str) -> anyhow::Result<Table> {
    Table::from_name(name).ok_or_else(|| {
        let what = format!("there is no table `{}`", escape(name));
        let names = Table::ALL.iter().map(|table| table.name());
        let near = crate::cli::suggest::near(name, names);
        let problem = Problem::new(Code::NotFound, what);
        crate::cli::suggest::hint(problem, &near, "folio state lists the tables").into()
    })
}

fn list(space: &Space<'_, GitStore>, page: &Page, ui: &Ui) -> anyhow::Result<Exit> {
    let mut tables = Vec::with_capacity(Table::ALL.len());
    for table in Table::ALL {
        tables.push(TableView {
            table: table.name(),
            rows: space.tables.count(Some(page.tree()), *table)?,
            about: table.about(),
        });
    }
    if ui.json() {
        let at = view::At::of(page);
        ui.answer("state", &TablesView { at, tables })?;
        return Ok(Exit::Done);
    }
    for table in &tables {
        let name = ui.paint(Style::Bold, &format!("{:<17}", table.table));
        ui.line(format!("{name} {:>8}  {}", table.rows, table.about))?;
    }
    Ok(Exit::Done)
}

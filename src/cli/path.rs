//! Why two names are the same: the steps between them, each with the proposal that decided it.

use super::numbered::Decided;
use super::trace::Tracer;
use super::ui::{Ui, escape};
use super::view::via;
use crate::fold::graph::{Step, Via};
use crate::fold::{Scene, Stop};
use crate::model::rows::MergeRow;
use crate::model::{RowKey, Table};
use serde::Serialize;

/// One step with its reason.
#[derive(Debug, Clone, Serialize)]
pub struct Reason {
    /// Where it starts.
    pub from: String,
    /// Where it leads.
    pub to: String,
    /// `alias`, `merge` or `bind`.
    pub via: &'static str,
    /// Whether it is walked against its direction: `to` is the alias, or what was merged away.
    pub backwards: bool,
    /// What decided it.
    pub decided: Option<Decided>,
}

/// Whether a step is walked from where its row points to.
fn is_backwards(scene: &Scene<'_>, step: &Step) -> Result<bool, Stop> {
    if step.via != Via::Redirect {
        return Ok(false);
    }
    let row: Option<MergeRow> = scene.get(&RowKey::of(&step.from))?;
    Ok(row.is_none_or(|row| row.into != step.to))
}

/// The row that a step stands on.
fn row_of(step: &Step, backwards: bool) -> (Table, RowKey) {
    let start = if backwards { &step.to } else { &step.from };
    match step.via {
        Via::Alias => (Table::Aliases, RowKey::of(start)),
        Via::Redirect => (Table::Merges, RowKey::of(start)),
        Via::Edge => (
            Table::Edges,
            RowKey::pair(step.from.as_str(), step.to.as_str()),
        ),
    }
}

/// Finds what decided each step.
pub fn reasons(
    scene: &Scene<'_>,
    tracer: &mut Tracer<'_, '_, '_, '_>,
    steps: &[Step],
) -> anyhow::Result<Vec<Reason>> {
    let mut reasons = Vec::with_capacity(steps.len());
    for step in steps {
        let backwards = is_backwards(scene, step)?;
        let (table, key) = row_of(step, backwards);
        let change = tracer.last(table, &key)?;
        reasons.push(Reason {
            from: step.from.to_string(),
            to: step.to.to_string(),
            via: via(step.via),
            backwards,
            decided: change.map(|change| change.decided()),
        });
    }
    Ok(reasons)
}

/// Turns a path around.
pub fn reversed(reasons: Vec<Reason>) -> Vec<Reason> {
    let turned = reasons.into_iter().rev().map(|reason| Reason {
        from: reason.to,
        to: reason.from,
        backwards: reason.via != "bind" && !reason.backwards,
        ..reason
    });
    turned.collect()
}

/// Prints a path, a line per step and one for what decided it.
pub fn print(ui: &Ui, reasons: &[Reason]) -> anyhow::Result<()> {
    for reason in reasons {
        let (from, to) = (escape(&reason.from), escape(&reason.to));
        let (start, end) = if reason.backwards {
            (&to, &from)
        } else {
            (&from, &to)
        };
        ui.line(match reason.via {
            "alias" => format!("`{start}` is an alias of `{end}`"),
            "merge" => format!("`{start}` was merged into `{end}`"),
            _ => format!("`{start}` and `{end}` are bound"),
        })?;
        if let Some(decided) = &reason.decided {
            ui.line(format!("    {}", decided.line(ui)))?;
        }
    }
    Ok(())
}

//! Names as people type them: checked, resolved to entities where a decision is about entities, and with
//! near ones suggested where one is unknown.

use super::error::Problem;
use super::ui::{Ui, escape};
use crate::fold::{Scene, graph};
use crate::model::{Code, Name, Oid, Table};
use crate::state::Tables;
use crate::store::GitStore;
use std::ops::ControlFlow;

/// Rows that are looked at for suggestions: enough for most spaces, and bounded for all.
const LOOKED_AT: usize = 100_000;
/// Suggestions shown.
const SHOWN: usize = 3;

/// A checked name; what a terminal would hide is shown in the error.
pub fn parse(text: &str) -> anyhow::Result<Name> {
    Ok(Name::new(text)?)
}

/// The entity that a name stands for: aliases are followed, and said so.
pub fn entity(scene: &Scene<'_>, text: &str, ui: &Ui) -> anyhow::Result<Name> {
    let name = parse(text)?;
    match graph::alias_chain(scene, &name)?.last() {
        None => Ok(name),
        Some(step) => {
            ui.say(format!(
                "`{}` is an alias of `{}`",
                escape(text),
                escape(step.to.as_str())
            ));
            Ok(step.to.clone())
        }
    }
}

/// The error for a name that no row mentions, with near ones.
pub fn unknown(tables: &Tables<'_, GitStore>, root: Oid, name: &Name) -> anyhow::Error {
    let near = near(tables, root, name.as_str()).unwrap_or_default();
    let what = format!("no decision mentions `{}`", escape(name.as_str()));
    let problem = Problem::new(Code::NotFound, what);
    match near.as_slice() {
        [] => problem
            .hint("`folio state aliases` lists the aliases")
            .into(),
        near => {
            let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
            problem
                .hint(format!("did you mean {}?", near.join(" or ")))
                .into()
        }
    }
}

/// Names that are nearly this one.
fn near(tables: &Tables<'_, GitStore>, root: Oid, name: &str) -> anyhow::Result<Vec<String>> {
    let mut scored: Vec<(u64, String)> = Vec::new();
    let wanted = name.to_lowercase();
    for table in [
        Table::Aliases,
        Table::AliasesByTarget,
        Table::Edges,
        Table::Merges,
        Table::Overlays,
    ] {
        let mut seen = 0;
        let _: ControlFlow<()> = tables.iter(Some(root), table, |key, _| {
            seen += 1;
            let score = strsim::jaro_winkler(&wanted, &key.subject().to_lowercase());
            if score > 0.85 {
                // Sorted as integers: floats have no total order.
                scored.push(((score * 1e6) as u64, key.subject().to_owned()));
            }
            match seen < LOOKED_AT {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })?;
    }
    scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    Ok(scored
        .into_iter()
        .map(|(_, name)| name)
        .take(SHOWN)
        .collect())
}

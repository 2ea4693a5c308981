//! What a name is: every way in which rows mention it.

use super::ui::escape;
use crate::fold::{Scene, Stop};
use crate::model::rows::{
    AliasRow, AliasTargetRow, ArtifactRow, DistinctRow, EdgeRow, ForkOriginRow, ForkRow, LayerRow,
    MemberRow, MergeRow, MergeTargetRow, PinRow,
};
use crate::model::{Name, RowKey, Table};
use serde::Serialize;

/// One way in which rows mention a name.
#[derive(Debug, Clone, Serialize)]
pub struct Fact {
    /// `alias`, `target`, `merged`, `merged-into`, `bound`, `distinct`, `pinned`, `forked`, `origin`,
    /// `overlaid`, `published`, `withdrawn` or `member`.
    pub kind: &'static str,
    /// The names on the other side, sorted; for layers their ids, for a withdrawn artifact the reason.
    pub names: Vec<String>,
    /// The row that says so, where it is one.
    #[serde(skip)]
    pub row: Option<(Table, RowKey)>,
}

impl Fact {
    /// In words, escaped.
    pub fn words(&self) -> String {
        let shown: Vec<String> = self
            .names
            .iter()
            .take(8)
            .map(|n| format!("`{}`", escape(n)))
            .collect();
        let more = match self.names.len().saturating_sub(shown.len()) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let names = shown.join(", ") + &more;
        match self.kind {
            "alias" => format!("an alias of {names}"),
            "target" => format!("what the aliases {names} stand for"),
            "merged" => format!("merged into {names}"),
            "merged-into" => format!("what {names} was merged into"),
            "bound" => format!("bound to {names}"),
            "distinct" => format!("declared distinct from {names}"),
            "pinned" => "pinned as a representative".into(),
            "forked" => format!("forked from {names}"),
            "origin" => format!("what {names} was forked from"),
            "overlaid" => format!("a target of {} overlay layers", self.names.len()),
            "published" => "a published artifact".into(),
            "withdrawn" => format!("a withdrawn artifact: {names}"),
            _ => "a member's handle".into(),
        }
    }
}

/// Everything that rows say of a name.
pub fn facts(scene: &Scene<'_>, name: &Name) -> Result<Vec<Fact>, Stop> {
    let mut facts = single(scene, name)?;
    let text = name.as_str();
    let lists = [
        (
            "target",
            names(scene.list(text)?, |row: &AliasTargetRow| {
                row.alias.to_string()
            }),
        ),
        (
            "merged-into",
            names(scene.list(text)?, |row: &MergeTargetRow| {
                row.from.to_string()
            }),
        ),
        (
            "bound",
            names(scene.list(text)?, |row: &EdgeRow| row.b.to_string()),
        ),
        (
            "distinct",
            names(scene.list(text)?, |row: &DistinctRow| row.b.to_string()),
        ),
        (
            "origin",
            names(scene.list(text)?, |row: &ForkOriginRow| {
                row.name.to_string()
            }),
        ),
        (
            "overlaid",
            names(scene.list(text)?, |row: &LayerRow| row.id.to_hex()),
        ),
    ];
    for (kind, names) in lists {
        if !names.is_empty() {
            facts.push(Fact {
                kind,
                names,
                row: None,
            });
        }
    }
    Ok(facts)
}

/// What one row of its own says.
fn single(scene: &Scene<'_>, name: &Name) -> Result<Vec<Fact>, Stop> {
    let key = RowKey::of(name);
    let mut facts = Vec::new();
    let mut add = |kind, table, names| {
        let row = Some((table, key.clone()));
        facts.push(Fact { kind, names, row });
    };
    if let Some(row) = scene.get::<AliasRow>(&key)? {
        add("alias", Table::Aliases, vec![row.target.to_string()]);
    }
    if let Some(row) = scene.get::<MergeRow>(&key)? {
        add("merged", Table::Merges, vec![row.into.to_string()]);
    }
    if let Some(row) = scene.get::<ForkRow>(&key)? {
        add("forked", Table::Forks, vec![row.of.to_string()]);
    }
    if scene.has::<PinRow>(&key)? {
        add("pinned", Table::Pins, Vec::new());
    }
    if let Some(row) = scene.get::<ArtifactRow>(&key)? {
        if row.size.is_some() {
            add("published", Table::Artifacts, Vec::new());
        }
        if let Some(reason) = row.tombstone {
            add("withdrawn", Table::Artifacts, vec![reason.to_string()]);
        }
    }
    if scene.has::<MemberRow>(&key)? {
        add("member", Table::Members, Vec::new());
    }
    Ok(facts)
}

fn names<R>(rows: Vec<R>, name: impl Fn(&R) -> String) -> Vec<String> {
    rows.iter().map(name).collect()
}

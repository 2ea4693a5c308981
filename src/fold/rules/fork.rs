//! `fork`: a new entity that knows where it comes from.

use super::*;
use crate::fold::graph;
use crate::model::rows::{AliasRow, ForkOriginRow, ForkRow, TableRow};
use crate::model::{RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `fork`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fork {
    /// The new entity.
    pub name: Name,
    /// What it is forked from, kept as given.
    pub of: Name,
    /// What that resolves to on the state it was drafted on.
    #[serde(default = "unfilled")]
    pub resolved: Name,
}

impl Kind for Fork {
    const OP: &'static str = "fork";
    const FAMILY: Family = Family::Equivalence;
    const ABOUT: &'static str = "Starts a new entity and keeps its lineage: what it was forked from, and what that resolved to then. The new name must not be in use; about the origin nothing is decided.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "name",
            shape: "name",
            about: "the new entity",
        },
        Field {
            name: "of",
            shape: "name",
            about: "the entity it is forked from, kept as given",
        },
        Field {
            name: "resolved",
            shape: "name",
            about: "what that resolves to; filled in for you",
        },
    ];
    const CODES: &'static [Code] = &[
        Code::SelfReference,
        Code::IsAlias,
        Code::Exists,
        Code::Stale,
        Code::GroupTooLarge,
    ];

    fn example() -> Self {
        Self {
            name: example_name("libressl"),
            of: example_name("openssl"),
            resolved: example_name("openssl"),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into()]
    }

    fn unfilled(&self) -> bool {
        self.resolved == unfilled()
    }

    fn rely(&mut self, scene: &Scene<'_>) -> Result<(), Stop> {
        self.resolved = graph::resolve(scene, &self.of)?.representative;
        Ok(())
    }

    fn validate(&self) -> Result<(), Stop> {
        require_two(&self.name, &self.of)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let row = ForkRow {
            name: self.name.clone(),
            of: self.of.clone(),
            resolved: self.resolved.clone(),
        };
        if scene.get::<ForkRow>(&row.key())?.as_ref() == Some(&row) {
            return Ok(());
        }
        let in_use = scene.has::<AliasRow>(&RowKey::of(&self.name))?
            || graph::treated_as_entity(scene, &self.name)?.is_some()
            || scene.any(Table::ForksByOrigin, self.name.as_str())?;
        if in_use {
            return Stop::refuse(Code::Exists, format!("`{}` is already in use", self.name));
        }
        graph::require_entity(scene, &self.of)?;
        let now = graph::resolve(scene, &self.of)?.representative;
        if now != self.resolved {
            let what = format!(
                "`{}` is expected to resolve to `{}`, found `{now}`",
                self.of, self.resolved
            );
            return Stop::refuse(Code::Stale, what);
        }
        let twin = ForkOriginRow {
            name: row.name.clone(),
            of: row.of.clone(),
            resolved: row.resolved.clone(),
        };
        scene.put_both(&row, &twin);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    fn fork(bench: &mut Bench, name: &str, of: &str, resolved: &str) -> Result<usize, Code> {
        bench.run(&format!(
            r#"{{"op":"fork","name":"{name}","of":"{of}","resolved":"{resolved}"}}"#
        ))
    }

    #[test]
    fn starts_an_entity_of_its_own_and_keeps_its_lineage() {
        let mut bench = Bench::default();
        bench
            .run(r#"{"op":"merge","from":"old","into":"new","resolved":"new"}"#)
            .unwrap();
        assert_eq!(fork(&mut bench, "mine", "old", "old"), Err(Code::Stale));
        assert_eq!(fork(&mut bench, "mine", "old", "new"), Ok(2));
        assert_eq!(fork(&mut bench, "mine", "old", "new"), Ok(0));
        assert_eq!(bench.resolve("mine"), "mine");
        assert_eq!(fork(&mut bench, "new", "mine", "mine"), Err(Code::Exists));
        // The lineage is what was decided then, whatever happens to the origin later.
        bench.run(r#"{"op":"unmerge","from":"old"}"#).unwrap();
        let row: ForkRow = bench.scene().get(&RowKey::of("mine")).unwrap().unwrap();
        assert_eq!(row.resolved.as_str(), "new");
    }
}

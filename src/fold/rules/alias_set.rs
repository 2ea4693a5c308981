//! `alias.set`: a name stands for an alias or an entity.

use super::*;
use crate::fold::graph::{self, Via};
use crate::model::rows::{AliasRow, AliasTargetRow, TableRow};
use crate::model::{RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `alias.set`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AliasSet {
    /// The name.
    pub alias: Name,
    /// What it stands for.
    pub target: Name,
    /// The row it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for AliasSet {
    const OP: &'static str = "alias.set";
    const FAMILY: Family = Family::Names;
    const ABOUT: &'static str = "Makes a name stand for an alias or an entity. Chains have at most 16 links and no cycle; a name that rows treat as an entity of its own cannot become an alias (that is a `merge`).";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "alias",
            shape: "name",
            about: "the name",
        },
        Field {
            name: "target",
            shape: "name",
            about: "the alias or entity it stands for",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[
        Code::SelfReference,
        Code::Stale,
        Code::IsEntity,
        Code::AliasCycle,
        Code::ChainTooLong,
        Code::SubjectTooLarge,
    ];

    fn example() -> Self {
        Self {
            alias: example_name("US/Eastern"),
            target: example_name("America/New_York"),
            was: Some(RowDigest([1; 32])),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.alias.as_str().into()]
    }

    fn guarded(&self) -> Option<(Table, RowKey)> {
        Some((Table::Aliases, RowKey::of(&self.alias)))
    }

    fn was_mut(&mut self) -> Option<&mut Option<RowDigest>> {
        Some(&mut self.was)
    }

    fn validate(&self) -> Result<(), Stop> {
        require_two(&self.alias, &self.target)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let row = AliasRow {
            alias: self.alias.clone(),
            target: self.target.clone(),
        };
        let old = match scene.guard(&row.key(), self.was, Some(&row))? {
            Guard::Already => return Ok(()),
            Guard::Replaces(old) => old,
        };
        if old.is_none() {
            // A name that is an alias already has no such rows: every rule that makes them asks for an
            // entity, and an alias that points at it makes a chain, not an entity.
            if let Some(table) = graph::treated_as_entity(scene, &self.alias)? {
                let what = format!("`{}` has rows in `{table}`", self.alias);
                return Stop::refuse(Code::IsEntity, what);
            }
        }
        self.require_short_chain(scene, old.is_some())?;
        if let Some(old) = old {
            scene.remove::<AliasTargetRow>(RowKey::pair(old.target.as_str(), old.alias.as_str()));
        }
        let twin = AliasTargetRow {
            alias: row.alias.clone(),
            target: row.target.clone(),
        };
        scene.put_both(&row, &twin);
        Ok(())
    }
}

impl AliasSet {
    fn require_short_chain(&self, scene: &Scene<'_>, was_alias: bool) -> Result<(), Stop> {
        let below = graph::alias_chain(scene, &self.target)?;
        if let Some(end) = below.iter().position(|step| step.to == self.alias) {
            let path = graph::path_words(&self.target, &below[..=end]);
            let what = format!("`{}` -alias-> {path}", self.alias);
            return Stop::refuse(Code::AliasCycle, what);
        }
        let above = match was_alias {
            true => graph::depth_above(scene, &self.alias, Via::Alias)?,
            false => 0,
        };
        let links = above + 1 + below.len();
        graph::require_short_chain(links)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    fn set(bench: &mut Bench, alias: &str, target: &str) -> Result<usize, Code> {
        bench.run(&format!(
            r#"{{"op":"alias.set","alias":"{alias}","target":"{target}"}}"#
        ))
    }

    #[test]
    fn sets_replaces_and_does_nothing_twice() {
        let mut bench = Bench::default();
        assert_eq!(set(&mut bench, "a", "b"), Ok(2));
        assert_eq!(set(&mut bench, "a", "b"), Ok(0));
        assert_eq!(bench.resolve("a"), "b");
        assert_eq!(set(&mut bench, "a", "c"), Ok(3));
        assert_eq!(bench.resolve("a"), "c");
        assert_eq!(set(&mut bench, "a", "a"), Err(Code::SelfReference));
    }

    #[test]
    fn what_it_replaces_must_still_stand_there() {
        let mut bench = Bench::default();
        set(&mut bench, "a", "b").unwrap();
        let blind = AliasSet {
            alias: example_name("a"),
            target: example_name("c"),
            was: None,
        };
        assert_eq!(
            bench.exact(&crate::fold::Decision::AliasSet(blind)),
            Err(Code::Stale)
        );
    }

    #[test]
    fn cycles_and_long_chains_are_refused() {
        let mut bench = Bench::default();
        set(&mut bench, "n0", "end").unwrap();
        for i in 1..16 {
            set(&mut bench, &format!("n{i}"), &format!("n{}", i - 1)).unwrap();
        }
        assert_eq!(bench.resolve("n15"), "end");
        assert_eq!(set(&mut bench, "n16", "n15"), Err(Code::ChainTooLong));
        // Lengthening the lower end counts the links above it.
        set(&mut bench, "x", "y").unwrap();
        assert_eq!(set(&mut bench, "n0", "x"), Err(Code::ChainTooLong));
        assert_eq!(set(&mut bench, "n0", "n3"), Err(Code::AliasCycle));
    }

    #[test]
    fn an_entity_does_not_become_an_alias() {
        let mut bench = Bench::default();
        set(&mut bench, "a", "b").unwrap();
        assert_eq!(set(&mut bench, "b", "c"), Err(Code::IsEntity));
        bench.run(r#"{"op":"bind","a":"p","b":"q"}"#).unwrap();
        assert_eq!(set(&mut bench, "p", "c"), Err(Code::IsEntity));
        bench.run(r#"{"op":"alias.drop","alias":"a"}"#).unwrap();
        assert_eq!(set(&mut bench, "b", "c"), Ok(2));
    }
}

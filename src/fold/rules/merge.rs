//! `merge`: an entity has become another name for a second one.

use super::*;
use crate::fold::graph::{self, Via};
use crate::model::rows::{MergeRow, MergeTargetRow, TableRow};
use crate::model::{RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `merge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// The entity that is merged away.
    pub from: Name,
    /// What it is merged into, kept as given.
    pub into: Name,
    /// What `into`'s redirects end in on the state it was drafted on.
    #[serde(default = "unfilled")]
    pub resolved: Name,
    /// The redirect it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for Merge {
    const OP: &'static str = "merge";
    const FAMILY: Family = Family::Equivalence;
    const ABOUT: &'static str = "Redirects an entity to another. References are never rewritten: whatever points at `from` is resolved when it is read. `resolved` names what `into` leads to, so that a merge into something that was itself merged meanwhile is `stale`.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "from",
            shape: "name",
            about: "the entity that is merged away",
        },
        Field {
            name: "into",
            shape: "name",
            about: "the entity it is merged into, kept as given",
        },
        Field {
            name: "resolved",
            shape: "name",
            about: "what `into`'s redirects end in; filled in for you",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[
        Code::SelfReference,
        Code::Stale,
        Code::IsAlias,
        Code::MergeCycle,
        Code::ChainTooLong,
        Code::Distinct,
        Code::GroupTooLarge,
        Code::SubjectTooLarge,
    ];

    fn example() -> Self {
        Self {
            from: example_name("Europe/Kiev"),
            into: example_name("Europe/Kyiv"),
            resolved: example_name("Europe/Kyiv"),
            was: Some(RowDigest([1; 32])),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.from.as_str().into(), self.into.as_str().into()]
    }

    fn guarded(&self) -> Option<(Table, RowKey)> {
        Some((Table::Merges, RowKey::of(&self.from)))
    }

    fn was_mut(&mut self) -> Option<&mut Option<RowDigest>> {
        Some(&mut self.was)
    }

    fn unfilled(&self) -> bool {
        self.resolved == unfilled()
    }

    fn rely(&mut self, scene: &Scene<'_>) -> Result<(), Stop> {
        let steps = graph::redirect_chain(scene, &self.into)?;
        self.resolved = steps.last().map_or(&self.into, |step| &step.to).clone();
        Ok(())
    }

    fn validate(&self) -> Result<(), Stop> {
        require_two(&self.from, &self.into)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let row = MergeRow {
            from: self.from.clone(),
            into: self.into.clone(),
        };
        let old = match scene.guard(&row.key(), self.was, Some(&row))? {
            Guard::Already => return Ok(()),
            Guard::Replaces(old) => old,
        };
        graph::require_entity(scene, &self.from)?;
        graph::require_entity(scene, &self.into)?;
        self.require_chain(scene)?;
        if let Some(old) = old {
            scene.remove::<MergeTargetRow>(RowKey::pair(old.into.as_str(), old.from.as_str()));
        }
        let twin = MergeTargetRow {
            from: row.from.clone(),
            into: row.into.clone(),
        };
        scene.put_both(&row, &twin);
        graph::require_sound_group(scene, &self.from)
    }
}

impl Merge {
    fn require_chain(&self, scene: &Scene<'_>) -> Result<(), Stop> {
        let below = graph::redirect_chain(scene, &self.into)?;
        if let Some(end) = below.iter().position(|step| step.to == self.from) {
            let path = graph::path_words(&self.into, &below[..=end]);
            let what = format!("`{}` -merge-> {path}", self.from);
            return Stop::refuse(Code::MergeCycle, what);
        }
        let ends = below.last().map_or(&self.into, |step| &step.to);
        if *ends != self.resolved {
            let what = format!(
                "`{}` is expected to lead to `{}`, found `{ends}`",
                self.into, self.resolved
            );
            return Stop::refuse(Code::Stale, what);
        }
        let links = graph::depth_above(scene, &self.from, Via::Redirect)? + 1 + below.len();
        graph::require_short_chain(links)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    fn merge(bench: &mut Bench, from: &str, into: &str) -> Result<usize, Code> {
        merge_expecting(bench, from, into, into)
    }

    fn merge_expecting(
        bench: &mut Bench,
        from: &str,
        into: &str,
        resolved: &str,
    ) -> Result<usize, Code> {
        let line =
            format!(r#"{{"op":"merge","from":"{from}","into":"{into}","resolved":"{resolved}"}}"#);
        bench.run(&line)
    }

    #[test]
    fn redirects_and_keeps_references() {
        let mut bench = Bench::default();
        bench
            .run(r#"{"op":"alias.set","alias":"Uzhgorod","target":"Kiev"}"#)
            .unwrap();
        merge(&mut bench, "Kiev", "Kyiv").unwrap();
        assert_eq!(bench.resolve("Uzhgorod"), "Kyiv");
        bench.run(r#"{"op":"unmerge","from":"Kiev"}"#).unwrap();
        assert_eq!(bench.resolve("Uzhgorod"), "Kiev");
    }

    #[test]
    fn relies_on_what_into_leads_to() {
        let mut bench = Bench::default();
        merge(&mut bench, "b", "c").unwrap();
        assert_eq!(merge(&mut bench, "a", "b"), Err(Code::Stale));
        assert_eq!(merge_expecting(&mut bench, "a", "b", "c"), Ok(2));
        assert_eq!(bench.resolve("a"), "c");
        assert_eq!(
            merge_expecting(&mut bench, "c", "a", "c"),
            Err(Code::MergeCycle)
        );
    }

    #[test]
    fn aliases_are_not_merged_and_representatives_are_not_redirected() {
        let mut bench = Bench::default();
        bench
            .run(r#"{"op":"alias.set","alias":"n","target":"a"}"#)
            .unwrap();
        assert_eq!(merge(&mut bench, "n", "b"), Err(Code::IsAlias));
        assert_eq!(merge(&mut bench, "b", "n"), Err(Code::IsAlias));
        merge(&mut bench, "a", "z").unwrap();
        assert_eq!(bench.resolve("a"), "z", "`a` is smaller but merged away");
    }

    #[test]
    fn chains_are_bounded_from_both_ends() {
        let mut bench = Bench::default();
        for i in 1..=16 {
            merge_expecting(
                &mut bench,
                &format!("n{}", i - 1),
                &format!("n{i}"),
                &format!("n{i}"),
            )
            .unwrap();
        }
        assert_eq!(merge(&mut bench, "n16", "n17"), Err(Code::ChainTooLong));
    }
}

//! `bind`: two entities are the same.

use super::*;
use crate::fold::graph;
use crate::model::rows::{EdgeRow, TableRow};
use serde::{Deserialize, Serialize};

/// Payload of `bind`. Its rows hold nothing but the two names, so there is nothing for a `was`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bind {
    /// One entity.
    pub a: Name,
    /// The other.
    pub b: Name,
}

/// The two fields of every kind that is about a pair.
pub(super) const PAIR: &[Field] = &[
    Field {
        name: "a",
        shape: "name",
        about: "one entity",
    },
    Field {
        name: "b",
        shape: "name",
        about: "the other",
    },
];

impl Kind for Bind {
    const OP: &'static str = "bind";
    const FAMILY: Family = Family::Equivalence;
    const ABOUT: &'static str = "Adds the edge {a, b}: the two are the same. Groups are the connected components of edges and redirects, at most 1,024 names each. Refused where it would connect two names that were declared distinct.";
    const FIELDS: &'static [Field] = PAIR;
    const CODES: &'static [Code] = &[
        Code::SelfReference,
        Code::IsAlias,
        Code::Distinct,
        Code::GroupTooLarge,
    ];

    fn example() -> Self {
        Self {
            a: example_name("wikidata:Q1899"),
            b: example_name("geonames:703448"),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.a.as_str().into(), self.b.as_str().into()]
    }

    fn validate(&self) -> Result<(), Stop> {
        require_two(&self.a, &self.b)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let half = |a: &Name, b: &Name| EdgeRow {
            a: a.clone(),
            b: b.clone(),
        };
        let (forth, back) = (half(&self.a, &self.b), half(&self.b, &self.a));
        if scene.has::<EdgeRow>(&forth.key())? {
            return Ok(());
        }
        graph::require_entity(scene, &self.a)?;
        graph::require_entity(scene, &self.b)?;
        scene.put(&forth);
        scene.put(&back);
        graph::require_sound_group(scene, &self.a)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    fn bind(bench: &mut Bench, a: &str, b: &str) -> Result<usize, Code> {
        bench.run(&format!(r#"{{"op":"bind","a":"{a}","b":"{b}"}}"#))
    }

    #[test]
    fn groups_are_components_in_any_direction() {
        let mut bench = Bench::default();
        assert_eq!(bind(&mut bench, "c", "b"), Ok(2));
        assert_eq!(bind(&mut bench, "b", "c"), Ok(0), "the same edge");
        assert_eq!(bind(&mut bench, "b", "a"), Ok(2));
        assert_eq!(bench.resolve("c"), "a");
        assert_eq!(bind(&mut bench, "a", "a"), Err(Code::SelfReference));
    }

    #[test]
    fn aliases_and_distinct_names_are_refused() {
        let mut bench = Bench::default();
        bench
            .run(r#"{"op":"alias.set","alias":"n","target":"a"}"#)
            .unwrap();
        assert_eq!(bind(&mut bench, "n", "b"), Err(Code::IsAlias));
        assert_eq!(bind(&mut bench, "b", "n"), Err(Code::IsAlias));
        bench
            .run(r#"{"op":"distinct","a":"a","b":"z","cut":[]}"#)
            .unwrap();
        bind(&mut bench, "z", "y").unwrap();
        assert_eq!(bind(&mut bench, "y", "a"), Err(Code::Distinct));
        assert_eq!(bench.resolve("a"), "a", "a refusal changes nothing");
    }

    #[test]
    fn groups_are_bounded() {
        let mut bench = Bench::default();
        for i in 1..1024 {
            bind(&mut bench, "n0", &format!("n{i}")).unwrap();
        }
        assert_eq!(bind(&mut bench, "n0", "one-more"), Err(Code::GroupTooLarge));
    }
}

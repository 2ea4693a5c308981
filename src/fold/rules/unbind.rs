//! `unbind`: takes one edge back.

use super::*;
use crate::model::rows::EdgeRow;
use crate::model::{RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `unbind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unbind {
    /// One end of the edge.
    pub a: Name,
    /// The other.
    pub b: Name,
    /// The half-row of `a` that it removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for Unbind {
    const OP: &'static str = "unbind";
    const FAMILY: Family = Family::Equivalence;
    const ABOUT: &'static str = "Removes the edge {a, b}. Where another path still connects the two, nothing splits; otherwise the old representative stays with its half.";
    const FIELDS: &'static [Field] = &[bind::PAIR[0], bind::PAIR[1], WAS];
    const CODES: &'static [Code] = &[Code::SelfReference, Code::Stale];

    fn example() -> Self {
        Self {
            a: example_name("wikidata:Q1899"),
            b: example_name("geonames:703448"),
            was: Some(RowDigest([1; 32])),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.a.as_str().into(), self.b.as_str().into()]
    }

    fn guarded(&self) -> Option<(Table, RowKey)> {
        Some((Table::Edges, RowKey::pair(self.a.as_str(), self.b.as_str())))
    }

    fn was_mut(&mut self) -> Option<&mut Option<RowDigest>> {
        Some(&mut self.was)
    }

    fn validate(&self) -> Result<(), Stop> {
        require_two(&self.a, &self.b)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        remove_both_ways::<EdgeRow>(scene, &self.a, &self.b, self.was)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;

    #[test]
    fn splits_only_where_no_other_path_is_left() {
        let mut bench = Bench::default();
        for (a, b) in [("a", "b"), ("b", "c"), ("c", "a")] {
            bench
                .run(&format!(r#"{{"op":"bind","a":"{a}","b":"{b}"}}"#))
                .unwrap();
        }
        bench.run(r#"{"op":"unbind","a":"c","b":"a"}"#).unwrap();
        assert_eq!(bench.resolve("c"), "a", "still connected by b");
        bench.run(r#"{"op":"unbind","a":"c","b":"b"}"#).unwrap();
        assert_eq!(bench.resolve("c"), "c");
        assert_eq!(bench.resolve("b"), "a");
        assert_eq!(bench.run(r#"{"op":"unbind","a":"c","b":"b"}"#), Ok(0));
    }
}

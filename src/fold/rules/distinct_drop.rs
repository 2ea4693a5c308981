//! `distinct.drop`: takes back a declaration that two entities are not the same.

use super::*;
use crate::model::rows::DistinctRow;
use crate::model::{RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `distinct.drop`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DistinctDrop {
    /// One entity.
    pub a: Name,
    /// The other.
    pub b: Name,
    /// The half-row of `a` that it removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for DistinctDrop {
    const OP: &'static str = "distinct.drop";
    const FAMILY: Family = Family::Equivalence;
    const ABOUT: &'static str = "Takes back a `distinct`. Edges that it cut stay cut.";
    const FIELDS: &'static [Field] = &[bind::PAIR[0], bind::PAIR[1], WAS];
    const CODES: &'static [Code] = &[Code::SelfReference, Code::Stale];

    fn example() -> Self {
        Self {
            a: example_name("Georgia (country)"),
            b: example_name("Georgia (state)"),
            was: Some(RowDigest([1; 32])),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.a.as_str().into(), self.b.as_str().into()]
    }

    fn guarded(&self) -> Option<(Table, RowKey)> {
        Some((
            Table::Distinct,
            RowKey::pair(self.a.as_str(), self.b.as_str()),
        ))
    }

    fn was_mut(&mut self) -> Option<&mut Option<RowDigest>> {
        Some(&mut self.was)
    }

    fn validate(&self) -> Result<(), Stop> {
        require_two(&self.a, &self.b)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        remove_both_ways::<DistinctRow>(scene, &self.a, &self.b, self.was)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    #[test]
    fn lets_the_two_be_bound_again() {
        let mut bench = Bench::default();
        bench
            .run(r#"{"op":"distinct","a":"a","b":"b","cut":[]}"#)
            .unwrap();
        assert_eq!(
            bench.run(r#"{"op":"bind","a":"a","b":"b"}"#),
            Err(Code::Distinct)
        );
        // The other direction is the same declaration.
        assert_eq!(
            bench.run(r#"{"op":"distinct.drop","a":"b","b":"a"}"#),
            Ok(2)
        );
        assert_eq!(bench.run(r#"{"op":"bind","a":"a","b":"b"}"#), Ok(2));
    }
}

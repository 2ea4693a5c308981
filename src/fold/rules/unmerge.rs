//! `unmerge`: takes one redirect back.

use super::*;
use crate::model::rows::{MergeRow, MergeTargetRow};
use crate::model::{RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `unmerge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unmerge {
    /// The entity that was merged away.
    pub from: Name,
    /// The redirect it removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for Unmerge {
    const OP: &'static str = "unmerge";
    const FAMILY: Family = Family::Equivalence;
    const ABOUT: &'static str =
        "Takes back exactly the merge of `from`; what had pointed at `from` points at it again.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "from",
            shape: "name",
            about: "the entity that was merged away",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[Code::Stale];

    fn example() -> Self {
        Self {
            from: example_name("Europe/Kiev"),
            was: Some(RowDigest([1; 32])),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.from.as_str().into()]
    }

    fn guarded(&self) -> Option<(Table, RowKey)> {
        Some((Table::Merges, RowKey::of(&self.from)))
    }

    fn was_mut(&mut self) -> Option<&mut Option<RowDigest>> {
        Some(&mut self.was)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let key = RowKey::of(&self.from);
        if let Guard::Replaces(Some(old)) = scene.guard::<MergeRow>(&key, self.was, None)? {
            scene.remove::<MergeRow>(key);
            scene.remove::<MergeTargetRow>(RowKey::pair(old.into.as_str(), old.from.as_str()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;

    #[test]
    fn gives_back_exactly_the_earlier_state() {
        let mut bench = Bench::default();
        bench.run(r#"{"op":"bind","a":"a","b":"x"}"#).unwrap();
        bench
            .run(r#"{"op":"merge","from":"q","into":"x","resolved":"x"}"#)
            .unwrap();
        let before = bench.view.clone();
        bench
            .run(r#"{"op":"merge","from":"x","into":"y","resolved":"y"}"#)
            .unwrap();
        assert_eq!(bench.resolve("q"), "a");
        assert_ne!(bench.view, before);
        bench.run(r#"{"op":"unmerge","from":"x"}"#).unwrap();
        assert_eq!(bench.view, before);
        assert_eq!(bench.run(r#"{"op":"unmerge","from":"x"}"#), Ok(0));
    }
}

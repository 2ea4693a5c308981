//! `alias.drop`: a name stands for nothing else any more.

use super::*;
use crate::model::rows::{AliasRow, AliasTargetRow};
use crate::model::{RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `alias.drop`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AliasDrop {
    /// The name.
    pub alias: Name,
    /// The row it removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for AliasDrop {
    const OP: &'static str = "alias.drop";
    const FAMILY: Family = Family::Names;
    const ABOUT: &'static str = "Removes an alias. Aliases that pointed at it keep pointing at the name, which is then an entity.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "alias",
            shape: "name",
            about: "the alias to remove",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[Code::Stale];

    fn example() -> Self {
        Self {
            alias: example_name("US/Eastern"),
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

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let key = RowKey::of(&self.alias);
        if let Guard::Replaces(Some(old)) = scene.guard::<AliasRow>(&key, self.was, None)? {
            scene.remove::<AliasRow>(key);
            scene.remove::<AliasTargetRow>(RowKey::pair(old.target.as_str(), old.alias.as_str()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    #[test]
    fn removes_both_rows_and_is_guarded() {
        let mut bench = Bench::default();
        bench
            .run(r#"{"op":"alias.set","alias":"a","target":"b"}"#)
            .unwrap();
        let blind = AliasDrop {
            alias: example_name("a"),
            was: None,
        };
        let blind = crate::fold::Decision::AliasDrop(blind);
        assert_eq!(bench.exact(&blind), Err(Code::Stale));
        assert_eq!(bench.run(r#"{"op":"alias.drop","alias":"a"}"#), Ok(2));
        assert_eq!(bench.view, crate::fold::MemoryView::default());
        assert_eq!(bench.exact(&blind), Ok(0), "already gone is no fault");
    }
}

//! `pin`: a name is preferred as its group's representative.

use super::*;
use crate::fold::graph;
use crate::model::rows::{PinRow, TableRow};
use serde::{Deserialize, Serialize};

/// Payload of `pin`. Its row holds nothing but the name, so there is nothing for a `was`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The name.
    pub name: Name,
}

impl Kind for Pin {
    const OP: &'static str = "pin";
    const FAMILY: Family = Family::Equivalence;
    const ABOUT: &'static str = "Prefers an entity as its group's representative, which is the smallest pinned member, else the smallest; members that were merged away never are.";
    const FIELDS: &'static [Field] = &[Field {
        name: "name",
        shape: "name",
        about: "the entity",
    }];
    const CODES: &'static [Code] = &[Code::IsAlias];

    fn example() -> Self {
        Self {
            name: example_name("Europe/Kyiv"),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into()]
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let row = PinRow {
            name: self.name.clone(),
        };
        if !scene.has::<PinRow>(&row.key())? {
            graph::require_entity(scene, &self.name)?;
            scene.put(&row);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    #[test]
    fn the_smallest_pinned_member_represents() {
        let mut bench = Bench::default();
        bench.run(r#"{"op":"bind","a":"a","b":"b"}"#).unwrap();
        bench.run(r#"{"op":"bind","a":"b","b":"c"}"#).unwrap();
        bench.run(r#"{"op":"pin","name":"c"}"#).unwrap();
        assert_eq!(bench.resolve("a"), "c");
        bench.run(r#"{"op":"pin","name":"b"}"#).unwrap();
        assert_eq!(bench.resolve("a"), "b");
        bench.run(r#"{"op":"unpin","name":"b"}"#).unwrap();
        bench.run(r#"{"op":"unpin","name":"c"}"#).unwrap();
        assert_eq!(bench.resolve("c"), "a");
        bench
            .run(r#"{"op":"alias.set","alias":"n","target":"a"}"#)
            .unwrap();
        assert_eq!(bench.run(r#"{"op":"pin","name":"n"}"#), Err(Code::IsAlias));
    }
}

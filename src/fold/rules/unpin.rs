//! `unpin`: a name is no longer preferred.

use super::*;
use crate::model::rows::PinRow;
use crate::model::{RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `unpin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unpin {
    /// The name.
    pub name: Name,
    /// The row it removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for Unpin {
    const OP: &'static str = "unpin";
    const FAMILY: Family = Family::Equivalence;
    const ABOUT: &'static str = "Takes back a `pin`.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "name",
            shape: "name",
            about: "the entity",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[Code::Stale];

    fn example() -> Self {
        Self {
            name: example_name("Europe/Kyiv"),
            was: Some(RowDigest([1; 32])),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into()]
    }

    fn guarded(&self) -> Option<(Table, RowKey)> {
        Some((Table::Pins, RowKey::of(&self.name)))
    }

    fn was_mut(&mut self) -> Option<&mut Option<RowDigest>> {
        Some(&mut self.was)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let key = RowKey::of(&self.name);
        if let Guard::Replaces(_) = scene.guard::<PinRow>(&key, self.was, None)? {
            scene.remove::<PinRow>(key);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    #[test]
    fn is_guarded_and_does_nothing_twice() {
        let mut bench = Bench::default();
        bench.run(r#"{"op":"pin","name":"a"}"#).unwrap();
        let blind = crate::fold::Decision::Unpin(Unpin {
            name: example_name("a"),
            was: None,
        });
        assert_eq!(bench.exact(&blind), Err(Code::Stale));
        assert_eq!(bench.run(r#"{"op":"unpin","name":"a"}"#), Ok(1));
        assert_eq!(bench.exact(&blind), Ok(0));
    }
}

//! `artifact.restore`: a tombstone is lifted.

use super::*;
use crate::fold::artifacts;
use crate::model::rows::ArtifactRow;
use crate::model::{ContentDigest, RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `artifact.restore`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactRestore {
    /// The artifact's key.
    pub artifact: ContentDigest,
    /// The row with the tombstone that it lifts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for ArtifactRestore {
    const OP: &'static str = "artifact.restore";
    const FAMILY: Family = Family::Artifacts;
    const ABOUT: &'static str = "Lifts a tombstone, and exactly the one that it names. What was published is as it was before; of a key that never was, nothing is left.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "artifact",
            shape: "BLAKE3 digest",
            about: "the artifact's key",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[Code::Stale];

    fn example() -> Self {
        Self {
            artifact: ContentDigest([3; 32]),
            was: Some(RowDigest([1; 32])),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.artifact.to_hex().into()]
    }

    fn guarded(&self) -> Option<(Table, RowKey)> {
        Some((Table::Artifacts, artifacts::place(&self.artifact)))
    }

    fn was_mut(&mut self) -> Option<&mut Option<RowDigest>> {
        Some(&mut self.was)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let lifted = artifacts::row(scene, &self.artifact)?
            .filter(|row| row.size.is_some())
            .map(|row| ArtifactRow {
                tombstone: None,
                ..row
            });
        let key = artifacts::place(&self.artifact);
        if let Guard::Replaces(_) = scene.guard(&key, self.was, lifted.as_ref())? {
            match &lifted {
                Some(row) => scene.put(row),
                None => scene.remove::<ArtifactRow>(key),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;
    use crate::fold::Decision;

    const KEY: ContentDigest = ContentDigest([5; 32]);

    fn on(op: &str, rest: &str) -> String {
        format!(r#"{{"op":"artifact.{op}","artifact":"{KEY}"{rest}}}"#)
    }

    #[test]
    fn what_was_published_is_as_it_was() {
        let mut bench = Bench::default();
        let publish = on(
            "publish",
            r#","size":3,"media":"text/plain","source":{"domain":"0404040404040404040404040404040404040404040404040404040404040404","snapshot":7}"#,
        );
        bench.run(&publish).unwrap();
        let before = bench
            .scene()
            .digest(Table::Artifacts, &artifacts::place(&KEY));
        assert_eq!(bench.run(&on("restore", "")), Ok(0), "nothing to lift");
        bench.run(&on("tombstone", r#","reason":"wrong""#)).unwrap();
        assert_eq!(bench.run(&on("restore", "")), Ok(1));
        let after = bench
            .scene()
            .digest(Table::Artifacts, &artifacts::place(&KEY));
        assert_eq!(after.unwrap(), before.unwrap());
    }

    #[test]
    fn of_a_bare_key_nothing_is_left() {
        let mut bench = Bench::default();
        assert_eq!(bench.run(&on("restore", "")), Ok(0));
        bench.run(&on("tombstone", r#","reason":"wrong""#)).unwrap();
        assert_eq!(bench.run(&on("restore", "")), Ok(1));
        assert_eq!(bench.view, crate::fold::MemoryView::default());
    }

    #[test]
    fn lifts_the_tombstone_that_it_names_and_no_other() {
        let mut bench = Bench::default();
        bench.run(&on("tombstone", r#","reason":"wrong""#)).unwrap();
        let key = artifacts::place(&KEY);
        let was = bench.scene().digest(Table::Artifacts, &key).unwrap();
        let named = |was| {
            let artifact = KEY;
            Decision::ArtifactRestore(ArtifactRestore { artifact, was })
        };
        assert_eq!(bench.exact(&named(None)), Err(Code::Stale));
        bench
            .run(&on("tombstone", r#","reason":"secret""#))
            .unwrap();
        assert_eq!(bench.exact(&named(was)), Err(Code::Stale));
        let was = bench.scene().digest(Table::Artifacts, &key).unwrap();
        assert_eq!(bench.exact(&named(was)), Ok(1));
        assert_eq!(bench.exact(&named(was)), Ok(0), "already gone is no fault");
    }
}

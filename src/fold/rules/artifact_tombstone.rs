//! `artifact.tombstone`: an artifact is withdrawn.

use super::*;
use crate::fold::artifacts;
use crate::model::rows::ArtifactRow;
use crate::model::{ContentDigest, Note, RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `artifact.tombstone`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactTombstone {
    /// The artifact's key.
    pub artifact: ContentDigest,
    /// Why.
    pub reason: Note,
    /// The row it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for ArtifactTombstone {
    const OP: &'static str = "artifact.tombstone";
    const FAMILY: Family = Family::Artifacts;
    const ABOUT: &'static str = "Withdraws an artifact and says why. A published one stays listed, with the reason; a key that was never published can be withdrawn too, and then cannot be. Nothing new is built on it; layers that have it as patch stay. No bytes are erased by it.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "artifact",
            shape: "BLAKE3 digest",
            about: "the artifact's key",
        },
        Field {
            name: "reason",
            shape: "text, 1 to 4,096 bytes",
            about: "why it is withdrawn",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[Code::TextInvalid, Code::Stale];

    fn example() -> Self {
        Self {
            artifact: ContentDigest([3; 32]),
            reason: Note::new("It was made for another release").expect("a valid text"),
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

    fn validate(&self) -> Result<(), Stop> {
        match self.reason.as_str() {
            "" => Stop::refuse(Code::TextInvalid, "expected a reason, found none"),
            _ => Ok(()),
        }
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let bare = ArtifactRow {
            artifact: self.artifact,
            media: None,
            size: None,
            source: None,
            tombstone: None,
        };
        let row = ArtifactRow {
            tombstone: Some(self.reason.clone()),
            ..artifacts::row(scene, &self.artifact)?.unwrap_or(bare)
        };
        let key = artifacts::place(&self.artifact);
        if let Guard::Replaces(_) = scene.guard(&key, self.was, Some(&row))? {
            scene.put(&row);
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

    fn tombstone(reason: &str) -> String {
        format!(r#"{{"op":"artifact.tombstone","artifact":"{KEY}","reason":"{reason}"}}"#)
    }

    fn row(bench: &Bench) -> ArtifactRow {
        artifacts::row(&bench.scene(), &KEY).unwrap().unwrap()
    }

    #[test]
    fn what_was_published_stays_listed() {
        let mut bench = Bench::default();
        let publish = format!(r#"{{"op":"artifact.publish","artifact":"{KEY}","size":3}}"#);
        bench.run(&publish).unwrap();
        let published = row(&bench);
        assert_eq!(bench.run(&tombstone("wrong")), Ok(1));
        assert_eq!(bench.run(&tombstone("wrong")), Ok(0));
        let withdrawn = row(&bench);
        assert_eq!(withdrawn.tombstone, Some(Note::new("wrong").unwrap()));
        let lifted = ArtifactRow {
            tombstone: None,
            ..withdrawn
        };
        assert_eq!(lifted, published);
    }

    #[test]
    fn another_reason_replaces_the_one_it_knows() {
        let mut bench = Bench::default();
        bench.run(&tombstone("wrong")).unwrap();
        assert_eq!((row(&bench).size, row(&bench).media), (None, None));
        let blind = Decision::parse_lenient(&tombstone("secret")).unwrap();
        assert_eq!(bench.exact(&blind), Err(Code::Stale));
        assert_eq!(bench.run(&tombstone("secret")), Ok(1));
        assert_eq!(row(&bench).tombstone, Some(Note::new("secret").unwrap()));
        assert_eq!(bench.exact(&blind), Ok(0), "it stands as it wants it");
    }

    #[test]
    fn a_reason_is_given() {
        let mut bench = Bench::default();
        assert_eq!(bench.run(&tombstone("")), Err(Code::TextInvalid));
        assert_eq!(bench.run(&tombstone(" wrong")), Err(Code::TextInvalid));
    }
}

//! `artifact.publish`: bytes that others may have.

use super::*;
use crate::fold::artifacts;
use crate::model::rows::{ArtifactRow, Source};
use crate::model::{ContentDigest, MediaType, Number, RowDigest, RowKey, SpaceId, Table, limits};
use serde::{Deserialize, Serialize};

/// Payload of `artifact.publish`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactPublish {
    /// The artifact's key.
    pub artifact: ContentDigest,
    /// What its bytes are.
    #[serde(default = "ArtifactPublish::untyped")]
    pub media: MediaType,
    /// How many bytes it has.
    pub size: u64,
    /// The space that it comes from, where it is not this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The row it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl ArtifactPublish {
    /// The media type of bytes that nobody says more about.
    pub fn untyped() -> MediaType {
        MediaType::new("application/octet-stream").expect("a valid media type")
    }

    fn row(&self) -> ArtifactRow {
        ArtifactRow {
            artifact: self.artifact,
            media: Some(self.media.clone()),
            size: Some(self.size),
            source: self.source.clone(),
            tombstone: None,
        }
    }
}

impl Kind for ArtifactPublish {
    const OP: &'static str = "artifact.publish";
    const FAMILY: Family = Family::Artifacts;
    const ABOUT: &'static str = "Publishes an artifact: whoever has the space may have its bytes. A key has one size for ever; its media type and source can be said anew. One that is withdrawn must be restored first.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "artifact",
            shape: "BLAKE3 digest",
            about: "the artifact's key: the digest of its bytes",
        },
        Field {
            name: "media",
            shape: "`type/subtype` in lower case, at most 127 bytes",
            about: "what the bytes are; `application/octet-stream` where a draft leaves it out",
        },
        Field {
            name: "size",
            shape: "integer, at most 68,719,476,736",
            about: "how many bytes it has",
        },
        Field {
            name: "source",
            shape: "{domain, snapshot}: space id, integer from 1; left out for none",
            about: "the space that it comes from, and the snapshot there that lists it",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[
        Code::TooLarge,
        Code::ArtifactTombstoned,
        Code::ArtifactMismatch,
        Code::Stale,
    ];

    fn example() -> Self {
        Self {
            artifact: ContentDigest([3; 32]),
            media: MediaType::new("text/x-patch").expect("a valid media type"),
            size: 1_234,
            source: Some(Source {
                domain: SpaceId([4; 32]),
                snapshot: Number(7),
            }),
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
        if self.size > limits::ARTIFACT {
            let what = format!(
                "expected an artifact of at most {} bytes, found {}",
                limits::ARTIFACT,
                self.size
            );
            return Stop::refuse(Code::TooLarge, what);
        }
        match self.source.as_ref().map(|source| source.snapshot.0) {
            Some(0) => Stop::refuse(Code::JsonMalformed, "snapshots are numbered from 1"),
            Some(limits::INTEGER..) => Stop::refuse(Code::TooLarge, "expected a number below 2^53"),
            _ => Ok(()),
        }
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        artifacts::require_standing(scene, &self.artifact)?;
        let old = artifacts::row(scene, &self.artifact)?;
        if let Some(size) = old.and_then(|row| row.size)
            && size != self.size
        {
            let what = format!(
                "{} has {size} bytes, and the decision says {}",
                self.artifact, self.size
            );
            return Stop::refuse(Code::ArtifactMismatch, what);
        }
        let row = self.row();
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

    fn publish(rest: &str) -> String {
        format!(r#"{{"op":"artifact.publish","artifact":"{KEY}"{rest}}}"#)
    }

    #[test]
    fn publishes_says_anew_and_does_nothing_twice() {
        let mut bench = Bench::default();
        let plain = publish(r#","size":3"#);
        assert_eq!(bench.run(&plain), Ok(1));
        assert_eq!(bench.run(&plain), Ok(0));
        let row = artifacts::row(&bench.scene(), &KEY).unwrap().unwrap();
        assert_eq!(row.media, Some(ArtifactPublish::untyped()));
        assert_eq!((row.size, row.source, row.tombstone), (Some(3), None, None));
        let typed = publish(r#","size":3,"media":"text/plain""#);
        let blind = Decision::parse_lenient(&typed).unwrap();
        assert_eq!(bench.exact(&blind), Err(Code::Stale));
        assert_eq!(bench.run(&typed), Ok(1));
        assert_eq!(bench.exact(&blind), Ok(0), "it stands as it wants it");
    }

    #[test]
    fn a_key_has_one_size() {
        let mut bench = Bench::default();
        assert_eq!(bench.run(&publish(r#","size":0"#)), Ok(1));
        let other = publish(r#","size":1"#);
        assert_eq!(bench.run(&other), Err(Code::ArtifactMismatch));
        let largest = limits::ARTIFACT;
        let mut bench = Bench::default();
        let of = |size: u64| publish(&format!(r#","size":{size}"#));
        assert_eq!(bench.run(&of(largest + 1)), Err(Code::TooLarge));
        assert_eq!(bench.run(&of(largest)), Ok(1));
    }

    #[test]
    fn a_withdrawn_artifact_is_not_published() {
        let mut bench = Bench::default();
        let on = |op: &str| format!(r#"{{"op":"artifact.{op}","artifact":"{KEY}""#);
        let tombstone = on("tombstone") + r#","reason":"wrong"}"#;
        let plain = publish(r#","size":3"#);
        // Whether it was published before, or nobody has ever seen it.
        for _ in 0..2 {
            assert_eq!(bench.run(&tombstone), Ok(1));
            assert_eq!(bench.run(&plain), Err(Code::ArtifactTombstoned));
            assert_eq!(bench.run(&(on("restore") + "}")), Ok(1));
            bench.run(&plain).unwrap();
        }
    }

    #[test]
    fn a_source_is_a_snapshot_that_can_be_there() {
        let from = |snapshot: u64| {
            let domain = SpaceId([4; 32]);
            let source = format!(r#"{{"domain":"{domain}","snapshot":{snapshot}}}"#);
            publish(&format!(r#","size":3,"source":{source}"#))
        };
        let mut bench = Bench::default();
        assert_eq!(bench.run(&from(0)), Err(Code::JsonMalformed));
        assert_eq!(bench.run(&from(1 << 53)), Err(Code::TooLarge));
        assert_eq!(bench.run(&from((1 << 53) - 1)), Ok(1));
        assert_eq!(bench.run(&from(2)), Ok(1));
        let row = artifacts::row(&bench.scene(), &KEY).unwrap().unwrap();
        assert_eq!(row.source.unwrap().snapshot, Number(2));
    }
}

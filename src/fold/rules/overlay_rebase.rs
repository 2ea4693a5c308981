//! `overlay.rebase`: a layer is made again for another base.

use super::*;
use crate::fold::artifacts;
use crate::model::rows::LayerRow;
use crate::model::{ContentDigest, LayerId, RowDigest, RowKey, Table, Version};
use serde::{Deserialize, Serialize};

/// Payload of `overlay.rebase`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverlayRebase {
    /// The new base.
    pub base: Version,
    /// The base it expects.
    #[serde(default = "unfilled_base")]
    pub from: Version,
    /// The layer.
    pub id: LayerId,
    /// The new patch artifact.
    pub patch: ContentDigest,
    /// What the layer lies on.
    pub target: Name,
    /// The row it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

fn unfilled_base() -> Version {
    Version::new("?").expect("a valid version")
}

impl OverlayRebase {
    fn key(&self) -> RowKey {
        RowKey::pair(self.target.as_str(), self.id.to_hex())
    }
}

impl Kind for OverlayRebase {
    const OP: &'static str = "overlay.rebase";
    const FAMILY: Family = Family::Overlays;
    const ABOUT: &'static str = "Makes a layer again for another version of its target. It names the base it expects (`from`) and keeps its place and id. The new patch is no withdrawn artifact.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "base",
            shape: "text, 1 to 512 bytes",
            about: "the new base",
        },
        Field {
            name: "from",
            shape: "text, 1 to 512 bytes",
            about: "the base it expects; filled in for you",
        },
        Field {
            name: "id",
            shape: "layer id",
            about: "the layer",
        },
        Field {
            name: "patch",
            shape: "BLAKE3 digest",
            about: "the new patch artifact",
        },
        Field {
            name: "target",
            shape: "name",
            about: "what the layer lies on",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[
        Code::NoSuchLayer,
        Code::Stale,
        Code::BaseMoved,
        Code::ArtifactTombstoned,
    ];

    fn example() -> Self {
        Self {
            base: Version::new("3.0.14").expect("a valid version"),
            from: Version::new("3.0.13").expect("a valid version"),
            id: LayerId([2; 32]),
            patch: ContentDigest([3; 32]),
            target: example_name("debian/openssl"),
            was: Some(RowDigest([1; 32])),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.target.as_str().into()]
    }

    fn guarded(&self) -> Option<(Table, RowKey)> {
        Some((Table::Overlays, self.key()))
    }

    fn was_mut(&mut self) -> Option<&mut Option<RowDigest>> {
        Some(&mut self.was)
    }

    fn unfilled(&self) -> bool {
        self.from == unfilled_base()
    }

    fn rely(&mut self, scene: &Scene<'_>) -> Result<(), Stop> {
        if let Some(layer) = scene.get::<LayerRow>(&self.key())? {
            self.from = layer.base;
        }
        Ok(())
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let Some(layer) = scene.get::<LayerRow>(&self.key())? else {
            let what = format!("`{}` has no layer {}", self.target, self.id);
            return Stop::refuse(Code::NoSuchLayer, what);
        };
        let row = LayerRow {
            base: self.base.clone(),
            patch: self.patch,
            ..layer.clone()
        };
        if let Guard::Already = scene.guard(&self.key(), self.was, Some(&row))? {
            return Ok(());
        }
        if layer.base != self.from {
            let what = format!("expected the base `{}`, found `{}`", self.from, layer.base);
            return Stop::refuse(Code::BaseMoved, what);
        }
        artifacts::require_standing(scene, &self.patch)?;
        scene.put(&row);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;
    use crate::fold::Decision;

    #[test]
    fn names_the_base_it_expects() {
        let mut bench = Bench::default();
        let add = OverlayAdd {
            after: None,
            target: example_name("t"),
            ..OverlayAdd::example()
        };
        bench.exact(&Decision::OverlayAdd(add)).unwrap();
        let layers: Vec<LayerRow> = bench.scene().list("t").unwrap();
        let mut rebase = OverlayRebase {
            id: layers[0].id,
            target: example_name("t"),
            was: None,
            ..OverlayRebase::example()
        };
        let as_is = |rebase: &OverlayRebase| Decision::OverlayRebase(rebase.clone());
        assert_eq!(bench.exact(&as_is(&rebase)), Err(Code::Stale));
        rebase.was = bench
            .scene()
            .digest(Table::Overlays, &rebase.key())
            .unwrap();
        rebase.from = Version::new("2").unwrap();
        assert_eq!(bench.exact(&as_is(&rebase)), Err(Code::BaseMoved));
        rebase.from = Version::new("3.0.13").unwrap();
        assert_eq!(bench.exact(&as_is(&rebase)), Ok(1));
        assert_eq!(bench.exact(&as_is(&rebase)), Ok(0));
        let line = format!(
            r#"{{"op":"artifact.tombstone","artifact":"{}","reason":"wrong"}}"#,
            rebase.patch
        );
        bench.run(&line).unwrap();
        assert_eq!(bench.exact(&as_is(&rebase)), Ok(0), "it stands already");
        rebase.was = bench
            .scene()
            .digest(Table::Overlays, &rebase.key())
            .unwrap();
        rebase.from = Version::new("3.0.14").unwrap();
        rebase.base = Version::new("3.0.15").unwrap();
        assert_eq!(bench.exact(&as_is(&rebase)), Err(Code::ArtifactTombstoned));
        rebase.patch = ContentDigest([4; 32]);
        assert_eq!(bench.exact(&as_is(&rebase)), Ok(1));
        rebase.id = LayerId([8; 32]);
        assert_eq!(bench.exact(&as_is(&rebase)), Err(Code::NoSuchLayer));
    }
}

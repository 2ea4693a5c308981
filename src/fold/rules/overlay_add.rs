//! `overlay.add`: a layer over something that others own.

use super::*;
use crate::crypto::digest;
use crate::fold::{artifacts, graph};
use crate::model::rows::LayerRow;
use crate::model::{ContentDigest, LayerId, Version, limits};
use serde::{Deserialize, Serialize};

/// Payload of `overlay.add`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverlayAdd {
    /// The layer below, or none for the lowest.
    #[serde(default)]
    pub after: Option<LayerId>,
    /// The version of the target that the patch was made for.
    pub base: Version,
    /// The patch artifact.
    pub patch: ContentDigest,
    /// What it lies on.
    pub target: Name,
}

impl Kind for OverlayAdd {
    const OP: &'static str = "overlay.add";
    const FAMILY: Family = Family::Overlays;
    const ABOUT: &'static str = "Adds a layer to the stack over a target. The layer's id is a digest of its proposal and its index there. It names the layer it comes `after` (null for the lowest), so that of two that claim one place the second is `stale`. The patch is no withdrawn artifact.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "after",
            shape: "layer id or null",
            about: "the layer below; filled in for you",
        },
        Field {
            name: "base",
            shape: "text, 1 to 512 bytes",
            about: "the version of the target that the patch was made for",
        },
        Field {
            name: "patch",
            shape: "BLAKE3 digest",
            about: "the patch artifact",
        },
        Field {
            name: "target",
            shape: "name",
            about: "what the layer lies on",
        },
    ];
    const CODES: &'static [Code] = &[
        Code::IsAlias,
        Code::NoSuchLayer,
        Code::Stale,
        Code::SubjectTooLarge,
        Code::ArtifactTombstoned,
    ];
    const PLACED: bool = true;

    fn example() -> Self {
        Self {
            after: Some(LayerId([2; 32])),
            base: Version::new("3.0.13").expect("a valid version"),
            patch: ContentDigest([3; 32]),
            target: example_name("debian/openssl"),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.target.as_str().into()]
    }

    fn unfilled(&self) -> bool {
        // A null below an existing stack would be refused anyway, so filling it in takes nothing away.
        self.after.is_none()
    }

    fn rely(&mut self, scene: &Scene<'_>) -> Result<(), Stop> {
        let layers: Vec<LayerRow> = scene.list(self.target.as_str())?;
        self.after = stack(&layers).last().map(|layer| layer.id);
        Ok(())
    }

    fn apply(&self, scene: &mut Scene<'_>, place: Place) -> Result<(), Stop> {
        graph::require_entity(scene, &self.target)?;
        artifacts::require_standing(scene, &self.patch)?;
        let layers: Vec<LayerRow> = scene.list(self.target.as_str())?;
        if layers.len() >= limits::GROUP {
            let what = format!("`{}` has {} layers already", self.target, layers.len());
            return Stop::refuse(Code::SubjectTooLarge, what);
        }
        if let Some(below) = self.after
            && !layers.iter().any(|layer| layer.id == below)
        {
            let what = format!("`{}` has no layer {below} to come after", self.target);
            return Stop::refuse(Code::NoSuchLayer, what);
        }
        if let Some(taken) = layers.iter().find(|layer| layer.after == self.after) {
            let below = self
                .after
                .map_or("at the bottom".into(), |id| format!("after {}", id.short()));
            let what = format!(
                "the place {below} on `{}` is taken by layer {}",
                self.target, taken.id
            );
            return Stop::refuse(Code::Stale, what);
        }
        scene.put(&LayerRow {
            after: self.after,
            base: self.base.clone(),
            id: digest::layer(&place.proposal, place.index),
            patch: self.patch,
            target: self.target.clone(),
        });
        Ok(())
    }
}

/// The layers of one target from the lowest to the highest.
pub fn stack(layers: &[LayerRow]) -> Vec<&LayerRow> {
    let mut ordered: Vec<&LayerRow> = Vec::with_capacity(layers.len());
    while let Some(next) = layers
        .iter()
        .find(|l| l.after == ordered.last().map(|below| below.id))
    {
        // Each layer is after exactly one other, so this ends; the bound holds for damaged states too.
        if ordered.len() == layers.len() {
            break;
        }
        ordered.push(next);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    fn add(bench: &mut Bench, after: Option<LayerId>) -> Result<usize, Code> {
        let decision = OverlayAdd {
            after,
            target: example_name("t"),
            ..OverlayAdd::example()
        };
        bench.exact(&crate::fold::Decision::OverlayAdd(decision))
    }

    fn ids(bench: &Bench) -> Vec<LayerId> {
        let layers: Vec<LayerRow> = bench.scene().list("t").unwrap();
        stack(&layers).iter().map(|layer| layer.id).collect()
    }

    #[test]
    fn a_place_is_claimed_once() {
        let mut bench = Bench::default();
        assert_eq!(add(&mut bench, None), Ok(1));
        assert_eq!(add(&mut bench, None), Err(Code::Stale));
        let first = ids(&bench)[0];
        assert_eq!(add(&mut bench, Some(first)), Ok(1));
        assert_eq!(add(&mut bench, Some(first)), Err(Code::Stale));
        assert_eq!(
            add(&mut bench, Some(LayerId([9; 32]))),
            Err(Code::NoSuchLayer)
        );
        assert_eq!(ids(&bench).len(), 2);
        assert_eq!(ids(&bench)[0], first);
    }

    #[test]
    fn a_withdrawn_patch_makes_no_layer() {
        let mut bench = Bench::default();
        let key = OverlayAdd::example().patch;
        let line = format!(r#"{{"op":"artifact.tombstone","artifact":"{key}","reason":"wrong"}}"#);
        bench.run(&line).unwrap();
        assert_eq!(add(&mut bench, None), Err(Code::ArtifactTombstoned));
        let line = format!(r#"{{"op":"artifact.restore","artifact":"{key}"}}"#);
        bench.run(&line).unwrap();
        assert_eq!(add(&mut bench, None), Ok(1));
    }

    #[test]
    fn layers_lie_on_entities() {
        let mut bench = Bench::default();
        bench
            .run(r#"{"op":"alias.set","alias":"t","target":"u"}"#)
            .unwrap();
        assert_eq!(add(&mut bench, None), Err(Code::IsAlias));
    }
}

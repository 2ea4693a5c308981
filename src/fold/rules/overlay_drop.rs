//! `overlay.drop`: a layer leaves the stack.

use super::*;
use crate::model::rows::LayerRow;
use crate::model::{LayerId, RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// How a layer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// The owner of the target took it in.
    Applied,
    /// The owner of the target refused it.
    Rejected,
    /// Its authors took it back.
    Withdrawn,
}

/// Payload of `overlay.drop`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverlayDrop {
    /// The layer.
    pub id: LayerId,
    /// What the layer lies on.
    pub target: Name,
    /// The row it removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
    /// How the layer ended.
    #[serde(rename = "as")]
    pub ending: Ending,
}

impl OverlayDrop {
    fn key(&self) -> RowKey {
        RowKey::pair(self.target.as_str(), self.id.to_hex())
    }
}

impl Kind for OverlayDrop {
    const OP: &'static str = "overlay.drop";
    const FAMILY: Family = Family::Overlays;
    const ABOUT: &'static str = "Takes a layer off the stack and says how it ended. The layer above it, if any, then comes after the one below.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "as",
            shape: "`applied`, `rejected` or `withdrawn`",
            about: "how the layer ended",
        },
        Field {
            name: "id",
            shape: "layer id",
            about: "the layer",
        },
        Field {
            name: "target",
            shape: "name",
            about: "what the layer lies on",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[Code::Stale];

    fn example() -> Self {
        Self {
            id: LayerId([2; 32]),
            target: example_name("debian/openssl"),
            was: Some(RowDigest([1; 32])),
            ending: Ending::Applied,
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

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let Guard::Replaces(Some(gone)) = scene.guard::<LayerRow>(&self.key(), self.was, None)?
        else {
            return Ok(());
        };
        let layers: Vec<LayerRow> = scene.list(self.target.as_str())?;
        if let Some(above) = layers
            .into_iter()
            .find(|layer| layer.after == Some(self.id))
        {
            scene.put(&LayerRow {
                after: gone.after,
                ..above
            });
        }
        scene.remove::<LayerRow>(self.key());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::overlay_add::stack;
    use super::super::testing::Bench;
    use super::*;
    use crate::fold::Decision;

    fn ids(bench: &Bench) -> Vec<LayerId> {
        let layers: Vec<LayerRow> = bench.scene().list("t").unwrap();
        stack(&layers).iter().map(|layer| layer.id).collect()
    }

    #[test]
    fn closes_the_gap_it_leaves() {
        let mut bench = Bench::default();
        for _ in 0..3 {
            let add = OverlayAdd {
                after: ids(&bench).last().copied(),
                target: example_name("t"),
                ..OverlayAdd::example()
            };
            bench.exact(&Decision::OverlayAdd(add)).unwrap();
        }
        let before = ids(&bench);
        let line = format!(
            r#"{{"op":"overlay.drop","as":"applied","id":"{}","target":"t"}}"#,
            before[1]
        );
        assert_eq!(bench.run(&line), Ok(2));
        assert_eq!(ids(&bench), [before[0], before[2]]);
        assert_eq!(bench.run(&line), Ok(0));
    }
}

//! The rules of artifacts, a second time: a map of what is said of each key, and lists of layers.

use super::common::moves::{self, Move, NAMES};
use super::step;
use folio::fold::{Decision, MemoryView, Scene, View, artifacts, rules};
use folio::model::rows::LayerRow;
use folio::model::{Code, ContentDigest, LayerId};
use std::collections::{BTreeMap, BTreeSet};

/// What is said of a key: its size and type where it is published, the reason where it is withdrawn.
#[derive(Debug, Clone, Default, PartialEq)]
struct Said {
    published: Option<(u64, String)>,
    withdrawn: Option<String>,
}

#[derive(Debug, Clone, Default)]
struct Model {
    artifacts: BTreeMap<ContentDigest, Said>,
    layers: BTreeMap<String, Vec<(LayerId, String, ContentDigest)>>,
}

impl Model {
    fn said(&self, key: &ContentDigest) -> Said {
        self.artifacts.get(key).cloned().unwrap_or_default()
    }

    fn is_withdrawn(&self, key: &ContentDigest) -> bool {
        self.said(key).withdrawn.is_some()
    }

    /// What becomes of a key, or the one reason against it.
    fn judge(&mut self, decision: &Decision, misled: bool) -> Result<(), Code> {
        let (key, new) = match decision {
            Decision::ArtifactPublish(d) => {
                let said = self.said(&d.artifact);
                if said.withdrawn.is_some() {
                    return Err(Code::ArtifactTombstoned);
                }
                if said.published.is_some_and(|(size, _)| size != d.size) {
                    return Err(Code::ArtifactMismatch);
                }
                let published = Some((d.size, d.media.to_string()));
                let withdrawn = None;
                (
                    d.artifact,
                    Said {
                        published,
                        withdrawn,
                    },
                )
            }
            Decision::ArtifactTombstone(d) => {
                let published = self.said(&d.artifact).published;
                let withdrawn = Some(d.reason.to_string());
                (
                    d.artifact,
                    Said {
                        published,
                        withdrawn,
                    },
                )
            }
            Decision::ArtifactRestore(d) => {
                let published = self.said(&d.artifact).published;
                let withdrawn = None;
                (
                    d.artifact,
                    Said {
                        published,
                        withdrawn,
                    },
                )
            }
            _ => return self.judge_layer(decision, misled),
        };
        if new == self.said(&key) {
            return Ok(());
        }
        if misled {
            return Err(Code::Stale);
        }
        self.artifacts.insert(key, new);
        Ok(())
    }

    /// Everything but withdrawn patches is the business of the rules' own tests: only drops need to be followed.
    fn judge_layer(&mut self, decision: &Decision, misled: bool) -> Result<(), Code> {
        match decision {
            Decision::OverlayAdd(d) if self.is_withdrawn(&d.patch) => Err(Code::ArtifactTombstoned),
            Decision::OverlayAdd(_) => Ok(()),
            Decision::OverlayRebase(d) => {
                let withdrawn = self.is_withdrawn(&d.patch);
                let layers = self.layers.entry(d.target.to_string()).or_default();
                let layer = layers.iter_mut().find(|(id, _, _)| *id == d.id);
                let Some((_, base, patch)) = layer else {
                    return Err(Code::NoSuchLayer);
                };
                if (base.as_str(), *patch) == (d.base.as_str(), d.patch) {
                    return Ok(());
                }
                if misled {
                    return Err(Code::Stale);
                }
                if withdrawn {
                    return Err(Code::ArtifactTombstoned);
                }
                (*base, *patch) = (d.base.to_string(), d.patch);
                Ok(())
            }
            Decision::OverlayDrop(d) => {
                let layers = self.layers.entry(d.target.to_string()).or_default();
                layers.retain(|(id, _, _)| *id != d.id);
                Ok(())
            }
            other => unreachable!("no move makes `{}` here", other.op()),
        }
    }
}

fn stack(scene: &Scene<'_>, target: &str) -> Vec<(LayerId, String, ContentDigest)> {
    let rows: Vec<LayerRow> = scene.list(target).unwrap();
    let ordered = rules::overlay_stack(&rows);
    let layer = |row: &&LayerRow| (row.id, row.base.to_string(), row.patch);
    ordered.iter().map(layer).collect()
}

fn compare(log: &[Move]) -> (usize, BTreeSet<Code>) {
    let (mut view, mut model) = (MemoryView::default(), Model::default());
    let (mut accepted, mut met) = (0, BTreeSet::new());
    for (index, step_of_log) in log.iter().enumerate() {
        let decision = step_of_log.draft(&view);
        let words = format!("{index}: {} on {model:?}", decision.to_line());
        let by_fold = step(&mut view, &decision, index as u64);
        let by_model = model.judge(&decision, step_of_log.blind);
        assert_eq!(by_fold, by_model, "{words}");
        match by_fold {
            Ok(()) => accepted += 1,
            Err(code) => drop(met.insert(code)),
        }
        let scene = Scene::new(&view as &dyn View);
        if let Decision::OverlayAdd(d) = &decision
            && by_fold.is_ok()
        {
            // Its id is a digest, which no model knows.
            let layers = model.layers.entry(d.target.to_string()).or_default();
            let top = stack(&scene, d.target.as_str()).pop().unwrap();
            assert_eq!((&top.1, top.2), (&d.base.to_string(), d.patch), "{words}");
            layers.push(top);
        }
        for n in 0..6 {
            let key = moves::key(n);
            let row = artifacts::row(&scene, &key).unwrap();
            let said = row.map_or(Said::default(), |row| {
                assert!(row.size.is_some() || row.tombstone.is_some(), "{words}");
                Said {
                    published: row.size.zip(row.media.map(String::from)),
                    withdrawn: row.tombstone.map(String::from),
                }
            });
            assert_eq!(said, model.said(&key), "{words}");
        }
        for target in NAMES {
            let layers = model.layers.get(target).cloned().unwrap_or_default();
            assert_eq!(stack(&scene, target), layers, "{words}");
        }
    }
    (accepted, met)
}

/// A walk that is the same every time: what is accepted, and every refusal that these rules have.
#[test]
fn the_fold_agrees_with_a_map() {
    let kinds = moves::RULES_OF_ARTIFACTS;
    let mut bytes = blake3::Hasher::new().update(b"artifacts").finalize_xof();
    let (mut accepted, mut met) = (0, BTreeSet::new());
    for _ in 0..20 {
        let mut log = Vec::new();
        for _ in 0..150 {
            let mut raw = [0; 5];
            bytes.fill(&mut raw);
            let [kind, a, b, c] = [raw[0], raw[1], raw[2], raw[3]].map(usize::from);
            log.push(Move {
                kind: kinds[kind % kinds.len()],
                a: a % NAMES.len(),
                b: b % NAMES.len(),
                c: c % NAMES.len(),
                blind: raw[4] < 25,
            });
        }
        let (more, codes) = compare(&log);
        accepted += more;
        met.extend(codes);
    }
    assert!(accepted > 20 * 150 / 4, "{accepted}");
    let all = [
        Code::ArtifactTombstoned,
        Code::ArtifactMismatch,
        Code::Stale,
        Code::NoSuchLayer,
    ];
    assert_eq!(met, BTreeSet::from(all));
}

//! Random decisions over a small pool of names, so that they meet: conflicts, cycles, no-ops.

use folio::fold::{Decision, Scene, View};
use folio::model::rows::LayerRow;
use folio::model::{ContentDigest, Name, RowDigest};
use proptest::prelude::*;

/// The pool. Sorted, so that the smallest is the first.
pub const NAMES: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

/// One random decision, still without what it relies on.
#[derive(Debug, Clone, Copy)]
pub struct Move {
    pub kind: u8,
    pub a: usize,
    pub b: usize,
    pub c: usize,
    /// How it relies on the state: truly, or as somebody who did not look.
    pub blind: bool,
}

/// Kinds of names and equivalence come first; the rest follows.
pub const RULES_OF_NAMES: u8 = 16;
pub const ALL_KINDS: u8 = 30;
/// And those about artifacts, with the layers that rest on them.
pub const RULES_OF_ARTIFACTS: &[u8] = &[16, 17, 18, 25, 26, 27, 28, 29];

pub fn a_move(kinds: u8) -> impl Strategy<Value = Move> {
    let name = || 0..NAMES.len();
    (0..kinds, name(), name(), name(), prop::bool::weighted(0.1)).prop_map(
        |(kind, a, b, c, blind)| Move {
            kind,
            a,
            b,
            c,
            blind,
        },
    )
}

pub fn log(kinds: u8, len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Move>> {
    prop::collection::vec(a_move(kinds), len)
}

impl Move {
    /// The decision as people would write it.
    pub fn line(&self, view: &dyn View) -> String {
        let (a, b, c) = (NAMES[self.a], NAMES[self.b], NAMES[self.c]);
        match self.kind {
            0 => format!(r#"{{"op":"alias.set","alias":"{a}","target":"{b}"}}"#),
            1 => format!(r#"{{"op":"alias.drop","alias":"{a}"}}"#),
            2..=4 => format!(r#"{{"op":"bind","a":"{a}","b":"{b}"}}"#),
            5 => format!(r#"{{"op":"unbind","a":"{a}","b":"{b}"}}"#),
            6 => format!(r#"{{"op":"distinct","a":"{a}","b":"{b}"}}"#),
            7 => format!(r#"{{"op":"distinct","a":"{a}","b":"{b}","cut":[["{a}","{b}"]]}}"#),
            8 => format!(r#"{{"op":"distinct","a":"{a}","b":"{b}","cut":[["{a}","{c}"]]}}"#),
            9 => format!(r#"{{"op":"distinct.drop","a":"{a}","b":"{b}"}}"#),
            10 | 11 => format!(r#"{{"op":"merge","from":"{a}","into":"{b}"}}"#),
            12 => format!(r#"{{"op":"unmerge","from":"{a}"}}"#),
            13 => format!(r#"{{"op":"fork","name":"{a}","of":"{b}"}}"#),
            14 => format!(r#"{{"op":"pin","name":"{a}"}}"#),
            15 => format!(r#"{{"op":"unpin","name":"{a}"}}"#),
            16 => format!(
                r#"{{"op":"overlay.add","target":"{a}","base":"1","patch":"{}"}}"#,
                key(self.b)
            ),
            17 => format!(
                r#"{{"op":"overlay.rebase","target":"{a}","base":"v{}","id":"{}","patch":"{}"}}"#,
                self.b,
                self.layer(view),
                key(self.c)
            ),
            18 => format!(
                r#"{{"op":"overlay.drop","target":"{a}","id":"{}","as":"applied"}}"#,
                self.layer(view)
            ),
            19 => {
                let who = super::Actor::new(PEOPLE[self.a % PEOPLE.len()]);
                let role = ROLES[self.b % ROLES.len()];
                who.member_add(&format!(r#""{role}""#))
            }
            20 => {
                let who = PEOPLE[self.a % PEOPLE.len()];
                format!(r#"{{"op":"member.remove","handle":"{who}"}}"#)
            }
            21 => {
                let (tier, role) = (["witness", "quorum"][self.b % 2], ROLES[self.c % 3]);
                format!(
                    r#"{{"op":"policy.set","approvals":[],"prefix":"{a}","roles":["admin","{role}"],"scope":"pin","self_approval":false,"tier":"{tier}"}}"#
                )
            }
            22 => {
                format!(r#"{{"op":"space.describe","name":"{a}","description":"{b}","home":""}}"#)
            }
            25 | 26 => {
                // Now and then somebody says another size.
                let size = if self.c == 9 { 7 } else { self.a % 6 };
                let (key, media) = (key(self.a), ["text/plain", "a/b"][self.b % 2]);
                format!(
                    r#"{{"op":"artifact.publish","artifact":"{key}","media":"{media}","size":{size}}}"#
                )
            }
            27 => {
                let (key, reason) = (key(self.a), ["wrong", "secret"][self.b % 2]);
                format!(r#"{{"op":"artifact.tombstone","artifact":"{key}","reason":"{reason}"}}"#)
            }
            28 | 29 => format!(
                r#"{{"op":"artifact.restore","artifact":"{}"}}"#,
                key(self.a)
            ),
            kind => {
                let (op, who) = (
                    if kind == 23 { "appoint" } else { "retire" },
                    PEOPLE[self.a % PEOPLE.len()],
                );
                format!(r#"{{"op":"witness.{op}","member":"{who}"}}"#)
            }
        }
    }

    fn layer(&self, view: &dyn View) -> String {
        let layers: Vec<LayerRow> = Scene::new(view).list(NAMES[self.a]).unwrap();
        let any = layers.get(self.c % layers.len().max(1));
        any.map_or_else(|| "0".repeat(64), |layer| layer.id.to_hex())
    }

    /// The decision with what it relies on filled in, truly or blindly.
    pub fn draft(&self, view: &dyn View) -> Decision {
        let mut decision = super::decision(&self.line(view));
        decision.refresh(&Scene::new(view), false).unwrap();
        if self.blind {
            mislead(&mut decision);
        }
        decision
    }
}

/// The key of one of the few artifacts there are.
pub fn key(n: usize) -> ContentDigest {
    ContentDigest([n as u8 % 6; 32])
}

const PEOPLE: [&str; 4] = ["carol", "dave", "erin", "bob"];
const ROLES: [&str; 3] = ["member", "reader", "scribe"];

/// What somebody would send who never looked at the state.
fn mislead(decision: &mut Decision) {
    let other = Some(RowDigest([9; 32]));
    let nobody = Name::new("nobody").unwrap();
    match decision {
        Decision::AliasSet(d) => d.was = None,
        Decision::AliasDrop(d) => d.was = None,
        Decision::Unbind(d) => d.was = None,
        Decision::DistinctDrop(d) => d.was = other,
        Decision::Merge(d) => d.resolved = nobody,
        Decision::Unmerge(d) => d.was = None,
        Decision::Fork(d) => d.resolved = nobody,
        Decision::Unpin(d) => d.was = other,
        Decision::WitnessRetire(d) => d.was = other,
        Decision::SpaceDescribe(d) => d.was = other,
        Decision::ArtifactPublish(d) => d.was = other,
        Decision::ArtifactTombstone(d) => d.was = other,
        Decision::ArtifactRestore(d) => d.was = other,
        Decision::OverlayRebase(d) => d.was = other,
        _ => {}
    }
}

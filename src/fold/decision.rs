//! The closed list of kinds. Adding one adds a file below `rules/` and a line here.

use super::kind::{Family, Field, Kind, Place};
use super::refusal::Stop;
use super::rules::*;
use super::scene::Scene;
use crate::codec::flat;
use crate::codec::json::{self, JsonFault};
use crate::model::{Code, limits};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What `folio help decisions` says of one kind.
#[derive(Debug, Clone)]
pub struct KindInfo {
    /// The word in the field `op`.
    pub op: &'static str,
    /// Its family.
    pub family: Family,
    /// What it decides, and its rule.
    pub about: &'static str,
    /// Its fields besides `op`.
    pub fields: &'static [Field],
    /// Codes its rule refuses with.
    pub codes: &'static [Code],
    /// An example line.
    pub example: Decision,
}

macro_rules! kinds {
    ($($variant:ident = $op:literal),* $(,)?) => {
        /// One typed operation; one canonical JSON line in `decisions.jsonl`.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "op")]
        pub enum Decision {$(
            #[doc = concat!("`", $op, "`")]
            #[serde(rename = $op)]
            $variant($variant),
        )*}

        impl Decision {
            /// Every kind.
            pub fn kinds() -> Vec<KindInfo> {
                vec![$(KindInfo {
                    op: $variant::OP,
                    family: $variant::FAMILY,
                    about: $variant::ABOUT,
                    fields: $variant::FIELDS,
                    codes: $variant::CODES,
                    example: Decision::$variant($variant::example()),
                }),*]
            }

            /// The words of every kind.
            pub const OPS: &'static [&'static str] = &[$($variant::OP),*];

            /// The word in the field `op`.
            pub fn op(&self) -> &'static str {
                match self {$(Decision::$variant(_) => $variant::OP,)*}
            }

            /// Reads a line without its `op`, which says what it is: whatever is no such decision is `None`.
            fn of(op: &str, line: &str) -> Option<Self> {
                match op {
                    $($op => {
                        let payload = json::parse_lenient(line, limits::DECISION_LINE);
                        payload.ok().map(Decision::$variant)
                    })*
                    _ => None,
                }
            }

            /// The family.
            pub fn family(&self) -> Family {
                match self {$(Decision::$variant(_) => $variant::FAMILY,)*}
            }

            /// Whether its rule asks where it stands.
            pub fn placed(&self) -> bool {
                match self {$(Decision::$variant(_) => $variant::PLACED,)*}
            }

            /// What policy prefixes are compared with.
            pub fn policy_keys(&self) -> Vec<Cow<'_, str>> {
                match self {$(Decision::$variant(payload) => payload.policy_keys(),)*}
            }

            /// Checks what needs no state.
            pub fn validate(&self) -> Result<(), Stop> {
                match self {$(Decision::$variant(payload) => payload.validate(),)*}
            }

            /// Judges the decision on the scene and makes its changes there.
            pub fn apply(&self, scene: &mut Scene<'_>, place: Place) -> Result<(), Stop> {
                match self {$(Decision::$variant(payload) => payload.apply(scene, place),)*}
            }

            /// Fills in `was` and whatever else the decision relies on, from the state it is drafted
            /// on. With `again` also where something is filled in already.
            pub fn refresh(&mut self, scene: &Scene<'_>, again: bool) -> Result<(), Stop> {
                match self {$(Decision::$variant(payload) => refresh(payload, scene, again),)*}
            }
        }
    };
}

kinds! {
    SpaceFound = "space.found",
    SpaceDescribe = "space.describe",
    MemberAdd = "member.add",
    MemberRemove = "member.remove",
    MemberRotate = "member.rotate",
    PolicySet = "policy.set",
    AliasSet = "alias.set",
    AliasDrop = "alias.drop",
    Bind = "bind",
    Unbind = "unbind",
    Distinct = "distinct",
    DistinctDrop = "distinct.drop",
    Merge = "merge",
    Unmerge = "unmerge",
    Fork = "fork",
    Pin = "pin",
    Unpin = "unpin",
    OverlayAdd = "overlay.add",
    OverlayRebase = "overlay.rebase",
    OverlayDrop = "overlay.drop",
    ArtifactPublish = "artifact.publish",
    ArtifactTombstone = "artifact.tombstone",
    ArtifactRestore = "artifact.restore",
    PenTake = "pen.take",
    PenRelease = "pen.release",
    WitnessAppoint = "witness.appoint",
    WitnessRetire = "witness.retire",
}

fn refresh<K: Kind>(payload: &mut K, scene: &Scene<'_>, again: bool) -> Result<(), Stop> {
    if again || payload.unfilled() {
        payload.rely(scene)?;
    }
    let Some((table, key)) = payload.guarded() else {
        return Ok(());
    };
    let now = scene.digest(table, &key)?;
    match payload.was_mut() {
        Some(was) if again || was.is_none() => *was = now,
        _ => {}
    }
    Ok(())
}

impl Decision {
    /// Reads one canonical line of `decisions.jsonl`, without its line feed.
    pub fn parse(line: &str) -> Result<Self, JsonFault> {
        match Self::parse_plain(line) {
            Some(decision) => Ok(decision),
            None => Self::checked(line, json::parse),
        }
    }

    /// As [`Decision::parse`], of a line whose `op` is found without parsing it: then its fields are read where they stand,
    /// and not put aside until it is known what they are. What it says is one line only, and that is compared; where it
    /// says nothing, the line may be good all the same.
    fn parse_plain(line: &str) -> Option<Self> {
        if line.len() > limits::DECISION_LINE {
            return None;
        }
        let (op, rest) = flat::taken(line, "op")?;
        Self::of(op, &rest).filter(|decision| decision.to_line() == line)
    }

    /// Reads one line as people write it: any spelling of the same JSON object.
    pub fn parse_lenient(line: &str) -> Result<Self, JsonFault> {
        Self::checked(line, json::parse_lenient)
    }

    fn checked(
        line: &str,
        parse: impl Fn(&str, usize) -> Result<Self, JsonFault>,
    ) -> Result<Self, JsonFault> {
        /// The one field that decides how to read the others.
        #[derive(Deserialize)]
        struct Op {
            op: String,
        }
        parse(line, limits::DECISION_LINE).map_err(|fault| {
            let op = json::parse_lenient::<Op>(line, limits::DECISION_LINE).ok();
            match op {
                Some(Op { op }) if !Self::OPS.contains(&op.as_str()) => JsonFault {
                    code: Code::OperationUnknown,
                    what: format!("`{op}` is no kind of decision"),
                },
                _ => fault,
            }
        })
    }

    /// The canonical line, without its line feed.
    pub fn to_line(&self) -> String {
        json::encode(self)
    }
}

/// The bytes of a `decisions.jsonl`.
pub fn encode_all(decisions: &[Decision]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for decision in decisions {
        bytes.extend_from_slice(decision.to_line().as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

/// Reads a `decisions.jsonl`: canonical lines, at least one, within the limits. The fault says which
/// line, counted from 1.
pub fn parse_all(bytes: &[u8]) -> Result<Vec<Decision>, JsonFault> {
    parse_lines(&lines(bytes)?, 1)
}

/// The lines of a `decisions.jsonl`, at least one and within the limits, not yet parsed.
pub fn lines(bytes: &[u8]) -> Result<Vec<&str>, JsonFault> {
    if bytes.len() as u64 > limits::DECISIONS_BYTES {
        let what = format!(
            "expected at most {} bytes, found {}",
            limits::DECISIONS_BYTES,
            bytes.len()
        );
        return Err(JsonFault {
            code: Code::TooLarge,
            what,
        });
    }
    let lines: Vec<&str> = json::lines(bytes)?.take(limits::DECISIONS + 1).collect();
    if lines.len() > limits::DECISIONS {
        let what = format!("expected at most {} decisions", limits::DECISIONS);
        return Err(JsonFault {
            code: Code::TooLarge,
            what,
        });
    }
    if lines.is_empty() {
        let what = "expected at least one decision, found none".into();
        return Err(JsonFault {
            code: Code::Empty,
            what,
        });
    }
    Ok(lines)
}

/// Parses some of these lines, the first of which has the number `first`.
pub fn parse_lines(lines: &[&str], first: usize) -> Result<Vec<Decision>, JsonFault> {
    let parse = |(number, line): (usize, &&str)| {
        Decision::parse(line).map_err(|fault| JsonFault {
            what: format!("line {number}: {}", fault.what),
            ..fault
        })
    };
    let mut all = Vec::with_capacity(lines.len());
    for line in (first..).zip(lines) {
        all.push(parse(line)?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_round_trips_and_has_the_fields_that_are_documented() {
        for kind in Decision::kinds() {
            let line = kind.example.to_line();
            assert_eq!(Decision::parse(&line).as_ref(), Ok(&kind.example), "{line}");
            // The long way and the short one come to the same. What holds an object or a list before its `op` has no
            // short one.
            let long = Decision::checked(&line, json::parse);
            assert_eq!(long.as_ref(), Ok(&kind.example), "{line}");
            let (before, _) = line.split_once(r#""op":"#).unwrap();
            let short = Decision::parse_plain(&line);
            match before[1..].contains(['{', '[']) {
                true => assert_eq!(short, None, "{line}"),
                false => assert_eq!(short.as_ref(), Some(&kind.example), "{line}"),
            }
            kind.example.validate().unwrap();
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            let found: Vec<_> = value
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            let mut documented: Vec<_> = kind.fields.iter().map(|field| field.name).collect();
            documented.push("op");
            documented.sort_unstable();
            // What may be left out need not stand in the example.
            let optional = |name: &&str| {
                kind.fields
                    .iter()
                    .any(|f| f.name == *name && f.shape.contains("left out"))
            };
            documented.retain(|name| found.contains(name) || !optional(name));
            assert_eq!(found, documented, "{}", kind.op);
            assert_eq!(kind.example.op(), kind.op);
        }
    }

    #[test]
    fn unknown_operations_and_fields_have_their_codes() {
        let code = |line: &str| Decision::parse(line).unwrap_err().code;
        assert_eq!(code(r#"{"op":"alias.fly"}"#), Code::OperationUnknown);
        assert_eq!(
            code(r#"{"alias":"a","op":"alias.set","target":"b","x":1}"#),
            Code::JsonMalformed
        );
        assert_eq!(
            code(r#"{"alias":"","op":"alias.set","target":"b"}"#),
            Code::NameInvalid
        );
        assert_eq!(
            code(r#"{"op":"alias.set","alias":"a","target":"b"}"#),
            Code::JsonNotCanonical
        );
        assert_eq!(
            code(r#"{"alias":"a","alias":"c","op":"alias.set","target":"b"}"#),
            Code::JsonMalformed
        );
        assert_eq!(
            code(r#"{"alias":"a","op":"alias.set","op":"pin","target":"b"}"#),
            Code::JsonMalformed
        );
        assert_eq!(parse_all(b"").unwrap_err().code, Code::Empty);
    }
}

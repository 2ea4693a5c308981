//! `witness.retire`: a member may no longer take the pen.

use super::*;
use crate::model::rows::{PenRow, WitnessRow};
use crate::model::{Handle, RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `witness.retire`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessRetire {
    /// The member.
    pub member: Handle,
    /// The row it removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for WitnessRetire {
    const OP: &'static str = "witness.retire";
    const FAMILY: Family = Family::Pen;
    const ABOUT: &'static str = "Takes a member's appointment as a witness back. The holder of the pen cannot be retired, so there is always one witness; another takes the pen first.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "member",
            shape: "handle",
            about: "the member",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[Code::Stale, Code::IsHolder];

    fn example() -> Self {
        Self {
            member: Handle::new("wim").expect("a valid handle"),
            was: Some(RowDigest([1; 32])),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.member.as_str().into()]
    }

    fn guarded(&self) -> Option<(Table, RowKey)> {
        Some((Table::Witnesses, RowKey::of(&self.member)))
    }

    fn was_mut(&mut self) -> Option<&mut Option<RowDigest>> {
        Some(&mut self.was)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let key = RowKey::of(&self.member);
        let Guard::Replaces(Some(_)) = scene.guard::<WitnessRow>(&key, self.was, None)? else {
            return Ok(());
        };
        let pen: Option<PenRow> = scene.get(&RowKey::of(""))?;
        if pen.is_some_and(|pen| pen.member == self.member) {
            let what = format!("`{}` holds the pen", self.member);
            return Stop::refuse(Code::IsHolder, what);
        }
        scene.remove::<WitnessRow>(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Pen;
    use super::*;
    use crate::fold::Decision;

    #[test]
    fn the_holder_cannot_be_retired() {
        let mut pen = Pen::new();
        let retire = |who: &str| format!(r#"{{"op":"witness.retire","member":"{who}"}}"#);
        assert_eq!(pen.bench.run(&retire("wanda")), Err(Code::IsHolder));
        let take = pen.take("wim");
        pen.bench.exact(&Decision::PenTake(take)).unwrap();
        assert_eq!(pen.bench.run(&retire("wim")), Err(Code::IsHolder));
        let blind = Decision::parse_lenient(&retire("wanda")).unwrap();
        assert_eq!(pen.bench.exact(&blind), Err(Code::Stale));
        assert_eq!(pen.bench.run(&retire("wanda")), Ok(1));
        assert_eq!(pen.bench.run(&retire("wanda")), Ok(0));
        let remove = r#"{"op":"member.remove","handle":"wanda"}"#;
        assert_eq!(pen.bench.run(remove), Err(Code::LastHolder));
    }
}

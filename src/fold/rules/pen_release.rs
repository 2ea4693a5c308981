//! `pen.release`: the holder lays the pen down.

use super::*;
use crate::fold::policy;
use crate::model::rows::PenRow;
use crate::model::{Epoch, RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `pen.release`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PenRelease {
    /// The epoch that ends.
    pub epoch: Epoch,
    /// The row it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for PenRelease {
    const OP: &'static str = "pen.release";
    const FAMILY: Family = Family::Pen;
    const ABOUT: &'static str = "Lays the pen down: after this page nothing but a `pen.take` can be numbered. It stands alone in its proposal, and only the member who holds the pen proposes it, with whatever key of theirs is current; policy is not asked. It is refused where nobody could be sure to take the pen again: by the policy of `pen.take` its holder must be able to.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "epoch",
            shape: "number",
            about: "the epoch that ends",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[
        Code::Stale,
        Code::EpochWrong,
        Code::PenMoved,
        Code::NotAlone,
        Code::NotAllowed,
        Code::PolicyUnsafe,
    ];

    fn example() -> Self {
        Self {
            epoch: Epoch(2),
            was: Some(RowDigest([1; 32])),
        }
    }

    /// No policy row covers it.
    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        Vec::new()
    }

    fn guarded(&self) -> Option<(Table, RowKey)> {
        Some((Table::Pen, RowKey::of("")))
    }

    fn was_mut(&mut self) -> Option<&mut Option<RowDigest>> {
        Some(&mut self.was)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let key = RowKey::of("");
        let Some(pen) = scene.get::<PenRow>(&key)? else {
            return Stop::refuse(Code::PenMoved, "there is no pen to release");
        };
        if pen.epoch != self.epoch {
            let what = format!(
                "expected the pen's epoch {}, found {}",
                pen.epoch, self.epoch
            );
            return Stop::refuse(Code::EpochWrong, what);
        }
        let row = PenRow {
            released: true,
            ..pen
        };
        if let Guard::Replaces(_) = scene.guard(&key, self.was, Some(&row))? {
            policy::require_takeable(scene, &row.member)?;
            scene.put(&row);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Pen;
    use super::*;
    use crate::fold::Decision;

    #[test]
    fn a_release_is_of_the_epoch_and_row_that_stand_there() {
        let mut pen = Pen::new();
        let release = r#"{"op":"pen.release","epoch":1}"#;
        let blind = Decision::parse_lenient(release).unwrap();
        assert_eq!(pen.bench.exact(&blind), Err(Code::Stale));
        let other = r#"{"op":"pen.release","epoch":2}"#;
        assert_eq!(pen.bench.run(other), Err(Code::EpochWrong));
        assert_eq!(pen.bench.run(release), Ok(1));
        assert_eq!(pen.bench.run(release), Ok(0));
        let row: PenRow = pen.bench.scene().get(&RowKey::of("")).unwrap().unwrap();
        assert!(row.released && row.epoch == Epoch(1));
        let take = pen.take("wim");
        assert_eq!(take.from, TakeFrom::Released);
        assert_eq!(pen.bench.exact(&Decision::PenTake(take)), Ok(1));
    }
    #[test]
    fn nobody_lays_down_a_pen_that_could_not_be_taken_again() {
        let release = r#"{"op":"pen.release","epoch":1}"#;
        let row = |rest: &str| {
            format!(
                r#"{{"op":"policy.set","prefix":"rel","scope":"pen.take","self_approval":false,{rest}}}"#
            )
        };
        for (rest, expected) in [
            (r#""approvals":[],"roles":[],"tier":"witness""#, false),
            (
                r#""approvals":[],"roles":["member"],"tier":"witness""#,
                false,
            ),
            (
                r#""approvals":[],"roles":["witness"],"tier":"local""#,
                false,
            ),
            (
                r#""approvals":[{"count":1,"role":"nobody"}],"roles":["witness"],"tier":"quorum""#,
                false,
            ),
            (
                r#""approvals":[{"count":2,"role":"member"}],"roles":["witness"],"tier":"quorum""#,
                true,
            ),
            (
                r#""approvals":[],"roles":["witness"],"tier":"witness""#,
                true,
            ),
        ] {
            let mut pen = Pen::new();
            pen.bench.run(&row(rest)).unwrap();
            let found = pen.bench.run(release);
            let wanted = if expected {
                Ok(1)
            } else {
                Err(Code::PolicyUnsafe)
            };
            assert_eq!(found, wanted, "{rest}");
        }
    }
}

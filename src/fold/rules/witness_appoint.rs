//! `witness.appoint`: a member may take the pen, as far as policy lets witnesses.

use super::*;
use crate::model::rows::{MemberRow, TableRow, WitnessRow};
use crate::model::{Handle, RowKey};
use serde::{Deserialize, Serialize};

/// Payload of `witness.appoint`. Its row holds nothing but the member, so there is nothing for a `was`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessAppoint {
    /// The member.
    pub member: Handle,
}

impl Kind for WitnessAppoint {
    const OP: &'static str = "witness.appoint";
    const FAMILY: Family = Family::Pen;
    const ABOUT: &'static str = "Appoints a member as a witness: somebody who may take the pen, as far as the policy of `pen.take` lets witnesses. It may stand before the member's own `pen.take` in one proposal.";
    const FIELDS: &'static [Field] = &[Field {
        name: "member",
        shape: "handle",
        about: "the member",
    }];
    const CODES: &'static [Code] = &[Code::NoSuchMember, Code::NotAlone];

    fn example() -> Self {
        Self {
            member: Handle::new("wim").expect("a valid handle"),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.member.as_str().into()]
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let row = WitnessRow {
            member: self.member.clone(),
        };
        if scene.has::<WitnessRow>(&row.key())? {
            return Ok(());
        }
        if !scene.has::<MemberRow>(&RowKey::of(&self.member))? {
            let what = format!("there is no member `{}`", self.member);
            return Stop::refuse(Code::NoSuchMember, what);
        }
        scene.put(&row);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Pen;
    use super::*;

    #[test]
    fn members_are_appointed_once() {
        let mut pen = Pen::new();
        let appoint = |who: &str| format!(r#"{{"op":"witness.appoint","member":"{who}"}}"#);
        assert_eq!(pen.bench.run(&appoint("bob")), Ok(1));
        assert_eq!(pen.bench.run(&appoint("bob")), Ok(0));
        let nobody = pen.bench.run(&appoint("nobody"));
        assert_eq!(nobody, Err(Code::NoSuchMember));
        let remove = r#"{"op":"member.remove","handle":"bob"}"#;
        assert_eq!(pen.bench.run(remove), Err(Code::IsHolder));
    }
}

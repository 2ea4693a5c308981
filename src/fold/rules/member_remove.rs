//! `member.remove`: somebody is no longer a member.

use super::roster;
use super::*;
use crate::model::rows::{EmailRow, KeyStatus, MemberRow, PenRow, RoleRow, WitnessRow};
use crate::model::{Handle, RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `member.remove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberRemove {
    /// The member.
    pub handle: Handle,
    /// The row it removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for MemberRemove {
    const OP: &'static str = "member.remove";
    const FAMILY: Family = Family::Charter;
    const ABOUT: &'static str = "Removes a member. What they decided stays; their key is retired for ever, so proposals of theirs that are not numbered yet are refused. The last holder of a role, the holder of the pen and an appointed witness cannot be removed.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "handle",
            shape: "handle",
            about: "the member",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[
        Code::Stale,
        Code::LastHolder,
        Code::IsHolder,
        Code::PolicyUnsafe,
    ];

    fn example() -> Self {
        Self {
            handle: Handle::new("bob").expect("a valid handle"),
            was: Some(RowDigest([1; 32])),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.handle.as_str().into()]
    }

    fn guarded(&self) -> Option<(Table, RowKey)> {
        Some((Table::Members, RowKey::of(&self.handle)))
    }

    fn was_mut(&mut self) -> Option<&mut Option<RowDigest>> {
        Some(&mut self.was)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let key = RowKey::of(&self.handle);
        let Guard::Replaces(Some(member)) = scene.guard::<MemberRow>(&key, self.was, None)? else {
            return Ok(());
        };
        let pen: Option<PenRow> = scene.get(&RowKey::of(""))?;
        let holds = pen.is_some_and(|pen| pen.member == self.handle);
        if holds || scene.has::<WitnessRow>(&key)? {
            let what = format!("`{}` holds the pen or is an appointed witness", self.handle);
            return Stop::refuse(Code::IsHolder, what);
        }
        roster::require_not_last(scene, &self.handle, &member.roles)?;
        for role in &member.roles {
            scene.remove::<RoleRow>(RowKey::pair(role.as_str(), self.handle.as_str()));
        }
        scene.remove::<EmailRow>(RowKey::of(&member.email));
        roster::write_key(scene, &member, member.key, KeyStatus::Removed);
        scene.remove::<MemberRow>(key);
        Ok(())
    }
}

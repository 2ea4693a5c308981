//! `member.rotate`: another key for a member.

use super::roster;
use super::*;
use crate::model::rows::{KeyStatus, MemberRow};
use crate::model::{Handle, PublicKey, RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `member.rotate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberRotate {
    /// The member.
    pub handle: Handle,
    /// The new key.
    pub key: PublicKey,
    /// The row it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for MemberRotate {
    const OP: &'static str = "member.rotate";
    const FAMILY: Family = Family::Charter;
    const ABOUT: &'static str = "Gives a member another key. Everybody may do so for themselves, signed with the old key; for others policy decides. Proposals signed with the old key that are not numbered yet are refused. It leaves the pen where it is.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "handle",
            shape: "handle",
            about: "the member",
        },
        Field {
            name: "key",
            shape: "`ssh-ed25519 AAAA...`",
            about: "the new key",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[
        Code::NoSuchMember,
        Code::Stale,
        Code::KeyTaken,
        Code::KeyWeak,
        Code::KeyMalformed,
    ];

    fn example() -> Self {
        Self {
            handle: Handle::new("bob").expect("a valid handle"),
            key: PublicKey([8; 32]),
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
        let place = RowKey::of(&self.handle);
        let Some(old) = scene.get::<MemberRow>(&place)? else {
            return Stop::refuse(
                Code::NoSuchMember,
                format!("there is no member `{}`", self.handle),
            );
        };
        let row = MemberRow {
            key: self.key,
            ..old.clone()
        };
        if let Guard::Already = scene.guard(&place, self.was, Some(&row))? {
            return Ok(());
        }
        roster::require_fresh_key(scene, &self.key)?;
        roster::write_key(scene, &old, old.key, KeyStatus::Rotated);
        roster::write_member(scene, Some(&old), &row);
        Ok(())
    }
}

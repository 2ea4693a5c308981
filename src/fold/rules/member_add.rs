//! `member.add`: a new member, or other roles, name or address for one.

use super::roster;
use super::*;
use crate::model::rows::{EmailRow, MemberRow, TableRow};
use crate::model::{Email, Handle, PersonName, PublicKey, RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `member.add`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberAdd {
    /// The address in the member's commits.
    pub email: Email,
    /// The member's handle.
    pub handle: Handle,
    /// The member's key.
    pub key: PublicKey,
    /// The member's name.
    pub name: PersonName,
    /// Roles, sorted, each once.
    pub roles: Vec<Handle>,
    /// The row it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for MemberAdd {
    const OP: &'static str = "member.add";
    const FAMILY: Family = Family::Charter;
    const ABOUT: &'static str = "Adds a member, or changes a member's name, address or roles. A key is one member's for ever, an address one member's at a time, and a role is never taken from its last holder.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "email",
            shape: "address",
            about: "the address in the member's commits",
        },
        Field {
            name: "handle",
            shape: "handle",
            about: "part of the member's ref names",
        },
        Field {
            name: "key",
            shape: "`ssh-ed25519 AAAA...`",
            about: "the member's key",
        },
        Field {
            name: "name",
            shape: "text",
            about: "the member's name",
        },
        Field {
            name: "roles",
            shape: "list of handles, sorted",
            about: "what the member may do, by policy",
        },
        WAS,
    ];
    const CODES: &'static [Code] = &[
        Code::Stale,
        Code::KeyUnchanged,
        Code::KeyTaken,
        Code::KeyWeak,
        Code::EmailTaken,
        Code::LastHolder,
        Code::KeyMalformed,
        Code::TooLarge,
        Code::JsonMalformed,
        Code::PolicyUnsafe,
    ];

    fn example() -> Self {
        Self {
            email: Email::new("bob@example.org").expect("a valid address"),
            handle: Handle::new("bob").expect("a valid handle"),
            key: PublicKey([7; 32]),
            name: PersonName::new("Bob").expect("a valid name"),
            roles: vec![Handle::new("member").expect("a valid role")],
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

    fn validate(&self) -> Result<(), Stop> {
        roster::require_role_list(&self.roles)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let row = MemberRow {
            email: self.email.clone(),
            handle: self.handle.clone(),
            key: self.key,
            name: self.name.clone(),
            roles: self.roles.clone(),
        };
        let old = match scene.guard(&row.key(), self.was, Some(&row))? {
            Guard::Already => return Ok(()),
            Guard::Replaces(old) => old,
        };
        match &old {
            None => roster::require_fresh_key(scene, &self.key)?,
            Some(old) if old.key != self.key => {
                let what = format!("`{}` has the key {}", self.handle, old.key);
                return Stop::refuse(Code::KeyUnchanged, what);
            }
            Some(old) => {
                let lost = old.roles.iter().filter(|role| !self.roles.contains(role));
                roster::require_not_last(scene, &self.handle, &lost.cloned().collect::<Vec<_>>())?;
            }
        }
        if let Some(taken) = scene.get::<EmailRow>(&RowKey::of(&self.email))?
            && taken.member != self.handle
        {
            let what = format!("`{}` is the address of `{}`", self.email, taken.member);
            return Stop::refuse(Code::EmailTaken, what);
        }
        roster::write_member(scene, old.as_ref(), &row);
        Ok(())
    }
}

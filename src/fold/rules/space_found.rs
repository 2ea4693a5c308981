//! `space.found`: the charter.

use super::roster;
use super::*;
use crate::model::rows::{MemberRow, PenRow, SpaceRow, WitnessRow};
use crate::model::{
    Email, Epoch, Handle, Nonce, Note, ObjectFormat, PersonName, PublicKey, limits,
};
use serde::{Deserialize, Serialize};

/// Somebody the charter names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The address in their commits.
    pub email: Email,
    /// Their handle.
    pub handle: Handle,
    /// Their key.
    pub key: PublicKey,
    /// Their name.
    pub name: PersonName,
}

/// Payload of `space.found`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpaceFound {
    /// What the space is for.
    pub description: Note,
    /// Format version.
    pub format: u64,
    /// Who signs the charter.
    pub founder: Person,
    /// The repository whose `main` is final, or empty.
    pub home: Note,
    /// The space's name.
    pub name: Name,
    /// What makes two equal charters two spaces.
    pub nonce: Nonce,
    /// git's object format.
    pub object_format: ObjectFormat,
    /// Who numbers the first pages; may be the founder.
    pub witness: Person,
}

/// Roles that the charter gives to the founder.
const FOUNDER_ROLES: &[&str] = &["admin", "member"];
/// Roles that the charter gives to the witness.
const WITNESS_ROLES: &[&str] = &["witness"];

impl SpaceFound {
    fn members(&self) -> Vec<MemberRow> {
        let row = |person: &Person, roles: Vec<&str>| MemberRow {
            email: person.email.clone(),
            handle: person.handle.clone(),
            key: person.key,
            name: person.name.clone(),
            roles: roles
                .into_iter()
                .map(|role| Handle::new(role).expect("built-in roles are handles"))
                .collect(),
        };
        if self.founder == self.witness {
            return vec![row(&self.founder, [FOUNDER_ROLES, WITNESS_ROLES].concat())];
        }
        vec![
            row(&self.founder, FOUNDER_ROLES.to_vec()),
            row(&self.witness, WITNESS_ROLES.to_vec()),
        ]
    }
}

impl Kind for SpaceFound {
    const OP: &'static str = "space.found";
    const FAMILY: Family = Family::Charter;
    const ABOUT: &'static str = "Founds the space: the first decision of the first page, signed by the founder and numbered by the witness. The founder gets the roles `admin` and `member`, the witness `witness` and the pen in epoch 1. The rest of the charter follows as ordinary decisions of the same page.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "description",
            shape: "text",
            about: "what the space is for",
        },
        Field {
            name: "format",
            shape: "1",
            about: "format version",
        },
        Field {
            name: "founder",
            shape: "{email, handle, key, name}",
            about: "who signs the charter",
        },
        Field {
            name: "home",
            shape: "text, may be empty",
            about: "the repository whose `main` is final",
        },
        Field {
            name: "name",
            shape: "name",
            about: "the space's name",
        },
        Field {
            name: "nonce",
            shape: "32 random bytes, hexadecimal",
            about: "what makes two equal charters two spaces",
        },
        Field {
            name: "object_format",
            shape: "`sha1` or `sha256`",
            about: "git's object format",
        },
        Field {
            name: "witness",
            shape: "{email, handle, key, name}",
            about: "who numbers the first pages; may be the founder",
        },
    ];
    const CODES: &'static [Code] = &[
        Code::CharterMisplaced,
        Code::Unsupported,
        Code::KeyWeak,
        Code::KeyTaken,
        Code::EmailTaken,
        Code::KeyMalformed,
        Code::PolicyUnsafe,
    ];

    fn example() -> Self {
        let person = |name: &str, byte: u8| Person {
            email: Email::new(format!("{name}@example.org")).expect("a valid address"),
            handle: Handle::new(name).expect("a valid handle"),
            key: PublicKey([byte; 32]),
            name: PersonName::new(name).expect("a valid name"),
        };
        Self {
            description: Note::new("Names of time zones").expect("a valid text"),
            format: limits::FORMAT_VERSION,
            founder: person("alice", 4),
            home: Note::new("").expect("a valid text"),
            name: example_name("time-zones"),
            nonce: Nonce([5; 32]),
            object_format: ObjectFormat::Sha1,
            witness: person("wanda", 6),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.name.as_str().into()]
    }

    fn validate(&self) -> Result<(), Stop> {
        if self.format != limits::FORMAT_VERSION {
            let what = format!(
                "expected format {}, found {}",
                limits::FORMAT_VERSION,
                self.format
            );
            return Stop::refuse(Code::Unsupported, what);
        }
        if self.founder == self.witness {
            return Ok(());
        }
        let (founder, witness) = (&self.founder, &self.witness);
        if founder.handle == witness.handle || founder.key == witness.key {
            let what = "founder and witness share a handle or a key without being one person";
            return Stop::refuse(Code::KeyTaken, what);
        }
        if founder.email == witness.email {
            return Stop::refuse(Code::EmailTaken, "founder and witness share an address");
        }
        Ok(())
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        roster::require_strong_key(&self.founder.key)?;
        roster::require_strong_key(&self.witness.key)?;
        scene.put(&SpaceRow {
            description: self.description.clone(),
            format: self.format,
            home: self.home.clone(),
            name: self.name.clone(),
            object_format: self.object_format,
        });
        for member in self.members() {
            roster::write_member(scene, None, &member);
        }
        scene.put(&WitnessRow {
            member: self.witness.handle.clone(),
        });
        scene.put(&PenRow {
            epoch: Epoch(1),
            instance: None,
            key: self.witness.key,
            member: self.witness.handle.clone(),
            released: false,
        });
        Ok(())
    }
}

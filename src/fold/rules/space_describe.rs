//! `space.describe`: the space's name, description and home.

use super::*;
use crate::model::rows::SpaceRow;
use crate::model::{Note, RowDigest, RowKey, Table};
use serde::{Deserialize, Serialize};

/// Payload of `space.describe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpaceDescribe {
    /// What the space is for.
    pub description: Note,
    /// The repository whose `main` is final, or empty.
    pub home: Note,
    /// The space's name.
    pub name: Name,
    /// The row it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<RowDigest>,
}

impl Kind for SpaceDescribe {
    const OP: &'static str = "space.describe";
    const FAMILY: Family = Family::Charter;
    const ABOUT: &'static str =
        "Changes the space's name, description and home. Its id and formats never change.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "description",
            shape: "text",
            about: "what the space is for",
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
        WAS,
    ];
    const CODES: &'static [Code] = &[Code::Stale];

    fn example() -> Self {
        Self {
            description: Note::new("Names of time zones").expect("a valid text"),
            home: Note::new("https://example.org/zones.git").expect("a valid text"),
            name: example_name("time-zones"),
            was: Some(RowDigest([1; 32])),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec!["".into()]
    }

    fn guarded(&self) -> Option<(Table, RowKey)> {
        Some((Table::Space, RowKey::of("")))
    }

    fn was_mut(&mut self) -> Option<&mut Option<RowDigest>> {
        Some(&mut self.was)
    }

    fn apply(&self, scene: &mut Scene<'_>, _place: Place) -> Result<(), Stop> {
        let key = RowKey::of("");
        let Some(old) = scene.get::<SpaceRow>(&key)? else {
            return Stop::refuse(Code::CharterMisplaced, "the space is not founded yet");
        };
        let row = SpaceRow {
            description: self.description.clone(),
            home: self.home.clone(),
            name: self.name.clone(),
            ..old
        };
        if let Guard::Replaces(_) = scene.guard(&key, self.was, Some(&row))? {
            scene.put(&row);
        }
        Ok(())
    }
}

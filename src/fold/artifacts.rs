//! What a state says of an artifact. Bytes are none of the fold's business: it knows keys.

use super::refusal::Stop;
use super::scene::Scene;
use crate::model::rows::ArtifactRow;
use crate::model::{Code, ContentDigest, RowKey};

/// Where the row of a key lies in the table.
pub fn place(key: &ContentDigest) -> RowKey {
    RowKey::of(key.to_hex())
}

/// The row of a key: there is none where the artifact was neither published nor withdrawn.
pub fn row(scene: &Scene<'_>, key: &ContentDigest) -> Result<Option<ArtifactRow>, Stop> {
    scene.get(&place(key))
}

/// Refuses a key that is withdrawn.
pub fn require_standing(scene: &Scene<'_>, key: &ContentDigest) -> Result<(), Stop> {
    match row(scene, key)?.and_then(|row| row.tombstone) {
        None => Ok(()),
        Some(reason) => {
            let what = format!("{key} is withdrawn: {reason}");
            Stop::refuse(Code::ArtifactTombstoned, what)
        }
    }
}

//! A stick as the place that a first clone comes from.

use super::manifest::Manifest;
use super::{apply, manifests};
use crate::cli::error::Problem;
use crate::model::{Code, SpaceId};
use crate::remote::Location;
use std::path::Path;

/// A whole bundle on a stick, of the space that is asked for or of the only one there; nothing where
/// the address is no stick.
///
/// # Errors
/// `stick-torn` where what could be cloned is cut off or altered; `not-found` where the stick has no bundle that
/// builds on nothing, or several spaces and none is named.
pub fn whole_bundle(url: &Location, space: Option<&SpaceId>) -> anyhow::Result<Option<Location>> {
    let Some(stick) = url.local().filter(|path| is_stick(path)) else {
        return Ok(None);
    };
    let wanted = space.map(SpaceId::to_hex);
    let mut found: Vec<(Manifest, Location)> = Vec::new();
    let mut torn = None;
    for dir in std::fs::read_dir(stick.join("folio"))? {
        let dir = dir?.path();
        if !dir.is_dir() {
            continue;
        }
        for (_, read) in manifests(&dir, "", ".json")? {
            let Ok(manifest) = read else { continue };
            let fits = wanted
                .as_ref()
                .is_none_or(|wanted| manifest.space == *wanted);
            if let (true, Some(bundle)) = (fits, manifest.bundle.as_ref().filter(|b| b.whole)) {
                let path = std::path::absolute(dir.join(&bundle.file))?;
                match apply::require_whole(&path, bundle) {
                    Ok(()) => {
                        let location = Location::path(&path)?;
                        found.push((manifest, location));
                    }
                    Err(error) => torn = Some(error),
                }
            }
        }
    }
    let several = found
        .iter()
        .any(|(other, _)| other.space != found[0].0.space);
    let newest = found
        .into_iter()
        .max_by_key(|(manifest, _)| manifest.serial);
    let (what, hint) = match newest {
        Some((_, location)) if !several => return Ok(Some(location)),
        None if torn.is_some() => return Err(torn.expect("just looked at")),
        Some(_) => (
            "the stick carries several spaces",
            "name one: folio clone STICK DIRECTORY --space ID",
        ),
        None => (
            "the stick carries no whole space",
            "somebody who has it: folio bundle create STICK --full",
        ),
    };
    Err(Problem::new(Code::NotFound, what).hint(hint).into())
}

/// A directory that is no repository and has what `folio bundle` makes.
fn is_stick(path: &Path) -> bool {
    path.join("folio").is_dir() && !path.join("HEAD").exists() && !path.join(".git").exists()
}

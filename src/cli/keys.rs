//! Public keys as people name them: a `.pub` file, a private key file, or the key itself.

use super::error::Problem;
use super::signing;
use crate::crypto::keyfile::{self, KeyFault};
use crate::fold::{Scene, View};
use crate::model::rows::{KeyRow, KeyStatus};
use crate::model::{Code, PublicKey, RowKey};
use std::path::{Path, PathBuf};

/// Whether words are a key and not the name of a file.
pub fn is_literal(words: &str) -> bool {
    let starts = ["ssh-", "ecdsa-", "sk-", "key::"];
    starts.iter().any(|start| words.starts_with(start))
}

/// The public key that is meant; files are found from `dir`.
pub fn public(words: &str, dir: &Path) -> anyhow::Result<PublicKey> {
    if is_literal(words) {
        let literal = words.strip_prefix("key::").unwrap_or(words);
        return Ok(keyfile::parse_public(literal)?);
    }
    in_file(&dir.join(signing::expand_home(words)))
}

/// The public key in a file of either kind; the error names the file.
pub fn in_file(path: &Path) -> anyhow::Result<PublicKey> {
    let text = signing::read(path)?;
    let key = match text.trim_start().starts_with("-----BEGIN") {
        true => keyfile::public_of(&text),
        false => keyfile::parse_public(&text),
    };
    key.map_err(|fault: KeyFault| {
        let what = format!("{}: {}", path.display(), fault.what);
        Problem::new(fault.code, what).into()
    })
}

/// Where Folio's own keys lie: `$XDG_CONFIG_HOME/folio`, else `~/.config/folio`.
pub fn folio_dir() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let config = set("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = || set("HOME").map(|home| PathBuf::from(home).join(".config"));
    config.or_else(home).map(|config| config.join("folio"))
}

/// The key file that is used where nothing else names one.
pub fn default_file() -> anyhow::Result<PathBuf> {
    let dir = folio_dir().ok_or_else(|| {
        let what = "neither HOME nor XDG_CONFIG_HOME says where keys belong";
        Problem::new(Code::BadRequest, what).hint("folio key new FILE")
    })?;
    Ok(dir.join("key"))
}

/// Whose a key is in a state, for people: `alice`, `alice (rotated)`, or nobody's.
pub fn owner(view: &dyn View, key: &PublicKey) -> anyhow::Result<Option<(String, &'static str)>> {
    let row: Option<KeyRow> = Scene::new(view).get(&RowKey::of(key))?;
    Ok(row.map(|row| {
        let status = match row.status {
            KeyStatus::Current => "current",
            KeyStatus::Rotated => "rotated",
            KeyStatus::Removed => "removed",
        };
        (row.member.to_string(), status)
    }))
}

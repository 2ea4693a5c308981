//! How git is set up in a space that Folio makes: everything is synced and checked, nothing is collected by
//! surprise, nothing local is shown to others.

use super::signing::Source;
use crate::store::collector;
use std::path::Path;

/// One entry of git's configuration.
pub type Entry = (&'static str, String);

/// The entries of every space.
pub fn settings(signers: &Path) -> Vec<Entry> {
    vec![
        ("core.fsync", "all".to_owned()),
        ("gc.auto", "0".to_owned()),
        ("maintenance.auto", "false".to_owned()),
        ("folio.collector", collector::FORMAT.to_string()),
        ("transfer.fsckObjects", "true".to_owned()),
        ("fetch.fsckObjects", "true".to_owned()),
        ("receive.fsckObjects", "true".to_owned()),
        // Some artifacts are fetched by the ids of their blocks: git's older protocols ask for leave to do that.
        ("uploadpack.allowReachableSHA1InWant", "true".to_owned()),
        ("transfer.hideRefs", "refs/folio".to_owned()),
        ("transfer.hideRefs", "refs/heads/refs".to_owned()),
        ("protocol.ext.allow", "never".to_owned()),
        ("merge.ff", "only".to_owned()),
        ("gpg.format", "ssh".to_owned()),
        ("gpg.ssh.allowedSignersFile", signers.display().to_string()),
    ]
}

/// The entry that names the key to sign with.
pub fn signing_key(source: &Source) -> Entry {
    let value = match source {
        Source::File(path) => {
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            path.display().to_string()
        }
        Source::Agent(key) => format!("key::{key}"),
    };
    ("user.signingKey", value)
}

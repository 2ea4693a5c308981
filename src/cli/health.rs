//! What `folio status` warns about, and what it puts right by itself: git's own way to check signatures.

use super::allowed_signers;
use super::context::Context;
use super::ui::Ui;
use crate::fold::Scene;
use crate::fold::{View, policy};
use crate::model::Handle;
use crate::remote::Git;
use crate::store::Refs as _;
use serde::Serialize;
use std::path::Path;

/// Something that should not be so.
#[derive(Debug, Clone, Serialize)]
pub struct Warning {
    /// `allowed-signers`, `replaced-objects`, `no-recovery` or `signed-ahead`.
    pub warning: &'static str,
    /// What it is and what to do.
    pub what: String,
}

const SIGNERS: &str = "gpg.ssh.allowedSignersFile";

/// Looks at everything.
pub fn check(context: &Context, view: &dyn View, ui: &Ui) -> anyhow::Result<Vec<Warning>> {
    let mut warnings = Vec::new();
    if let Err(error) = follow_signers(context, ui) {
        let what = format!("`git verify-commit` may not find the keys: {error:#}");
        warnings.push(Warning {
            warning: "allowed-signers",
            what,
        });
    }
    if let Some((name, _)) = context.store.list("refs/replace/")?.first() {
        let what = format!(
            "{name} makes plain git show other objects than Folio reads: `git replace -d` removes it"
        );
        warnings.push(Warning {
            warning: "replaced-objects",
            what,
        });
    }
    let recovery = Handle::new("recovery")?;
    if policy::holders(&Scene::new(view), &recovery)?.is_empty() {
        let what = "nobody holds the role `recovery`; if the witness's key is lost, nobody can number any more";
        warnings.push(Warning {
            warning: "no-recovery",
            what: what.into(),
        });
    }
    Ok(warnings)
}

/// Writes the allowed-signers file where it is stale, and the path to it where git's configuration names
/// none, or one that a space that was moved or copied has left behind. Another file that the user
/// chose is left alone.
fn follow_signers(context: &Context, ui: &Ui) -> anyhow::Result<()> {
    allowed_signers::refresh(context)?;
    let path = context.folio_dir().join("allowed-signers").canonicalize()?;
    let configured = context.store.config_value(SIGNERS);
    let ours = |at: &String| at.ends_with("/folio/allowed-signers");
    let is_right = match &configured {
        Some(at) if ours(at) => Path::new(at) == path,
        Some(_) => true,
        None => false,
    };
    if is_right {
        return Ok(());
    }
    let value = path.to_string_lossy().into_owned();
    let git = Git::new(context.store.common_dir());
    git.run(&["config", "--local", SIGNERS, &value])?;
    ui.say(format!("note: git's {SIGNERS} names this space's file now"));
    Ok(())
}

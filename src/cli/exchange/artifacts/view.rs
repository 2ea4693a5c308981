//! What bringing artifacts came to, for people and as JSON.

use super::Followed;
use crate::artifact::ArtifactFault;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::report::count;
use crate::cli::ui::{Ui, escape};
use crate::model::{Code, ContentDigest};
use serde::Serialize;

/// Keys that are listed for people before the rest is counted.
const LISTED: usize = 5;

/// The artifacts of one fetch.
#[derive(Debug, Default, Serialize)]
pub struct ArtifactsView {
    /// Artifacts that are here now and were not.
    came: u64,
    /// Their bytes.
    bytes: u64,
    /// Wanted, and not to be had there.
    missing: Vec<String>,
    /// Not taken.
    refused: Vec<RefusedView>,
    /// What goes with proposals in the queue, by the names of those.
    offers: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RefusedView {
    /// The artifact, the sheet or the offer.
    name: String,
    code: &'static str,
    what: String,
}

impl ArtifactsView {
    /// Of one remote.
    pub fn of(followed: &Followed) -> Self {
        let Followed { came, offers } = followed;
        let offer = |name: &str| {
            name.trim_start_matches("refs/artifacts/offered/")
                .to_owned()
        };
        let fault = |name: String, code: Code, what: &str| RefusedView {
            name,
            code: code.as_str(),
            what: what.to_owned(),
        };
        let keys = came.refused.iter();
        let keys = keys.map(|(key, ArtifactFault { code, what })| fault(key.to_hex(), *code, what));
        let sheets = came.unreadable.iter();
        let sheets = sheets.map(|one| fault("catalog".into(), one.code, &one.what));
        let offered = offers.refused.iter();
        let offered = offered.map(|(name, one)| fault(offer(name), one.code, &one.what));
        Self {
            came: came.count,
            bytes: came.bytes,
            missing: came.missing.iter().map(ContentDigest::to_hex).collect(),
            refused: keys.chain(sheets).chain(offered).collect(),
            offers: offers.taken.iter().map(|name| offer(name)).collect(),
        }
    }

    /// For people.
    pub fn print(&self, remote: &str, ui: &Ui) -> anyhow::Result<()> {
        let remote = escape(remote);
        if self.came > 0 {
            let artifacts = count(self.came as usize, "artifact");
            let bytes = self.bytes;
            ui.line(format!("{artifacts} from {remote}: {bytes} bytes verified"))?;
        }
        for name in &self.offers {
            ui.line(format!("new bytes offered with {}", escape(name)))?;
        }
        for refused in &self.refused {
            let (name, what) = (escape(&refused.name), escape(&refused.what));
            ui.say(format!("not taken: {name}: {}: {what}", refused.code));
        }
        if !self.missing.is_empty() {
            let artifacts = count(self.missing.len(), "artifact");
            let some: Vec<&str> = self
                .missing
                .iter()
                .take(LISTED)
                .map(String::as_str)
                .collect();
            let more = match self.missing.len() > LISTED {
                true => ", ...",
                false => "",
            };
            let some = some.join(", ");
            ui.say(format!(
                "note: {remote} does not have {artifacts} of those that are published: {some}{more}"
            ));
        }
        Ok(())
    }

    /// How a fetch ends on account of artifacts.
    ///
    /// # Errors
    /// What the first one that was not taken was refused for.
    pub fn outcome(&self, followed: &Followed) -> anyhow::Result<Exit> {
        match followed.came.refused.values().next() {
            None => Ok(Exit::Done),
            Some(fault) => {
                let hint =
                    "another remote may have it whole: folio fetch REMOTE; what was good was taken";
                Err(Problem::new(fault.code, fault.what.clone())
                    .hint(hint)
                    .into())
            }
        }
    }
}

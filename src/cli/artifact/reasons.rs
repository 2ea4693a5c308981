//! What keeps an artifact, in words and as JSON.

use crate::artifact::collect::roots::Reason;
use crate::artifact::collect::why::Why;
use crate::cli::ui::escape;
use serde::Serialize;

/// One thing that keeps an artifact.
#[derive(Debug, Clone, Serialize)]
pub struct ReasonView {
    /// `row`, `proposal`, `draft`, `kept`, `manifest` or `pinned`.
    pub reason: &'static str,
    /// The table, the ref, the file or the manifest's key.
    pub name: Option<String>,
    /// For a manifest: what keeps that.
    pub because: Vec<ReasonView>,
}

impl ReasonView {
    fn of(reason: &Reason) -> Self {
        let (reason, name) = match reason {
            Reason::Row(table) => ("row", Some(table.name().to_owned())),
            Reason::Proposal(name) => ("proposal", Some(name.clone())),
            Reason::Draft(path) => ("draft", Some(path.display().to_string())),
            Reason::Kept => ("kept", None),
        };
        Self {
            reason,
            name,
            because: Vec::new(),
        }
    }

    /// In words, escaped.
    pub fn words(&self) -> String {
        let name = escape(self.name.as_deref().unwrap_or_default());
        match self.reason {
            "row" => format!("a row of the table {name} names it"),
            "proposal" => format!("the proposal {name} names it"),
            "draft" => format!("the draft {name} names it"),
            "manifest" if self.because.is_empty() => {
                format!("a file of the directory {name}, which nothing refers to")
            }
            "manifest" => {
                let because: Vec<String> = self.because.iter().map(Self::words).collect();
                format!("a file of the directory {name}: {}", because.join("; "))
            }
            "pinned" => "a command that is running needs it".to_owned(),
            _ => "kept by hand (`folio artifact unkeep`)".to_owned(),
        }
    }
}

/// Everything that was found.
pub fn all(why: &Why) -> Vec<ReasonView> {
    let mut views: Vec<ReasonView> = why.reasons.iter().map(ReasonView::of).collect();
    views.extend(why.manifests.iter().map(|(key, because)| ReasonView {
        reason: "manifest",
        name: Some(key.to_hex()),
        because: because.iter().map(ReasonView::of).collect(),
    }));
    if why.pinned {
        views.push(ReasonView {
            reason: "pinned",
            name: None,
            because: Vec::new(),
        });
    }
    views
}

//! The JSON that the command line prints. Its own types with their own version: fields are added, never
//! renamed or given another meaning within one version; `docs/json.md` documents them.

use crate::fold::graph::{Step, Via};
use crate::journal::Page;
use serde::Serialize;

/// The version of every answer.
pub const VERSION: u32 = 1;

/// What stands around every answer.
#[derive(Debug, Serialize)]
pub struct Envelope<'a, T> {
    /// The version of the fields.
    pub version: u32,
    /// The command that answers.
    pub command: &'a str,
    /// The answer.
    #[serde(flatten)]
    pub fields: &'a T,
}

impl<'a, T> Envelope<'a, T> {
    /// Wraps an answer.
    pub fn new(command: &'a str, fields: &'a T) -> Self {
        Self {
            version: VERSION,
            command,
            fields,
        }
    }
}

/// A snapshot that an answer stands on.
#[derive(Debug, Clone, Serialize)]
pub struct At {
    /// Its number.
    pub number: u64,
    /// Its commit.
    pub commit: String,
}

impl At {
    /// Of a page.
    pub fn of(page: &Page) -> Self {
        Self {
            number: page.number().0,
            commit: page.id.to_hex(),
        }
    }
}

/// One step of a path.
#[derive(Debug, Clone, Serialize)]
pub struct StepView {
    /// Where it starts.
    pub from: String,
    /// Where it leads.
    pub to: String,
    /// `alias`, `merge` or `bind`.
    pub via: &'static str,
}

impl StepView {
    /// Of a step.
    pub fn of(step: &Step) -> Self {
        Self {
            from: step.from.to_string(),
            to: step.to.to_string(),
            via: via(step.via),
        }
    }
}

/// The word for a kind of step.
pub fn via(via: Via) -> &'static str {
    match via {
        Via::Alias => "alias",
        Via::Redirect => "merge",
        Via::Edge => "bind",
    }
}

//! What the commands about evidence share: where files lie, reading one, keeping one, the view of a finding.

use super::context::Context;
use super::ui::{Ui, escape};
use crate::codec::evidence::{Claim, Evidence};
use crate::journal::evidence::{self, Finding};
use crate::journal::history::History;
use crate::journal::{Fault, Space};
use crate::model::{Code, limits};
use crate::store::{self, GitStore, MemoryStore};
use serde::Serialize;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Where a space's evidence files lie.
pub fn dir(context: &Context) -> PathBuf {
    context.folio_dir().join("evidence")
}

/// Reads a file; more than one may hold is not read.
pub fn read(path: &Path) -> anyhow::Result<Evidence> {
    let io = |error| Fault::new(Code::Io, format!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(io)?;
    let most = limits::EVIDENCE_BYTES as u64 + 1;
    file.take(most).read_to_end(&mut bytes).map_err(io)?;
    Ok(Evidence::parse(&bytes)?)
}

/// Checks a file that was read, in a store of its own.
pub fn check(evidence: &Evidence) -> anyhow::Result<Finding> {
    Ok(evidence::check(
        evidence,
        &MemoryStore::new(evidence.format),
    )?)
}

/// Keeps evidence in the space and says where.
pub fn keep(context: &Context, evidence: &Evidence) -> anyhow::Result<PathBuf> {
    Ok(store::evidence::keep(&dir(context), evidence)?)
}

/// Keeps what shows that a page is refused, where that can be shown, and says where. The fault that was
/// found is what the command ends with, so nothing that goes wrong here matters more.
pub fn keep_refused(context: &Context, history: &History<'_>, fault: &Fault, ui: &Ui) {
    let page = fault.number.and_then(|n| history.commit_of(n).ok());
    keep_page(context, page, ui);
}

/// As [`keep_refused`], where the chain up to `main` cannot be walked.
pub fn keep_unwalkable(context: &Context, space: &Space<'_, GitStore>, ui: &Ui) {
    let tip = space.tip().ok();
    let page = tip.and_then(|tip| evidence::culprit(&context.store, tip));
    keep_page(context, page, ui);
}

fn keep_page(context: &Context, page: Option<crate::model::Oid>, ui: &Ui) {
    let Some(page) = page else { return };
    let kept = match Evidence::invalid_page(&context.store, page) {
        Ok(Some(evidence)) => keep(context, &evidence),
        Ok(None) => return,
        Err(fault) => Err(fault.into()),
    };
    match kept {
        Ok(path) => ui.say(format!("evidence: {}", escape(&path.display().to_string()))),
        Err(error) => say_none(ui, &error),
    }
}

/// Says that evidence could not be kept: whatever it is about goes on as it was.
pub fn say_none(ui: &Ui, error: &anyhow::Error) {
    let what = escape(&error.to_string());
    ui.warn(format!("no evidence could be kept: {what}"));
}

/// A finding as JSON.
#[derive(Serialize)]
pub struct FindingView {
    /// The file, as it was named.
    pub file: String,
    /// What the file says it is.
    pub kind: &'static str,
    /// Whether it proves something.
    pub proves: bool,
    /// The word for what was found.
    pub verdict: &'static str,
    space: Option<String>,
    /// The number that the file says it is about.
    pub number: u64,
    accused: Option<String>,
    signers: Vec<String>,
    /// What is proved, or why nothing is.
    pub words: String,
    hearsay: Option<String>,
}

impl FindingView {
    /// Of a file and what its check came to.
    pub fn of(file: &Path, claim: &Claim, finding: &Finding) -> Self {
        Self {
            file: file.display().to_string(),
            kind: claim.kind(),
            proves: finding.proves(),
            verdict: finding.verdict.as_str(),
            space: finding.space.map(|space| space.to_hex()),
            number: claim.number().0,
            accused: finding.accused.map(|key| key.to_string()),
            signers: finding.signers.iter().map(|key| key.to_string()).collect(),
            words: finding.words.clone(),
            hearsay: finding.hearsay.clone(),
        }
    }
}

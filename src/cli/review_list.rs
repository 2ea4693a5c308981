//! `folio review --list`: every review that is kept here.

use super::context::{Context, view_of};
use super::exit::Exit;
use super::keys;
use super::opinions::said;
use super::proposals::short_name;
use super::ui::{Style, Ui, escape};
use crate::codec::message::Reason;
use crate::fold::View;
use crate::journal::Page;
use crate::journal::kept::{self, Kept, Subject};
use serde::Serialize;

#[derive(Serialize)]
struct List {
    kept: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    /// The full ref name.
    branch: String,
    commit: String,
    /// `queued`, `waiting`, `numbered` or `invalid`.
    standing: &'static str,
    verdict: Option<&'static str>,
    reviewer: Option<String>,
    reason: Option<String>,
    words: Option<String>,
    /// AUTHOR/SLUG, where it is in the queue.
    proposal: Option<String>,
    digest: Option<String>,
    number: Option<u64>,
    code: Option<&'static str>,
    what: Option<String>,
}

/// Runs it.
pub fn run(context: &Context, ui: &Ui) -> anyhow::Result<Exit> {
    let space = context.space()?;
    let mut index = context.index()?;
    let history = context.history(&space, &mut index, ui)?;
    let page = Page::read(&context.store, space.tip()?)?;
    let view = view_of(&space.tables, &page);
    let mut lines = Vec::new();
    for kept in kept::list(&space, &history)? {
        lines.push(match kept {
            Ok(kept) => Line::of(&view, &kept)?,
            Err(invalid) => Line::invalid(invalid),
        });
    }
    if ui.json() {
        ui.answer("review", &List { kept: lines })?;
        return Ok(Exit::Done);
    }
    for line in &lines {
        show(ui, line)?;
    }
    if lines.is_empty() {
        ui.say("no reviews are kept here");
    }
    Ok(Exit::Done)
}

impl Line {
    fn of(view: &dyn View, kept: &Kept) -> anyhow::Result<Self> {
        let (standing, proposal, number) = match &kept.subject {
            Subject::Queued(branch) => ("queued", Some(short_name(branch).to_owned()), None),
            Subject::Waiting => ("waiting", None, None),
            Subject::Numbered(number) => ("numbered", None, Some(number.0)),
        };
        let review = kept.review.as_ref();
        let reviewer = match review {
            Some(review) => keys::owner(view, &review.reviewer())?,
            None => None,
        };
        let reason = review.and_then(|review| review.message().reason.as_ref());
        Ok(Self {
            branch: kept.name.clone(),
            commit: kept.commit.to_hex(),
            standing,
            verdict: Some(kept.verdict.as_str()),
            reviewer: reviewer.map(|(handle, _)| handle),
            reason: reason.map(Reason::as_str).map(str::to_owned),
            words: review.map(|review| said(review).to_owned()),
            proposal,
            digest: Some(kept.proposal.to_hex()),
            number,
            code: None,
            what: None,
        })
    }

    fn invalid((branch, commit, fault): kept::Invalid) -> Self {
        Self {
            branch,
            commit: commit.to_hex(),
            standing: "invalid",
            verdict: None,
            reviewer: None,
            reason: None,
            words: None,
            proposal: None,
            digest: None,
            number: None,
            code: Some(fault.code.as_str()),
            what: Some(fault.what),
        }
    }
}

fn show(ui: &Ui, line: &Line) -> anyhow::Result<()> {
    let style = match line.standing {
        "queued" => Style::Good,
        "invalid" => Style::Bad,
        _ => Style::Dim,
    };
    let standing = ui.paint(style, &format!("{:8}", line.standing));
    let Some(verdict) = line.verdict else {
        let branch = escape(&line.branch);
        let (code, what) = (line.code.unwrap_or("error"), line.what.as_deref());
        let what = escape(what.unwrap_or_default());
        return ui.line(format!("{standing} {branch}: {code}: {what}"));
    };
    let who = escape(line.reviewer.as_deref().unwrap_or("somebody unknown"));
    let digest = line.digest.as_deref().unwrap_or_default();
    let of = match (&line.proposal, line.number) {
        (Some(name), _) => format!("{} {}", escape(name), &digest[..12]),
        (None, Some(number)) => format!("{}, common@{number}", &digest[..12]),
        (None, None) => format!("{}, which is on no branch here", &digest[..12]),
    };
    ui.line(format!("{standing} {verdict} by {who} of {of}"))
}

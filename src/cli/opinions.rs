//! What reviewers said of a proposal, and what the policy still asks for.

use super::report::count;
use super::ui::{Style, Ui, escape};
use crate::codec::message::Reason;
use crate::journal::review::Review;
use crate::journal::tally::{Mark, Need, Tally, Worth};
use crate::model::Code;
use serde::Serialize;

/// The subject of an approval that `folio approve` writes.
pub const APPROVED: &str = "Approved";
/// The subject of a rejection that `folio reject` writes.
pub const REJECTED: &str = "Rejected";

/// So many approvals of one role.
#[derive(Debug, Clone, Serialize)]
pub struct NeedView {
    /// The role.
    pub role: String,
    /// How many are asked for.
    pub count: u64,
    /// Whether the policy that the proposal makes asks for them.
    pub afterwards: bool,
    /// Whose count, sorted.
    pub by: Vec<String>,
    /// How many are still missing.
    pub missing: u64,
}

impl NeedView {
    /// Of a need.
    pub fn of(need: &Need) -> Self {
        Self {
            role: need.role.to_string(),
            count: need.count,
            afterwards: need.afterwards,
            by: need.found.iter().map(ToString::to_string).collect(),
            missing: need.missing(),
        }
    }

    /// All that a proposal needs.
    pub fn all(tally: &Tally) -> Vec<Self> {
        tally.needs.iter().map(Self::of).collect()
    }

    /// In words, escaped: `1 of 2 approvals by role reviewer (alice)`.
    pub fn words(&self) -> String {
        let by = match self.by.as_slice() {
            [] => String::new(),
            names => format!(" ({})", escape(&names.join(", "))),
        };
        let (found, role) = (self.by.len(), escape(&self.role));
        let approvals = count(self.count as usize, "approval");
        let whose = match self.afterwards {
            true => ", as the new policy asks",
            false => "",
        };
        format!("{found} of {approvals} by role {role}{whose}{by}")
    }
}

/// One review.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewView {
    /// Its commit.
    pub commit: String,
    /// The handle of the member whose key signed it, now or once.
    pub reviewer: Option<String>,
    /// The key that signed it.
    pub key: String,
    /// `approve` or `reject`.
    pub verdict: &'static str,
    /// The code of a rejection.
    pub reason: Option<String>,
    /// The reviewer's own words; empty where there are none.
    pub words: String,
    /// Whether it is one of the approvals asked for.
    pub counts: bool,
    /// `counts`, or why it does not.
    pub worth: &'static str,
    /// The same in words; null where it counts.
    pub why: Option<&'static str>,
}

impl ReviewView {
    /// Of a review and what it is worth.
    pub fn of(mark: &Mark) -> Self {
        let message = mark.review.message();
        Self {
            commit: mark.review.id().to_hex(),
            reviewer: mark.member.as_ref().map(ToString::to_string),
            key: mark.review.reviewer().to_string(),
            verdict: message.verdict.as_str(),
            reason: message.reason.as_ref().map(|r| r.as_str().to_owned()),
            words: said(&mark.review).to_owned(),
            counts: mark.worth == Worth::Counts,
            worth: mark.worth.word(),
            why: mark.worth.why(),
        }
    }

    /// Who, in words, escaped.
    pub fn who(&self) -> String {
        escape(self.reviewer.as_deref().unwrap_or("somebody unknown"))
    }

    /// Its lines for a terminal.
    pub fn lines(&self, ui: &Ui) -> Vec<String> {
        let style = match (self.counts, self.verdict) {
            (true, _) => Style::Good,
            (_, "reject") => Style::Bad,
            _ => Style::Dim,
        };
        let verdict = ui.paint(style, self.verdict);
        let code = self.reason.as_deref().filter(|code| *code != "rejected");
        let code = code.map_or(String::new(), |code| format!(" ({})", escape(code)));
        let worth = match (self.verdict, self.why) {
            ("reject", _) | (_, None) => String::new(),
            (_, Some(why)) => format!(": does not count: {why}"),
        };
        let mut lines = vec![format!("{verdict} by {}{code}{worth}", self.who())];
        let words = self.words.lines();
        lines.extend(words.map(|line| format!("    {}", escape(line))));
        lines
    }
}

/// A reviewer's own words: without the subject that Folio writes.
pub fn said(review: &Review) -> &str {
    let text = review.message().text.trim();
    let (subject, body) = text.split_once('\n').unwrap_or((text, ""));
    let ours = subject == APPROVED || subject == REJECTED || subject.starts_with("Refused: ");
    if ours { body.trim() } else { text }
}

/// Whether somebody rejects a proposal of their own judgement; the reasons that `folio accept` leaves are not
/// an opinion.
pub fn is_opinion(review: &Review) -> bool {
    let reason = review.message().reason.as_ref().map(Reason::as_str);
    !review.approves() && reason.is_none_or(|reason| reason == Code::Rejected.as_str())
}

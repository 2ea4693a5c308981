//! Signing reviews: what `folio approve` and `folio reject` share.

use super::args::Global;
use super::context::{Context, view_of};
use super::error::Problem;
use super::gc::background::keep_house;
use super::opinions::{self, NeedView};
use super::ui::{Style, Ui, escape};
use super::{identity, proposals, refusals, signing};
use crate::codec::message::{Reason, Verdict, clean_text};
use crate::fold::rules::PenTake;
use crate::fold::{Kind as _, View};
use crate::journal::history::History;
use crate::journal::queue::{self, Candidate, Standing};
use crate::journal::review::{Opinion, Review, write_review};
use crate::journal::tally::{self, Tally, Worth};
use crate::journal::{Page, Space, refs};
use crate::model::rows::MemberRow;
use crate::model::{Code, Oid};
use crate::store::{self, Expect, GitStore, Index, Objects as _, RefEdit, Refs as _};
use serde::Serialize;
use std::collections::BTreeSet;

/// What somebody wants to say of some proposals.
#[derive(Debug, Clone, Copy)]
pub struct Ballot<'a> {
    /// Which proposals.
    pub ids: &'a [String],
    /// Approve or reject.
    pub verdict: Verdict,
    /// The reviewer's words; may be empty for an approval.
    pub words: &'a str,
    /// The digest, or the beginning of it, that was read.
    pub expect: Option<&'a str>,
}

/// What came of one review.
#[derive(Debug, Serialize)]
pub struct Cast {
    /// AUTHOR/SLUG.
    pub proposal: String,
    /// The proposal's digest.
    pub digest: String,
    /// The full name of the review's branch.
    pub branch: String,
    /// The review's commit.
    pub commit: String,
    /// Whether it stood there before, word for word.
    pub already: bool,
    /// Whether it is one of the approvals asked for.
    pub counts: bool,
    /// `counts`, or why it does not.
    pub worth: &'static str,
    /// What the policy asks for, with this review.
    pub needs: Vec<NeedView>,
    /// `ready`, `stale` or `refused`: where the proposal stands now.
    pub standing: &'static str,
    /// The code, where it is not ready.
    pub code: Option<&'static str>,
    /// The words, where it is not ready.
    pub what: Option<String>,
    /// Why the review does not count.
    #[serde(skip)]
    pub why: Option<&'static str>,
    /// Whether the proposal takes the pen: then its author numbers it.
    #[serde(skip)]
    pub takes_pen: bool,
    /// Whether the pen's holder has refused the proposal by it.
    pub refusal: bool,
}

/// Who votes, and where.
struct Booth<'a> {
    context: &'a Context,
    space: &'a Space<'a, GitStore>,
    page: Page,
    member: MemberRow,
    /// Whether the member's key holds the pen.
    holder: bool,
    opinion: Opinion,
}

/// A proposal, and where its review belongs.
struct Slot {
    candidate: Candidate,
    name: String,
    /// What stands there.
    old: Option<Oid>,
    /// Whether that says the same already.
    stands: bool,
}

/// One review to be published.
struct Paper {
    candidate: Candidate,
    name: String,
    old: Option<Oid>,
    new: Oid,
}

/// Signs and publishes a review of each proposal, durably, unless it stands there already.
///
/// # Errors
/// `not-found`, `bad-request` (numbered already), `not-a-member`, `key-retired`, `not-allowed` (one's own),
/// `proposal-replaced`; then nothing is changed.
pub fn cast(
    context: &Context,
    global: &Global,
    ui: &Ui,
    ballot: &Ballot<'_>,
) -> anyhow::Result<Vec<Cast>> {
    let space = context.space()?;
    let mut index = context.index()?;
    let chosen = chosen(context, &space, &mut index, ballot, ui)?;
    let history = context.history(&space, &mut index, ui)?;
    let page = Page::read(&context.store, space.tip()?)?;
    let view = view_of(&space.tables, &page);
    let source = signing::source(Some(context), global)?;
    let key = signing::public_of(&source)?;
    let member = identity::member(&view, &key)?;
    let holder = refusals::holder(context, &space, &key)?.is_some();
    let booth = Booth {
        context,
        space: &space,
        page: page.clone(),
        opinion: opinion(ballot, holder)?,
        member,
        holder,
    };
    for candidate in &chosen {
        booth.admit(&view, &history, candidate, ballot.expect)?;
    }
    let papers = booth.write(chosen, global, &source)?;
    publish(context, &papers)?;
    keep_house(context, ui);
    papers
        .iter()
        .map(|paper| booth.outcome(&history, paper))
        .collect()
}

/// Each proposal that is named, once.
fn chosen(
    context: &Context,
    space: &Space<'_, GitStore>,
    index: &mut Index,
    ballot: &Ballot<'_>,
    ui: &Ui,
) -> anyhow::Result<Vec<Candidate>> {
    let entries = proposals::gather(context, space, index, ui)?;
    let mut chosen = Vec::new();
    let mut seen = BTreeSet::new();
    for id in ballot.ids {
        let candidate = proposals::waiting(context, space, &entries, id, ui)?;
        if seen.insert(candidate.proposal.digest()) {
            chosen.push(candidate.clone());
        }
    }
    Ok(chosen)
}

fn opinion(ballot: &Ballot<'_>, holder: bool) -> anyhow::Result<Opinion> {
    let subject = match ballot.verdict {
        Verdict::Approve => opinions::APPROVED.to_owned(),
        // The same words as `folio refuse`, for it is the same.
        Verdict::Reject if holder => format!("Refused: {}", Code::Rejected),
        Verdict::Reject => opinions::REJECTED.to_owned(),
    };
    let words = ballot.words.trim();
    let text = match words {
        "" if ballot.verdict == Verdict::Reject => {
            let what = "a rejection without a reason helps nobody";
            let problem = Problem::new(Code::BadRequest, what);
            return Err(problem.hint("say why: -m WORDS").into());
        }
        "" => subject,
        words => format!("{subject}\n\n{words}"),
    };
    let reason = (ballot.verdict == Verdict::Reject).then(|| Reason::from(Code::Rejected));
    Ok(Opinion {
        verdict: ballot.verdict,
        reason,
        text: clean_text(&text)?,
    })
}

impl Booth<'_> {
    /// Whether this member's review of that proposal can count for anything.
    fn admit(
        &self,
        view: &dyn View,
        history: &History<'_>,
        candidate: &Candidate,
        expect: Option<&str>,
    ) -> anyhow::Result<()> {
        let proposal = &candidate.proposal;
        if let Some(number) = history.numbered(&proposal.digest(), proposal.base().number)? {
            return Err(proposals::numbered(number).into());
        }
        if let Some(expect) = expect {
            require_same(candidate, expect)?;
        }
        let own = candidate.branch.author == self.member.handle;
        if own && !self.may_judge_own(view, candidate)? {
            let name = proposals::short_name(&candidate.branch.name);
            let what = format!(
                "you wrote {}, and your own review does not count",
                escape(name)
            );
            let hint = match self.opinion.verdict {
                Verdict::Approve => {
                    "`folio policy show KIND NAME` says whose approvals are asked for".into()
                }
                Verdict::Reject => format!("take it back: git branch -D proposals/{name}"),
            };
            return Err(Problem::new(Code::NotAllowed, what).hint(hint).into());
        }
        Ok(())
    }

    fn may_judge_own(&self, view: &dyn View, candidate: &Candidate) -> anyhow::Result<bool> {
        if self.opinion.verdict == Verdict::Reject {
            // The holder of the pen refuses whatever should not be numbered.
            return Ok(self.holder);
        }
        let tally = tally::tally(view, &candidate.proposal, &[])?;
        Ok(tally.needs.iter().any(|need| need.self_approval))
    }

    /// Signs what does not stand there already, and writes it.
    fn write(
        &self,
        chosen: Vec<Candidate>,
        global: &Global,
        source: &signing::Source,
    ) -> anyhow::Result<Vec<Paper>> {
        let store = &self.context.store;
        // Each ref is read once: another process may move it at any moment.
        let slots = chosen.into_iter().map(|candidate| self.slot(candidate));
        let slots: Vec<Slot> = slots.collect::<anyhow::Result<_>>()?;
        let (mut papers, mut objects) = (Vec::new(), Vec::new());
        let mut signer = None;
        for slot in slots {
            let Slot {
                candidate,
                name,
                old,
                ..
            } = slot;
            let new = match old.filter(|_| slot.stands) {
                Some(id) => id,
                None => {
                    // A passphrase is asked for only where something is to be signed.
                    let signer = match &mut signer {
                        Some(signer) => signer,
                        none => none.insert(signing::open(source)?),
                    };
                    let (id, bytes) = write_review(
                        store,
                        &candidate.proposal,
                        self.opinion.clone(),
                        &self.member,
                        &**signer,
                        &identity::when(global)?,
                    )?;
                    objects.push((id, store::Kind::Commit, bytes));
                    id
                }
            };
            papers.push(Paper {
                candidate,
                name,
                old,
                new,
            });
        }
        store.write_all(&objects)?;
        Ok(papers)
    }

    fn slot(&self, candidate: Candidate) -> anyhow::Result<Slot> {
        let name = refs::review(&self.member.handle, &candidate.proposal.digest());
        let old = self.context.store.get(&name)?;
        let mut reviews = candidate.reviews.iter();
        let stands = reviews.any(|review| Some(review.id()) == old && self.says_the_same(review));
        Ok(Slot {
            candidate,
            name,
            old,
            stands,
        })
    }

    fn says_the_same(&self, review: &Review) -> bool {
        let (message, wanted) = (review.message(), &self.opinion);
        review.reviewer() == self.member.key
            && message.verdict == wanted.verdict
            && message.reason == wanted.reason
            && message.text == wanted.text
    }

    /// Where the proposal stands with the new review in place of the old one.
    fn outcome(&self, history: &History<'_>, paper: &Paper) -> anyhow::Result<Cast> {
        let mut candidate = paper.candidate.clone();
        candidate
            .reviews
            .retain(|review| Some(review.id()) != paper.old && review.id() != paper.new);
        let review = Review::authenticate(&self.context.store, &candidate.proposal, paper.new)?;
        candidate.reviews.push(review);
        candidate.reviews.sort_by_key(Review::digest);
        let view = view_of(&self.space.tables, &self.page);
        let tally = tally::tally(&view, &candidate.proposal, &candidate.reviews)?;
        let worth = worth_of(&tally, paper.new);
        let staged = self.space.tables.staged();
        let standing = queue::standing(&self.space.tables, &self.page, history, &candidate);
        self.space.tables.discard(staged);
        let (standing, fault) = match standing?.0 {
            Standing::Refused(fault) if fault.code == Code::Stale => ("stale", Some(fault)),
            Standing::Refused(fault) => ("refused", Some(fault)),
            Standing::Ready { .. } | Standing::Accepted(_) => ("ready", None),
        };
        Ok(Cast {
            proposal: proposals::short_name(&candidate.branch.name).to_owned(),
            digest: candidate.proposal.digest().to_hex(),
            branch: paper.name.clone(),
            commit: paper.new.to_hex(),
            already: paper.old == Some(paper.new),
            counts: worth == Worth::Counts,
            worth: worth.word(),
            needs: NeedView::all(&tally),
            standing,
            code: fault.as_ref().map(|fault| fault.code.as_str()),
            what: fault.map(|fault| fault.what),
            why: worth.why(),
            takes_pen: candidate
                .proposal
                .decisions()
                .iter()
                .any(|decision| decision.op() == PenTake::OP),
            refusal: self.holder && self.opinion.verdict == Verdict::Reject,
        })
    }
}

fn worth_of(tally: &Tally, review: Oid) -> Worth {
    let mut marks = tally.marks.iter();
    let own = marks.find(|mark| mark.review.id() == review);
    own.map_or(Worth::NotAMember, |mark| mark.worth)
}

/// What was read must be what is signed for.
fn require_same(candidate: &Candidate, expect: &str) -> anyhow::Result<()> {
    let expect = expect.to_ascii_lowercase();
    let found = candidate.proposal.digest().to_hex();
    let hex = expect.len() >= 12 && expect.bytes().all(|b| b.is_ascii_hexdigit());
    if !hex || expect.len() > found.len() {
        let what = "--expect takes the proposal's digest, or 12 digits of it or more";
        return Err(Problem::new(Code::BadRequest, what).into());
    }
    if found.starts_with(&expect) {
        return Ok(());
    }
    let name = escape(proposals::short_name(&candidate.branch.name));
    let what = format!("{name} is now the proposal {}, not {expect}", &found[..12]);
    Err(Problem::new(Code::ProposalReplaced, what)
        .hint(format!("folio review {name}"))
        .into())
}

/// Moves the refs. A crash before leaves objects that nothing refers to; the next run signs again.
fn publish(context: &Context, papers: &[Paper]) -> anyhow::Result<()> {
    let edits: Vec<RefEdit> = papers
        .iter()
        .filter(|paper| paper.old != Some(paper.new))
        .map(|paper| RefEdit {
            name: paper.name.clone(),
            expect: paper.old.map_or(Expect::Absent, Expect::At),
            new: Some(paper.new),
            message: "folio: review".into(),
        })
        .collect();
    Ok(store::apply_in_parts(&context.store, &edits)?)
}

/// Says what was signed and what comes next.
pub fn show(ui: &Ui, verb: &str, done: &[Cast]) -> anyhow::Result<()> {
    for cast in done {
        let name = ui.paint(Style::Id, &escape(&cast.proposal));
        let said = if cast.already { " (as before)" } else { "" };
        ui.line(format!("{verb} {name} {}{said}", &cast.digest[..12]))?;
        if let (Some(why), false) = (cast.why, cast.worth == "rejects") {
            ui.say(format!("it counts for nothing today: {why}"));
        }
        for need in &cast.needs {
            ui.say(need.words());
        }
        ui.say(next(cast));
    }
    Ok(())
}

fn next(cast: &Cast) -> String {
    let name = escape(&cast.proposal);
    match (cast.code, &cast.what) {
        _ if cast.refusal => {
            format!(
                "as with `folio refuse`: `folio accept --all` passes it over, `folio accept {name}` does not"
            )
        }
        (Some("approvals-missing"), _) => "it waits for the approvals that are missing".to_owned(),
        (Some(code), Some(what)) => format!("today it is refused: {code}: {}", escape(what)),
        _ if cast.takes_pen => "its author can take the pen now: folio pen take".to_owned(),
        _ => format!("the witness can number it: folio accept {name}"),
    }
}

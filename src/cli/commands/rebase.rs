//! `folio rebase`: make a proposal again on today's state.

use crate::cli::args::Global;
use crate::cli::changes::{self, ChangeView};
use crate::cli::context::{Context, view_of};
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::gc::background::keep_house;
use crate::cli::report::count;
use crate::cli::trial::{Trial, Verdict};
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::{identity, proposals, signing};
use crate::codec::message::clean_text;
use crate::crypto::Sign;
use crate::fold::{Decision, Refusal, Scene, View};
use crate::journal::proposal::Base;
use crate::journal::propose::{self, Intent};
use crate::journal::queue::{Candidate, Entry};
use crate::journal::{Page, Space};
use crate::model::rows::{KeyRow, MemberRow};
use crate::model::{ChainDigest, Code, Oid, ProposalDigest, PublicKey, RowKey};
use crate::state::RowChange;
use crate::store::{Expect, GitStore};
use serde::Serialize;

/// Make a stale proposal again on today's state
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Only your own proposals. What each decision replaces and relies on is filled in from today's \
state, so look at the rows that are shown: they are what you would replace."
)]
pub struct Arguments {
    /// Which: AUTHOR/SLUG, or the beginning of a digest or commit id
    id: String,
    /// Another message; several make paragraphs [default: the old one]
    #[arg(short, long)]
    message: Vec<String>,
}

#[derive(Serialize)]
struct Rebased {
    branch: String,
    /// Whether the branch was replaced.
    changed: bool,
    commit: Option<String>,
    digest: Option<String>,
    base: u64,
    decisions: Vec<Fresh>,
    /// Decisions that are true already and were left out.
    already: usize,
}

#[derive(Serialize)]
struct Fresh {
    decision: Decision,
    /// Whether the old one replaced or relied on something else.
    refreshed: bool,
    changes: Vec<ChangeView>,
}

impl From<Made> for Fresh {
    fn from(made: Made) -> Self {
        Self {
            decision: made.decision,
            refreshed: made.refreshed,
            changes: made.changes.iter().map(ChangeView::of).collect(),
        }
    }
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let mut index = context.index()?;
    let entries = proposals::gather(&context, &space, &mut index, ui)?;
    let old = authentic(proposals::find(&entries, &arguments.id)?)?;
    let history = context.history(&space, &mut index, ui)?;
    let (digest, base) = (old.proposal.digest(), old.proposal.base().number);
    if let Some(number) = history.numbered(&digest, base)? {
        ui.say(format!("it was numbered already as common@{number}"));
        return answer(ui, &nothing(old, base.0, 0));
    }
    let page = Page::read(&context.store, space.tip()?)?;
    let view = view_of(&space.tables, &page);
    let source = signing::source(Some(&context), global)?;
    let author = identity::member(&view, &signing::public_of(&source)?)?;
    require_own(&view, old, &author)?;
    let made = again(&view, page.message.chain, &author, old.proposal.decisions())?;
    let already = old.proposal.decisions().len() - made.len();
    if made.is_empty() {
        ui.say("all of it is true already: there is nothing to propose, and nothing was changed");
        return answer(ui, &nothing(old, page.number().0, already));
    }
    if is_current(old, &page, &author.key, &made) && arguments.message.is_empty() {
        ui.say(format!("it stands on common@{} already", page.number()));
        return answer(ui, &nothing(old, page.number().0, already));
    }
    let text = match arguments.message.as_slice() {
        [] => clean_text(old.proposal.text())?,
        words => clean_text(&words.join("\n\n"))?,
    };
    let decisions: Vec<Decision> = made.iter().map(|made| made.decision.clone()).collect();
    let intent = Intent {
        base: Base::of(&page),
        author: &author,
        decisions: &decisions,
        text: &text,
        when: identity::when(global)?,
    };
    let signer = signing::open(&source)?;
    let (commit, digest) = publish(&space, old, &intent, &*signer)?;
    keep_house(&context, ui);
    if !ui.json() {
        show(ui, &made)?;
        let name = proposals::short_name(&old.branch.name);
        let id = ui.paint(Style::Id, &escape(name));
        let what = count(made.len(), "decision");
        let line = format!(
            "Rebased {id} on common@{} ({what}, {})",
            page.number(),
            digest.short()
        );
        return ui.line(line).map(|()| Exit::Done);
    }
    let rebased = Rebased {
        changed: true,
        commit: Some(commit.to_hex()),
        digest: Some(digest.to_hex()),
        decisions: made.into_iter().map(Fresh::from).collect(),
        ..nothing(old, page.number().0, already)
    };
    answer(ui, &rebased)
}

fn authentic(entry: &Entry) -> anyhow::Result<&Candidate> {
    match entry {
        Entry::Authentic(candidate) => Ok(candidate),
        Entry::Invalid { fault, .. } => Err(fault.clone().into()),
    }
}

/// Signed with a key that is or was the author's, on a branch of theirs.
fn require_own(view: &dyn View, old: &Candidate, author: &MemberRow) -> anyhow::Result<()> {
    let key = RowKey::of(&old.proposal.author());
    let row: Option<KeyRow> = Scene::new(view).get(&key)?;
    let own = row.is_some_and(|row| row.member == author.handle);
    if own && old.branch.author == author.handle {
        return Ok(());
    }
    let what = format!(
        "the proposal is `{}`'s, and you are `{}`",
        old.branch.author, author.handle
    );
    Err(Problem::new(Code::NotAllowed, what)
        .hint("only its author makes a proposal again; make one of your own with `folio propose`")
        .into())
}

/// A decision with what it replaces filled in again.
struct Made {
    decision: Decision,
    refreshed: bool,
    changes: Vec<RowChange>,
}

/// The decisions as they are today, without those that are true already; all refusals are said at once.
fn again(
    view: &dyn View,
    after: ChainDigest,
    author: &MemberRow,
    old: &[Decision],
) -> anyhow::Result<Vec<Made>> {
    let mut trial = Trial::new(view, after, Some(author.clone()));
    let mut made = Vec::new();
    let mut refused: Vec<(usize, Refusal)> = Vec::new();
    for (index, decision) in old.iter().enumerate() {
        match trial.judge(decision.clone(), true)? {
            Verdict::Already => {}
            Verdict::Refused(refusal) => refused.push((index + 1, refusal)),
            Verdict::Changes(changes) => {
                let fresh = trial.kept.last().expect("what changes something is kept");
                made.push(Made {
                    refreshed: fresh != decision,
                    decision: fresh.clone(),
                    changes,
                });
            }
        }
    }
    match refused.first() {
        None => Ok(made),
        Some((_, first)) => {
            let words = refused
                .iter()
                .map(|(number, r)| format!("decision {number}: {}: {}", r.code, r.what));
            let what = words.collect::<Vec<_>>().join("\n");
            Err(Problem::new(first.code, what).into())
        }
    }
}

/// Whether making it again would make the same thing.
fn is_current(old: &Candidate, page: &Page, key: &PublicKey, made: &[Made]) -> bool {
    old.proposal.base().number == page.number()
        && old.proposal.author() == *key
        && made
            .iter()
            .map(|made| &made.decision)
            .eq(old.proposal.decisions())
}

fn nothing(old: &Candidate, base: u64, already: usize) -> Rebased {
    Rebased {
        branch: old.branch.name.clone(),
        changed: false,
        commit: None,
        digest: None,
        base,
        decisions: Vec::new(),
        already,
    }
}

/// Signs the new proposal and puts it where the old one is, if that is still there.
fn publish(
    space: &Space<'_, GitStore>,
    old: &Candidate,
    intent: &Intent<'_>,
    signer: &dyn Sign,
) -> anyhow::Result<(Oid, ProposalDigest)> {
    let prepared = propose::prepare(&space.tables, space.store, space.id, intent, signer)?;
    let expect = Expect::At(old.branch.commit);
    Ok(prepared.publish(space, old.branch.name.clone(), expect)?)
}

/// What the decisions that were filled in again replace now.
fn show(ui: &Ui, made: &[Made]) -> anyhow::Result<()> {
    for (index, made) in made.iter().enumerate().filter(|(_, made)| made.refreshed) {
        let number = ui.paint(Style::Id, &(index + 1).to_string());
        ui.line(format!("{number} {}", escape(&made.decision.to_line())))?;
        let rows = made.changes.iter();
        for change in rows.filter(|change| changes::says_something(change)) {
            for line in changes::lines(ui, change) {
                ui.line(format!("    {line}"))?;
            }
        }
    }
    Ok(())
}

fn answer(ui: &Ui, rebased: &Rebased) -> anyhow::Result<Exit> {
    if ui.json() {
        ui.answer("rebase", rebased)?;
    }
    Ok(Exit::Done)
}

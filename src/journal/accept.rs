//! Numbering: verify, order, fold, write, and publish by one compare-and-swap.

use super::check;
use super::fault::Fault;
use super::history::History;
use super::order;
use super::page::Page;
use super::pages::{NewPage, PageIndex, PageRecord, change_key};
use super::proposal::Proposal;
use super::propose::When;
use super::queue::{self, Candidate, Entry, Standing};
use super::refs;
use super::review::Review;
use super::space::Space;
use super::tidy::{self, Own};
use crate::codec::commit::Commit;
use crate::codec::message::{Message, SnapshotMessage};
use crate::crypto::{Sign, seal};
use crate::fold::{Decision, Outcome, Scene};
use crate::model::rows::{KeyRow, MemberRow};
use crate::model::text::is_plain;
use crate::model::{Code, Number, Oid, PublicKey, RowKey};
use crate::state::TreeView;
use crate::store::{Expect, Kind, RefEdit, Store};
use std::collections::BTreeSet;

/// How often a lost race is tried again before the command gives up.
const ATTEMPTS: usize = 8;
/// Pages written and published at a time, so that memory stays bounded.
const BATCH: usize = 4096;

/// Who numbers, and when.
pub struct Witness<'a> {
    /// The key that holds the pen.
    pub signer: &'a dyn Sign,
    /// The date in the commits.
    pub when: When,
}

/// One proposal that became a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Its number.
    pub number: Number,
    /// The snapshot's commit.
    pub commit: Oid,
    /// The branch it came on.
    pub branch: String,
    /// The first line of the proposer's words.
    pub subject: String,
}

/// What became of a queue.
#[derive(Debug, Default)]
pub struct Report {
    /// The proposals that were numbered, in order.
    pub numbered: Vec<Numbered>,
    /// Those that were numbered before; their branches are removed.
    pub already: Vec<(String, Number)>,
    /// Those that no order makes acceptable today, with the reason.
    pub refused: Vec<(Candidate, Fault)>,
    /// Branches that hold no authentic proposal.
    pub invalid: Vec<(String, Fault)>,
}

/// Called with the old and the new tip when everything is written and before it is published: the last
/// moment to say no.
pub type BeforePublish<'a> = dyn FnMut(Oid, Oid) -> Result<(), Fault> + 'a;

/// Whether an entry of the queue is to be numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// It is not looked at.
    Leave,
    /// It is numbered, unless the witness refused it before with the code `rejected`.
    Take,
    /// It is numbered, also where the witness refused it before.
    TakeAnyway,
}

/// Numbers what is acceptable among the chosen branches. What the witness refused before stays refused.
pub fn accept<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    index: &mut dyn PageIndex,
    witness: &Witness<'_>,
    chosen: &dyn Fn(&Entry) -> bool,
    before_publish: &mut BeforePublish<'_>,
) -> Result<Report, Fault> {
    let choose = |entry: &Entry| match chosen(entry) {
        true => Choice::Take,
        false => Choice::Leave,
    };
    accept_chosen(space, index, witness, &choose, before_publish)
}

/// As [`accept`], where the witness may also take back a refusal.
pub fn accept_chosen<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    index: &mut dyn PageIndex,
    witness: &Witness<'_>,
    choose: &dyn Fn(&Entry) -> Choice,
    before_publish: &mut BeforePublish<'_>,
) -> Result<Report, Fault> {
    let mut report = Report::default();
    let mut history = open_history(space, index)?;
    let entries = queue::gather(space, &history)?;
    let chosen = take(entries, choose, witness, &mut report);
    let own = Own::of(space, &history, witness.signer.public_key())?;
    let (waiting, rejected) = chosen;
    let author = |candidate: &Candidate| candidate.branch.author.to_string();
    let mut waiting = order::round_robin(waiting, author, |candidate| &candidate.proposal);
    let mut lost = 0;
    loop {
        let plan = match plan(space, &history, witness, waiting) {
            // The index could not follow. What is numbered is numbered; the next run looks at the rest.
            Err(fault) if fault.code == Code::Busy && !report.numbered.is_empty() => {
                return Ok(report);
            }
            planned => planned?,
        };
        waiting = plan.waiting;
        report.already.extend(
            plan.already
                .iter()
                .map(|(c, n)| (c.branch.name.clone(), *n)),
        );
        let numbered = plan.already.iter().map(|(candidate, _)| candidate);
        tidy::remove_branches(space, &own, numbered);
        if plan.pages.is_empty() {
            report.refused = plan.refused;
            report.refused.extend(rejected);
            tidy::drop_left_reviews(space, &own);
            return Ok(report);
        }
        let committed = commit(space, &history, plan.pages)?;
        before_publish(committed.old, committed.new)?;
        match committed.publish(space) {
            Ok(pages) => {
                lost = 0;
                let done = finish(space, &mut history, &own, pages)?;
                report.numbered.extend(done);
                // What was refused may have become acceptable by what was just numbered.
                waiting.extend(plan.refused.into_iter().map(|(candidate, _)| candidate));
            }
            Err((fault, pages)) if fault.code == Code::RaceLost && lost < ATTEMPTS => {
                // Somebody else numbered meanwhile. The proposals stay authenticated; what they do is judged
                // again on the new state. The written objects are left over and nothing refers to them.
                lost += 1;
                drop(history);
                history = open_history(space, index)?;
                let again = pages.into_iter().map(|page| page.candidate);
                let refused = plan.refused.into_iter().map(|(candidate, _)| candidate);
                waiting = again.chain(refused).chain(waiting).collect();
            }
            Err((fault, _)) => return Err(fault),
        }
    }
}

type Rejected = Vec<(Candidate, Fault)>;

/// The candidates to number, and those that stay refused.
fn take(
    entries: Vec<Entry>,
    choose: &dyn Fn(&Entry) -> Choice,
    witness: &Witness<'_>,
    report: &mut Report,
) -> (Vec<Candidate>, Rejected) {
    let key = witness.signer.public_key();
    let (mut waiting, mut rejected) = (Vec::new(), Vec::new());
    for entry in entries {
        let choice = choose(&entry);
        if choice == Choice::Leave {
            continue;
        }
        let candidate = match entry {
            Entry::Authentic(candidate) => *candidate,
            Entry::Invalid { name, fault, .. } => {
                report.invalid.push((name, fault));
                continue;
            }
        };
        let words = queue::rejected_by(&candidate, &key).map(|r| queue::words_of(r).to_owned());
        match words.filter(|_| choice == Choice::Take) {
            Some(words) => rejected.push((candidate, Fault::new(Code::Rejected, words))),
            None => waiting.push(candidate),
        }
    }
    (waiting, rejected)
}

fn open_history<'i, S: Store>(
    space: &Space<'_, S>,
    index: &'i mut dyn PageIndex,
) -> Result<History<'i>, Fault> {
    History::open(
        &space.tables,
        space.store,
        Some(space.tip()?),
        index,
        &mut |_, _| {},
    )
}

/// A snapshot that is made and signed, and not yet written.
#[derive(Debug)]
struct PlannedPage {
    candidate: Candidate,
    page: Page,
    bytes: Vec<u8>,
    outcome: Outcome,
}

/// One pass over the queue.
struct Plan {
    pages: Vec<PlannedPage>,
    already: Vec<(Candidate, Number)>,
    refused: Vec<(Candidate, Fault)>,
    /// What did not fit into this batch.
    waiting: Vec<Candidate>,
}

/// Passes over the queue until nothing more is acceptable, each proposal judged on what the ones before
/// it made.
fn plan<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    witness: &Witness<'_>,
    mut waiting: Vec<Candidate>,
) -> Result<Plan, Fault> {
    let mut tip = history.tip().expect("an open space has a tip").clone();
    let mut plan = Plan {
        pages: Vec::new(),
        already: Vec::new(),
        refused: Vec::new(),
        waiting: Vec::new(),
    };
    // The pen moves first where it is taken, and last where it is laid down.
    waiting.sort_by_key(|candidate| turn(&candidate.proposal));
    let desk = Desk::new(space, witness, &waiting);
    let mut planned = BTreeSet::new();
    loop {
        let before = plan.pages.len();
        let mut refused = Vec::new();
        let mut queue = waiting.into_iter();
        for candidate in queue.by_ref() {
            if planned.contains(&candidate.proposal.digest()) {
                // The same proposal on two branches: the second goes with the next look at the queue.
                continue;
            }
            let staged = space.tables.staged();
            match queue::standing(&space.tables, &tip, history, &candidate)? {
                (Standing::Accepted(number), _) => plan.already.push((candidate, number)),
                (Standing::Refused(fault), _) => refused.push((candidate, fault)),
                (Standing::Ready { judgement }, reviews) => {
                    if let Some(fault) = desk.not_ours(&tip, &candidate)? {
                        space.tables.discard(staged);
                        refused.push((candidate, fault));
                        continue;
                    }
                    let commit = page_commit(
                        space,
                        &tip,
                        &candidate.proposal,
                        &reviews,
                        witness,
                        judgement.tree,
                    )?;
                    let bytes = commit.encode();
                    let id = space.store.id_of(Kind::Commit, &bytes);
                    let page = page_of(id, commit)?;
                    tip = page.clone();
                    let outcome = judgement.outcome;
                    planned.insert(candidate.proposal.digest());
                    plan.pages.push(PlannedPage {
                        candidate,
                        page,
                        bytes,
                        outcome,
                    });
                    if plan.pages.len() == BATCH {
                        break;
                    }
                }
            }
        }
        plan.waiting.extend(queue);
        if plan.pages.len() == before || refused.is_empty() || !plan.waiting.is_empty() {
            plan.refused = refused;
            return Ok(plan);
        }
        waiting = refused
            .into_iter()
            .map(|(candidate, _)| candidate)
            .collect();
    }
}

/// Whose proposals the witness numbers.
struct Desk<'a, 's, S: Store> {
    space: &'a Space<'s, S>,
    signer: PublicKey,
    /// Whether a take of the witness's own waits: then it is no fault that the pen is somebody else's before.
    takes: bool,
}

impl<'a, 's, S: Store> Desk<'a, 's, S> {
    fn new(space: &'a Space<'s, S>, witness: &Witness<'_>, waiting: &[Candidate]) -> Self {
        let signer = witness.signer.public_key();
        let takes = waiting.iter().any(|candidate| {
            check::take_in(&candidate.proposal).is_some_and(|take| take.key == signer)
        });
        Self {
            space,
            signer,
            takes,
        }
    }

    /// Why somebody else numbers it: the taker their take, the holder what comes before one's own take.
    fn not_ours(&self, tip: &Page, candidate: &Candidate) -> Result<Option<Fault>, Fault> {
        let take = check::take_in(&candidate.proposal);
        if take.is_none() && !self.takes {
            return Ok(None);
        }
        let view = TreeView::new(&self.space.tables, Some(tip.tree()));
        let pen = check::pen_for(&view, &candidate.proposal)?;
        if pen.key == self.signer {
            return Ok(None);
        }
        let what = match take {
            Some(_) => format!("`{}` takes the pen by it and numbers it", pen.member),
            None => format!("`{}` holds the pen and numbers it", pen.member),
        };
        let fault = Fault::differs(Code::SignerWrong, &what, pen.key, self.signer);
        Ok(Some(fault))
    }
}

fn turn(proposal: &Proposal) -> u8 {
    match proposal.decisions().last() {
        Some(Decision::PenTake(_)) => 0,
        Some(Decision::PenRelease(_)) => 2,
        _ => 1,
    }
}

fn page_of(id: Oid, commit: Commit) -> Result<Page, Fault> {
    match Message::parse(&commit.message)? {
        Message::Snapshot(message) => Ok(Page {
            id,
            commit,
            message,
        }),
        _ => Err(Fault::new(
            Code::NotASnapshot,
            "expected the snapshot that was just made",
        )),
    }
}

/// Makes and signs the snapshot after `previous` (none: the first) that numbers a judged proposal.
pub fn page_commit<S: Store>(
    space: &Space<'_, S>,
    previous: &Page,
    proposal: &Proposal,
    reviews: &[Review],
    witness: &Witness<'_>,
    tree: Oid,
) -> Result<Commit, Fault> {
    let view = TreeView::new(&space.tables, Some(previous.tree()));
    snapshot_commit(&view, Some(previous), proposal, reviews, witness, tree)
}

/// As [`page_commit`], with the state that says who holds the pen: the one before, or for the first page
/// the one it makes.
pub fn snapshot_commit(
    authority: &dyn crate::fold::View,
    previous: Option<&Page>,
    proposal: &Proposal,
    reviews: &[Review],
    witness: &Witness<'_>,
    tree: Oid,
) -> Result<Commit, Fault> {
    let pen = check::pen_for(authority, proposal)?;
    let signer = witness.signer.public_key();
    if signer != pen.key {
        let what = format!(
            "numbering needs the key of `{}`, who holds the pen",
            pen.member
        );
        return Err(Fault::differs(Code::SignerWrong, &what, pen.key, signer));
    }
    let row: Option<MemberRow> = Scene::new(authority).get(&RowKey::of(pen.member.as_str()))?;
    let holder = row.ok_or_else(|| {
        Fault::new(
            Code::NoSuchMember,
            format!("`{}` holds the pen and is no member", pen.member),
        )
    })?;
    let number = previous.map_or(Number(1), |page| page.number().next());
    let chain = check::chain_of(pen.epoch, previous, proposal, reviews, signer);
    let message = Message::Snapshot(SnapshotMessage {
        text: snapshot_text(number, proposal.subject()),
        space: proposal.space(),
        number,
        epoch: pen.epoch,
        proposal: proposal.digest(),
        chain,
    });
    // A rotated key goes on signing until the pen is taken, under the address it signed with last.
    let key: Option<KeyRow> = Scene::new(authority).get(&RowKey::of(pen.key.to_string()))?;
    let mut ident = witness.when.ident(&holder);
    if let Some(key) = key {
        ident.email = key.email.to_string();
    }
    let mut parents: Vec<Oid> = previous.map(|page| page.id).into_iter().collect();
    parents.push(proposal.id());
    parents.extend(reviews.iter().map(Review::id));
    let commit = Commit {
        tree,
        parents,
        author: ident.clone(),
        committer: ident,
        armor: None,
        message: message.encode(),
    };
    Ok(seal::seal(commit, witness.signer)?)
}

/// The subject of a snapshot: its number and the proposer's first line, without what a terminal would obey.
fn snapshot_text(number: Number, subject: &str) -> String {
    let plain: String = subject
        .trim()
        .chars()
        .filter(|c| is_plain(*c))
        .take(200)
        .collect();
    format!("common@{number}: {}\n", plain.trim_end())
}

/// Snapshots that are written and fsynced, and that no ref names: nothing has happened yet.
#[must_use = "pages that are not published have not been made"]
struct Committed {
    old: Oid,
    new: Oid,
    pages: Vec<PlannedPage>,
}

/// Writes all objects of a plan as one pack. A crash before, during or after leaves objects that nothing
/// refers to, and the queue as it was.
fn commit<S: Store>(
    space: &Space<'_, S>,
    history: &History<'_>,
    pages: Vec<PlannedPage>,
) -> Result<Committed, Fault> {
    let mut objects = space.tables.take();
    for page in &pages {
        objects.push((page.page.id, Kind::Commit, page.bytes.clone()));
    }
    space.store.write_all(&objects)?;
    let old = history.tip().expect("an open space has a tip").id;
    let new = pages
        .last()
        .expect("a plan that is committed has pages")
        .page
        .id;
    Ok(Committed { old, new, pages })
}

impl Committed {
    /// The one compare-and-swap that makes it true. A crash before it: nothing happened. A crash after it:
    /// the pages are numbered, and the branches are removed by the next run.
    fn publish<S: Store>(
        self,
        space: &Space<'_, S>,
    ) -> Result<Vec<PlannedPage>, (Fault, Vec<PlannedPage>)> {
        let edit = RefEdit {
            name: refs::MAIN.into(),
            expect: Expect::At(self.old),
            new: Some(self.new),
            message: format!("folio: accept {} proposals", self.pages.len()),
        };
        match space.store.apply(&[edit]) {
            Ok(()) => Ok(self.pages),
            Err(fault) => Err((fault.into(), self.pages)),
        }
    }
}

/// After publishing: the index and the branches. Both can be made up for later.
fn finish<S: Store>(
    space: &Space<'_, S>,
    history: &mut History<'_>,
    own: &Own,
    pages: Vec<PlannedPage>,
) -> Result<Vec<Numbered>, Fault> {
    let new: Vec<NewPage> = pages.iter().map(index_entry).collect();
    let tip = pages.last().expect("published pages").page.clone();
    tidy::remove_branches(space, own, pages.iter().map(|page| &page.candidate));
    // The index is disposable and follows when it is opened again; the pages are published whatever it says.
    let _ = history.extend(&new, tip);
    Ok(pages
        .into_iter()
        .map(|page| Numbered {
            number: page.page.number(),
            commit: page.page.id,
            subject: page.candidate.proposal.subject().to_owned(),
            branch: page.candidate.branch.name,
        })
        .collect())
}

fn index_entry(page: &PlannedPage) -> NewPage {
    let record = PageRecord {
        commit: page.page.id,
        proposal: page.page.message.proposal,
        chain: page.page.message.chain,
    };
    let keys = page.outcome.edits.keys();
    (
        record,
        keys.map(|(table, key)| change_key(*table, key)).collect(),
    )
}

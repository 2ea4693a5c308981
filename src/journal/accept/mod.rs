//! Numbering: verify, order, fold, write, and publish by one compare-and-swap.

mod desk;
mod guard;
mod plan;
mod publish;
mod sealing;
mod snapshot;
mod unfinished;

pub use snapshot::{Unsigned, page_commit, snapshot_commit};

use super::fault::Fault;
use super::history::History;
use super::memory::{Hand, SignerMemory};
use super::order;
use super::pages::PageIndex;
use super::propose::When;
use super::queue::{self, Candidate, Entry};
use super::space::Space;
use super::tidy::{self, Own};
use crate::cores;
use crate::crypto::Sign;
use crate::model::{Code, Number, Oid};
use crate::store::Store;
use desk::Desk;
use guard::Guard;
use plan::plan;
use publish::{Spent, commit, finish};
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
    /// What the key has signed before, and will have.
    pub memory: &'a dyn SignerMemory,
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
    /// What the last of them were made of. To give it back takes a while, and is in the way of all else that asks for memory.
    spent: Option<Spent>,
}

impl Report {
    /// Gives back the memory of what the pages were made of, beside what comes next, for whoever keeps the report. Where
    /// the process ends in a moment it is better left.
    pub fn give_back(&mut self) {
        if let Some(spent) = self.spent.take().filter(Spent::is_large) {
            cores::give_back(spent);
        }
    }
}

/// Called with the old and the new tip when everything is written and before it is published: the last
/// moment to say no.
pub type BeforePublish<'a> = dyn FnMut(Oid, Oid) -> Result<(), Fault> + 'a;

/// Asked about a proposal that the journal has nothing against: whether what lies outside of the journal is there
/// too, the bytes that it publishes. A fault refuses it, and one of the environment ends the run.
pub type Ready<'a> = dyn Fn(&Candidate) -> Result<(), Fault> + 'a;

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

/// Which proposals of the queue are to be numbered.
#[derive(Clone, Copy)]
pub struct Pick<'a> {
    /// The full names of the branches that are looked at; the whole queue without them.
    pub branches: Option<&'a BTreeSet<String>>,
    /// What becomes of an entry that is looked at.
    pub choose: &'a dyn Fn(&Entry) -> Choice,
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
    let pick = Pick {
        branches: None,
        choose: &choose,
    };
    let ready = &|_: &Candidate| Ok(());
    accept_chosen(space, index, witness, pick, ready, before_publish)
}

/// As [`accept`], where the witness may also take back a refusal, and numbers only what is `ready`.
pub fn accept_chosen<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    index: &mut dyn PageIndex,
    witness: &Witness<'_>,
    pick: Pick<'_>,
    ready: &Ready<'_>,
    before_publish: &mut BeforePublish<'_>,
) -> Result<Report, Fault> {
    let mut report = Report::default();
    let hand = Hand {
        space: space.id,
        key: witness.signer.public_key(),
    };
    // Other processes of the same holder wait from here on, before it is read what there is to do.
    let mut guard = Guard::begin(witness.memory, hand)?;
    let mut history = settled(space, index, &mut guard, before_publish, &mut report)?;
    let entries = match pick.branches {
        Some(names) => queue::gather_named(space, &history, names)?,
        None => queue::gather(space, &history)?,
    };
    let (waiting, rejected) = take(entries, pick.choose, witness, &mut report);
    let own = Own::of(space, &history, hand.key)?;
    let author = |candidate: &Candidate| candidate.branch.author.to_string();
    let mut waiting = order::round_robin(waiting, author, |candidate| &candidate.proposal);
    let mut lost = 0;
    loop {
        if !waiting.is_empty() {
            report.give_back();
        }
        let desk = Desk::new(space, witness, ready, &waiting);
        let plan = match plan(&history, &desk, &guard, waiting) {
            // The index could not follow. What is numbered is numbered; the next run looks at the rest.
            Err(fault) if fault.code == Code::Busy && !report.numbered.is_empty() => {
                return Ok(report);
            }
            planned => planned?,
        };
        waiting = plan.waiting;
        tidy_already(space, plan.already, &mut report);
        if plan.pages.is_empty() {
            report.refused = plan.refused;
            report.refused.extend(rejected);
            tidy::drop_left_reviews(space, &own);
            return Ok(report);
        }
        let gone = tidy::branches_of(space, plan.pages.iter().map(|page| &page.candidate));
        let committed = commit(space, &history, &mut guard, plan.pages, plan.parcel, &gone)?;
        before_publish(committed.old, committed.new)?;
        match committed.publish(space) {
            Ok(published) => {
                lost = 0;
                let (done, spent) = finish(space, &mut history, published, &gone);
                report.numbered.extend(done);
                report.spent = Some(spent);
                // What was refused may have become acceptable by what was just numbered.
                waiting.extend(plan.refused.into_iter().map(|(candidate, _)| candidate));
            }
            Err((fault, pages)) if fault.code == Code::RaceLost && lost < ATTEMPTS => {
                // Somebody else numbered meanwhile. The proposals stay authenticated; what they do is judged
                // again on the new state. The signed pages stay in the memory, and forbid others in their place.
                lost += 1;
                drop(history);
                history = settled(space, index, &mut guard, before_publish, &mut report)?;
                let again = pages.into_iter().map(|page| page.candidate);
                let refused = plan.refused.into_iter().map(|(candidate, _)| candidate);
                waiting = again.chain(refused).chain(waiting).collect();
            }
            Err((fault, _)) => return Err(fault),
        }
    }
}

/// Branches whose proposal has its number go, and are reported: unless this very run published it from there, signed
/// before, and reported it as numbered.
fn tidy_already<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    already: Vec<(Candidate, Number)>,
    report: &mut Report,
) {
    for (candidate, number) in &already {
        let name = candidate.branch.name.clone();
        let told = |page: &Numbered| page.number == *number && page.branch == name;
        if !report.numbered.iter().any(told) {
            report.already.push((name, *number));
        }
    }
    tidy::remove_branches(space, already.iter().map(|(candidate, _)| candidate));
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

/// The history, with what was signed before and not published published now.
fn settled<'i, S: Store>(
    space: &Space<'_, S>,
    index: &'i mut dyn PageIndex,
    guard: &mut Guard<'_>,
    before_publish: &mut BeforePublish<'_>,
    report: &mut Report,
) -> Result<History<'i>, Fault> {
    let mut lost = 0;
    loop {
        let history = open_history(space, &mut *index)?;
        match unfinished::settle(space, &history, guard, before_publish) {
            Ok(numbered) if numbered.is_empty() => break,
            Ok(numbered) => report.numbered.extend(numbered),
            Err(fault) if fault.code == Code::RaceLost && lost < ATTEMPTS => lost += 1,
            Err(fault) => return Err(fault),
        }
    }
    let history = open_history(space, index)?;
    let tip = history.tip().expect("an open space has a tip").clone();
    guard.learn(&history, &tip)?;
    Ok(history)
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

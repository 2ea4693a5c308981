//! Verifying a chain of snapshots: from the first, from a known one on, or a branch that meets a known chain.

use super::check::{Checked, check_page, unknown_base};
use super::fault::Fault;
use super::history::History;
use super::page::Page;
use super::space::Space;
use crate::model::{Code, Number, Oid, ProposalDigest};
use crate::parallel;
use crate::store::{Objects, Store, missing};
use std::collections::HashMap;

/// Pages verified between two reports of progress.
const REPORT: u64 = 4096;

/// What a full run found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The first number that was verified.
    pub from: Number,
    /// The last one.
    pub to: Number,
    /// How many decisions they hold.
    pub decisions: u64,
}

/// Verifies the snapshots `from..=to` of a history: every rule of the format, for each of them, and that the store has
/// all that they and their proposals are made of, unless it is meant to be partial. The pages below `from` are taken
/// as verified.
pub fn verify<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    history: &History<'_>,
    from: Number,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, Fault> {
    refuse_replacements(space)?;
    let to = history.len();
    let branch = Branch {
        fork: Number(from.0.saturating_sub(1).min(to.0)),
        pages: history.commits(from, to)?,
    };
    let check = match space.store.is_partial() {
        true => Check::Rules,
        false => Check::Repository,
    };
    let mut decisions = 0;
    let mut each = |page: Checked| decisions += page.decisions;
    let verified = verify_each(space, history, &branch, check, progress, &mut each);
    verified.map_err(|fault| name_malformed(space, history, fault))?;
    Ok(Report {
        from,
        to,
        decisions,
    })
}

/// A tree that is no state at all is not the one that was made either. Which of both it is is said, for somebody wrote
/// it by hand or the repository is damaged.
fn name_malformed<S: Store>(space: &Space<'_, S>, history: &History<'_>, fault: Fault) -> Fault {
    let (Code::TreeMismatch, Some(number)) = (fault.code, fault.number) else {
        return fault;
    };
    let tree = |number: u64| {
        let record = history.page(Number(number))?;
        let page = Page::read(space.store, record.commit).ok()?;
        Some(page.tree())
    };
    let (before, after) = (tree(number.0.saturating_sub(1)), tree(number.0));
    match space.tables.diff(before, after) {
        Err(malformed) => Fault::from(malformed).at(number),
        Ok(_) => fault,
    }
}

/// Pages that follow a page of a known chain: what somebody offers, or what was not looked at yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The last page in common; 0 where there is none.
    pub fork: Number,
    /// The commits of `fork + 1 ..`, oldest first; each is the first parent of the next.
    pub pages: Vec<Oid>,
}

impl Branch {
    /// Reads from a tip down to where it meets a history: O(pages that the history does not have).
    ///
    /// # Errors
    /// `not-a-snapshot`, `number-mismatch` and the other faults of a page that is none.
    pub fn read<S: Objects + ?Sized>(
        store: &S,
        history: &History<'_>,
        tip: Oid,
    ) -> Result<Self, Fault> {
        let mut pages = Vec::new();
        let mut at = Page::read(store, tip)?;
        loop {
            let number = at.number();
            if history.contains(number, &at.id) {
                pages.reverse();
                return Ok(Self {
                    fork: number,
                    pages,
                });
            }
            pages.push(at.id);
            let Some(previous) = at.previous() else {
                pages.reverse();
                return Ok(Self {
                    fork: Number(0),
                    pages,
                });
            };
            at = Page::read(store, previous)?;
            if at.number().next() != number {
                let what = "the number of the page before";
                let fault = Fault::differs(Code::NumberMismatch, what, number.0 - 1, at.number());
                return Err(fault.in_commit(at.id));
            }
        }
    }

    /// The number of its last page.
    pub fn end(&self) -> Number {
        Number(self.fork.0 + self.pages.len() as u64)
    }

    /// The commit of a number on the chain that this branch makes of a history.
    fn commit_of(&self, history: &History<'_>, number: Number) -> Option<Oid> {
        match number.0.checked_sub(self.fork.0 + 1) {
            Some(at) => self.pages.get(usize::try_from(at).ok()?).copied(),
            None => history.page(number).map(|record| record.commit),
        }
    }
}

/// Verifies every page of a branch on all cores, by every rule of the format. The pages of the history up to
/// the fork are taken as verified. That nothing is missing is for whoever brought the branch to see to.
pub fn verify_branch<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    history: &History<'_>,
    branch: &Branch,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<Checked>, Fault> {
    let mut all = Vec::with_capacity(branch.pages.len());
    let mut each = |page| all.push(page);
    verify_each(space, history, branch, Check::Rules, progress, &mut each)?;
    Ok(all)
}

/// What is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    /// That each page follows the rules.
    Rules,
    /// That, and that nothing is missing.
    Repository,
}

/// As [`verify_branch`], handing over each page in its turn.
fn verify_each<S: Store + Clone + Send>(
    space: &Space<'_, S>,
    history: &History<'_>,
    branch: &Branch,
    check: Check,
    progress: &mut dyn FnMut(u64, u64),
    each: &mut dyn FnMut(Checked),
) -> Result<(), Fault> {
    let of = space.id;
    let mut previous = branch.commit_of(history, branch.fork);
    let mut work = Vec::with_capacity(branch.pages.len());
    for (number, id) in (branch.fork.0 + 1..).zip(&branch.pages) {
        work.push((Number(number), *id, previous));
        previous = Some(*id);
    }
    let (mut done, total) = (0, work.len() as u64);
    let mut seen = HashMap::new();
    parallel::in_parts(
        space.store,
        work,
        parallel::MANY_AT_ONCE,
        |store, tables, (number, id, previous)| {
            if check == Check::Repository {
                tables.note_absent();
            }
            let checked = check_page(store, tables, &of, number, id, previous)?;
            require_there(store, &tables.absent(), &checked).map(|()| checked)
        },
        |page| {
            let page = page?;
            require_base(history, branch, &page)?;
            require_once(&mut seen, history, branch.fork, &page)?;
            each(page);
            done += 1;
            if done % REPORT == 0 || done == total {
                progress(done, total);
            }
            Ok(())
        },
    )
}

/// Everything that a page is made of is in the store. `absent` is what a quick look did not find, and what names that.
fn require_there<S: Objects>(store: &S, absent: &[Oid], page: &Checked) -> Result<(), Fault> {
    for id in absent {
        if store.header(id)?.is_none() {
            return Err(Fault::from(missing(id)).at(page.number).in_commit(page.id));
        }
    }
    Ok(())
}

/// Plain git honours replacement refs, so what it shows would not be what was verified here.
fn refuse_replacements<S: Store>(space: &Space<'_, S>) -> Result<(), Fault> {
    match space.store.list("refs/replace/")?.first() {
        None => Ok(()),
        Some((name, _)) => {
            let what = format!("expected no replacement refs, found {name}");
            Err(Fault::new(Code::ReplacedObjects, what))
        }
    }
}

/// The proposal stands on a snapshot of this very chain.
fn require_base(history: &History<'_>, branch: &Branch, page: &Checked) -> Result<(), Fault> {
    match page.base {
        Some((number, commit)) if branch.commit_of(history, number) != Some(commit) => {
            Err(unknown_base(number).at(page.number).in_commit(page.id))
        }
        _ => Ok(()),
    }
}

/// A proposal is numbered at most once, and only after its base: nothing before that is looked at.
fn require_once(
    seen: &mut HashMap<ProposalDigest, Number>,
    history: &History<'_>,
    fork: Number,
    page: &Checked,
) -> Result<(), Fault> {
    let base = page.base.map_or(Number(0), |(number, _)| number);
    let earlier = match seen.insert(page.proposal, page.number) {
        Some(earlier) => Some(earlier),
        None => history.numbered_up_to(&page.proposal, base, fork)?,
    };
    let Some(earlier) = earlier else {
        return Ok(());
    };
    let proposal = page.proposal;
    let what = format!("the proposal {proposal} was numbered as common@{earlier} already");
    Err(Fault::new(Code::DuplicateProposal, what).at(page.number))
}

//! One run.

use super::mark::{self, Mark, mark};
use super::{Condemned, PATIENCE, Report, Terms, condemned, rewrite, roots, sweep};
use crate::artifact::pins::{COLLECTOR, Pinned, pinned};
use crate::artifact::{ArtifactFault, Shelves};
use crate::model::{Code, ContentDigest};
use crate::store::collector::Collecting;
use crate::store::git::writers;
use crate::store::turnstile::Held;
use crate::store::{GitStore, Turnstile};
use std::collections::{BTreeMap, BTreeSet};

/// How often it begins anew where the roots change all the time.
const ATTEMPTS: usize = 4;

/// Why no artifact was removed.
const BUSY: &str = "another command has been writing for a while: no artifact was removed";
const CHANGED: &str = "what is needed changed all the time: no artifact was removed";

/// Collects. Nobody else does at the same time: that is what `turn` says.
///
/// # Errors
/// `cannot-mark`; `io`, and those of the store. What was done until then is whole, and the next run goes on.
pub fn run(
    store: &GitStore,
    turn: &Collecting,
    terms: &Terms<'_>,
) -> Result<Report, ArtifactFault> {
    let shelves = Shelves::open(store)?;
    let Some(own) = shelves.internal().store() else {
        return Ok(Report::default());
    };
    // Nobody merges packs there meanwhile.
    let _packs = Collecting::begin(own.common_dir())?;
    let folio = shelves.internal().folio().to_owned();
    let old = Condemned::read(&folio)?;
    let collection = Collection {
        store,
        shelves: &shelves,
        turn,
        terms,
    };
    let mut report = collection.remove_due(&old)?;
    let marked = mark(store, &shelves)?;
    let mut new = carry(&shelves, &old, &marked, terms.now)?;
    sweep::sweep(&shelves, turn, terms, &old, &mut new, &mut report)?;
    let collector = Turnstile::open(&folio, COLLECTOR)?;
    let _alone = collector.alone()?;
    for key in condemned::renewed(&folio)? {
        new.keys.entry(key).and_modify(|since| *since = terms.now);
    }
    new.write(&folio, terms.steps)?;
    terms.steps.step("gc-renewed-forget")?;
    condemned::forget_renewed(&folio)?;
    terms.steps.step("gc-condemned-done")?;
    report.condemned = new.keys.len();
    Ok(report)
}

/// Artifacts that an earlier run condemned longer than the grace ago, and that nothing needs still.
pub(super) fn due_keys(
    old: &Condemned,
    marked: &Mark,
    renewed: &BTreeSet<ContentDigest>,
    terms: &Terms<'_>,
) -> BTreeSet<ContentDigest> {
    let dead = marked.dead.iter();
    let due = dead.filter(|key| old.keys.get(key).is_some_and(|since| terms.is_due(*since)));
    due.filter(|key| !renewed.contains(key)).copied().collect()
}

/// What is condemned from now on: what nothing needs, each since it was found so for the first time.
fn carry(
    shelves: &Shelves,
    old: &Condemned,
    marked: &Mark,
    now: u64,
) -> Result<Condemned, ArtifactFault> {
    let internal = shelves.internal();
    let Some(store) = internal.store() else {
        return Ok(Condemned::default());
    };
    fn since<K: Ord + Copy>(old: &BTreeMap<K, u64>, key: K, now: u64) -> (K, u64) {
        (key, old.get(&key).copied().unwrap_or(now))
    }
    let needed = mark::needed(internal, &marked.catalog, &|key| marked.dead.contains(key))?;
    let objects = mark::packed(store)?;
    let objects = objects.difference(&needed);
    Ok(Condemned {
        keys: marked
            .dead
            .iter()
            .map(|key| since(&old.keys, *key, now))
            .collect(),
        objects: objects.map(|id| since(&old.objects, *id, now)).collect(),
    })
}

/// How an attempt ended.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// Roots, pins or shelf are not what they were: look again.
    Changed,
    /// Somebody keeps the collector waiting.
    Busy,
}

struct Collection<'a> {
    store: &'a GitStore,
    shelves: &'a Shelves,
    turn: &'a Collecting,
    terms: &'a Terms<'a>,
}

impl Collection<'_> {
    /// Lets the shelf go on without what is due, as far as nobody needs it by then.
    fn remove_due(&self, old: &Condemned) -> Result<Report, ArtifactFault> {
        let mut report = Report::default();
        for _ in 0..=ATTEMPTS {
            let marked = mark(self.store, self.shelves)?;
            let renewed = condemned::renewed(self.shelves.internal().folio())?;
            let due = due_keys(old, &marked, &renewed, self.terms);
            if due.is_empty() {
                return Ok(report);
            }
            match self.remove(&marked, &due)? {
                Outcome::Done => {
                    report.removed = due.len();
                    return Ok(report);
                }
                Outcome::Busy => {
                    report.notes.push(BUSY);
                    return Ok(report);
                }
                Outcome::Changed => {}
            }
        }
        report.notes.push(CHANGED);
        Ok(report)
    }

    /// Lets the sheets go on without these artifacts.
    fn remove(
        &self,
        marked: &Mark,
        due: &BTreeSet<ContentDigest>,
    ) -> Result<Outcome, ArtifactFault> {
        let internal = self.shelves.internal();
        let lines: Vec<String> = due.iter().map(|key| format!("artifact {key}")).collect();
        self.terms.steps.step("gc-artifacts-write")?;
        let rewritten = rewrite::without(
            internal,
            &marked.catalog,
            due,
            rewrite::Compact::Half,
            self.terms,
        )?;
        self.terms.steps.step("gc-artifacts-alone")?;
        let writers = writers(self.store.common_dir())?;
        let Some(_writers) = within(&writers)? else {
            return Ok(Outcome::Busy);
        };
        let _shelf = internal.lock()?;
        let collector = Turnstile::open(internal.folio(), COLLECTOR)?;
        let _alone = collector.alone()?;
        let Pinned { keys, .. } = pinned(internal.folio(), true)?;
        let renewed = condemned::renewed(internal.folio())?;
        let wanted = |key: &ContentDigest| keys.contains(key) || renewed.contains(key);
        let same = roots::print(self.store)? == marked.print
            && internal.catalog()? == marked.catalog
            && !due.iter().any(wanted);
        if !same {
            // A pin of a living writer does not go by looking again at once.
            let pinned = due.iter().any(|key| keys.contains(key));
            return Ok(if pinned {
                Outcome::Busy
            } else {
                Outcome::Changed
            });
        }
        self.turn.log(self.terms.now, &lines)?;
        rewritten.publish(internal, self.terms)?;
        Ok(Outcome::Done)
    }
}

/// The lock, unless somebody shares it for too long.
fn within(turnstile: &Turnstile) -> Result<Option<Held<'_>>, ArtifactFault> {
    match turnstile.alone_within(PATIENCE) {
        Ok(held) => Ok(Some(held)),
        Err(fault) if fault.code == Code::Busy => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}

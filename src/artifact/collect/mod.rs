//! Collecting what nothing needs from the internal shelf.
//!
//! Two phases. A run writes down what nothing needs, with the time ([`Condemned`]); a later one removes what was
//! condemned longer than the grace ago and is needed by nothing still. Right before each removal the collector is
//! alone: it reads pins and roots once more, and whoever comes waits for that moment.
//!
//! First the sheets go on without the artifacts, then the packs without the objects. What small artifacts have in
//! one block with others is copied where at least half of the block would be dead.

mod condemned;
pub mod lists;
mod mark;
pub mod purge;
mod rewrite;
pub mod roots;
mod sweep;
pub mod why;

pub use condemned::Condemned;

use super::pins::{COLLECTOR, Pinned, pinned};
use super::{ArtifactFault, Imprint, Shelves};
use crate::model::{Code, ContentDigest};
use crate::store::collector::Collecting;
use crate::store::git::packs::packs;
use crate::store::git::writers;
use crate::store::turnstile::Held;
use crate::store::{GitStore, Steps, Turnstile};
use mark::{Mark, mark};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

/// The file of what is condemned, below `<gitdir>/folio`.
pub(super) const CONDEMNED: &str = "condemned";

/// The file of artifacts that were added again since, below `<gitdir>/folio`.
pub(super) const RENEWED: &str = "renewed";

/// How long commands that write may keep the collector waiting, and it them.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it begins anew where the roots change all the time.
const ATTEMPTS: usize = 4;

/// How a collection is to go about.
pub struct Terms<'a> {
    /// Seconds for which what is condemned is left alone.
    pub grace: u64,
    /// Now, in seconds since 1970.
    pub now: u64,
    /// What is asked before each change.
    pub steps: &'a dyn Steps,
    /// Who writes catalogs, and when.
    pub imprint: Imprint<'a>,
}

impl Terms<'_> {
    fn is_due(&self, since: u64) -> bool {
        since.saturating_add(self.grace) <= self.now
    }
}

/// What a run did, or would do.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Artifacts that are gone.
    pub removed: usize,
    /// Artifacts that are condemned.
    pub condemned: usize,
    /// Objects that are gone.
    pub objects: usize,
    /// Bytes of packs that are free now.
    pub bytes: u64,
    /// What was not done, and why.
    pub notes: Vec<&'static str>,
}

/// What a run would do. Changes nothing.
///
/// # Errors
/// `cannot-mark`, `io`.
pub fn preview(store: &GitStore, terms: &Terms<'_>) -> Result<Report, ArtifactFault> {
    let shelves = Shelves::open(store)?;
    let folio = shelves.internal().folio();
    let marked = mark(store, &shelves)?;
    let old = Condemned::read(folio)?;
    let renewed = condemned::renewed(folio)?;
    let due = due_keys(&old, &marked, &renewed, terms);
    Ok(Report {
        removed: due.len(),
        condemned: marked.dead.len() - due.len(),
        ..Report::default()
    })
}

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
    let mut report = Report::default();
    let Some(own) = shelves.internal().store() else {
        return Ok(report);
    };
    // Nobody merges packs there meanwhile.
    let _packs = Collecting::begin(own.common_dir())?;
    let folio = shelves.internal().folio().to_owned();
    let mut marked = mark(store, &shelves)?;
    let old = Condemned::read(&folio)?;
    for attempt in 0.. {
        let renewed = condemned::renewed(&folio)?;
        let due = due_keys(&old, &marked, &renewed, terms);
        if due.is_empty() {
            break;
        }
        let collection = Collection {
            store,
            shelves: &shelves,
            turn,
            terms,
        };
        match collection.remove(&marked, &due)? {
            Outcome::Done => {
                report.removed = due.len();
                break;
            }
            Outcome::Busy => {
                report
                    .notes
                    .push("another command has been writing for a while: no artifact was removed");
                break;
            }
            Outcome::Changed if attempt < ATTEMPTS => marked = mark(store, &shelves)?,
            Outcome::Changed => {
                report
                    .notes
                    .push("what is needed changed all the time: no artifact was removed");
                break;
            }
        }
    }
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

/// How the internal shelf stands.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Artifacts on it that are not condemned.
    pub kept: usize,
    /// Artifacts on it that are.
    pub condemned: usize,
    /// When the first of them was, in seconds since 1970.
    pub since: Option<u64>,
    /// Its packs.
    pub packs: usize,
    /// Bytes of them.
    pub bytes: u64,
}

/// Looks how it stands.
///
/// # Errors
/// `cannot-mark`, `io`.
pub fn standing(store: &GitStore) -> Result<Standing, ArtifactFault> {
    let shelves = Shelves::open(store)?;
    let internal = shelves.internal();
    let condemned = Condemned::read(internal.folio())?;
    let mut standing = Standing::default();
    mark::for_each_record(
        internal,
        &internal.catalog()?.sheets,
        &mut |record| match condemned.keys.get(&record.key) {
            None => standing.kept += 1,
            Some(since) => {
                standing.condemned += 1;
                standing.since = Some(standing.since.map_or(*since, |first| first.min(*since)));
            }
        },
    )?;
    let dir = internal.store().map(GitStore::pack_dir);
    for pack in dir.map_or(Ok(Vec::new()), |dir| packs(&dir))? {
        standing.packs += 1;
        standing.bytes += pack.bytes;
    }
    Ok(standing)
}

/// Artifacts that an earlier run condemned longer than the grace ago, and that nothing needs still.
fn due_keys(
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

/// `<gitdir>/folio` of a repository.
pub fn folio_of(store: &GitStore) -> PathBuf {
    store.common_dir().join("folio")
}

//! Bringing what is published and wanted, and is not here.

use super::blocks::{self, Source};
use super::choice::{Choice, MARK};
use crate::artifact::adopt::Adoption;
use crate::artifact::directory::Directory;
use crate::artifact::foreign::Foreign;
use crate::artifact::settle::{self, Wanted};
use crate::artifact::{ArtifactFault, Imprint, Shelves};
use crate::cli::args::Global;
use crate::cli::artifact::internal_imprint;
use crate::cli::context::Context;
use crate::cli::exchange::Remote;
use crate::cli::published::{self, Mark};
use crate::cli::ui::Ui;
use crate::codec::manifest::What;
use crate::codec::sheet::Record;
use crate::journal::reconcile::RefMap;
use crate::journal::{Page, Space, refs};
use crate::model::{Code, ContentDigest};
use crate::remote::Transport;
use crate::store::{Expect, GitStore, RefEdit, Refs as _};
use std::collections::{BTreeMap, BTreeSet};

/// Artifacts looked at in one go: what is known of them is held in memory.
const AT_ONCE: usize = 65_536;

/// What bringing artifacts came to.
#[derive(Debug, Default)]
pub struct Came {
    /// Artifacts that are here now and were not.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Wanted, and not to be had there.
    pub missing: BTreeSet<ContentDigest>,
    /// Not taken, with the reason: `artifact-damaged`, `artifact-mismatch`.
    pub refused: BTreeMap<ContentDigest, ArtifactFault>,
    /// Sheets there that are none.
    pub unreadable: Vec<ArtifactFault>,
    /// Not asked for, because the internal shelf has them.
    pub at_hand: BTreeSet<ContentDigest>,
}

/// From where artifacts are brought, and for whom.
#[derive(Clone, Copy)]
pub struct From<'a> {
    /// The repository that wants them.
    pub context: &'a Context,
    /// The options of every command.
    pub global: &'a Global,
    /// The other repository.
    pub remote: &'a Remote,
    /// The refs of artifacts there.
    pub there: &'a RefMap,
    /// Who is told.
    pub ui: &'a Ui,
}

/// Brings from another repository what the state publishes, this one wants and does not have. What is verified
/// stays if this ends early; the next run asks for the rest. What the internal shelf has is named
/// in the answer, for [`copy`].
///
/// # Errors
/// `remote-failed`, those of reading what is here and of writing. What is wrong over there is named in the answer.
pub fn bring(from: &From<'_>, choice: &Choice) -> anyhow::Result<Came> {
    let context = from.context;
    match choice {
        Choice::Nothing => return Ok(Came::default()),
        Choice::Keys(keys) => return some(from, keys, false),
        Choice::All => {}
    }
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let shelves = Shelves::open(&context.store)?;
    let mark = match shelves.published().catalog()?.commit {
        None => Mark::new(MARK),
        Some(_) => Mark::read(context, MARK),
    };
    let wanted = mark.wanted(&space, &page)?;
    let mut came = Came::default();
    Desk::new(from, &space, &shelves, false)?.bring(&wanted, &mut came)?;
    let left = came.missing.iter().chain(came.refused.keys());
    let left: Vec<ContentDigest> = left.copied().collect();
    mark.follow(context, &page, &wanted, &left)?;
    Ok(came)
}

/// Brings these artifacts and what belongs to them, as far as they are published; with `again` also what the internal
/// shelf has.
///
/// # Errors
/// As [`bring`].
pub fn some(from: &From<'_>, keys: &BTreeSet<ContentDigest>, again: bool) -> anyhow::Result<Came> {
    let context = from.context;
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let shelves = Shelves::open(&context.store)?;
    let wanted = by_key(&space, &page, keys)?;
    let mut came = Came::default();
    let desk = Desk::new(from, &space, &shelves, again)?;
    desk.bring(&wanted, &mut came)?;
    desk.bring_members(&page, &wanted, &mut came)?;
    Ok(came)
}

/// Copies what the internal shelf has of what is published; returns what could not be read there.
///
/// # Errors
/// Those of reading what is here and of writing.
pub fn copy(
    from: &From<'_>,
    keys: &BTreeSet<ContentDigest>,
) -> anyhow::Result<BTreeSet<ContentDigest>> {
    if keys.is_empty() {
        return Ok(BTreeSet::new());
    }
    let store = &from.context.store;
    let space = from.context.space()?;
    let page = Page::read(store, space.tip()?)?;
    let shelves = Shelves::open(store)?;
    let wanted = by_key(&space, &page, keys)?;
    let imprint = internal_imprint(space.id, from.global)?;
    let settled = settle::settle(&shelves, store, &wanted, &imprint)?;
    Ok(settled.left.iter().map(|(one, _)| one.key).collect())
}

fn by_key(
    space: &Space<'_, GitStore>,
    page: &Page,
    keys: &BTreeSet<ContentDigest>,
) -> anyhow::Result<Vec<Wanted>> {
    let mut wanted = Vec::new();
    for key in keys {
        wanted.extend(published::one(space, page, key)?);
    }
    Ok(wanted)
}

struct Desk<'a> {
    context: &'a Context,
    space: &'a Space<'a, GitStore>,
    remote: &'a Remote,
    there: &'a RefMap,
    shelves: &'a Shelves,
    imprint: Imprint<'a>,
    /// Whether the internal shelf was asked before, in vain.
    again: bool,
    ui: &'a Ui,
}

impl<'a> Desk<'a> {
    fn new(
        from: &From<'a>,
        space: &'a Space<'a, GitStore>,
        shelves: &'a Shelves,
        again: bool,
    ) -> anyhow::Result<Self> {
        let From {
            context,
            global,
            remote,
            there,
            ui,
        } = *from;
        Ok(Self {
            context,
            space,
            remote,
            there,
            shelves,
            imprint: internal_imprint(space.id, global)?,
            again,
            ui,
        })
    }

    fn bring(&self, wanted: &[Wanted], came: &mut Came) -> anyhow::Result<()> {
        let purged = published::purged(self.context)?;
        let mut pending = settle::pending(self.shelves, wanted)?;
        pending.retain(|one| !purged.contains(&one.key));
        if !self.again {
            self.leave_own(&mut pending, came)?;
        }
        let pending: BTreeMap<ContentDigest, u64> =
            pending.into_iter().map(|one| (one.key, one.size)).collect();
        if pending.is_empty() {
            return Ok(());
        }
        came.missing.extend(pending.keys());
        let transport = self.remote.transport(self.context);
        let Some(foreign) = self.catalog(&transport, came)? else {
            return Ok(());
        };
        let total = pending.values().sum();
        let mut done = 0;
        let keys: Vec<(ContentDigest, u64)> = pending.into_iter().collect();
        for portion in keys.chunks(AT_ONCE) {
            let portion = portion.iter().copied().collect();
            let records = select(&foreign, &portion, came)?;
            self.bring_blocks(&transport, &records, (&mut done, total))?;
            self.take(records, came)?;
        }
        Ok(())
    }

    /// Leaves out what the internal shelf has.
    fn leave_own(&self, pending: &mut Vec<Wanted>, came: &mut Came) -> anyhow::Result<()> {
        let mut others = Vec::with_capacity(pending.len());
        for one in pending.drain(..) {
            match self.shelves.internal().find(&one.key)? {
                None => others.push(one),
                Some(_) => drop(came.at_hand.insert(one.key)),
            }
        }
        *pending = others;
        Ok(())
    }

    /// What is there, as far as it can be read.
    fn catalog(&self, transport: &Transport, came: &mut Came) -> anyhow::Result<Option<Foreign>> {
        let Some(shown) = self.there.get(refs::CATALOG) else {
            return Ok(None);
        };
        let (store, key) = (&self.context.store, &self.remote.key);
        let local = refs::catalog_of(key);
        let mut commit = store.get(&local)?;
        if commit != Some(*shown) {
            let _waiting = self.ui.spinner("Fetching");
            transport.fetch(&[(refs::CATALOG.to_owned(), local.clone())], None)?;
            commit = store.get(&local)?;
        }
        let Some(commit) = commit else {
            return Ok(None);
        };
        match Foreign::open(store, &self.space.id, key, commit) {
            Ok(mut foreign) => {
                came.unreadable.append(&mut foreign.unreadable);
                Ok(Some(foreign))
            }
            Err(fault) if is_local(&fault) => Err(fault.into()),
            Err(fault) => {
                came.unreadable.push(fault);
                Ok(None)
            }
        }
    }

    fn bring_blocks(
        &self,
        transport: &Transport,
        records: &[Record],
        (done, total): (&mut u64, u64),
    ) -> anyhow::Result<()> {
        let lacking = blocks::lacking(&self.context.store, records)?;
        let source = Source {
            transport,
            there: self.there,
            placement: refs::placement_of(&self.remote.key),
        };
        let mut progress = self.ui.progress("Fetching");
        source.bring(&lacking, (done, total), &mut progress)
    }

    /// Verifies artifacts whose blocks are here, and makes them visible.
    fn take(&self, mut records: Vec<Record>, came: &mut Came) -> anyhow::Result<()> {
        // Each block is read once that way.
        let first = |record: &Record| record.extents.first().map(|extent| extent.block);
        records.sort_by_key(first);
        let mut adoption = Adoption::new(self.shelves.published())?;
        let mut progress = self.ui.progress("Verifying");
        let total = records.len() as u64;
        for (n, record) in records.into_iter().enumerate() {
            let (key, size) = (record.key, record.size);
            match adoption.take(record) {
                Ok(()) => {
                    came.missing.remove(&key);
                    came.count += 1;
                    came.bytes += size;
                }
                Err(fault) if is_local(&fault) => return Err(fault.into()),
                // One of its blocks did not come.
                Err(fault) if fault.code == Code::ArtifactMissing => {}
                Err(fault) => came.refuse(key, fault),
            }
            progress.at(n as u64 + 1, total);
        }
        adoption.finish(&self.imprint)?;
        self.drop_placement()
    }

    /// What was brought whole is named by our own catalog now, as far as it is wanted.
    fn drop_placement(&self) -> anyhow::Result<()> {
        let name = refs::placement_of(&self.remote.key);
        let store = &self.context.store;
        if store.get(&name)?.is_some() {
            store.apply(&[RefEdit {
                name,
                expect: Expect::Any,
                new: None,
                message: "folio: taken in".into(),
            }])?;
        }
        Ok(())
    }

    /// The files of the directories among these artifacts, as far as they are published.
    fn bring_members(&self, page: &Page, wanted: &[Wanted], came: &mut Came) -> anyhow::Result<()> {
        let mut files = BTreeSet::new();
        for one in wanted {
            let found = self.shelves.find(&one.key)?;
            if found.is_some_and(|found| found.record.manifest) {
                match members(self.shelves, &one.key) {
                    Err(fault) if is_local(&fault) => return Err(fault.into()),
                    // What is wrong with a manifest is said when it is read.
                    found => files.extend(found.unwrap_or_default()),
                }
            }
        }
        match files.is_empty() {
            true => Ok(()),
            false => self.bring(&by_key(self.space, page, &files)?, came),
        }
    }
}

impl Came {
    /// With what came later.
    pub fn add(&mut self, more: Came) {
        self.count += more.count;
        self.bytes += more.bytes;
        self.missing.extend(more.missing);
        self.refused.extend(more.refused);
        self.unreadable.extend(more.unreadable);
        self.at_hand.extend(more.at_hand);
    }

    fn refuse(&mut self, key: ContentDigest, fault: ArtifactFault) {
        self.missing.remove(&key);
        self.refused.insert(key, fault);
    }
}

/// The files of a directory that is here.
///
/// # Errors
/// Those of its manifest, and of reading it.
pub fn members(
    shelves: &Shelves,
    key: &ContentDigest,
) -> Result<BTreeSet<ContentDigest>, ArtifactFault> {
    let mut files = BTreeSet::new();
    Directory::new(shelves, *key).entries(&mut |entry| {
        if let What::File { key, .. } = entry.what {
            files.insert(key);
        }
        Ok(())
    })?;
    Ok(files)
}

/// The records of these artifacts over there, each once, as far as they have the size that the state says.
fn select(
    foreign: &Foreign,
    wanted: &BTreeMap<ContentDigest, u64>,
    came: &mut Came,
) -> anyhow::Result<Vec<Record>> {
    let mut records = Vec::new();
    foreign.select(wanted, &mut |record| {
        let (key, said) = (record.key, wanted[&record.key]);
        if record.size == said {
            records.push(record);
            return Ok(());
        }
        let found = record.size;
        let what = format!("{key}: expected {said} bytes, as the state says, found {found}");
        came.refuse(key, ArtifactFault::new(Code::ArtifactMismatch, what));
        Ok(())
    })?;
    Ok(records)
}

/// Whether this machine is to blame, and not what came.
fn is_local(fault: &ArtifactFault) -> bool {
    matches!(
        fault.code,
        Code::Io | Code::Busy | Code::Unsupported | Code::RaceLost
    )
}

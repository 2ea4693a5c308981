//! Packing everything anew: what is reachable into one pack, what is not into one of its own.
//!
//! git says what is reachable, and copies it as it lies; deltas are chosen by [`pack::tighten`].

use super::expire::remove_pack;
use super::{CRUFT, Terms, between, git, graph, loose};
use crate::model::Oid;
use crate::store::collector::Collecting;
use crate::store::disk::{io_fault, is_absent, read_if_there, remove_if_there, sync_dir};
use crate::store::git::packs::{PackFile, PackIndex, packs};
use crate::store::pack::{Met, Newest};
use crate::store::{GitStore, Refs as _, StoreFault, pack};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Where the newest page is.
const MAIN: &str = "refs/heads/main";

/// Below it are proposals that wait.
const PROPOSALS: &str = "refs/heads/proposals/";

/// How packs are after a run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Repacked {
    /// Packs and loose objects before.
    pub before: usize,
    /// Packs and loose objects now.
    pub after: usize,
    /// Objects that lie aside because nothing refers to them.
    pub aside: usize,
    /// Whether git's commit graph was written.
    pub graph: bool,
}

/// Packs everything anew and writes git's commit graph. Packs that somebody wants kept stay as they are.
///
/// # Errors
/// `git-failed`, `io`. No object is without a pack at any time.
pub(super) fn repack(
    store: &GitStore,
    turn: &Collecting,
    terms: &Terms<'_>,
) -> Result<Repacked, StoreFault> {
    let dir = store.pack_dir();
    let old = packs(&dir)?;
    let lying = loose(store)?;
    let before = old.len() + lying.len();
    terms.steps.step("gc-touch")?;
    // From now on counts how long it is that nothing refers to what is put aside for the first time.
    for pack in old.iter().filter(|pack| !pack.cruft && !pack.kept) {
        touch(&pack.path, terms.now)?;
    }
    for (_, path) in &lying {
        touch(path, terms.now)?;
    }
    terms.steps.step("gc-repack")?;
    // No bitmap is made: it would belong to the pack that is made of git's.
    let mut args = vec!["-c", "repack.writeBitmaps=false"];
    args.extend(["repack", "-a", "-l", "-q", "--window=0"]);
    if terms.git >= CRUFT {
        args.extend(["--cruft", "--cruft-expiration=never"]);
    }
    let git = git(store.common_dir()).holding(turn.handle()?);
    git.run(&args)?;
    terms.steps.step("gc-repack-sync")?;
    // git has synced what it wrote, and not the names; nothing old goes before they are safe.
    sync_dir(&dir)?;
    let (mut replaced, tight) = tighten(store, &old, terms)?;
    replaced.extend(old);
    // What was tight before may have become itself once more.
    replaced.retain(|pack| !tight.contains(&pack.path));
    remove_redundant(store, turn, &replaced, terms)?;
    terms.steps.step("gc-loose-remove")?;
    git.run(&["prune-packed", "-q"])?;
    let log = |lines: &[String]| turn.log(terms.now, lines);
    let graph = graph::write(store, graph::Extent::Whole, &git, terms.steps, &log)?;
    between::stamp(store)?;
    terms.steps.step("gc-done")?;
    let now = packs(&dir)?;
    let mut aside = 0;
    for pack in now.iter().filter(|pack| pack.cruft) {
        aside += PackIndex::open(&pack.path, store.object_format())?.len() as usize;
    }
    Ok(Repacked {
        before,
        after: now.len() + loose(store)?.len(),
        aside,
        graph,
    })
}

/// Makes each pack of needed objects anew, as small as it can be. Returns those that git had just made for that, and what
/// became of all of them.
fn tighten(
    store: &GitStore,
    old: &[PackFile],
    terms: &Terms<'_>,
) -> Result<(Vec<PackFile>, Vec<PathBuf>), StoreFault> {
    let dir = store.pack_dir();
    let (mut made, mut tight) = (Vec::new(), Vec::new());
    let needed = |pack: &PackFile| !pack.cruft && !pack.kept;
    let now = packs(&dir)?;
    let mut new: Vec<&PackFile> = now
        .iter()
        .filter(|p| needed(p) && !old.contains(p))
        .collect();
    if new.is_empty() {
        // git's pack has the name of one that was there: what came from elsewhere in one piece, as a clone does, or
        // nothing came since the last run.
        let mut most = (0, None);
        for pack in now.iter().filter(|p| needed(p)) {
            let objects = PackIndex::open(&pack.path, store.object_format())?.len();
            most = most.max((objects, Some(pack)));
        }
        new.extend(most.1);
        let known = read_if_there(&note(store))?.unwrap_or_default();
        let known = String::from_utf8_lossy(&known).into_owned();
        new.retain(|pack| known.trim() != pack.name());
    }
    if new.is_empty() {
        return Ok((made, tight));
    }
    (terms.tell)("Packing tightly");
    let newest = newest(store)?;
    for pack in new {
        let format = store.object_format();
        let walk = |each: &mut dyn FnMut(Met<'_>)| walk(store, each);
        let paths = pack::tighten(&dir, format, &pack.path, &newest, &walk, terms.steps)?;
        if !paths.contains(&pack.path) {
            made.push(pack.clone());
        }
        let name = paths.last().and_then(|path| path.file_stem());
        let name = name.unwrap_or_default().to_string_lossy();
        let note = note(store);
        // Without it the next run does all of this once more.
        fs::write(&note, name.as_bytes()).map_err(|err| io_fault("write", &note, &err))?;
        tight.extend(paths);
    }
    Ok((made, tight))
}

/// Which pack was made anew last.
fn note(store: &GitStore) -> PathBuf {
    store.common_dir().join("folio/gc.tight")
}

/// All that refs reach, from the oldest commit on.
fn walk(store: &GitStore, each: &mut dyn FnMut(Met<'_>)) -> Result<(), StoreFault> {
    let args = [
        "rev-list",
        "--objects",
        "--parents",
        "--in-commit-order",
        "--topo-order",
        "--reverse",
        "--all",
    ];
    let parse = |word: &[u8]| std::str::from_utf8(word).ok()?.parse::<Oid>().ok();
    let len = store.object_format().id_len() * 2;
    git(store.common_dir()).each_line(&args, b"", &mut |line| {
        let Some((id, rest)) = line.split_at_checked(len) else {
            return Ok(());
        };
        let Some(id) = parse(id) else { return Ok(()) };
        // Commits come with their parents, all else with a space and a path, which may be empty.
        match rest.split_first() {
            None => each(Met::Commit(id, None)),
            Some((_, [])) => each(Met::Part(id, b"")),
            Some((_, more)) => {
                let first = more.split_at_checked(len);
                match first.and_then(|(parent, more)| Some((parse(parent)?, more))) {
                    Some((parent, b"")) => each(Met::Commit(id, Some(parent))),
                    Some((_, [b' ', ..])) => each(Met::Commit(id, None)),
                    _ => each(Met::Part(id, more)),
                }
            }
        }
        Ok(())
    })
}

/// What is read more often than all before it. Proposals are what they change of the page that they were made of.
fn newest(store: &GitStore) -> Result<Newest, StoreFault> {
    let mut newest = Newest::default();
    if store.get(MAIN)?.is_none() {
        return Ok(newest);
    }
    let git = git(store.common_dir());
    let parse = |id: &[u8]| std::str::from_utf8(id).ok()?.parse::<Oid>().ok();
    let tree = format!("{MAIN}^{{tree}}");
    let args = [
        "rev-list",
        "--objects",
        "--no-object-names",
        "--no-walk",
        &tree,
    ];
    git.each_line(&args, b"", &mut |line| {
        newest.state.extend(parse(line));
        Ok(())
    })?;
    let tips = store.list(PROPOSALS)?.into_iter();
    let tips: String = tips.map(|(_, tip)| format!("{tip}\n")).collect();
    let args = ["diff-tree", "--stdin", "--no-commit-id", "-r", "-t"];
    git.each_line(&args, tips.as_bytes(), &mut |line| {
        // `:100644 040000 <before> <after> M`, a tab, and the path: see git-diff-tree, "Raw output format".
        let mut words = line.split(|byte| *byte == b' ').skip(1);
        if words.next() == Some(b"040000") {
            newest.coming.extend(words.nth(1).and_then(parse));
        }
        Ok(())
    })?;
    Ok(newest)
}

/// Sets a file's time; what went meanwhile needs none.
fn touch(path: &Path, now: u64) -> Result<(), StoreFault> {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
    let touched = File::open(path).and_then(|file| file.set_modified(time));
    match touched {
        Err(err) if !is_absent(&err) => Err(io_fault("set the time of", path, &err)),
        _ => Ok(()),
    }
}

/// Removes the old packs of which each object lies in a pack that stays, whatever git was asked and did.
fn remove_redundant(
    store: &GitStore,
    turn: &Collecting,
    old: &[PackFile],
    terms: &Terms<'_>,
) -> Result<(), StoreFault> {
    let dir = store.pack_dir();
    let mut stay = Vec::new();
    for pack in packs(&dir)? {
        let index = PackIndex::open(&pack.path, store.object_format())?;
        stay.push((pack, index));
    }
    let mut gone = Vec::new();
    // The smallest first: of two that hold the same, the one with less beside it goes.
    let mut order: Vec<&PackFile> = old.iter().filter(|pack| !pack.kept).collect();
    order.sort_by_key(|pack| pack.bytes);
    for pack in order {
        let Some(at) = stay.iter().position(|(other, _)| other.path == pack.path) else {
            continue;
        };
        let (found, index) = stay.remove(at);
        let elsewhere = index
            .ids()
            .all(|id| stay.iter().any(|(_, other)| other.has(&id)));
        match elsewhere {
            true => gone.push(found),
            false => stay.push((found, index)),
        }
    }
    if gone.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = gone
        .iter()
        .map(|pack| format!("pack {} (its objects lie in others)", pack.name()))
        .collect();
    turn.log(terms.now, &lines)?;
    drop_multi_pack_index(&dir, terms)?;
    for pack in &gone {
        remove_pack(pack, terms)?;
    }
    sync_dir(&dir)
}

/// An index of several packs names packs that go, and can be made again.
fn drop_multi_pack_index(dir: &Path, terms: &Terms<'_>) -> Result<(), StoreFault> {
    for (name, path) in super::survey::entries(dir)? {
        if !name.starts_with("multi-pack-index") {
            continue;
        }
        terms.steps.step("gc-index-remove")?;
        match path.is_dir() {
            true => fs::remove_dir_all(&path).map_err(|err| io_fault("remove", &path, &err))?,
            false => remove_if_there(&path)?,
        }
    }
    sync_dir(dir)
}

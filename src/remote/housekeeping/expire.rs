//! Removing what was put aside: the second of the two phases.
//!
//! Nobody waits while git walks the history. When that is done and the packs are written that are to stay, the
//! collector is alone for a moment: no writer is between a question and its ref then. What came since the walk is
//! walked, and if nothing needs what is to go, it goes.

use super::mark::{self, Suspects};
use super::{Terms, git};
use crate::model::{Code, Oid};
use crate::store::collector::Collecting;
use crate::store::disk::{io_fault, remove_if_there, sync_dir};
use crate::store::git::packs::{PackFile, PackIndex, packs};
use crate::store::git::writers;
use crate::store::pack::mtimes;
use crate::store::{GitStore, StoreFault};
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long writers may keep the collector waiting, and it them.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it begins anew where something came to need what was to go.
const ATTEMPTS: usize = 4;

/// What went, or would go.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Expired {
    /// Objects.
    pub objects: usize,
    /// Bytes of packs that are free now.
    pub bytes: u64,
}

/// The objects of a pack of unreachable ones, with the time since when they are, in seconds since 1970.
pub(super) fn times(store: &GitStore, pack: &PackFile) -> Result<Vec<(Oid, u64)>, StoreFault> {
    let format = store.object_format();
    let index = PackIndex::open(&pack.path, format)?;
    let path = pack.beside("mtimes");
    let bytes = fs::read(&path).map_err(|err| io_fault("read", &path, &err))?;
    let times = mtimes::decode(format, &bytes, index.len())?;
    Ok(index.ids().zip(times.into_iter().map(u64::from)).collect())
}

/// Whether an object may go that was put aside at that time.
pub(super) type Due<'a> = dyn Fn(&Oid, u64) -> bool + 'a;

/// What was put aside longer than the grace ago.
pub(super) fn old<'a>(terms: &Terms<'_>) -> impl Fn(&Oid, u64) -> bool + use<'a> {
    let (grace, now) = (terms.grace, terms.now);
    move |_, time| time.saturating_add(grace) <= now
}

/// The packs that have something to remove, and what that may be.
struct Aside {
    packs: Vec<(PackFile, Vec<(Oid, u64)>)>,
    suspects: Suspects,
    tips: Vec<Oid>,
}

impl Aside {
    fn look(store: &GitStore, is_due: &Due<'_>) -> Result<Aside, StoreFault> {
        let (mut found, mut old) = (Vec::new(), Vec::new());
        for pack in packs(&store.pack_dir())? {
            if !pack.cruft || pack.kept {
                continue;
            }
            let times = times(store, &pack)?;
            let before = old.len();
            old.extend(
                times
                    .iter()
                    .filter(|(id, time)| is_due(id, *time))
                    .map(|(id, _)| *id),
            );
            if old.len() > before {
                found.push((pack, times));
            }
        }
        let mut suspects = Suspects::new(old);
        let tips = match suspects.is_empty() {
            true => Vec::new(),
            false => mark::mark(store, &mut suspects)?,
        };
        found.retain(|(_, times)| times.iter().any(|(id, _)| suspects.is_unneeded(id)));
        Ok(Aside {
            packs: found,
            suspects,
            tips,
        })
    }
}

/// What `expire` would remove, where nobody makes use of it meanwhile. Changes nothing.
///
/// # Errors
/// As `expire`.
pub fn preview(store: &GitStore, terms: &Terms<'_>) -> Result<usize, StoreFault> {
    Ok(Aside::look(store, &old(terms))?.suspects.unneeded().count())
}

/// Removes what was put aside, is due, and nothing needs.
///
/// # Errors
/// `cannot-mark`, `busy`, `git-failed`, `io`.
pub(super) fn expire(
    store: &GitStore,
    turn: &Collecting,
    terms: &Terms<'_>,
    is_due: &Due<'_>,
) -> Result<Expired, StoreFault> {
    for _ in 0..ATTEMPTS {
        let mut aside = Aside::look(store, is_due)?;
        if aside.packs.is_empty() {
            return Ok(Expired::default());
        }
        let stay = write_rest(store, turn, &aside, terms)?;
        let lines: Vec<String> = aside
            .suspects
            .unneeded()
            .map(|id| format!("object {id}"))
            .collect();
        turn.log(terms.now, &lines)?;
        terms.steps.step("gc-expire-alone")?;
        let turnstile = writers(store.common_dir())?;
        let _alone = turnstile.alone_within(PATIENCE).map_err(kept_waiting)?;
        // Everything that writers relied on until now has its ref; nobody relies on anything new before the
        // packs are gone.
        let still_aside = |(pack, _): &(PackFile, _)| pack.beside("mtimes").exists();
        let revived = !aside.packs.iter().all(still_aside);
        if revived || mark::again(store, &aside.tips, &mut aside.suspects)? {
            turn.log(
                terms.now,
                &["not removed: something came to need it".into()],
            )?;
            continue;
        }
        let mut expired = Expired {
            objects: aside.suspects.unneeded().count(),
            bytes: 0,
        };
        for (pack, _) in &aside.packs {
            expired.bytes += pack.bytes;
            remove_pack(pack, terms)?;
        }
        sync_dir(&store.pack_dir())?;
        expired.bytes = expired.bytes.saturating_sub(stay);
        return Ok(expired);
    }
    let what = "what was put aside came to be needed again and again; nothing was removed";
    Err(StoreFault::new(Code::Busy, what))
}

fn kept_waiting(fault: StoreFault) -> StoreFault {
    match fault.code {
        Code::Busy => StoreFault::new(
            Code::Busy,
            "another command has been writing for a while; nothing was removed",
        ),
        _ => fault,
    }
}

/// Removes a pack: its index first, so that no index is without a pack.
pub(super) fn remove_pack(pack: &PackFile, terms: &Terms<'_>) -> Result<(), StoreFault> {
    terms.steps.step("gc-pack-remove")?;
    remove_if_there(&pack.beside("idx"))?;
    for extension in ["rev", "bitmap", "mtimes"] {
        terms.steps.step("gc-companion-remove")?;
        remove_if_there(&pack.beside(extension))?;
    }
    remove_if_there(&pack.path)
}

/// Packs what stays of the packs that are to go, with its times. Returns how many bytes that are.
fn write_rest(
    store: &GitStore,
    turn: &Collecting,
    aside: &Aside,
    terms: &Terms<'_>,
) -> Result<u64, StoreFault> {
    let mut rest: Vec<(Oid, u64)> = aside
        .packs
        .iter()
        .flat_map(|(_, times)| times)
        .filter(|(id, _)| !aside.suspects.is_unneeded(id))
        .copied()
        .collect();
    // Of several times of one object the last counts.
    rest.sort_by_key(|(id, time)| (*id, u64::MAX - time));
    rest.dedup_by_key(|(id, _)| *id);
    if rest.is_empty() {
        return Ok(0);
    }
    terms.steps.step("gc-rest-write")?;
    let dir = turn.workshop()?;
    let base = dir.join("pack").into_os_string();
    let mut input = String::new();
    for (id, _) in &rest {
        input.push_str(&format!("{id}\n"));
    }
    let args = ["pack-objects".into(), "--quiet".into(), base];
    let git = git(store.common_dir());
    let name = git.run_with_input::<std::ffi::OsString>(&args, input.as_bytes())?;
    let name = String::from_utf8_lossy(&name).trim().to_owned();
    let new = dir.join(format!("pack-{name}.pack"));
    let bytes = fs::metadata(&new)
        .map_err(|err| io_fault("read", &new, &err))?
        .len();
    let index = PackIndex::open(&new, store.object_format())?;
    if !index.ids().eq(rest.iter().map(|(id, _)| *id)) {
        let what = format!("git packed other objects into `pack-{name}` than it was asked to");
        return Err(StoreFault::new(Code::GitFailed, what));
    }
    write_times(store, &new, &rest)?;
    install(&new, &store.pack_dir(), terms)?;
    Ok(bytes)
}

fn write_times(store: &GitStore, pack: &Path, rest: &[(Oid, u64)]) -> Result<(), StoreFault> {
    let format = store.object_format();
    let mut checksum = vec![0; format.id_len()];
    let read = File::open(pack).and_then(|mut file| {
        file.seek(SeekFrom::End(-(checksum.len() as i64)))?;
        file.read_exact(&mut checksum)
    });
    read.map_err(|err| io_fault("read", pack, &err))?;
    let checksum = Oid::from_bytes(&checksum);
    let checksum = checksum
        .map_err(|_| StoreFault::new(Code::GitFailed, "git wrote a pack without a checksum"))?;
    // Seconds until 2106.
    let seconds = |time: &u64| u32::try_from(*time).unwrap_or(u32::MAX);
    let times: Vec<u32> = rest.iter().map(|(_, time)| seconds(time)).collect();
    let path = pack.with_extension("mtimes");
    let encoded = mtimes::encode(format, &times, &checksum)?;
    fs::write(&path, encoded).map_err(|err| io_fault("write", &path, &err))
}

/// Gives a pack its place, the index last. Where the very pack is there already, nothing is done: times beside it
/// would make what is needed look as if it were not.
fn install(new: &Path, dir: &Path, terms: &Terms<'_>) -> Result<(), StoreFault> {
    let name = new.file_name().expect("a pack has a name");
    let target: PathBuf = dir.join(name);
    if target.with_extension("idx").exists() {
        return Ok(());
    }
    for extension in ["mtimes", "rev", "pack", "idx"] {
        terms.steps.step("gc-rest-install")?;
        let from = new.with_extension(extension);
        if !from.exists() {
            continue;
        }
        File::open(&from)
            .and_then(|file| file.sync_all())
            .map_err(|err| io_fault("sync", &from, &err))?;
        let to = target.with_extension(extension);
        fs::rename(&from, &to).map_err(|err| io_fault("rename to", &to, &err))?;
    }
    sync_dir(dir)
}

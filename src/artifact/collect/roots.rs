//! What keeps artifacts: everything here that names one.

use super::lists::{self, List};
use crate::artifact::ArtifactFault;
use crate::fold::decision;
use crate::journal::page::read_commit;
use crate::journal::refs;
use crate::model::{Code, ContentDigest, Oid, Table, limits};
use crate::state::Tables;
use crate::store::disk::{io_fault, is_absent};
use crate::store::{GitStore, Kind, Objects as _, Refs as _};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Why an artifact is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A row of this table of the state of `main` names it.
    Row(Table),
    /// The proposal on this branch, or at this ref, names it.
    Proposal(String),
    /// A draft in this file names it.
    Draft(PathBuf),
    /// Somebody wants it kept.
    Kept,
}

/// Refs whose commits may be proposals that are numbered one day.
const PROPOSALS: [&str; 3] = [refs::PROPOSALS, refs::REPLACED, refs::INCOMING];

/// Where a space's roots stood when they were read: nothing has changed as long as this has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Print([u8; 32]);

/// Looks where the roots stand.
///
/// # Errors
/// `io`.
pub fn print(store: &GitStore) -> Result<Print, ArtifactFault> {
    let folio = store.common_dir().join("folio");
    let mut hasher = blake3::Hasher::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    for (name, id) in store.list("refs/")? {
        add(name.as_bytes());
        add(id.as_bytes());
    }
    let more = [folio.join("kept"), folio.join("purged")];
    for path in drafts(&folio)?.into_iter().chain(more) {
        let bytes = crate::store::disk::read_if_there(&path)?;
        add(path.as_os_str().as_encoded_bytes());
        add(&bytes.unwrap_or_default());
    }
    Ok(Print(*hasher.finalize().as_bytes()))
}

/// Calls `each` with every artifact that something names, and what names it; an artifact may come several times.
/// Files of directories are not looked up here.
///
/// # Errors
/// `cannot-mark`, naming what could not be read.
pub fn visit(
    store: &GitStore,
    each: &mut dyn FnMut(ContentDigest, &Reason),
) -> Result<(), ArtifactFault> {
    let folio = store.common_dir().join("folio");
    for key in lists::read(&folio, List::Kept)? {
        each(key, &Reason::Kept);
    }
    for path in drafts(&folio)? {
        draft(&path, each)?;
    }
    for prefix in PROPOSALS {
        for (name, id) in store.list(prefix)? {
            proposal(store, &name, id, each)?;
        }
    }
    state(store, each)
}

/// The files in which decisions are drafted: everybody's.
fn drafts(folio: &Path) -> Result<Vec<PathBuf>, ArtifactFault> {
    let dir = folio.join("drafts");
    let mut found = vec![folio.join("draft.jsonl")];
    match fs::read_dir(&dir) {
        Err(err) if is_absent(&err) => {}
        Err(err) => return Err(io_fault("list", &dir, &err).into()),
        Ok(entries) => {
            for entry in entries {
                let path = entry.map_err(|err| io_fault("list", &dir, &err))?.path();
                if path.extension().is_some_and(|end| end == "jsonl") {
                    found.push(path);
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

fn draft(path: &Path, each: &mut dyn FnMut(ContentDigest, &Reason)) -> Result<(), ArtifactFault> {
    let bytes = crate::store::disk::read_if_there(path)?.unwrap_or_default();
    if bytes.is_empty() {
        return Ok(());
    }
    decision::parse_all(&bytes).map_err(|fault| {
        let what = format!(
            "the draft `{}` cannot be read: {}",
            path.display(),
            fault.what
        );
        cannot(what)
    })?;
    named(&bytes, &Reason::Draft(path.to_owned()), each);
    Ok(())
}

/// What a commit that may be a proposal names. One that is none keeps nothing; one that cannot be read stops all.
fn proposal(
    store: &GitStore,
    name: &str,
    id: Oid,
    each: &mut dyn FnMut(ContentDigest, &Reason),
) -> Result<(), ArtifactFault> {
    let missing = |code: Code, what: &str| match code {
        Code::ObjectMissing | Code::ObjectDamaged | Code::Io => {
            Err(cannot(format!("`{name}` cannot be read: {what}")))
        }
        _ => Ok(()),
    };
    let commit = match read_commit(store, &id) {
        Ok(commit) => commit,
        Err(fault) => return missing(fault.code, &fault.what),
    };
    let blob = match Tables::new(store).split_decisions(commit.tree) {
        Ok((_, Some(blob))) => blob,
        Ok((_, None)) => return Ok(()),
        Err(fault) => return missing(fault.code, &fault.what),
    };
    match store.read(&blob, Kind::Blob, limits::DECISIONS_BYTES) {
        Ok(bytes) => named(&bytes, &Reason::Proposal(name.to_owned()), each),
        Err(fault) => return missing(fault.code, &fault.what),
    }
    Ok(())
}

/// What the rows of the state name.
fn state(
    store: &GitStore,
    each: &mut dyn FnMut(ContentDigest, &Reason),
) -> Result<(), ArtifactFault> {
    let Some(tip) = store.get(refs::MAIN)? else {
        return Ok(());
    };
    let unreadable = |what: String| cannot(format!("the state of `main` cannot be read: {what}"));
    let commit = read_commit(store, &tip).map_err(|fault| unreadable(fault.what))?;
    let tables = Tables::new(store);
    for table in [Table::Artifacts, Table::Overlays] {
        let reason = Reason::Row(table);
        let walked = tables.iter(Some(commit.tree), table, |_, row| {
            named(row.as_str().as_bytes(), &reason, each);
            ControlFlow::<()>::Continue(())
        });
        // It goes on to the end always.
        let _ = walked.map_err(|fault| unreadable(fault.what))?;
    }
    Ok(())
}

/// Every key in some JSON lines, whatever the field is called: a kind of decision that is added one day keeps what
/// it names without anybody thinking of it here.
fn named(bytes: &[u8], reason: &Reason, each: &mut dyn FnMut(ContentDigest, &Reason)) {
    keys_in(bytes, &mut |key| each(key, reason));
}

/// Every word of 64 hexadecimal digits.
pub(super) fn keys_in(bytes: &[u8], each: &mut dyn FnMut(ContentDigest)) {
    let hex = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
    for word in bytes.split(|b| !hex(b)).filter(|word| word.len() == 64) {
        let text = std::str::from_utf8(word).expect("digits are text");
        if let Ok(key) = text.parse() {
            each(key);
        }
    }
}

fn cannot(what: String) -> ArtifactFault {
    ArtifactFault::new(Code::CannotMark, what)
}

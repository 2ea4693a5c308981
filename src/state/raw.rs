//! git's tree objects, as narrow as Folio uses them: plain files and directories, sorted.

use crate::model::{ObjectFormat, Oid};
use std::cmp::Ordering;

/// What stands at one name of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Child {
    /// A file of mode 100644.
    File(Oid),
    /// A directory of mode 40000.
    Dir(Oid),
}

impl Child {
    /// The object's id.
    pub(super) fn id(&self) -> &Oid {
        match self {
            Child::File(id) | Child::Dir(id) => id,
        }
    }

    fn mode(&self) -> &'static [u8] {
        match self {
            Child::File(_) => FILE,
            Child::Dir(_) => DIR,
        }
    }

    fn is_dir(&self) -> bool {
        matches!(self, Child::Dir(_))
    }
}

const FILE: &[u8] = b"100644 ";
const DIR: &[u8] = b"40000 ";

/// One entry of a tree object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry<'b> {
    /// Its name: any bytes but NUL; the caller checks it.
    pub(super) name: &'b [u8],
    /// What stands there.
    pub(super) child: Child,
}

/// git's order of entries: by name, directories as if their name ended in `/`.
fn order(a: &Entry<'_>, b: &Entry<'_>) -> Ordering {
    fn spelt<'a>(entry: &Entry<'a>) -> impl Iterator<Item = u8> + use<'a> {
        let slash = entry.child.is_dir().then_some(b'/');
        entry.name.iter().copied().chain(slash)
    }
    spelt(a).cmp(spelt(b))
}

/// A name for people: escaped, because anything may stand in a foreign tree, and cut.
pub(super) fn show(name: &[u8]) -> String {
    let shown = name[..name.len().min(64)].escape_ascii();
    let more = if name.len() > 64 { "..." } else { "" };
    format!("`{shown}{more}`")
}

/// Reads the entries of a tree object, strictly sorted; the fault is words.
pub(super) fn parse(mut rest: &[u8], format: ObjectFormat) -> Result<Vec<Entry<'_>>, String> {
    let mut entries: Vec<Entry<'_>> = Vec::with_capacity(16);
    while !rest.is_empty() {
        let number = entries.len() + 1;
        let (is_dir, after) = match (rest.strip_prefix(FILE), rest.strip_prefix(DIR)) {
            (Some(after), _) => (false, after),
            (_, Some(after)) => (true, after),
            _ => {
                return Err(format!(
                    "entry {number}: expected mode 100644 or 40000, found {}",
                    show(rest.split(|b| *b == b' ').next().unwrap_or_default())
                ));
            }
        };
        let end = after.iter().position(|b| *b == 0);
        let end = end.ok_or_else(|| format!("entry {number}: its name does not end"))?;
        let (name, after) = (&after[..end], &after[end + 1..]);
        let Some((id, after)) = after.split_at_checked(format.id_len()) else {
            return Err(format!("entry {}: its id is cut short", show(name)));
        };
        let id = Oid::from_bytes(id).expect("cut to the length of the format");
        let child = if is_dir {
            Child::Dir(id)
        } else {
            Child::File(id)
        };
        let entry = Entry { name, child };
        if entries
            .last()
            .is_some_and(|last| order(last, &entry).is_ge())
        {
            return Err(format!("entry {} is not in git's order", show(name)));
        }
        entries.push(entry);
        rest = after;
    }
    Ok(entries)
}

/// Appends one entry.
pub(super) fn put(bytes: &mut Vec<u8>, entry: &Entry<'_>) {
    bytes.extend_from_slice(entry.child.mode());
    bytes.extend_from_slice(entry.name);
    bytes.push(0);
    bytes.extend_from_slice(entry.child.id().as_bytes());
}

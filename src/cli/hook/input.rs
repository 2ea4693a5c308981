//! What git tells a hook: lines on standard input, and the objects of a push that is not taken yet.

use crate::cli::error::Problem;
use crate::cli::ui::escape;
use crate::journal::gate::Update;
use crate::model::{Code, Oid};
use crate::store::GitStore;
use std::io::Read as _;
use std::path::PathBuf;

/// Bytes that git may tell a hook; a line has a few hundred at most.
const INPUT: u64 = 32 * 1024 * 1024;

/// All of standard input.
pub fn read() -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let mut input = std::io::stdin().lock().take(INPUT + 1);
    input.read_to_end(&mut bytes)?;
    if bytes.len() as u64 > INPUT {
        let what = format!("expected at most {INPUT} bytes on standard input");
        return Err(Problem::new(Code::TooLarge, what).into());
    }
    // git lets names through that are not UTF-8; no rule knows any of them.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Lines of `<old> <new> <name>`, where an id of zeros means that there is none.
pub fn updates(text: &str) -> anyhow::Result<Vec<Update>> {
    let lines = text.split('\n').filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let mut parts = line.splitn(3, ' ');
            let (Some(old), Some(new), Some(name)) = (parts.next(), parts.next(), parts.next())
            else {
                return Err(bad_line(line));
            };
            Ok(Update {
                name: name.to_owned(),
                old: id(old).ok_or_else(|| bad_line(line))?,
                new: id(new).ok_or_else(|| bad_line(line))?,
            })
        })
        .collect()
}

/// An id, or none; nothing if it is neither.
#[allow(clippy::option_option, reason = "an id, no id, and no sense are three")]
pub fn id(text: &str) -> Option<Option<Oid>> {
    let id: Oid = text.parse().ok()?;
    Some(id.as_bytes().iter().any(|byte| *byte != 0).then_some(id))
}

/// A line that git did not write.
pub fn bad_line(line: &str) -> anyhow::Error {
    let what = format!("`{}` is not what git tells a hook", escape(line));
    Problem::new(Code::BadRequest, what)
        .hint("hooks are run by git; `folio hook install` puts them in place")
        .into()
}

/// The repository with the objects that git lends to its hooks, if it does: those of a push lie in a
/// quarantine until the hook has agreed.
pub fn with_quarantine(store: GitStore) -> anyhow::Result<GitStore> {
    let one = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let mut dirs: Vec<PathBuf> = ["GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH"]
        .into_iter()
        .filter_map(one)
        .collect();
    // git quotes a path with a colon; such a one is not found and its objects are missing, which refuses.
    if let Some(list) = std::env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES") {
        dirs.extend(std::env::split_paths(&list));
    }
    dirs.retain(|dir| !dir.as_os_str().is_empty());
    match dirs.is_empty() {
        true => Ok(store),
        false => Ok(store.with_objects(&dirs)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_exactly() {
        let (zeros, ones) = ("0".repeat(40), "1".repeat(40));
        let text = format!("{zeros} {ones} refs/heads/a b\n{ones} {zeros} refs/heads/main\n");
        let updates = updates(&text).unwrap();
        assert_eq!(updates.len(), 2);
        assert_eq!(
            (updates[0].old, updates[0].name.as_str()),
            (None, "refs/heads/a b")
        );
        assert_eq!((updates[1].old, updates[1].new), (ones.parse().ok(), None));
        for bad in [
            "x",
            "0 1 refs/heads/main",
            &format!("{ones} {ones}"),
            &format!("{ones}  {ones} r"),
        ] {
            assert!(super::updates(bad).is_err(), "{bad}");
        }
        assert!(super::updates("").unwrap().is_empty());
    }
}

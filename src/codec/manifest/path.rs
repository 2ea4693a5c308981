//! Paths that are safe to make inside of a directory, whoever wrote them.

use super::fold::fold;
use crate::model::{Code, limits};
use std::fmt;

/// Why a path or a link's target was refused: `path-unsafe`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFault {
    /// Stable code.
    pub code: Code,
    /// What was expected and found.
    pub what: String,
}

impl fmt::Display for PathFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl std::error::Error for PathFault {}

fn fault<T>(what: String) -> Result<T, PathFault> {
    let code = Code::PathUnsafe;
    Err(PathFault { code, what })
}

/// A relative path of one or more parts, none of which leads anywhere else than down by one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(String);

impl TreePath {
    /// Checks a path.
    ///
    /// # Errors
    ///
    /// `path-unsafe`.
    pub fn new(path: impl Into<String>) -> Result<Self, PathFault> {
        let path = path.into();
        check_length("path", &path)?;
        if has_drive(&path) {
            return fault(format!(
                "expected a relative path, found `{path}`, which has a drive"
            ));
        }
        for (depth, part) in path.split('/').enumerate() {
            if depth == limits::PATH_DEPTH {
                let most = limits::PATH_DEPTH;
                return fault(format!(
                    "expected at most {most} parts, found more: `{path}`"
                ));
            }
            if let Some(why) = unsafe_part(part) {
                return fault(format!("`{path}` has {why}"));
            }
        }
        Ok(Self(path))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts, from the outermost directory.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a symbolic link leads: upwards first, then downwards, and never out of the directory it is part of.
///
/// With `..` after a name, what is meant would depend on whether that name is a link: `deep/link/..` is not
/// `deep`. So each link leads inside by its own text, whatever the others do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTarget(String);

impl LinkTarget {
    /// Checks the target of the link at a path.
    ///
    /// # Errors
    ///
    /// `path-unsafe`.
    pub fn new(at: &TreePath, target: impl Into<String>) -> Result<Self, PathFault> {
        let target = target.into();
        check_length("link's target", &target)?;
        if target.starts_with('/') || has_drive(&target) {
            return fault(format!("`{at}` leads to `{target}`, which is not relative"));
        }
        let mut above = at.parts().count() - 1;
        let mut down = false;
        for part in target.split('/') {
            match part {
                "" | "." => {}
                ".." if down => {
                    return fault(format!(
                        "`{at}` leads to `{target}`, which has `..` after a name"
                    ));
                }
                ".." if above == 0 => {
                    return fault(format!("`{at}` leads to `{target}`, which is outside"));
                }
                ".." => above -= 1,
                part => {
                    down = true;
                    if let Some(why) = unsafe_part(part) {
                        return fault(format!("`{at}` leads to `{target}`, which has {why}"));
                    }
                }
            }
        }
        Ok(Self(target))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_length(what: &str, text: &str) -> Result<(), PathFault> {
    let (most, found) = (limits::PATH, text.len());
    if text.is_empty() {
        return fault(format!("the {what} is empty"));
    }
    if found > most {
        return fault(format!(
            "expected a {what} of at most {most} bytes, found {found}"
        ));
    }
    Ok(())
}

/// Whether Windows would take it for a path on a drive, which replaces whatever it is joined to.
fn has_drive(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':'
}

/// Why a part may not stand in a path, if so.
fn unsafe_part(part: &str) -> Option<&'static str> {
    match part {
        "" => return Some("an empty part: it is absolute, doubles or ends in `/`"),
        "." | ".." => return Some("a part `.` or `..`"),
        _ => {}
    }
    if part.len() > limits::PATH_PART {
        return Some("a part of more than 255 bytes");
    }
    if part.chars().any(char::is_control) {
        return Some("a control character");
    }
    if part.contains('\\') {
        return Some("a backslash, which separates parts on Windows");
    }
    if is_git(part) {
        return Some("a part that is `.git` on some file system");
    }
    None
}

/// What git itself refuses in paths: `.git`, its short name on NTFS, and whatever HFS+ and NTFS take for them
/// (case, invisible characters, dots and spaces at the end, streams after a colon).
fn is_git(part: &str) -> bool {
    let folded = fold(part);
    let name = folded.split(':').next().unwrap_or_default();
    matches!(name.trim_end_matches([' ', '.']), ".git" | "git~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_stay_inside() {
        for good in [
            "a",
            "a/b",
            ".gitignore",
            ".github/x",
            "git",
            "git~2",
            "...",
            "a b",
            " a",
            "a.",
            "Foo::Bar.3pm",
            "con",
            "\u{202e}x",
            "\u{e9}/e\u{301}",
            "-rf",
            "*",
        ] {
            assert_eq!(TreePath::new(good).unwrap().as_str(), good);
        }
        let longest = ["x".repeat(255), "y".repeat(255)].join("/");
        assert!(TreePath::new(longest).is_ok());
        assert!(TreePath::new(["a"; 128].join("/")).is_ok());
    }

    #[test]
    fn paths_that_do_not() {
        let (part, deep) = ("x".repeat(256), ["a"; 129].join("/"));
        let long = [&part[..255]; 17].join("/");
        for bad in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/..",
            "a/../b",
            "a/./b",
            "a\\b",
            "..\\a",
            "C:",
            "c:/a",
            "a\0",
            "a\nb",
            "a\u{7f}",
            "a\u{85}",
            "\u{1b}[31m",
            ".git",
            ".GIT",
            "a/.Git/config",
            "git~1",
            "GIT~1",
            ".git ",
            ".git. .",
            ".git...",
            "git~1.",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
            ".g\u{200c}it",
            "\u{feff}.git",
            ".gi\u{206f}T",
            ".g\u{ad}it",
            &part,
            &deep,
            &long,
        ] {
            let fault = TreePath::new(bad).expect_err(bad);
            assert_eq!(fault.code, Code::PathUnsafe, "{bad:?}");
        }
    }

    #[test]
    fn links_stay_inside_whatever_the_others_do() {
        let at = |path: &str| TreePath::new(path).unwrap();
        for (path, target) in [
            ("a", "b"),
            ("a", "./b/c/"),
            ("d/a", "../b"),
            ("d/a", ".."),
            ("d/e/a", "../../x/y"),
            ("d/a", ".././b"),
            ("a", "."),
        ] {
            assert!(
                LinkTarget::new(&at(path), target).is_ok(),
                "{path} {target}"
            );
        }
        for (path, target) in [
            ("a", ""),
            ("a", ".."),
            ("a", "/etc/passwd"),
            ("a", "//x"),
            ("d/a", "../.."),
            ("d/e/a", "../../../x"),
            ("a", "b/.."),
            ("d/e/a", "x/../.."),
            ("d/a", "./../.."),
            ("a", "..\\x"),
            ("a", "c:x"),
            ("a", ".git/config"),
            ("a", "x/.GIT"),
            ("a", "b\u{1}"),
        ] {
            let fault = LinkTarget::new(&at(path), target).expect_err(target);
            assert_eq!(fault.code, Code::PathUnsafe, "{path} {target}");
        }
    }
}

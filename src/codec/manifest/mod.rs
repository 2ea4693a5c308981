//! Manifests: a directory as one artifact, one canonical line for each file, link and empty directory. Read and
//! written line by line, so that a directory of a million files takes some 40 MB and one that claims more is
//! refused before more of it is read.

pub mod fold;
pub mod names;
pub mod path;
mod read;

pub use path::{LinkTarget, PathFault, TreePath};
pub use read::Reader;

use super::json;
use crate::model::{Code, ContentDigest, limits};
use names::Names;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The first line of every manifest, with its line feed.
pub const HEADER: &str = "{\"folio\":\"manifest\",\"version\":1}\n";

/// Whether an artifact that begins so is a manifest: its first line decides, so that the same bytes are one
/// everywhere, however they came. Whether it is a good one shows when it is read.
pub fn is_one(beginning: &[u8]) -> bool {
    beginning.starts_with(HEADER.as_bytes())
}

/// Why bytes are not a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFault {
    /// `manifest-malformed`, `path-unsafe`, `path-collision` or `too-large`.
    pub code: Code,
    /// The line, from 1; 0 for the manifest as a whole.
    pub line: u64,
    /// What was expected and found.
    pub what: String,
}

impl ManifestFault {
    /// A fault in a line.
    pub fn new(code: Code, line: u64, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { code, line, what }
    }
}

impl fmt::Display for ManifestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code)?;
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for ManifestFault {}

/// One file, link or empty directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub path: TreePath,
    /// What it is.
    pub what: What,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A regular file.
    File {
        /// BLAKE3 of its bytes: the artifact that has them.
        key: ContentDigest,
        /// How many bytes.
        size: u64,
        /// Whether it can be run.
        executable: bool,
    },
    /// A symbolic link.
    Link(LinkTarget),
    /// A directory with nothing in it.
    Directory,
}

impl What {
    /// The mode, as git writes it.
    pub fn mode(&self) -> &'static str {
        match self {
            What::File {
                executable: false, ..
            } => "100644",
            What::File {
                executable: true, ..
            } => "100755",
            What::Link(_) => "120000",
            What::Directory => "040000",
        }
    }
}

/// A line as JSON, its fields in the order of the canonical form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact: Option<ContentDigest>,
    mode: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

impl Entry {
    /// The line, with its line feed.
    fn encode(&self) -> String {
        let mut wire = Wire {
            artifact: None,
            mode: self.what.mode().to_owned(),
            path: self.path.as_str().to_owned(),
            size: None,
            target: None,
        };
        match &self.what {
            What::File { key, size, .. } => (wire.artifact, wire.size) = (Some(*key), Some(*size)),
            What::Link(target) => wire.target = Some(target.as_str().to_owned()),
            What::Directory => {}
        }
        // Canonical as it is: the order is that of the names, and of all that JSON would escape a path may have
        // quotes only. A general encoder takes most of the time that a large manifest takes.
        serde_json::to_string(&wire).expect("strings and integers") + "\n"
    }

    /// Reads a line without its line feed.
    fn parse(text: &str, line: u64) -> Result<Self, ManifestFault> {
        let malformed = |what: String| ManifestFault::new(Code::ManifestMalformed, line, what);
        let wire: Wire = json::parse_lenient(text, limits::MANIFEST_LINE)
            .map_err(|fault| malformed(fault.to_string()))?;
        let unsafe_path = |fault: PathFault| ManifestFault::new(fault.code, line, fault.what);
        let path = TreePath::new(wire.path).map_err(unsafe_path)?;
        let what = match (wire.mode.as_str(), wire.artifact, wire.size, wire.target) {
            (mode @ ("100644" | "100755"), Some(key), Some(size), None) => {
                if size > limits::ARTIFACT {
                    return Err(malformed(format!("expected a size, found {size}")));
                }
                let executable = mode == "100755";
                What::File {
                    key,
                    size,
                    executable,
                }
            }
            ("120000", None, None, Some(target)) => {
                What::Link(LinkTarget::new(&path, target).map_err(unsafe_path)?)
            }
            ("040000", None, None, None) => What::Directory,
            _ => {
                let what = "expected a mode of 100644 or 100755 with artifact and size, 120000 with target, or \
                            040000";
                return Err(malformed(what.into()));
            }
        };
        let entry = Self { path, what };
        if entry.encode().strip_suffix('\n') != Some(text) {
            return Err(malformed("expected the canonical form".into()));
        }
        Ok(entry)
    }
}

/// Writes a manifest, entry by entry.
#[derive(Default)]
pub struct Writer {
    names: Names,
    lines: u64,
    bytes: u64,
}

impl Writer {
    /// The line of the next entry, with its line feed. [`HEADER`] goes first.
    ///
    /// # Errors
    ///
    /// What a reader would refuse: entries out of order, collisions, too many of them.
    pub fn line(&mut self, entry: &Entry) -> Result<String, ManifestFault> {
        self.lines += 1;
        let line = entry.encode();
        self.names.take(&entry.path, self.lines + 1)?;
        self.bytes += line.len() as u64;
        check_bytes(HEADER.len() as u64 + self.bytes)?;
        Ok(line)
    }
}

/// Whether a manifest may have that many bytes: asked before any are read.
///
/// # Errors
///
/// `too-large`.
pub fn check_bytes(bytes: u64) -> Result<(), ManifestFault> {
    let most = limits::MANIFEST_BYTES;
    if bytes > most {
        let what = format!("expected a manifest of at most {most} bytes, found {bytes}");
        return Err(ManifestFault::new(Code::TooLarge, 0, what));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

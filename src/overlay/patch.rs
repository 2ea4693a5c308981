//! A layer's bytes: which of the two kinds they are, and reading and making unified diffs.

use super::text::{self, Parsed};
use super::{OverlayFault, bounded, effort, lines};
use crate::model::Code;

/// What a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerKind {
    /// A unified diff of one file.
    Diff,
    /// A whole file, which takes the place of everything below it.
    Whole,
}

impl LayerKind {
    /// The media type under which diffs are published.
    pub const DIFF_MEDIA: &'static str = "text/x-diff";

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            LayerKind::Diff => "diff",
            LayerKind::Whole => "whole",
        }
    }

    /// What a layer is: by the media type of its artifact, where one was decided that says something, else by its
    /// bytes.
    pub fn of(media: Option<&str>, bytes: &[u8]) -> Self {
        match media {
            Some(Self::DIFF_MEDIA | "text/x-patch") => LayerKind::Diff,
            None | Some("application/octet-stream") => Self::of_bytes(bytes),
            Some(_) => LayerKind::Whole,
        }
    }

    /// The media type to publish bytes with, so that every reader takes them for this kind.
    pub fn media(self, bytes: &[u8]) -> &'static str {
        match self {
            LayerKind::Diff => Self::DIFF_MEDIA,
            // Bytes that look like a diff need a type that says something.
            LayerKind::Whole if Self::of_bytes(bytes) == LayerKind::Diff => "text/plain",
            LayerKind::Whole if std::str::from_utf8(bytes).is_ok() => "text/plain",
            LayerKind::Whole => "application/octet-stream",
        }
    }

    /// What bytes are of which nobody said it: a diff, well-formed or not, if the first line begins as those of
    /// git do (`diff --git `), or if it begins with `diff `, `Index: `, `From ` or `--- ` and somewhere there
    /// follow one on another lines that begin with `--- `, `+++ ` and `@@ -`.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let starts = |words: &[&str]| words.iter().any(|word| bytes.starts_with(word.as_bytes()));
        let has_header = || {
            let mut met = 0;
            lines(bytes).any(|line| {
                met = match met {
                    1 if line.starts_with(b"+++ ") => 2,
                    2 if line.starts_with(b"@@ -") => 3,
                    _ => usize::from(line.starts_with(b"--- ")),
                };
                met == 3
            })
        };
        let diff = starts(&["diff --git "])
            || starts(&["diff ", "Index: ", "From ", "--- "]) && has_header();
        match diff {
            true => LayerKind::Diff,
            false => LayerKind::Whole,
        }
    }
}

/// A unified diff of one file.
#[derive(Debug)]
pub struct Patch<'a> {
    pub(super) parsed: Parsed<'a>,
}

impl<'a> Patch<'a> {
    /// Reads what `diff -u` or `git diff` prints of one file, a mail of `git format-patch` too.
    ///
    /// # Errors
    /// `patch-malformed`, also for several files, binary patches and what has no hunk; `too-large`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, OverlayFault> {
        bounded("the patch", bytes)?;
        let malformed = |what: String| OverlayFault::new(Code::PatchMalformed, what);
        if bytes.last().is_some_and(|byte| *byte != b'\n') {
            return Err(malformed("the last line of the diff is cut off".into()));
        }
        one_text_file(bytes)?;
        let parsed = Parsed::read(bytes).or_else(|words| {
            // The reader takes a mail's signature for a line that goes, if it comes after the last line of a file.
            let unsigned = without_signature(bytes).ok_or(words.clone())?;
            Parsed::read(unsigned).map_err(|_| words)
        });
        let parsed = parsed.map_err(malformed)?;
        if parsed.len() == 0 {
            return Err(malformed("the diff has no hunk (`@@ -1,3 +1,4 @@`)".into()));
        }
        only_the_end_may_lack_a_line_feed(&parsed)?;
        Ok(Self { parsed })
    }

    /// How many hunks it has, at least one.
    pub fn hunks(&self) -> usize {
        self.parsed.len()
    }
}

/// Lines within hunks begin otherwise, so these stand outside of them wherever they are found.
fn one_text_file(bytes: &[u8]) -> Result<(), OverlayFault> {
    let mut files = 0;
    for line in lines(bytes) {
        files += usize::from(line.starts_with(b"diff --git "));
        let binary = line.starts_with(b"GIT binary patch") || line.starts_with(b"Binary files ");
        let what = match (binary, files > 1) {
            (true, _) => "the diff is of a binary file; give the whole file instead",
            (_, true) => "the diff is of several files, expected one",
            _ => continue,
        };
        return Err(OverlayFault::new(Code::PatchMalformed, what));
    }
    Ok(())
}

/// The bytes before `-- `, with which mails of `git format-patch` end.
fn without_signature(bytes: &[u8]) -> Option<&[u8]> {
    const SIGNATURE: &[u8] = b"\n-- \n";
    let at = bytes
        .windows(SIGNATURE.len())
        .rposition(|part| part == SIGNATURE)?;
    Some(&bytes[..=at])
}

/// A line without its line feed can only be the last of a file.
fn only_the_end_may_lack_a_line_feed(parsed: &Parsed<'_>) -> Result<(), OverlayFault> {
    let count = parsed.len();
    for (index, hunk) in parsed.hunks().enumerate() {
        for new in [false, true] {
            let mut side = hunk.side(new).rev();
            if index + 1 == count {
                side.next();
            }
            if side.any(|line| line.last() != Some(&b'\n')) {
                let what = format!("hunk {} goes on after the end of the file", index + 1);
                return Err(OverlayFault::at(index + 1, Code::PatchMalformed, what));
            }
        }
    }
    Ok(())
}

/// The diff that makes `new` of `old`, as of a file of that name; `None` where they are equal.
///
/// # Errors
/// `too-large`, also where the two differ in so many lines that comparing them would take too long.
pub fn make(old: &[u8], new: &[u8], name: &str) -> Result<Option<Vec<u8>>, OverlayFault> {
    bounded("the base", old)?;
    bounded("the result", new)?;
    if old == new {
        return Ok(None);
    }
    effort::bearable(old, new)?;
    Ok(Some(text::make(old, new, name)))
}

//! The one place that names the crate `diffy`: reading and writing unified diffs, and comparing lines.
//!
//! Its own way of applying a patch is not used: it looks for another place for a hunk without saying so.

use diffy::{ConflictStyle, DiffOptions, IncompleteHunkStyle, MergeOptions};

/// What a line of a hunk does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It is there before and after.
    Context,
    /// It goes.
    Delete,
    /// It comes.
    Insert,
}

/// One hunk, borrowed from its patch.
pub struct Hunk<'p> {
    /// The first line of the old side, counted from 1; the line before it where the old side is empty.
    pub start: usize,
    /// Its lines, with their line feeds.
    pub lines: Vec<(Sign, &'p [u8])>,
}

impl<'p> Hunk<'p> {
    /// The lines of the old side, or of the new one.
    pub fn side(&self, new: bool) -> impl DoubleEndedIterator<Item = &'p [u8]> {
        let other = if new { Sign::Delete } else { Sign::Insert };
        let lines = self.lines.iter();
        lines
            .filter(move |(sign, _)| *sign != other)
            .map(|(_, line)| *line)
    }
}

/// A diff of one file that was read.
#[derive(Debug)]
pub struct Parsed<'a>(diffy::Patch<'a, [u8]>);

impl<'a> Parsed<'a> {
    /// Reads one file's diff. What comes before its header and after its last hunk is passed over; a hunk
    /// behind that is an error.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let parsed = diffy::Patch::from_bytes(bytes);
        parsed.map(Self).map_err(|error| error.to_string())
    }

    /// How many hunks it has.
    pub fn len(&self) -> usize {
        self.0.hunks().len()
    }

    /// Its hunks, in the order of the file; their ranges do not overlap.
    pub fn hunks(&self) -> impl Iterator<Item = Hunk<'_>> {
        self.0.hunks().iter().map(|hunk| Hunk {
            start: hunk.old_range().start(),
            lines: hunk.lines().iter().map(signed).collect(),
        })
    }

    /// Whether it makes a file out of nothing, and whether it leaves nothing of one.
    pub fn nothing(&self) -> (bool, bool) {
        let is = |name: Option<&[u8]>| name == Some(b"/dev/null");
        (is(self.0.original()), is(self.0.modified()))
    }
}

fn signed<'p>(line: &diffy::Line<'p, [u8]>) -> (Sign, &'p [u8]) {
    match line {
        diffy::Line::Context(line) => (Sign::Context, line),
        diffy::Line::Delete(line) => (Sign::Delete, line),
        diffy::Line::Insert(line) => (Sign::Insert, line),
    }
}

/// The unified diff from one file to another, with three lines of context; without hunks where they are equal.
pub fn make(old: &[u8], new: &[u8], name: &str) -> Vec<u8> {
    let mut options = DiffOptions::new();
    options
        .set_original_filename(format!("a/{name}"))
        .set_modified_filename(format!("b/{name}"));
    options.create_patch_bytes(old, new).to_bytes()
}

/// The three-way merge; where both sides changed the same lines, the bytes with markers of that length and the
/// labels `ours` and `theirs` as an error.
///
/// # Errors
/// The merge with its conflicts.
pub fn merge(base: &[u8], ours: &[u8], theirs: &[u8], marker: usize) -> Result<Vec<u8>, Vec<u8>> {
    MergeOptions::new()
        .set_conflict_style(ConflictStyle::Merge)
        .set_incomplete_hunk_style(IncompleteHunkStyle::Git)
        .set_conflict_marker_length(marker)
        .merge_bytes(base, ours, theirs)
}

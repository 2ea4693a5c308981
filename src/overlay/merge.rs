//! Three-way merges, with conflicts shown the way git shows them.

use super::{OverlayFault, bounded, effort, lines, text};

/// What the two sides of a conflict are called.
#[derive(Debug, Clone)]
pub struct Labels {
    /// The first side, on one line.
    pub ours: String,
    /// The second side, on one line.
    pub theirs: String,
}

impl Labels {
    fn first(&self) -> Vec<u8> {
        format!("<<<<<<< {}\n", self.ours).into_bytes()
    }

    fn last(&self) -> Vec<u8> {
        format!(">>>>>>> {}\n", self.theirs).into_bytes()
    }
}

/// What a merge gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// Both sides' changes.
    Clean(Vec<u8>),
    /// Both sides changed the same or neighbouring lines, differently.
    Conflicts {
        /// The merge, with git's markers around what is to be decided.
        bytes: Vec<u8>,
        /// How many places.
        count: usize,
    },
}

/// What `ours` and `theirs` made of `base`, together.
///
/// # Errors
/// `too-large`.
pub fn merge(
    base: &[u8],
    ours: &[u8],
    theirs: &[u8],
    labels: &Labels,
) -> Result<Merged, OverlayFault> {
    bounded("the old base", base)?;
    bounded("one side", ours)?;
    bounded("the other side", theirs)?;
    effort::bearable(base, ours)?;
    effort::bearable(base, theirs)?;
    // No line begins with so many of them, so that each marker is known for one and can get its label.
    let sides = [base, ours, theirs];
    let longest = sides.iter().flat_map(|side| lines(side)).map(run).max();
    let marker = longest.unwrap_or(0).max(6) + 1;
    match text::merge(base, ours, theirs, marker) {
        Ok(bytes) => Ok(Merged::Clean(bytes)),
        Err(bytes) => Ok(labelled(&bytes, marker, labels)),
    }
}

/// How many bytes of a marker a line begins with.
fn run(line: &[u8]) -> usize {
    let first = line.first().copied().filter(|byte| b"<=>".contains(byte));
    first.map_or(0, |first| {
        line.iter().take_while(|byte| **byte == first).count()
    })
}

fn labelled(bytes: &[u8], marker: usize, labels: &Labels) -> Merged {
    let (mut out, mut count) = (Vec::with_capacity(bytes.len()), 0);
    for line in lines(bytes) {
        match line[0] {
            b'<' if run(line) == marker => {
                count += 1;
                out.extend_from_slice(&labels.first());
            }
            b'=' if run(line) == marker => out.extend_from_slice(b"=======\n"),
            b'>' if run(line) == marker => out.extend_from_slice(&labels.last()),
            _ => out.extend_from_slice(line),
        }
    }
    Merged::Conflicts { bytes: out, count }
}

/// The first line, counted from 1, that is a marker with one of these labels: a conflict that nobody decided.
pub fn left_marker(bytes: &[u8], labels: &Labels) -> Option<usize> {
    let (first, last) = (labels.first(), labels.last());
    let at = lines(bytes).position(|line| line == first || line == last);
    at.map(|at| at + 1)
}

//! Layers over bytes: unified diffs and whole files, laid one on another, and made again for another base.
//!
//! Nothing here knows where bytes come from; `docs/format.md` says which hunk goes where, so that every
//! reader of a stack comes to the same bytes.

mod effort;
mod fault;
mod merge;
mod patch;
mod place;
mod stack;
mod text;

pub use fault::OverlayFault;
pub use merge::{Labels, Merged, left_marker, merge};
pub use patch::{LayerKind, Patch, make};
pub use place::{Applied, Moved};
pub use stack::{Absent, Laid, Stack};

use crate::model::{Code, limits};

/// The lines of some bytes, each with its line feed; the last may lack one.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

/// Refuses what is larger than layers and their bases may be, before anything is made of it.
///
/// # Errors
/// `too-large`.
pub fn bounded(what: &str, bytes: &[u8]) -> Result<(), OverlayFault> {
    let large = |found: usize, most: usize, unit: &str| {
        let words = format!("{what} has {found} {unit}, expected at most {most}");
        Err(OverlayFault::new(Code::TooLarge, words))
    };
    if bytes.len() > limits::LAYER_BYTES {
        return large(bytes.len(), limits::LAYER_BYTES, "bytes");
    }
    let count = lines(bytes).count();
    if count > limits::LAYER_LINES {
        return large(count, limits::LAYER_LINES, "lines");
    }
    Ok(())
}

//! Overlays from the command line: one file per action, and what they share.

pub mod add;
pub mod bytes;
pub mod drop;
pub mod layer;
pub mod patch;
pub mod rebase;
pub mod remake;
pub mod show;
pub mod stacked;

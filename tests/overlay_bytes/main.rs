//! Layers as bytes: laws that hold for any bytes, git as referee, and hostile patches.
#![allow(clippy::unwrap_used, reason = "a test")]

mod git;
mod hostile;
mod laws;
mod texts;

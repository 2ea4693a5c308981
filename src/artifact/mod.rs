//! Artifacts: bytes that decisions are about.

pub mod directory;

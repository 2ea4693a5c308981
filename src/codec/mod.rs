//! The only door to bytes: canonical JSON, commits, messages, table rows. Every parser re-encodes
//! what it read and requires equal bytes.

mod canonical;
pub mod commit;
pub mod evidence;
pub(crate) mod exact;
pub(crate) mod flat;
pub mod json;
pub mod manifest;
pub mod message;
pub mod rows;
pub mod sheet;
pub mod shelf;

//! Commands about artifacts: what of them is decided.

pub mod decide;
pub mod dependents;
pub mod keys;
pub mod publish;
pub mod restore;
pub mod tombstone;

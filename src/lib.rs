//! Folio: a git-backed coordination journal.
//!
//! A group's decisions live in an ordinary git repository. Anyone proposes on a signed branch; one
//! witness at a time verifies, orders and merges proposals into numbered, signed snapshots
//! (`common@1`, `common@2`, ...). What holds now is a fold of those decisions, kept as sorted JSON
//! Lines tables in the snapshot's tree, and anyone can rebuild it by replay.
//!
//! The modules in the order of the data flow; imports point one way only, from below to above:
//!
//! ```text
//! model     ids, names, limits, rows, codes               pure
//! codec     the only door to bytes: JSON, commits, tables  pure
//! crypto    keys, SSHSIG, BLAKE3 contexts, `trait Sign`
//! fold      View, one rule per kind of decision, Refusal   pure
//! overlay   layers of bytes: diffs, stacks, merges         pure
//! state     tables <-> git trees: look up, edit, diff, iterate
//! journal   propose, verify, order, accept, replay
//! store     objects and refs: git, memory, faulty, derived index
//! artifact  bytes by BLAKE3: blocks, sheets, shelves
//! remote    the only place that runs the git program
//! cli       one file per command
//! ```

#![warn(clippy::unwrap_used)]
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]
// They panic where nobody takes what they write.
#![warn(clippy::print_stdout, clippy::print_stderr)]
#![cfg_attr(
    test,
    allow(
        clippy::print_stdout,
        clippy::print_stderr,
        clippy::unwrap_used,
        clippy::disallowed_methods,
        clippy::disallowed_types
    )
)]

pub mod artifact;
pub mod cli;
pub mod codec;
mod cores;
pub mod crypto;
pub mod fold;
pub mod journal;
pub mod model;
pub mod overlay;
mod parallel;
pub mod remote;
pub mod state;
pub mod store;

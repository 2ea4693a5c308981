//! The only place that runs the git program: what gix cannot do, or git does better.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "git is started with a chosen part of the environment"
)]

pub mod bundle;
mod checkout;
pub mod housekeeping;
pub mod location;
pub mod objects;
pub mod partial;
pub mod program;
pub mod transport;
pub mod worktree;

pub use location::Location;
pub use objects::Brought;
pub use program::{Git, require_git};
pub use transport::{Push, Pushed, Transport};
pub use worktree::{Follow, check, follow, last_followed};

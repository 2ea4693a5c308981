//! The only place that runs the git program: what gix cannot do, or git does better.

mod checkout;
pub mod program;
pub mod worktree;

pub use program::{Git, require_git};
pub use worktree::{Follow, check, follow, last_followed};

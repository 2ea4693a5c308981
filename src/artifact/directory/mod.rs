//! Directories as artifacts: what lies in one, and making it again somewhere else.

mod restore;
mod shelf;
mod walk;

pub use restore::{Restored, Source, restore};
pub use shelf::{Bad, Directory, add};
pub use walk::{Found, Kind, Walk};

#[cfg(test)]
mod tests;

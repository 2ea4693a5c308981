//! What the files in `hooks/` call, and how they get into a repository.

pub mod input;
pub mod install;
pub mod place;
pub mod post;
pub mod push;
pub mod receive;
pub mod scripts;
pub mod status;
pub mod transaction;

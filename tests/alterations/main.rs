//! Commits that somebody altered, in a real repository: each breaks one rule and is refused by its code.
//! Where an honest witness signs a bad page, only that one rule is broken.

#[path = "../common/cli.rs"]
mod cli;
#[path = "../common/mod.rs"]
mod common;

mod absent;
mod bench;
mod blocks;
mod bytes;
mod framed;
mod pages;
mod proposals;
mod replayed;

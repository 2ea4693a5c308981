//! Artifacts between repositories: offered with a proposal, published by whoever numbers it, brought by readers.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../common/cli.rs"]
mod cli;
#[path = "../common/net.rs"]
mod net;

mod bring;
mod damage;
mod send;
mod stick;
mod world;

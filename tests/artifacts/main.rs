//! Artifacts: bytes in, the same bytes out, whatever happens in between.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../common/cli.rs"]
mod cli;
mod crash;
mod damage;
mod numbers;
mod processes;
mod program;
mod rounds;
mod world;

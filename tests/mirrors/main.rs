//! Hostile mirrors against a reader that has seen more: each is named with its code, nothing of the reader's moves,
//! and what can be proved is kept as a file that anybody can check.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../alterations/bench.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod bench;
#[path = "../common/cli.rs"]
mod cli;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/net.rs"]
mod net;

mod names;
mod objects;
mod pages;
mod reader;
mod terminal;

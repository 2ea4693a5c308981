//! Several repositories of one space: clone, fetch, push, submit, sync, pin, advance, over every way that needs
//! no other program than git.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../common/cli.rs"]
mod cli;
#[path = "../common/net.rs"]
mod net;

mod clone;
mod fetch;
mod pins;
mod plain;
mod push;
mod transports;

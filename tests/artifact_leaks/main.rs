//! A client that wants what is nobody else's business: it knows the object ids of everything on the internal shelf
//! and asks for them, by every way in which git serves and copies. None of it ever comes out; what is published comes.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../common/cli.rs"]
mod cli;
#[path = "../common/net.rs"]
mod net;
#[path = "../servers/sockets.rs"]
mod sockets;

mod copies;
mod hoard;
mod inside;
mod published;
mod raw;
mod servers;
mod wire;

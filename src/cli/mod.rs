//! The command line: one file per command. Data goes to stdout, talk to stderr.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the command line is where clock and environment come in"
)]

pub mod alias_file;
pub mod alias_plan;
pub mod alias_sync;
pub mod allowed_signers;
pub mod args;
pub mod artifact;
pub mod bytes;
pub mod changes;
pub mod commands;
pub mod conflicts;
pub mod confusable;
pub mod context;
pub mod dates;
pub mod draft;
pub mod entity;
pub mod error;
pub mod evidence;
pub mod evidence_check;
pub mod evidence_list;
pub mod evidence_make;
pub mod evidence_show;
pub mod exchange;
pub mod exit;
pub mod founding;
pub mod gc;
pub mod health;
pub mod hook;
pub mod identity;
pub mod imprint;
pub mod key_list;
pub mod key_new;
pub mod key_show;
pub mod keys;
pub mod lines;
pub mod lookup;
pub mod memory;
pub mod names;
pub mod numbered;
pub mod numbering;
pub mod observed;
pub mod offers;
pub mod one;
pub mod opinions;
pub mod overlay;
pub mod path;
pub mod pen_move;
pub mod pen_status;
pub mod policy_pen;
pub mod policy_show;
pub mod proposals;
pub mod published;
pub mod reference;
pub mod refusals;
pub mod report;
pub mod repository;
pub mod review_list;
pub mod rowview;
pub mod settling;
pub mod signing;
pub mod stick;
pub mod suggest;
pub mod trace;
pub mod trial;
pub mod ui;
pub mod verified;
pub mod view;
pub mod voting;
pub mod watch;
pub mod witness_run;
pub mod words;
pub mod worktree;

use exit::Exit;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::ffi::OsString;
use std::process::ExitCode;
use ui::Ui;

/// Runs this process's command line and turns what came of it into an exit code.
pub fn main() -> ExitCode {
    dump_no_core();
    run(std::env::args_os()).into()
}

/// A crash writes nothing down, for a key may be in memory. Where it cannot be turned off, nothing can be done about it.
fn dump_no_core() {
    let now = getrlimit(Resource::Core);
    let none = Rlimit {
        current: Some(0),
        ..now
    };
    let _ = setrlimit(Resource::Core, none);
}

/// Parses a command line, the program's name first, and runs it in this process.
pub fn run(line: impl IntoIterator<Item = OsString>) -> Exit {
    let line: Vec<OsString> = line.into_iter().collect();
    let cli = match args::parse(&line) {
        Ok(cli) => cli,
        Err(error) => return error::usage(&error),
    };
    let ui = Ui::new(&cli.global);
    match commands::run(&cli, &ui) {
        Ok(exit) => exit,
        Err(error) if error::is_closed_pipe(&error) => Exit::Done,
        Err(error) => error::report(&ui, &error),
    }
}

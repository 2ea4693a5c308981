//! One file per command.

pub mod accept;
pub mod advance;
pub mod alias;
pub mod approve;
pub mod artifact;
pub mod bind;
pub mod blame;
pub mod bundle;
pub mod clone;
pub mod completions;
pub mod describe;
pub mod diff;
pub mod distinct;
pub mod distinct_drop;
pub mod draft;
pub mod evidence;
pub mod explain;
pub mod fetch;
pub mod fork;
pub mod gc;
pub mod group;
pub mod help;
pub mod hook;
pub mod init;
pub mod key;
pub mod log;
pub mod man;
pub mod member;
pub mod merge;
pub mod overlay;
pub mod overlays;
pub mod pen;
pub mod pin;
pub mod pin_name;
pub mod policy;
pub mod propose;
pub mod push;
pub mod queue;
pub mod rebase;
pub mod refuse;
pub mod reject;
pub mod replay;
pub mod resolve;
pub mod review;
pub mod same;
pub mod show;
pub mod state;
pub mod status;
pub mod submit;
pub mod sync;
pub mod unbind;
pub mod unmerge;
pub mod unpin_name;
pub mod verify;
pub mod witness;

use super::args::{Cli, dispatch};
use super::exit::Exit;
use super::ui::Ui;

/// Runs the command that was parsed.
pub fn run(cli: &Cli, ui: &Ui) -> anyhow::Result<Exit> {
    dispatch(cli, ui)
}

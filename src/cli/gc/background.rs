//! Keeping house after a command: what is quick is done at once, the rest by a process of its own.

use crate::cli::context::Context;
use crate::cli::numbering::or_warn;
use crate::cli::ui::Ui;
use crate::remote::housekeeping::between;
use crate::store::user_config_value;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

/// Whether commands start it: `false` in the repository's configuration, or else in the user's, turns it off.
const KEY: &str = "folio.housekeeping";

/// Merges small packs, and has larger ones merged, and branches packed, in the background where so much has come that it
/// is time.
pub fn keep_house(context: &Context, ui: &Ui) {
    or_warn(ui, context.store.consolidate().map_err(Into::into));
    let due = between::is_due(&context.store).map_err(Into::into);
    if or_warn(ui, due) == Some(true) && is_wanted(context) {
        start(context);
    }
}

fn is_wanted(context: &Context) -> bool {
    let own = context.store.config_value(KEY);
    let value = own.or_else(|| user_config_value(None, KEY).ok().flatten());
    value.is_none_or(|value| value != "false")
}

/// Starts `folio gc packs`, and does not wait for it. Nobody misses what it says, or that it could not be started:
/// the next command tries again.
fn start(context: &Context) {
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let dir = context.store.common_dir();
    let mut command = Command::new(program);
    command
        .args(["-q", "-C"])
        .arg(dir)
        .args(["gc", "packs"])
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Whoever interrupts the command does not mean this.
        .process_group(0);
    if let Ok(mut child) = command.spawn() {
        // A command that goes on for long, as `witness run` does, leaves no dead children.
        std::thread::spawn(move || child.wait());
    }
}

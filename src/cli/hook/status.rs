//! `folio hook status`: which hooks are in place.

use super::install::{is_server, program};
use super::place::{self, Found};
use super::scripts;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::ui::{Style, Ui, escape};
use serde::Serialize;

#[derive(Serialize)]
struct Status {
    directory: String,
    server: bool,
    hooks: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    hook: &'static str,
    /// Whether a repository of this kind should have it.
    wanted: bool,
    state: &'static str,
    /// Whether a hook of the user's is asked after it.
    local: bool,
}

/// Says which hooks are there; 1 if one that should be is not.
pub fn run(global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let dir = place::directory(&context);
    let (server, program) = (is_server(&context), program());
    let wanted = if server {
        scripts::SERVER
    } else {
        scripts::CLIENT
    };
    let mut hooks = Vec::new();
    let mut complete = true;
    for script in scripts::ALL {
        let found = place::look(&dir, &script, &program)?;
        let wanted = wanted.iter().any(|one| one.name == script.name);
        complete &= !wanted || matches!(found, Found::Ours | Found::Old);
        hooks.push(Entry {
            hook: script.name,
            wanted,
            state: found.word(),
            local: place::local(&dir, &script).symlink_metadata().is_ok(),
        });
    }
    let exit = if complete { Exit::Done } else { Exit::No };
    let directory = dir.display().to_string();
    if ui.json() {
        ui.answer(
            "hook-status",
            &Status {
                directory,
                server,
                hooks,
            },
        )?;
        return Ok(exit);
    }
    ui.line(escape(&directory))?;
    for entry in hooks {
        let style = match (entry.state, entry.wanted) {
            ("installed", _) => Style::Good,
            (_, true) => Style::Bad,
            _ => Style::Dim,
        };
        let local = if entry.local {
            ", and yours after it"
        } else {
            ""
        };
        let state = match (entry.state, entry.wanted) {
            ("missing", false) => "not needed here",
            (state, _) => state,
        };
        let state = ui.paint(style, state);
        ui.line(format!("  {:<22} {state}{local}", entry.hook))?;
    }
    if !complete {
        ui.say("folio hook install puts them in place");
    }
    Ok(exit)
}

//! `folio evidence list`: the evidence files of this space.

use super::args::Global;
use super::context::Context;
use super::evidence::{self, FindingView};
use super::exit::Exit;
use super::ui::{Style, Ui, escape};
use crate::journal::Fault;
use crate::model::Code;
use serde::Serialize;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct Listed {
    evidence: Vec<FindingView>,
    malformed: Vec<Malformed>,
}

#[derive(Serialize)]
struct Malformed {
    file: String,
    what: String,
}

/// Runs it.
pub fn run(global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let (mut found, mut malformed) = (Vec::new(), Vec::new());
    for path in files(&evidence::dir(&context))? {
        match look(&path) {
            Ok(view) => found.push(view),
            Err(error) => malformed.push(Malformed {
                file: path.display().to_string(),
                what: super::error::parts(&error).1,
            }),
        }
    }
    if ui.json() {
        let evidence = found;
        let listed = Listed {
            evidence,
            malformed,
        };
        ui.answer("evidence-list", &listed)?;
        return Ok(Exit::Done);
    }
    for view in &found {
        let file = ui.paint(Style::Bold, &escape(&view.file));
        ui.line(file)?;
        ui.line(format!("  {}: {}", view.verdict, escape(&view.words)))?;
    }
    for file in &malformed {
        ui.warn(format!("{}: {}", escape(&file.file), escape(&file.what)));
    }
    if found.is_empty() {
        ui.say("no evidence is kept here");
    }
    Ok(Exit::Done)
}

fn look(path: &Path) -> anyhow::Result<FindingView> {
    let read = evidence::read(path)?;
    let finding = evidence::check(&read)?;
    Ok(FindingView::of(path, &read.claim, &finding))
}

/// The files by name; what a crash left under a temporary name is none.
fn files(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let io = |error| Fault::new(Code::Io, format!("{}: {error}", dir.display()));
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|end| end == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

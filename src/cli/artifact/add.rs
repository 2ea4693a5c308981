//! `folio artifact add`: files in, keys out.

use super::internal_imprint;
use crate::artifact::{Added, ArtifactFault, Intake, Options, Shelves};
use crate::cli::args::Global;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::report::count;
use crate::cli::ui::{Ui, escape};
use crate::model::Code;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Add files; prints the key of each as b3sum does
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Files; `-` is stdin
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Answer {
    artifacts: Vec<View>,
}

#[derive(Serialize)]
struct View {
    key: String,
    name: String,
    size: u64,
    already: bool,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let (context, space) = super::open(global)?;
    let total = look(&arguments.files)?;
    let shelves = Shelves::open(&context.store)?;
    let (bar, done) = (RefCell::new(ui.progress("Adding")), Cell::new(0));
    let progress = |bytes| {
        done.set(done.get() + bytes);
        bar.borrow_mut().at(done.get(), total.max(done.get()));
    };
    let options = Options {
        progress: Some(&progress),
        ..Options::new(internal_imprint(space, global)?)
    };
    let intake = Intake::new(shelves.internal(), options)?;
    let added = add(intake, &arguments.files)?;
    drop(bar);
    report(ui, &arguments.files, &added)
}

/// Refuses what cannot be added before anything is; returns how many bytes there are to add.
fn look(files: &[PathBuf]) -> anyhow::Result<u64> {
    let mut total = 0;
    let mut streams = 0;
    for file in files {
        if is_stdin(file) {
            streams += 1;
            continue;
        }
        let meta = std::fs::metadata(file);
        let meta = meta.map_err(|err| {
            let what = format!("cannot read `{}`: {err}", shown(file));
            Problem::new(Code::Io, what)
        })?;
        if meta.is_dir() {
            let what = format!("`{}` is a directory", shown(file));
            return Err(Problem::new(Code::BadRequest, what)
                .hint("name the files in it: `find DIR -type f -print0 | xargs -0 folio artifact add`")
                .into());
        }
        total += meta.len();
    }
    match streams {
        0 | 1 => Ok(total),
        _ => Err(Problem::new(Code::BadRequest, "stdin can be read only once").into()),
    }
}

fn add(mut intake: Intake<'_>, files: &[PathBuf]) -> Result<Vec<Added>, ArtifactFault> {
    let mut added = Vec::with_capacity(files.len());
    let each = &mut |_, one| added.push(one);
    let mut parts = files.split_inclusive(|file| is_stdin(file));
    let failed = parts.find_map(|part| {
        let (files, stream) = match part.split_last() {
            Some((last, files)) if is_stdin(last) => (files, true),
            _ => (part, false),
        };
        let done = intake.add_all(files, each).and_then(|()| {
            if stream {
                each(0, intake.add(&mut io::stdin().lock(), false)?);
            }
            Ok(())
        });
        done.err()
    });
    match failed {
        Some(fault) => Err(fault),
        // Only now is any of it said to be here.
        None => intake.finish().map(|()| added),
    }
}

fn report(ui: &Ui, files: &[PathBuf], added: &[Added]) -> anyhow::Result<Exit> {
    let named = files.iter().zip(added);
    if ui.json() {
        let artifacts = named.map(|(file, added)| View {
            key: added.key.to_hex(),
            name: file.to_string_lossy().into_owned(),
            size: added.size,
            already: added.already,
        });
        let artifacts = artifacts.collect();
        ui.answer("artifact-add", &Answer { artifacts })?;
        return Ok(Exit::Done);
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    for (file, added) in named {
        writeln!(out, "{}  {}", added.key, shown(file))?;
    }
    out.flush()?;
    let already = added.iter().filter(|added| added.already).count();
    if already > 0 {
        let words = count(already, "artifact");
        ui.say(format!("{words} here already"));
    }
    Ok(Exit::Done)
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn shown(file: &Path) -> String {
    escape(&file.to_string_lossy())
}

//! `folio artifact add`: files and directories in, keys out.

use super::internal_imprint;
use crate::artifact::collect::lists::{self, List};
use crate::artifact::directory::{self, Walk};
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

/// Add files and directories; prints the key of each as b3sum does
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Files; directories with all that is in them; `-` is stdin
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
    let (pieces, total) = look(&arguments.files)?;
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
    let added = add(intake, &pieces)?;
    drop(bar);
    // Who adds what was erased here wants it again.
    let keys: Vec<_> = added.iter().map(|one| one.key).collect();
    lists::change(shelves.internal().folio(), List::Purged, &keys, false)?;
    report(ui, &arguments.files, &added)
}

/// What is to be added.
enum Piece {
    /// Files that follow each other.
    Files(Vec<PathBuf>),
    Directory(Walk),
    Stdin,
}

/// Refuses what cannot be added before anything is; the pieces, and how many bytes there are to add.
fn look(files: &[PathBuf]) -> anyhow::Result<(Vec<Piece>, u64)> {
    let (mut pieces, mut total) = (Vec::new(), 0);
    for file in files {
        if is_stdin(file) {
            pieces.push(Piece::Stdin);
            continue;
        }
        let meta = std::fs::metadata(file);
        let meta = meta.map_err(|err| {
            let what = format!("cannot read `{}`: {err}", shown(file));
            Problem::new(Code::Io, what)
        })?;
        if meta.is_dir() {
            let walk = Walk::new(file)?;
            total += walk.files().map(|(_, size)| size).sum::<u64>();
            pieces.push(Piece::Directory(walk));
            continue;
        }
        total += meta.len();
        match pieces.last_mut() {
            Some(Piece::Files(files)) => files.push(file.clone()),
            _ => pieces.push(Piece::Files(vec![file.clone()])),
        }
    }
    let streams = pieces.iter().filter(|piece| matches!(piece, Piece::Stdin));
    match streams.count() {
        0 | 1 => Ok((pieces, total)),
        _ => Err(Problem::new(Code::BadRequest, "stdin can be read only once").into()),
    }
}

fn add(mut intake: Intake<'_>, pieces: &[Piece]) -> Result<Vec<Added>, ArtifactFault> {
    let mut added = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Files(files) => intake.add_all(files, &mut |_, one| added.push(one))?,
            Piece::Directory(walk) => added.push(directory::add(&mut intake, walk)?),
            Piece::Stdin => added.push(intake.add(&mut io::stdin().lock())?),
        }
    }
    // Only now is any of it said to be here.
    intake.finish()?;
    Ok(added)
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

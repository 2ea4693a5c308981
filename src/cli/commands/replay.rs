//! `folio replay`: rebuild the state from the decisions alone.

use crate::cli::args::{At, Global};
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::ui::{Style, Ui};
use crate::cli::{verified, view};
use crate::journal::{Fault, replay};
use crate::model::{Code, Oid};
use crate::state::Tables;
use crate::store::GitStore;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Rebuild the state from the decisions alone
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Reads signatures and decisions, ignores every stored state, and prints the tree it comes to \
beside the one that the snapshot claims. Snapshots that were verified here \
before (by `clone`, `fetch`, `accept` or `verify`) are held against their chain digest, and their signatures not checked \
again; `folio verify` checks them always. Exit code 4 if they differ."
)]
pub struct Arguments {
    #[command(flatten)]
    at: At,
    /// Write the tables out into this new directory
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

#[derive(Serialize)]
struct Replayed {
    at: view::At,
    tree: String,
    stored: String,
    equal: bool,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let space = context.space()?;
    let page = context.page(&space, arguments.at.at.as_deref(), ui)?;
    let mut index = context.index()?;
    let history = context.history(&space, &mut index, ui)?;
    if !history.contains(page.number(), &page.id) {
        let what = format!("{} is not a snapshot of `main`", page.id);
        return Err(Problem::new(Code::NotFound, what).into());
    }
    let state = {
        let mut progress = ui.progress("Replaying");
        let known = verified::last(&context);
        replay::replay(
            &space,
            &history,
            page.number(),
            known,
            &mut |done, total| progress.at(done, total),
        )?
    };
    let tables = Tables::new(&context.store);
    let tree_of = || replay::tree_of(&tables, &state);
    let tree = match &arguments.into {
        // Two ids are all that is compared.
        None => tables.naming(tree_of)?,
        Some(dir) => {
            let tree = tree_of()?;
            write_out(&tables, tree, &global.dir().join(dir))?;
            tree
        }
    };
    // The process ends in a moment; to give back millions of rows one by one would take longer than to leave them.
    std::mem::forget(state);
    let equal = tree == page.tree();
    if ui.json() {
        ui.answer(
            "replay",
            &Replayed {
                at: view::At::of(&page),
                tree: tree.to_hex(),
                stored: page.tree().to_hex(),
                equal,
            },
        )?;
    } else {
        let word = if equal {
            ui.paint(Style::Good, "equal")
        } else {
            ui.paint(Style::Bad, "different")
        };
        ui.line(format!("replayed {}", ui.paint(Style::Id, &tree.to_hex())))?;
        ui.line(format!(
            "stored   {} {word}",
            ui.paint(Style::Id, &page.tree().to_hex())
        ))?;
    }
    if equal {
        return Ok(Exit::Done);
    }
    let fault = Fault::differs(Code::TreeMismatch, "the state tree", tree, page.tree());
    Err(fault.at(page.number()).into())
}

/// Writes a state as files: in a new directory, so that nothing is overwritten.
fn write_out(tables: &Tables<'_, GitStore>, tree: Oid, dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir(dir)
        .map_err(|error| Problem::new(Code::Io, format!("{}: {error}", dir.display())))?;
    tables.files(tree, &mut |path, bytes| {
        let path = dir.join(path);
        let parent = path.parent().expect("a joined path has a parent");
        let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, bytes));
        written.map_err(|error| {
            let what = format!("{}: {error}", path.display());
            crate::state::StateFault::new(Code::Io, what)
        })
    })?;
    Ok(())
}

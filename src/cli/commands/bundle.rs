//! `folio bundle`: a space on a stick.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exchange::artifacts::Bringing;
use crate::cli::exchange::artifacts::choice::Wish;
use crate::cli::exchange::artifacts::view::ArtifactsView;
use crate::cli::exchange::report::{self, FetchView};
use crate::cli::exit::Exit;
use crate::cli::gc::background::keep_house;
use crate::cli::numbering::or_warn;
use crate::cli::report::count;
use crate::cli::settling::{self, Hand};
use crate::cli::stick::apply::{self, Applied, Bytes};
use crate::cli::stick::create;
use crate::cli::ui::{Style, Ui, escape};
use crate::journal::Page;
use crate::model::Code;
use clap::Subcommand;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Carry a space on a stick
#[derive(Debug, clap::Args)]
#[command(
    after_help = "STICK is any directory. One stick carries several spaces and senders; each part is taken whole or \
refused whole. What others said on a stick that they have is remembered, and left out the next time."
)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Put on the stick what the others lack
    Create {
        /// The stick's directory
        stick: PathBuf,
        /// Everything, for somebody new
        #[arg(long)]
        full: bool,
        /// What is published, and what goes with proposals, or nothing of it
        #[arg(
            long,
            value_name = "all|none",
            default_value = "all",
            hide_default_value = true
        )]
        artifacts: Carried,
    },
    /// Take in what others put on the stick, verified
    Apply {
        /// The stick's directory
        stick: PathBuf,
        #[command(flatten)]
        wish: Wish,
    },
}

/// Which artifacts go onto a stick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Carried {
    All,
    None,
}

#[derive(Serialize)]
struct CreatedView {
    stick: String,
    newest: u64,
    refs: usize,
    /// Size of the bundle; nothing where there was nothing new.
    bytes: Option<u64>,
    whole: bool,
}

#[derive(Serialize)]
struct AppliedView {
    applied: Vec<FetchView>,
    refused: Vec<RefusedView>,
}

#[derive(Serialize)]
struct RefusedView {
    sender: String,
    code: Option<&'static str>,
    what: String,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    match &arguments.action {
        Action::Create {
            stick,
            full,
            artifacts,
        } => {
            let bytes = *artifacts == Carried::All;
            make(&global.dir().join(stick), (*full, bytes), global, ui)
        }
        Action::Apply { stick, wish } => take(&global.dir().join(stick), wish, global, ui),
    }
}

fn require_dir(stick: &Path) -> anyhow::Result<()> {
    if stick.is_dir() {
        return Ok(());
    }
    let what = format!("`{}` is no directory", stick.display());
    Err(Problem::new(Code::NotFound, what)
        .hint("name the directory where the stick is mounted")
        .into())
}

fn make(stick: &Path, what: (bool, bool), global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    require_dir(stick)?;
    let context = Context::open(global)?;
    let space = context.space()?;
    let newest = Page::read(&context.store, space.tip()?)?.number();
    or_warn(ui, settling::settle(&context, global, ui, Hand::Ask));
    let created = create::create(&context, global, &space, stick, what, ui)?;
    if ui.json() {
        let view = CreatedView {
            stick: stick.display().to_string(),
            newest: newest.0,
            refs: created.refs,
            bytes: created.bundle.as_ref().map(|bundle| bundle.bytes),
            whole: created.bundle.is_some_and(|bundle| bundle.whole),
        };
        ui.answer("bundle", &view)?;
        return Ok(Exit::Done);
    }
    let number = ui.paint(Style::Id, &format!("common@{newest}"));
    let refs = count(created.refs, "ref");
    let line = match &created.bundle {
        None => format!("{number} and {refs}: the others have everything"),
        Some(bundle) if bundle.whole => {
            format!(
                "{number} and {refs}: the whole space, {} bytes",
                bundle.bytes
            )
        }
        Some(bundle) => format!("{number} and {refs}: what is new, {} bytes", bundle.bytes),
    };
    ui.line(line)?;
    Ok(Exit::Done)
}

fn take(stick: &Path, wish: &Wish, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    require_dir(stick)?;
    let context = Context::open(global)?;
    let space = context.space()?;
    // Whoever carries a stick on may bring it to whoever numbers.
    let bringing = Bringing::new(&context, wish, true)?;
    let bytes = Bytes {
        global,
        bringing,
        again: wish.read()?.is_some(),
    };
    let applied = apply::apply(&context, &space, stick, &bytes, ui)?;
    keep_house(&context, ui);
    let mut view = AppliedView {
        applied: Vec::new(),
        refused: Vec::new(),
    };
    if applied.is_empty() {
        ui.say("nobody else has put anything of this space there");
    }
    let mut exit = Ok(Exit::Done);
    for Applied { sender, outcome } in applied {
        let name = format!("stick {sender}");
        let ended = match outcome {
            Ok((fetched, followed)) => {
                let mut shown = FetchView::of(&name, &fetched);
                let mut bytes = Ok(Exit::Done);
                if let Some(followed) = followed {
                    let artifacts = ArtifactsView::of(&followed);
                    bytes = artifacts.outcome(&followed);
                    shown.followed_by(artifacts);
                }
                if !ui.json() {
                    shown.print(ui)?;
                }
                view.applied.push(shown);
                let theirs = super::fetch::chain_of_theirs(&context, &fetched);
                report::outcome(&name, &fetched, theirs).and(bytes)
            }
            Err(error) => {
                let (code, what, _) = crate::cli::error::parts(&error);
                let code = code.map(Code::as_str);
                ui.say(format!("refused {name}: {}", escape(&what)));
                view.refused.push(RefusedView { sender, code, what });
                Err(error)
            }
        };
        // The first bad part decides how the command ends; the good ones are taken in all the same.
        exit = exit.and_then(|done| ended.map(|_| done));
    }
    if ui.json() {
        ui.answer("bundle", &view)?;
    }
    exit
}

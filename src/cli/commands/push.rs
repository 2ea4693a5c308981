//! `folio push`: pages and branches that another repository lacks.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exchange::push::{self, Sent, What};
use crate::cli::exchange::{self, Remote};
use crate::cli::exit::Exit;
use crate::cli::numbering::or_warn;
use crate::cli::settling::{self, Hand};
use crate::cli::ui::{Ui, escape};
use crate::journal::Space;
use crate::model::Code;
use crate::store::GitStore;
use serde::Serialize;

/// Send pages and branches to another repository
#[derive(Debug, clap::Args)]
#[command(
    after_help = "main moves forward there or not at all. Branches are sent where the other side lacks them or has \
them as they were when we last looked; what both sides changed waits for a fetch. Branches of numbered proposals \
are removed there."
)]
pub struct Arguments {
    /// Remotes, URLs or directories [default: origin, else the only remote]
    #[arg(value_name = "REMOTE")]
    remotes: Vec<String>,
    /// To every remote
    #[arg(long, conflicts_with = "remotes")]
    all: bool,
}

/// What was sent to one remote.
#[derive(Debug, Serialize)]
pub struct PushView {
    /// The remote's name or address.
    remote: String,
    /// Whether it has our newest page now.
    main: bool,
    /// Refs that were sent.
    sent: Vec<String>,
    /// Branches of numbered proposals that were removed there.
    removed: Vec<String>,
    /// Branches that it refused.
    refused: Vec<RefusedRef>,
    /// Branches that changed on both sides.
    held: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RefusedRef {
    name: String,
    what: String,
}

#[derive(Serialize)]
struct Answer {
    pushed: Vec<PushView>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let remotes = exchange::chosen(&context, global, &arguments.remotes, arguments.all)?;
    or_warn(ui, settling::settle(&context, global, ui, Hand::Ask));
    send(&context, global, &remotes, What::Everything, "push", ui)
}

/// Sends to each remote, prints what became of it, and fails where one refused something.
pub fn send(
    context: &Context,
    global: &Global,
    remotes: &[Remote],
    what: What<'_>,
    command: &str,
    ui: &Ui,
) -> anyhow::Result<Exit> {
    let space = context.space()?;
    let mut views = Vec::new();
    let exit = exchange::each(ui, remotes, |remote| {
        let (view, ended) = one(context, global, &space, remote, what, ui)?;
        views.push(view);
        ended
    });
    if ui.json() && !views.is_empty() {
        ui.answer(command, &Answer { pushed: views })?;
    }
    exit
}

/// Sends to one remote; how that ended comes back beside what was sent.
pub fn one(
    context: &Context,
    global: &Global,
    space: &Space<'_, GitStore>,
    remote: &Remote,
    what: What<'_>,
    ui: &Ui,
) -> anyhow::Result<(PushView, anyhow::Result<Exit>)> {
    let sent = push::push(context, global, space, remote, what, ui)?;
    let view = PushView::of(&remote.name, &sent);
    if !ui.json() {
        view.print(ui)?;
    }
    let ended = match (view.refused.first(), view.held.first()) {
        (None, None) => Ok(Exit::Done),
        (None, Some(held)) => {
            let what = format!(
                "{held} at `{}` is not what it was when we last looked",
                remote.name
            );
            let hint = format!("folio fetch {}, then push again", remote.name);
            Err(Problem::new(Code::RaceLost, what).hint(hint).into())
        }
        (Some(first), _) => {
            let what = format!("`{}` refused {}: {}", remote.name, first.name, first.what);
            let problem = Problem::new(Code::PushRefused, what);
            Err(problem
                .hint(format!("folio fetch {}, then push again", remote.name))
                .into())
        }
    };
    Ok((view, ended))
}

impl PushView {
    fn of(remote: &str, sent: &Sent) -> Self {
        let short = |name: &str| {
            let rest = name.strip_prefix("refs/").unwrap_or(name);
            rest.strip_prefix("heads/").unwrap_or(rest).to_owned()
        };
        let (good, bad): (Vec<_>, Vec<_>) = sent
            .refs
            .iter()
            .partition(|pushed| pushed.refused.is_none());
        Self {
            remote: remote.to_owned(),
            main: sent.main,
            sent: good.iter().map(|pushed| short(&pushed.name)).collect(),
            removed: sent.removed.iter().map(|name| short(name)).collect(),
            held: sent.held.iter().map(|name| short(name)).collect(),
            refused: bad
                .iter()
                .map(|pushed| RefusedRef {
                    name: short(&pushed.name),
                    what: pushed.refused.clone().unwrap_or_default(),
                })
                .collect(),
        }
    }

    fn print(&self, ui: &Ui) -> anyhow::Result<()> {
        let remote = escape(&self.remote);
        for name in &self.sent {
            ui.line(format!("sent {} to {remote}", escape(name)))?;
        }
        for name in &self.removed {
            ui.line(format!(
                "removed {} at {remote}: it is numbered",
                escape(name)
            ))?;
        }
        for refused in &self.refused {
            ui.say(format!(
                "refused by {remote}: {}: {}",
                escape(&refused.name),
                escape(&refused.what)
            ));
        }
        for name in &self.held {
            ui.say(format!("held back: {}: it changed there too", escape(name)));
        }
        let all = [&self.sent, &self.removed, &self.held];
        if all.iter().all(|names| names.is_empty()) && self.refused.is_empty() {
            ui.say(format!("{remote} lacks nothing of ours"));
        }
        Ok(())
    }
}

//! `folio hook install` and `uninstall`.

use super::place;
use super::receive::SPACE;
use super::scripts::{self, Script};
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::ui::{Ui, escape};
use crate::cli::verified;
use crate::journal::refs;
use crate::model::{Code, SpaceId};
use crate::remote::Git;
use crate::store::{Refs as _, user_config_value};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Put the hooks into the repository
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A hook of yours that is there already is set aside as NAME.local and still asked, after Folio's. \
On a server the settings receive.fsckObjects, transfer.hideRefs and uploadpack.allowReachableSHA1InWant are made too, and the history that is there is \
verified once."
)]
pub struct Arguments {
    /// The hooks of a server, which people push to [default where there is no work tree]
    #[arg(long, conflicts_with = "client")]
    server: bool,
    /// The hooks of a clone, in which somebody works [default where there is a work tree]
    #[arg(long)]
    client: bool,
    /// Take pushes for this space only (a server that is still empty)
    #[arg(long, value_name = "ID", conflicts_with = "client")]
    space: Option<String>,
    /// Print the scripts and change nothing
    #[arg(long)]
    print: bool,
}

#[derive(Serialize)]
struct Changed {
    directory: String,
    hooks: Vec<HookChange>,
    settings: Vec<Setting>,
}

#[derive(Serialize)]
struct HookChange {
    hook: &'static str,
    done: &'static str,
}

#[derive(Serialize)]
struct Setting {
    setting: &'static str,
    value: String,
}

/// Whether this is a place that people push to.
pub fn is_server(context: &Context) -> bool {
    context.store.is_bare()
}

/// This program, as the scripts call it.
pub fn program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("folio"))
}

/// Puts the hooks in place.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let server = arguments.server || (!arguments.client && is_server(&context));
    let scripts = if server {
        scripts::SERVER
    } else {
        scripts::CLIENT
    };
    let program = program();
    if arguments.print {
        for script in scripts {
            ui.line(format!("## {}\n{}", script.name, script.text(&program)))?;
        }
        return Ok(Exit::Done);
    }
    let space = arguments.space.as_deref().map(parse_space).transpose()?;
    if context.store.get(refs::MAIN)?.is_some() {
        // Every later push is judged on what is here, so that has to be in order.
        verified::require(&context, &context.space()?, &mut context.index()?, ui)?;
    }
    let dir = place::directory(&context);
    let mut settings = Vec::new();
    if server {
        settings = configure(&context, space)?;
    }
    let hooks = put_all(&dir, &scripts, &program)?;
    warn_of_elsewhere(&context, server, ui)?;
    answer(ui, "hook-install", &dir, hooks, settings)
}

fn parse_space(text: &str) -> anyhow::Result<SpaceId> {
    text.parse().map_err(|_| {
        let what = format!("`{}` is no space id", escape(text));
        Problem::new(Code::BadRequest, what)
            .hint("folio status shows it, in any copy")
            .into()
    })
}

fn put_all(dir: &Path, scripts: &[Script], program: &Path) -> anyhow::Result<Vec<HookChange>> {
    let mut hooks = Vec::new();
    for script in scripts {
        // A crash on the way leaves some of them in place; the command can be run again.
        hooks.push(HookChange {
            hook: script.name,
            done: place::put(dir, script, program)?,
        });
    }
    Ok(hooks)
}

/// The settings of a server. Not `receive.denyNonFastForwards` and `receive.denyDeletes`: proposals are
/// replaced and removed, and the hook guards `main`.
fn configure(context: &Context, space: Option<SpaceId>) -> anyhow::Result<Vec<Setting>> {
    let git = Git::new(context.store.common_dir());
    let mut made = Vec::new();
    let mut done = |setting: &'static str, value: &str| {
        made.push(Setting {
            setting,
            value: value.to_owned(),
        });
    };
    if context.store.config_value("receive.fsckObjects").as_deref() != Some("true") {
        git.run(&["config", "receive.fsckObjects", "true"])?;
        done("receive.fsckObjects", "true");
    }
    // git's older protocols serve an object by its id only if they are told to; the newest one does anyway.
    let by_id = "uploadpack.allowReachableSHA1InWant";
    if context.store.config_value(by_id).as_deref() != Some("true") {
        git.run(&["config", by_id, "true"])?;
        done(by_id, "true");
    }
    let listed = git.output(&["config", "--get-all", "transfer.hideRefs"], b"")?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    for hidden in ["refs/folio", "refs/heads/refs"] {
        if !listed.lines().any(|line| line == hidden) {
            git.run(&["config", "--add", "transfer.hideRefs", hidden])?;
            done("transfer.hideRefs", hidden);
        }
    }
    // What `git init` chose for a branch that is not born yet is what a plain clone would check out.
    let head = context.store.head()?;
    let unborn = match &head {
        Some(name) if name != refs::MAIN => context.store.get(name)?.is_none(),
        _ => false,
    };
    if unborn {
        git.run(&["symbolic-ref", "HEAD", refs::MAIN])?;
        done("HEAD", refs::MAIN);
    }
    if let Some(space) = space {
        git.run(&["config", SPACE, &space.to_hex()])?;
        done(SPACE, &space.to_hex());
    }
    Ok(made)
}

/// Settings that would make the hooks useless or too strict.
fn warn_of_elsewhere(context: &Context, server: bool, ui: &Ui) -> anyhow::Result<()> {
    let dir = context.store.common_dir();
    let own = context.store.config_value("core.hooksPath");
    let effective = user_config_value(Some(dir), "core.hooksPath")?;
    if effective.is_some() && effective != own {
        ui.warn("your own core.hooksPath makes git look for hooks elsewhere; set it in this repository: git config core.hooksPath hooks");
    }
    for key in ["receive.denyNonFastForwards", "receive.denyDeletes"] {
        if server && context.store.config_value(key).as_deref() == Some("true") {
            ui.warn(format!(
                "{key} forbids replacing and removing proposals too; the hook guards main: git config --unset {key}"
            ));
        }
    }
    Ok(())
}

/// Takes the hooks away; settings stay, for they harm nobody.
pub fn uninstall(global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global)?;
    let dir = place::directory(&context);
    let program = program();
    let mut hooks = Vec::new();
    for script in scripts::ALL {
        if let Some(done) = place::remove(&dir, &script, &program)? {
            hooks.push(HookChange {
                hook: script.name,
                done,
            });
        }
    }
    answer(ui, "hook-uninstall", &dir, hooks, Vec::new())
}

fn answer(
    ui: &Ui,
    command: &str,
    dir: &Path,
    hooks: Vec<HookChange>,
    settings: Vec<Setting>,
) -> anyhow::Result<Exit> {
    let directory = dir.display().to_string();
    if ui.json() {
        let changed = Changed {
            directory,
            hooks,
            settings,
        };
        ui.answer(command, &changed)?;
        return Ok(Exit::Done);
    }
    ui.line(escape(&directory))?;
    for change in hooks {
        ui.line(format!("  {:<22} {}", change.hook, change.done))?;
    }
    for Setting { setting, value } in settings {
        ui.line(format!("  {setting} = {value}"))?;
    }
    Ok(Exit::Done)
}

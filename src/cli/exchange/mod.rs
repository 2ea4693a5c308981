//! Between repositories: what `clone`, `fetch`, `push`, `submit`, `sync` and `bundle` share.

pub mod address;
pub mod artifacts;
pub mod evidence;
pub mod fetch;
pub mod first;
pub mod home;
pub mod known;
pub mod push;
pub mod report;
pub mod shallow;
pub mod take_in;

use super::args::Global;
use super::context::Context;
use super::error::{Problem, is_closed_pipe, report};
use super::exit::Exit;
use super::ui::{Ui, escape};
use crate::crypto::digest;
use crate::model::{Code, Handle};
use crate::remote::{Location, Transport};
use std::io::IsTerminal as _;

/// Another repository, by a remote's name or by an address.
#[derive(Debug, Clone)]
pub struct Remote {
    /// What people call it.
    pub name: String,
    /// What its refs are kept under here.
    pub key: String,
    /// Where it is.
    pub url: Location,
}

impl Remote {
    /// An address that no remote has a name for.
    pub fn at(url: Location) -> Self {
        Self {
            name: url.to_string(),
            key: hashed(url.as_str()),
            url,
        }
    }

    fn named(context: &Context, name: &str, url: &str) -> anyhow::Result<Self> {
        let dir = context.store.work_tree().unwrap_or(context.store.git_dir());
        Ok(Self {
            name: name.to_owned(),
            key: key_of(name),
            url: Location::parse(url, dir)?,
        })
    }

    /// git, for this remote.
    pub fn transport(&self, context: &Context) -> Transport {
        let prompt = std::io::stdin().is_terminal();
        Transport::new(context.store.common_dir(), self.url.clone(), prompt)
    }

    /// The name, safe to print.
    pub fn shown(&self) -> String {
        escape(&self.name)
    }
}

/// A remote's name as part of a ref's: itself where it has the right characters, else a digest of it.
fn key_of(name: &str) -> String {
    match Handle::new(name) {
        // A digest never looks like a name.
        Ok(handle) if !name.starts_with("x-") => handle.to_string(),
        _ => hashed(name),
    }
}

fn hashed(text: &str) -> String {
    let hex = digest::file(text.as_bytes());
    format!("x-{}", &hex[..16])
}

/// Every remote of the repository.
pub fn all(context: &Context) -> anyhow::Result<Vec<Remote>> {
    let remotes = context.store.remotes();
    let named = remotes
        .iter()
        .map(|(name, url)| Remote::named(context, name, url));
    named.collect()
}

/// Every remote whose address can be used: one that cannot is no reason to stop what has nothing to do with it.
pub fn known(context: &Context) -> Vec<Remote> {
    let remotes = context.store.remotes();
    let named = remotes
        .iter()
        .map(|(name, url)| Remote::named(context, name, url));
    named.filter_map(Result::ok).collect()
}

/// The remotes that are named; without names `origin`, or the only one there is.
pub fn chosen(
    context: &Context,
    global: &Global,
    names: &[String],
    every: bool,
) -> anyhow::Result<Vec<Remote>> {
    let remotes = context.store.remotes();
    if every {
        return all(context);
    }
    if names.is_empty() {
        return Ok(vec![default(context, &remotes)?]);
    }
    let one = |name: &String| match remotes.iter().find(|(known, _)| known == name) {
        Some((name, url)) => Remote::named(context, name, url),
        None => Ok(Remote::at(Location::parse(name, &global.dir())?)),
    };
    names.iter().map(one).collect()
}

fn default(context: &Context, remotes: &[(String, String)]) -> anyhow::Result<Remote> {
    let origin = remotes.iter().find(|(name, _)| name == "origin");
    let only = match remotes {
        [only] => Some(only),
        _ => None,
    };
    match origin.or(only) {
        Some((name, url)) => Remote::named(context, name, url),
        None => {
            let what = match remotes.len() {
                0 => "this repository has no remotes".to_owned(),
                n => format!("none of the {n} remotes is called origin"),
            };
            let hint = "name a remote, URL or directory after the command; `git remote add origin URL` makes a remote";
            Err(Problem::new(Code::BadRequest, what).hint(hint).into())
        }
    }
}

/// Does the same with each remote. One that is away, or lies, does not keep the others from being heard: with
/// several, each error is printed where it happens, and the first one says how the command ends.
pub fn each(
    ui: &Ui,
    remotes: &[Remote],
    mut once: impl FnMut(&Remote) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    if let [only] = remotes {
        return once(only);
    }
    let mut exit = Exit::Done;
    for remote in remotes {
        let ended = match once(remote) {
            Err(error) if is_closed_pipe(&error) => return Err(error),
            Err(error) => report(ui, &error),
            Ok(ended) => ended,
        };
        if exit == Exit::Done {
            exit = ended;
        }
    }
    Ok(exit)
}

/// What the other side's programs said, safe to print.
pub fn say_remote(ui: &Ui, words: &str) {
    for line in words.lines().filter(|line| line.starts_with("remote: ")) {
        ui.say(escape(line.trim_end()));
    }
}

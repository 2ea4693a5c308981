//! `folio key list`: the keys that there are, which one would sign, and what is wrong with the others.

use super::args::Global;
use super::context::Context;
use super::exit::Exit;
use super::key_show::owner;
use super::ui::{Style, Ui, escape};
use super::{error, keys, signing};
use crate::crypto::{agent, sshsig};
use crate::model::PublicKey;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Files looked at in one directory.
const FILES: usize = 1000;

#[derive(Serialize)]
struct Keys {
    keys: Vec<Entry>,
}

/// One key, or why it is none.
#[derive(Serialize)]
struct Entry {
    /// Whether it would sign here, and what says so.
    used: Option<&'static str>,
    /// A file, or `ssh-agent`.
    place: String,
    public: Option<String>,
    fingerprint: Option<String>,
    member: Option<String>,
    status: Option<&'static str>,
    /// Why it cannot be used: a stable code, and words.
    code: Option<&'static str>,
    what: Option<String>,
}

/// Runs it.
pub fn run(global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let context = Context::open(global).ok();
    let entries = entries(context.as_ref(), global)?;
    if ui.json() {
        ui.answer("key-list", &Keys { keys: entries })?;
        return Ok(Exit::Done);
    }
    for entry in &entries {
        show(ui, entry)?;
    }
    if entries.is_empty() {
        ui.say("there are no keys; `folio key new` makes one");
    }
    Ok(Exit::Done)
}

fn entries(context: Option<&Context>, global: &Global) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    match signing::found(context, global) {
        Ok((source, why)) => {
            let place = match &source {
                signing::Source::File(path) => path.display().to_string(),
                signing::Source::Agent(_) => "ssh-agent".into(),
            };
            let key = signing::public_of(&source);
            entries.push(entry(context, place, key, Some(why))?);
        }
        Err(problem) if global.key.is_some() => {
            let place = global.key.clone().unwrap_or_default();
            entries.push(entry(context, place, Err(problem), None)?);
        }
        Err(_) => {}
    }
    for path in public_files() {
        let key = keys::in_file(&path);
        entries.push(entry(context, path.display().to_string(), key, None)?);
    }
    // Without an agent there are no keys of one.
    for (key, comment) in agent::list("ssh-add", None).unwrap_or_default() {
        let place = format!("ssh-agent {comment}").trim_end().to_owned();
        entries.push(entry(context, place, Ok(key), None)?);
    }
    Ok(entries)
}

fn entry(
    context: Option<&Context>,
    place: String,
    key: anyhow::Result<PublicKey>,
    used: Option<&'static str>,
) -> anyhow::Result<Entry> {
    let mut entry = Entry {
        used,
        place,
        public: None,
        fingerprint: None,
        member: None,
        status: None,
        code: None,
        what: None,
    };
    match key {
        Ok(key) => {
            entry.public = Some(key.to_string());
            entry.fingerprint = Some(sshsig::fingerprint(&key));
            (entry.member, entry.status) = owner(context, &key)?.unzip();
        }
        Err(problem) => {
            let (code, what, _) = error::parts(&problem);
            entry.code = code.map(|code| code.as_str());
            entry.what = Some(what);
        }
    }
    Ok(entry)
}

/// `*.pub` in `~/.ssh` and among Folio's own keys, sorted.
fn public_files() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".ssh"));
    let dirs = home.into_iter().chain(keys::folio_dir());
    dirs.flat_map(|dir| public_files_in(&dir)).collect()
}

fn public_files_in(dir: &Path) -> Vec<PathBuf> {
    let Ok(listed) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let paths = listed.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "pub"))
        .take(FILES)
        .collect();
    paths.sort();
    paths
}

fn show(ui: &Ui, entry: &Entry) -> anyhow::Result<()> {
    let place = escape(&entry.place);
    if let (Some(code), Some(what)) = (entry.code, &entry.what) {
        let code = ui.paint(Style::Bad, code);
        return ui.line(format!("  {place}\n    unusable: {code}: {}", escape(what)));
    }
    let mark = if entry.used.is_some() { "*" } else { " " };
    let mut line = format!("{mark} {place}");
    if let Some(fingerprint) = &entry.fingerprint {
        line.push_str(&format!("\n    {}", ui.paint(Style::Id, fingerprint)));
    }
    if let (Some(member), Some(status)) = (&entry.member, entry.status) {
        let member = ui.paint(Style::Bold, &escape(member));
        line.push_str(&format!(" {member} ({status})"));
    }
    if let Some(why) = entry.used {
        line.push_str(&format!("\n    would sign here: {why}"));
    }
    ui.line(line)
}

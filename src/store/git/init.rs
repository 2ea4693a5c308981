//! Making a repository.
//!
//! The files are written here and not by gix, so that they are the same everywhere: no templates, no
//! configuration of the user, and what is written survives a crash.

use super::GitStore;
use crate::model::{Code, ObjectFormat};
use crate::store::StoreFault;
use crate::store::disk::{create_dirs, io_fault, sync_dir};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

impl GitStore {
    /// Makes a repository at `path`, whose `HEAD` is the unborn `refs/heads/main`: there if `bare`, else
    /// in `path/.git`. `config` are further entries, as (`section.key`, value), written in that order.
    ///
    /// # Errors
    /// `already-a-repository`, `bad-request` for a key or value that git cannot read, `io`.
    pub fn init(
        path: &Path,
        bare: bool,
        format: ObjectFormat,
        config: &[(&str, String)],
    ) -> Result<GitStore, StoreFault> {
        let git_dir = if bare {
            path.to_owned()
        } else {
            path.join(".git")
        };
        if git_dir.join("HEAD").exists() || path.join(".git").exists() && !is_unfinished(&git_dir) {
            let what = format!("there is a repository at `{}`", path.display());
            return Err(StoreFault::new(Code::AlreadyARepository, what));
        }
        let text = config_text(bare, format, config)?;
        let mut to_sync = Vec::new();
        for dir in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
            to_sync.extend(create_dirs(&git_dir.join(dir))?);
        }
        // A crash here or below leaves a directory without HEAD, which nobody takes for a repository;
        // `init` can be run again and writes the same files.
        write_synced(&git_dir.join("config"), text.as_bytes())?;
        for dir in &to_sync {
            sync_dir(dir)?;
        }
        // HEAD is what makes it a repository, so it comes last, and whole: by a rename.
        let new_head = git_dir.join("HEAD.new");
        write_synced(&new_head, b"ref: refs/heads/main\n")?;
        let head = git_dir.join("HEAD");
        fs::rename(&new_head, &head).map_err(|err| io_fault("rename to", &head, &err))?;
        sync_dir(&git_dir)?;
        GitStore::open(path)
    }
}

/// Whether this is what a crash of [`GitStore::init`] leaves: a git directory without `HEAD`.
fn is_unfinished(git_dir: &Path) -> bool {
    git_dir.is_dir() && !git_dir.join("HEAD").exists()
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), StoreFault> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|err| io_fault("write", path, &err))
}

fn config_text(
    bare: bool,
    format: ObjectFormat,
    config: &[(&str, String)],
) -> Result<String, StoreFault> {
    let version = match format {
        ObjectFormat::Sha1 => 0,
        ObjectFormat::Sha256 => 1,
    };
    let mut text = format!(
        "[core]\n\trepositoryformatversion = {version}\n\tfilemode = true\n\tbare = {bare}\n"
    );
    if !bare {
        text.push_str("\tlogallrefupdates = true\n");
    }
    if format == ObjectFormat::Sha256 {
        text.push_str("[extensions]\n\tobjectformat = sha256\n");
    }
    for (key, value) in config {
        let (header, name) = section_of(key)?;
        let value = quoted(value)?;
        writeln!(text, "{header}\n\t{name} = {value}").expect("a String takes everything");
    }
    Ok(text)
}

fn bad(what: String) -> StoreFault {
    StoreFault::new(Code::BadRequest, what)
}

/// `[section "subsection"]` and the name of a key.
fn section_of(key: &str) -> Result<(String, &str), StoreFault> {
    let plain = |text: &str| {
        let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
        first && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let split = key
        .rsplit_once('.')
        .map(|(rest, name)| match rest.split_once('.') {
            Some((section, sub)) => (section, Some(sub), name),
            None => (rest, None, name),
        });
    let Some((section, sub, name)) = split.filter(|(s, _, n)| plain(s) && plain(n)) else {
        return Err(bad(format!(
            "`{}` is not a configuration key",
            key.escape_debug()
        )));
    };
    let header = match sub {
        None => format!("[{section}]"),
        Some(sub) if sub.contains(['\n', '\0']) => {
            return Err(bad(format!(
                "`{}` is not a configuration key",
                key.escape_debug()
            )));
        }
        Some(sub) => format!(
            "[{section} \"{}\"]",
            sub.replace('\\', "\\\\").replace('"', "\\\"")
        ),
    };
    Ok((header, name))
}

/// A value between quotes, so that spaces, `#` and `;` stay what they are.
fn quoted(value: &str) -> Result<String, StoreFault> {
    let mut text = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\0' | '\r' => return Err(bad("a configuration value cannot hold NUL or CR".into())),
            c => text.push(c),
        }
    }
    text.push('"');
    Ok(text)
}

//! Where a repository keeps its hooks, and what stands there.

use super::scripts::{self, Script};
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::ui::escape;
use crate::model::Code;
use crate::store::disk;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// What stands where a hook belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// One of ours, as it should be.
    Ours,
    /// One of ours, of another version, for another program, or not executable.
    Old,
    /// Somebody's.
    Theirs,
}

impl Found {
    /// A word for it.
    pub fn word(self) -> &'static str {
        match self {
            Found::Nothing => "missing",
            Found::Ours => "installed",
            Found::Old => "outdated",
            Found::Theirs => "other",
        }
    }
}

/// The directory of hooks of a repository: what its own `core.hooksPath` says, else `hooks`.
pub fn directory(context: &Context) -> PathBuf {
    let store = &context.store;
    let common = store.common_dir();
    match store.config_value("core.hooksPath") {
        // git takes it from where hooks are run.
        Some(path) if !path.is_empty() => store.work_tree().unwrap_or(common).join(path),
        _ => common.join("hooks"),
    }
}

/// What stands where this script belongs.
pub fn look(dir: &Path, script: &Script, program: &Path) -> anyhow::Result<Found> {
    let path = dir.join(script.name);
    if path.symlink_metadata().is_err() {
        return Ok(Found::Nothing);
    }
    let text = fs::read(&path).unwrap_or_default();
    if !scripts::is_ours(&text) {
        return Ok(Found::Theirs);
    }
    let runs = fs::metadata(&path)?.permissions().mode() & 0o111 != 0;
    let same = text == script.text(program).as_bytes();
    Ok(if runs && same {
        Found::Ours
    } else {
        Found::Old
    })
}

/// Where a hook that was there before us goes on living.
pub fn local(dir: &Path, script: &Script) -> PathBuf {
    dir.join(format!("{}.local", script.name))
}

/// Puts a script there; somebody's own is set aside, and asked by ours. Says what was done.
pub fn put(dir: &Path, script: &Script, program: &Path) -> anyhow::Result<&'static str> {
    let path = dir.join(script.name);
    let found = look(dir, script, program)?;
    if found == Found::Ours {
        return Ok("already there");
    }
    if found == Found::Theirs {
        let aside = local(dir, script);
        if aside.symlink_metadata().is_ok() {
            let what = format!(
                "`{}` would be set aside as `{}`, which is there already",
                escape(&path.display().to_string()),
                escape(&aside.display().to_string()),
            );
            return Err(Problem::new(Code::NotEmpty, what)
                .hint("put what both do into the .local one, and remove the other")
                .into());
        }
        fs::rename(&path, &aside)?;
        // A crash here leaves the repository without this hook until the command is run again.
    }
    disk::create_dirs(dir)?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(script.text(program).as_bytes())?;
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o755))?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(match found {
        Found::Theirs => "installed; the hook that was there is asked after it",
        Found::Old => "brought up to date",
        _ => "installed",
    })
}

/// Takes a script away again, and gives the place back to the hook that was set aside.
pub fn remove(dir: &Path, script: &Script, program: &Path) -> anyhow::Result<Option<&'static str>> {
    if !matches!(look(dir, script, program)?, Found::Ours | Found::Old) {
        return Ok(None);
    }
    let (path, aside) = (dir.join(script.name), local(dir, script));
    if aside.symlink_metadata().is_ok() {
        fs::rename(&aside, &path)?;
        return Ok(Some("removed; the hook that was there before is back"));
    }
    fs::remove_file(&path)?;
    Ok(Some("removed"))
}

//! Configuration: the repository's own, and the user's where git would honour it too.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "git itself finds its configuration through the environment"
)]

use super::GitStore;
use crate::model::Code;
use crate::store::StoreFault;
use std::path::Path;

impl GitStore {
    /// The value of a key (`section.key` or `section.sub.section.key`) in the repository's own
    /// configuration; the last one if there are several, `None` if there is none or if it is not UTF-8.
    pub fn config_value(&self, key: &str) -> Option<String> {
        let snapshot = self.repo.config_snapshot();
        let value = snapshot.string(key)?;
        String::from_utf8(value.into()).ok()
    }

    /// The remotes that the repository's own configuration names, with the address of each, sorted by name.
    pub fn remotes(&self) -> Vec<(String, String)> {
        let snapshot = self.repo.config_snapshot();
        let sections = snapshot.plumbing().sections_by_name("remote");
        let names = sections.into_iter().flatten().filter_map(|section| {
            let name = section.header().subsection_name()?;
            String::from_utf8(name.to_vec()).ok()
        });
        let names: std::collections::BTreeSet<String> = names.collect();
        let url = |name: &String| self.config_value(&format!("remote.{name}.url"));
        let with_url = names
            .into_iter()
            .filter_map(|name| Some((url(&name)?, name)));
        with_url.map(|(url, name)| (name, url)).collect()
    }
}

/// The value of a key as git would find it: system, user and, with `dir` in or at a repository, that
/// repository's configuration, as `GIT_CONFIG_GLOBAL`, `GIT_CONFIG_SYSTEM`, `GIT_CONFIG_NOSYSTEM`,
/// `GIT_CONFIG_COUNT`, `HOME` and `XDG_CONFIG_HOME` say. For who the user is and what they sign with;
/// never for anything that decides what is valid. Paths come as written, `~` included.
///
/// # Errors
/// `io` if a configuration file cannot be read or parsed.
pub fn user_config_value(dir: Option<&Path>, key: &str) -> Result<Option<String>, StoreFault> {
    let fault = |err: gix::Error| {
        let what = format!("cannot read git's configuration: {err}");
        StoreFault::new(Code::Io, what)
    };
    let git_dir = dir.and_then(|dir| GitStore::discover(dir).ok());
    let value = match git_dir {
        Some(store) => {
            let options = gix::open::Options::default().with(gix::sec::Trust::Full);
            let repo = options.open(store.git_dir()).map_err(fault)?;
            let repo = repo.to_thread_local();
            let snapshot = repo.config_snapshot();
            snapshot.string(key)
        }
        None => {
            let mut config = gix::config::File::from_globals().map_err(fault)?;
            let from_env = gix::config::File::from_environment_overrides().map_err(fault)?;
            config.append(from_env).map_err(fault)?;
            config.string(key)
        }
    };
    Ok(value.and_then(|value| String::from_utf8(value.into()).ok()))
}

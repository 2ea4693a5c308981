//! Where another repository is: what git may be told to fetch from or push to.

use crate::model::Code;
use crate::store::StoreFault;
use std::fmt;
use std::path::{Path, PathBuf};

/// Bytes in an address.
const LONGEST: usize = 4096;

/// What may stand before `://`. Everything else would start a helper program of that name.
const SCHEMES: [&str; 6] = ["ssh", "https", "http", "git", "file", "git+ssh"];

/// An address that git can take for nothing else: no option, no helper program, no hidden characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location(String);

impl Location {
    /// Checks an address: a URL, `host:path` for ssh, a directory or a bundle file. Relative paths are taken
    /// from `dir`.
    ///
    /// # Errors
    /// `url-invalid`.
    pub fn parse(text: &str, dir: &Path) -> Result<Self, StoreFault> {
        let bad = |why: &str| {
            let shown: String = text.chars().take(200).collect();
            let what = format!("`{}`: {why}", shown.escape_debug());
            Err(StoreFault::new(Code::UrlInvalid, what))
        };
        if text.is_empty() || text.len() > LONGEST {
            return bad("expected 1 to 4096 bytes");
        }
        if text.starts_with('-') {
            return bad("an address that starts with `-` would be an option");
        }
        if text.chars().any(char::is_control) {
            return bad("it holds control characters");
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            if !SCHEMES.contains(&scheme) {
                return bad("expected ssh, https, http, git or file before `://`");
            }
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            if rest.is_empty() || rest.starts_with('-') || host.starts_with('-') {
                return bad("a host that starts with `-` would be an option");
            }
            return Ok(Self(text.to_owned()));
        }
        if text.contains("::") {
            return bad("an address with `::` would start a program");
        }
        if is_scp_like(text) {
            let host = text.rsplit_once('@').map_or(text, |(_, host)| host);
            if host.starts_with('-') {
                return bad("a host that starts with `-` would be an option");
            }
            return Ok(Self(text.to_owned()));
        }
        let path = std::path::absolute(dir.join(text)).map_err(|error| {
            StoreFault::new(Code::Io, format!("`{}`: {error}", text.escape_debug()))
        })?;
        match path.to_str() {
            Some(path) => Ok(Self(path.to_owned())),
            None => bad("expected a path in UTF-8"),
        }
    }

    /// A path on this machine.
    ///
    /// # Errors
    /// As [`Location::parse`].
    pub fn path(path: &Path) -> Result<Self, StoreFault> {
        let text = path.to_str().unwrap_or("\n");
        match path.is_absolute() {
            true if !text.chars().any(char::is_control) => Ok(Self(text.to_owned())),
            _ => Self::parse(&format!("./{text}"), Path::new(".")),
        }
    }

    /// As git takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory or file, where the address is one of this machine.
    pub fn local(&self) -> Option<PathBuf> {
        if let Some(path) = self.0.strip_prefix("file://") {
            return path.starts_with('/').then(|| PathBuf::from(path));
        }
        self.0.starts_with('/').then(|| PathBuf::from(&self.0))
    }

    /// What a directory cloned from here would be called.
    pub fn name(&self) -> Option<&str> {
        let path = self.0.trim_end_matches('/');
        let path = path.strip_suffix("/.git").unwrap_or(path);
        let last = path.rsplit(['/', ':']).next()?;
        let last = last.strip_suffix(".git").unwrap_or(last);
        let last = last.strip_suffix(".bundle").unwrap_or(last);
        (!last.is_empty() && last != "." && last != "..").then_some(last)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// git's own rule: a colon before the first slash makes it `host:path`.
fn is_scp_like(text: &str) -> bool {
    let colon = text.find(':');
    let slash = text.find('/');
    match (colon, slash) {
        (Some(colon), Some(slash)) => colon < slash,
        (Some(_), None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, Code> {
        let location = Location::parse(text, Path::new("/here"));
        location.map(|l| l.to_string()).map_err(|fault| fault.code)
    }

    #[test]
    fn addresses_of_git_are_taken_as_they_are() {
        for text in [
            "ssh://git@example.org:2222/space.git",
            "https://example.org/space.git",
            "git://example.org/space",
            "file:///srv/space.git",
            "git@example.org:space.git",
            "/srv/space.git",
        ] {
            assert_eq!(parsed(text).as_deref(), Ok(text));
        }
        assert_eq!(parsed("../stick").as_deref(), Ok("/here/../stick"));
        assert_eq!(parsed("./a:b").as_deref(), Ok("/here/a:b"));
    }

    #[test]
    fn options_and_programs_are_refused() {
        for text in [
            "",
            "-u/bin/sh",
            "--upload-pack=touch x",
            "ext::sh -c touch",
            "fd::17",
            "foo::bar",
            "ssh://-oProxyCommand=touch/x",
            "ssh://user@-oProxyCommand=touch/x",
            "-oProxyCommand=touch:x",
            "user@-oProxyCommand=touch:x",
            "javascript://x",
            "https://a\nb",
        ] {
            assert_eq!(parsed(text), Err(Code::UrlInvalid), "{text:?}");
        }
    }

    #[test]
    fn a_clone_is_called_as_its_origin() {
        let name = |text: &str| {
            let location = Location::parse(text, Path::new("/here")).unwrap();
            location.name().map(str::to_owned)
        };
        assert_eq!(
            name("git@example.org:team/names.git").as_deref(),
            Some("names")
        );
        assert_eq!(name("https://example.org/names/").as_deref(), Some("names"));
        assert_eq!(name("/srv/names/.git").as_deref(), Some("names"));
        assert_eq!(name("/media/stick/names.bundle").as_deref(), Some("names"));
    }
}

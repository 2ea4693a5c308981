//! Running git with a clean, fixed environment.

use crate::model::Code;
use crate::store::StoreFault;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

/// The oldest git that does what Folio asks of it.
const OLDEST: (u32, u32) = (2, 34);

/// Always so: no program that a repository names is run, nothing is collected by surprise, and paths are
/// paths.
const FIXED: [&str; 12] = [
    "--no-pager",
    "--literal-pathspecs",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "core.quotePath=true",
];

/// What a transport needs of the user's environment: keys, agents, proxies, credentials.
const TRANSPORT: [&str; 28] = [
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "USER",
    "LOGNAME",
    "TERM",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "SSH_AUTH_SOCK",
    "SSH_ASKPASS",
    "GIT_ASKPASS",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_SSH_VARIANT",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "SSL_CERT_FILE",
];

/// The git program, for one repository. By default it sees the repository's configuration only, runs no
/// hooks, honours no replacement refs, and never asks anybody anything.
#[derive(Debug, Clone)]
pub struct Git {
    git_dir: PathBuf,
    work_tree: Option<PathBuf>,
    user: bool,
    prompt: bool,
    config: Vec<OsString>,
    more: Vec<(OsString, OsString)>,
    held: Option<Arc<File>>,
}

impl Git {
    /// For the repository with this git directory.
    pub fn new(git_dir: &Path) -> Git {
        let git_dir = git_dir.to_owned();
        Git {
            git_dir,
            work_tree: None,
            user: false,
            prompt: false,
            config: Vec::new(),
            more: Vec::new(),
            held: None,
        }
    }

    /// With this work tree, where commands run.
    #[must_use]
    pub fn with_work_tree(mut self, work_tree: &Path) -> Git {
        self.work_tree = Some(work_tree.to_owned());
        self
    }

    /// For fetch and push: with the user's home, system and user configuration, credentials and proxies;
    /// `prompt` lets git ask for a password on the terminal.
    #[must_use]
    pub fn with_user_settings(mut self, prompt: bool) -> Git {
        self.user = true;
        self.prompt = prompt;
        self
    }

    /// With one more entry of configuration, `section.key=value`, which comes before every file's.
    #[must_use]
    pub fn with_config(mut self, entry: impl Into<OsString>) -> Git {
        self.config.push(entry.into());
        self
    }

    /// With one more environment variable, such as those of a hook's quarantine.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Git {
        self.more.push((name.into(), value.into()));
        self
    }

    /// With a handle that it keeps open while it runs, as its standard input, where it is given no other: a lock on
    /// it lasts until then.
    #[must_use]
    pub fn holding(mut self, file: File) -> Git {
        self.held = Some(Arc::new(file));
        self
    }

    /// Runs a command that has to succeed; returns what it printed.
    ///
    /// # Errors
    /// `git-failed`, with git's words made safe to print; also when there is no git program.
    pub fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<Vec<u8>, StoreFault> {
        self.run_with_input(args, b"")
    }

    /// As [`Git::run`], with these bytes as standard input.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub fn run_with_input<S: AsRef<OsStr>>(
        &self,
        args: &[S],
        input: &[u8],
    ) -> Result<Vec<u8>, StoreFault> {
        let output = self.output(args, input)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(failure(args.first().map(AsRef::as_ref), &output))
    }

    /// Runs a command whose failure means something; returns all it said.
    ///
    /// # Errors
    /// `git-failed` if it could not be run.
    pub fn output<S: AsRef<OsStr>>(&self, args: &[S], input: &[u8]) -> Result<Output, StoreFault> {
        let mut command = self.command();
        command
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let fault = |err| StoreFault::new(Code::GitFailed, format!("cannot run git: {err}"));
        command.stdin(match &self.held {
            _ if !input.is_empty() => Stdio::piped(),
            Some(held) => held.try_clone().map_err(fault)?.into(),
            None => Stdio::null(),
        });
        let mut child = command.spawn().map_err(fault)?;
        let stdin = child.stdin.take();
        std::thread::scope(|scope| {
            // From a thread of its own: git may print before it has read everything.
            scope.spawn(move || {
                if let Some(mut stdin) = stdin {
                    // A program that ends without reading says why by its status.
                    stdin.write_all(input).ok();
                }
            });
            child.wait_with_output().map_err(fault)
        })
    }

    /// Runs a command that has to succeed, and hands over each line it prints without its line feed, as it comes.
    ///
    /// # Errors
    /// As [`Git::run`]; whatever `each` ends with.
    pub fn each_line<S: AsRef<OsStr>>(
        &self,
        args: &[S],
        input: &[u8],
        each: &mut dyn FnMut(&[u8]) -> Result<(), StoreFault>,
    ) -> Result<(), StoreFault> {
        let mut command = self.command();
        command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let fault = |err| StoreFault::new(Code::GitFailed, format!("cannot run git: {err}"));
        let mut child = command.spawn().map_err(fault)?;
        let mut stdin = child.stdin.take().expect("standard input is piped");
        let stdout = child.stdout.take().expect("standard output is piped");
        let mut stderr = child.stderr.take().expect("standard error is piped");
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // A program that ends without reading says why by its status.
                stdin.write_all(input).ok();
            });
            let words = scope.spawn(move || {
                let mut words = Vec::new();
                stderr.read_to_end(&mut words).ok();
                words
            });
            let mut read = Ok(());
            for line in BufReader::new(stdout).split(b'\n') {
                read = line.map_err(fault).and_then(|line| each(&line));
                if read.is_err() {
                    child.kill().ok();
                    break;
                }
            }
            let status = child.wait().map_err(fault)?;
            let stderr = words.join().unwrap_or_default();
            read?;
            match status.success() {
                true => Ok(()),
                false => {
                    let stdout = Vec::new();
                    let output = Output {
                        status,
                        stdout,
                        stderr,
                    };
                    Err(failure(args.first().map(AsRef::as_ref), &output))
                }
            }
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        command.env_clear().args(FIXED);
        let inherit = |command: &mut Command, name: &str| {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        };
        for name in ["PATH", "TMPDIR"] {
            inherit(&mut command, name);
        }
        command
            .env("LC_ALL", "C")
            .env("GIT_NO_REPLACE_OBJECTS", "1");
        command.env("GIT_TERMINAL_PROMPT", if self.prompt { "1" } else { "0" });
        if self.user {
            for name in TRANSPORT {
                inherit(&mut command, name);
            }
        } else {
            command
                .env("GIT_CONFIG_NOSYSTEM", "1")
                .env("GIT_CONFIG_GLOBAL", "/dev/null");
            command.args(["-c", "core.hooksPath=/dev/null"]);
        }
        command.envs(self.more.iter().map(|(name, value)| (name, value)));
        for entry in &self.config {
            command.arg("-c").arg(entry);
        }
        // Named outright, so that git does not look for a repository, nor judge who owns it.
        command.arg("--git-dir").arg(&self.git_dir);
        if let Some(work_tree) = &self.work_tree {
            command
                .arg("--work-tree")
                .arg(work_tree)
                .current_dir(work_tree);
        }
        command
    }
}

/// The fault of a command that failed, in git's words.
pub(super) fn failure(command: Option<&OsStr>, output: &Output) -> StoreFault {
    let name = command.unwrap_or_default().to_string_lossy().into_owned();
    let words = printable(&output.stderr);
    let how = match output.status.code() {
        Some(code) => format!("status {code}"),
        None => "a signal".to_owned(),
    };
    StoreFault::new(
        Code::GitFailed,
        format!("`git {name}` ended with {how}: {words}"),
    )
}

/// Text of another program or machine, made safe to print: one line, without escape sequences, bidi
/// controls and the like, and not longer than a screen.
pub(super) fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut safe = String::new();
    for c in text.trim().chars().take(2000) {
        match c {
            '\n' if safe.ends_with("; ") => {}
            '\n' => safe.push_str("; "),
            '\t' => safe.push(' '),
            '"' | '\'' | '\\' => safe.push(c),
            c => safe.extend(c.escape_debug()),
        }
    }
    safe
}

/// As [`printable`], line by line.
pub(super) fn printable_lines(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<String> = text
        .lines()
        .take(200)
        .map(|line| printable(line.as_bytes()))
        .collect();
    lines.join("\n")
}

/// Checks that there is a git program, 2.34 or newer; returns its version's first two numbers.
///
/// # Errors
/// `git-failed` if it cannot be run or is older.
pub fn require_git() -> Result<(u32, u32), StoreFault> {
    let output = Command::new("git")
        .arg("version")
        .env("LC_ALL", "C")
        .output();
    let output =
        output.map_err(|err| StoreFault::new(Code::GitFailed, format!("cannot run git: {err}")))?;
    let words = printable(&output.stdout);
    match parse_version(&words) {
        Some(found) if found >= OLDEST => Ok(found),
        _ => {
            let (major, minor) = OLDEST;
            let what = format!("expected git {major}.{minor} or newer, found `{words}`");
            Err(StoreFault::new(Code::GitFailed, what))
        }
    }
}

fn parse_version(words: &str) -> Option<(u32, u32)> {
    let mut numbers = words.strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectFormat;
    use crate::store::testing::new_store;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(parse_version("git version 2.47.3"), Some((2, 47)));
        assert_eq!(
            parse_version("git version 2.39.5 (Apple Git-154)"),
            Some((2, 39))
        );
        assert_eq!(parse_version("git version 3.0.rc1"), Some((3, 0)));
        assert_eq!(parse_version("fit version 1.1"), None);
        assert!((2, 5) < OLDEST && (10, 0) > OLDEST);
        require_git().unwrap();
    }

    #[test]
    fn words_of_others_cannot_move_the_cursor() {
        let evil = "remote: \u{1b}[2Jall well\r\u{202e}x\nsecond 'line'\u{7}\n";
        let safe = printable(evil.as_bytes());
        assert!(
            !safe.contains(|c: char| c.is_control() || c == '\u{202e}'),
            "{safe}"
        );
        assert!(safe.ends_with("; second 'line'\\u{7}"), "{safe}");
    }

    #[test]
    fn git_sees_the_repository_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), false, ObjectFormat::Sha256);
        let git = Git::new(store.git_dir());
        let listed = git.run(&["config", "--list", "--show-scope"]).unwrap();
        let listed = String::from_utf8(listed).unwrap();
        let ours = |line: &str| line.starts_with("local\t") || line.starts_with("command\t");
        assert!(listed.lines().all(ours), "{listed}");
        assert!(
            listed.contains("command\tcore.hookspath=/dev/null"),
            "{listed}"
        );
        let echoed = git
            .run_with_input(&["hash-object", "--stdin"], b"x")
            .unwrap();
        assert_eq!(echoed.len(), 65);
        let large = vec![b'y'; 1 << 20];
        git.run_with_input(&["hash-object", "--stdin"], &large)
            .unwrap();
        let fault = git.run(&["cat-file", "-e", "nothing"]).unwrap_err();
        assert_eq!(fault.code, Code::GitFailed);
        assert!(
            fault
                .what
                .starts_with("`git cat-file` ended with status 128: fatal: "),
            "{fault}"
        );
    }

    #[test]
    fn remote_helpers_that_run_programs_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = new_store(dir.path(), true, ObjectFormat::Sha1);
        let proof = dir.path().join("proof");
        let url = format!("ext::touch {}", proof.display());
        for git in [
            Git::new(store.git_dir()),
            Git::new(store.git_dir()).with_user_settings(false),
        ] {
            let fault = git
                .run(&["ls-remote", "--end-of-options", &url])
                .unwrap_err();
            assert!(fault.what.contains("'ext' not allowed"), "{fault}");
        }
        assert!(!proof.exists());
    }
}

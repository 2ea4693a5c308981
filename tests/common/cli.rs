//! What the tests of the command line share: real runs of the binary in a small space of its own.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use folio::crypto::Sign as _;
use folio::crypto::keyfile::{KeyPair, public_line};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// It must have ended with 0; what it printed.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self.out
    }

    /// It must have been refused so, with that exit code.
    #[track_caller]
    pub fn refused(self, code: &str, exit: i32) -> String {
        assert_eq!(self.code, exit, "{}\n{}", self.out, self.err);
        assert!(
            self.err.contains(&format!("error: {code}: ")),
            "{}",
            self.err
        );
        assert!(self.err.contains("hint: "), "{}", self.err);
        self.err
    }

    /// The answer of a run with `--json`.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.ok()).expect("one JSON object")
    }
}

/// A home directory, and in it a space founded by alice, with bob as member and wanda as witness.
pub struct Fixture {
    pub home: tempfile::TempDir,
    pub space: PathBuf,
}

/// The key of somebody, made from their name.
pub fn pair(name: &str) -> KeyPair {
    KeyPair::from_seed(*blake3::hash(name.as_bytes()).as_bytes())
}

impl Fixture {
    /// A home with keys and without a space.
    pub fn home() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let space = home.path().join("space");
        let this = Self { home, space };
        for name in ["alice", "bob", "wanda", "eve"] {
            let pair = pair(name);
            this.write(&format!("{name}.key"), &pair.to_openssh(name));
            this.write(
                &format!("{name}.key.pub"),
                &public_line(&pair.public_key(), name),
            );
        }
        this
    }

    /// With a bare space.
    pub fn bare() -> Self {
        Self::founded(&["--bare"])
    }

    /// With a space that has a work tree.
    pub fn with_work_tree() -> Self {
        Self::founded(&[])
    }

    /// With a space made with more options of `init`.
    pub fn founded(more: &[&str]) -> Self {
        let this = Self::home();
        let bob = format!(
            "bob,bob@example.org,Bob,{}",
            this.path("bob.key.pub").display()
        );
        let mut run = this.command(this.home.path(), Some("alice"));
        run.args(["init", "space", "--name", "tests", "--handle", "alice"]);
        run.args(["--user-name", "Alice", "--email", "alice@example.org"]);
        run.args([
            "--witness-key",
            "wanda.key",
            "--witness",
            "wanda,wanda@example.org,Wanda",
        ]);
        run.args(["--member", &bob, "--nonce", &"07".repeat(32)]);
        finish(run.args(more), b"").ok();
        this
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("writing a file");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(&path, mode).expect("setting the mode");
        }
        path
    }

    /// A command with an emptied, fixed environment.
    pub fn bare_command(&self, program: &str, dir: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(dir).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home.path());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("LC_ALL", "C");
        // Nothing goes on in the background.
        command.env("GIT_CONFIG_COUNT", "1");
        command.env("GIT_CONFIG_KEY_0", "folio.housekeeping");
        command.env("GIT_CONFIG_VALUE_0", "false");
        command.env("GIT_AUTHOR_DATE", "1767225600 +0000");
        command.env("GIT_COMMITTER_DATE", "1767225600 +0000");
        command
    }

    /// The binary, signing as somebody.
    pub fn command(&self, dir: &Path, who: Option<&str>) -> Command {
        let mut command = self.bare_command(env!("CARGO_BIN_EXE_folio"), dir);
        if let Some(who) = who {
            command.arg("--key").arg(self.path(&format!("{who}.key")));
        }
        command
    }

    /// Runs the binary in the space as somebody.
    pub fn run(&self, who: &str, args: &[&str]) -> Ran {
        self.run_with(who, args, "")
    }

    /// With something on standard input.
    pub fn run_with(&self, who: &str, args: &[&str], input: &str) -> Ran {
        finish(
            self.command(&self.space, Some(who)).args(args),
            input.as_bytes(),
        )
    }

    /// Runs git in the space.
    #[track_caller]
    pub fn git(&self, args: &[&str]) -> String {
        finish(self.bare_command("git", &self.space).args(args), b"").ok()
    }

    /// Proposes one line as somebody.
    #[track_caller]
    pub fn propose(&self, who: &str, slug: &str, lines: &str) {
        let args = ["propose", "-m", slug, "--slug", slug, "-f", "-"];
        self.run_with(who, &args, lines).ok();
    }

    /// Numbers everything.
    #[track_caller]
    pub fn accept_all(&self) -> String {
        self.run("wanda", &["accept", "--all"]).ok()
    }
}

/// Runs a command to its end.
pub fn finish(command: &mut Command, input: &[u8]) -> Ran {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("starting a program");
    // It may end without reading.
    let _ = child
        .stdin
        .take()
        .expect("standard input is piped")
        .write_all(input);
    let output = child.wait_with_output().expect("waiting for a program");
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Makes a lock of this ref as a Folio that died while it held it leaves it: another name of a file of its own.
pub fn lock_of_the_dead(git_dir: &Path, name: &str) -> PathBuf {
    let staged = git_dir.join("folio/locks/1-0");
    let lock = git_dir.join(format!("{name}.lock"));
    for file in [&staged, &lock] {
        std::fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
    }
    if !staged.exists() {
        std::fs::write(&staged, "").expect("writing");
    }
    std::fs::hard_link(staged, &lock).expect("linking");
    lock
}

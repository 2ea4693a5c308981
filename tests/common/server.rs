//! A bare repository with the hooks, a space beside it, and real pushes between them.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use super::cli::{Fixture, Ran, finish};
use std::path::{Path, PathBuf};

pub struct Served {
    pub fixture: Fixture,
    pub server: PathBuf,
}

pub fn set(alias: &str, target: &str) -> String {
    format!("{{\"op\":\"alias.set\",\"alias\":\"{alias}\",\"target\":\"{target}\"}}\n")
}

impl Served {
    /// A founded space, and an empty server with the hooks.
    pub fn empty() -> Self {
        let fixture = Fixture::bare();
        let server = fixture.path("server.git");
        let this = Self { fixture, server };
        let mut init = this.fixture.bare_command("git", this.fixture.home.path());
        finish(
            init.args(["init", "-q", "--bare", "-b", "main", "server.git"]),
            b"",
        )
        .ok();
        this.on_server(&["hook", "install"]).ok();
        this
    }

    /// With the first page pushed.
    pub fn new() -> Self {
        let this = Self::empty();
        this.push(&["main"]).ok();
        this
    }

    /// Runs the binary in the server's directory.
    pub fn on_server(&self, args: &[&str]) -> Ran {
        finish(self.fixture.command(&self.server, None).args(args), b"")
    }

    /// git in the server's directory, past the hooks.
    #[track_caller]
    pub fn behind(&self, args: &[&str]) -> String {
        let mut git = self.fixture.bare_command("git", &self.server);
        git.args(["-c", "core.hooksPath=/dev/null"]).args(args);
        finish(&mut git, b"").ok()
    }

    /// Pushes from the space.
    pub fn push(&self, refspecs: &[&str]) -> Ran {
        self.push_from(&self.fixture.space, &[], refspecs)
    }

    /// Pushes from any repository, with options.
    pub fn push_from(&self, dir: &Path, options: &[&str], refspecs: &[&str]) -> Ran {
        let url = format!("file://{}", self.server.display());
        let mut git = self.fixture.bare_command("git", dir);
        git.arg("push").args(options).arg(url).args(refspecs);
        finish(&mut git, b"")
    }

    /// Where a ref of the server points; nothing if it is not there.
    pub fn at(&self, name: &str) -> Option<String> {
        let mut git = self.fixture.bare_command("git", &self.server);
        let ran = finish(git.args(["rev-parse", "-q", "--verify", name]), b"");
        (ran.code == 0).then(|| ran.out.trim().to_owned())
    }

    /// All refs of the server.
    pub fn refs(&self) -> String {
        self.behind(&["for-each-ref", "--format=%(refname) %(objectname)"])
    }

    /// Proposes and numbers one line in the space.
    #[track_caller]
    pub fn number(&self, alias: &str) {
        self.fixture.propose("bob", alias, &set(alias, "x"));
        self.fixture.accept_all();
    }
}

/// The push was refused for that ref with that code, and git said so with `remote:`.
#[track_caller]
pub fn refused(ran: Ran, code: &str, name: &str) -> String {
    assert_ne!(ran.code, 0, "{}", ran.err);
    let line = format!("remote: error: {code}: {name}: ");
    assert!(ran.err.contains(&line), "no `{line}` in\n{}", ran.err);
    assert!(ran.err.contains("remote: hint: "), "{}", ran.err);
    ran.err
}

impl Served {
    /// Runs git in the space with something on standard input; what it printed, without the line's end.
    #[track_caller]
    pub fn git_with(&self, args: &[&str], input: &[u8]) -> String {
        let mut git = self.fixture.bare_command("git", &self.fixture.space);
        finish(git.args(args), input).ok().trim().to_owned()
    }

    /// A commit that plain git signs with somebody's key, under their address.
    #[track_caller]
    pub fn commit(&self, who: &str, tree: &str, parents: &[&str], message: &str) -> String {
        self.commit_with(&[], who, tree, parents, message)
    }

    /// As [`Served::commit`], with more configuration.
    #[track_caller]
    pub fn commit_with(
        &self,
        config: &[&str],
        who: &str,
        tree: &str,
        parents: &[&str],
        message: &str,
    ) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let key = self.fixture.path(&format!("{who}.key"));
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("a key");
        let mut git = self.fixture.bare_command("git", &self.fixture.space);
        git.arg("-c").arg(format!("user.name={who}"));
        git.arg("-c").arg(format!("user.email={who}@example.org"));
        git.arg("-c")
            .arg(format!("user.signingKey={}", key.display()));
        git.args(["-c", "gpg.format=ssh"]);
        for entry in config {
            git.args(["-c", entry]);
        }
        git.args(["commit-tree", "-S"]);
        for parent in parents {
            git.args(["-p", parent]);
        }
        finish(git.arg(tree), message.as_bytes())
            .ok()
            .trim()
            .to_owned()
    }

    /// The tree of a commit with more entries, as `git mktree` reads them.
    #[track_caller]
    pub fn tree_with(&self, of: &str, entries: &str) -> String {
        let base = self.fixture.git(&["ls-tree", of]);
        self.git_with(
            &["mktree", "--missing"],
            format!("{base}{entries}").as_bytes(),
        )
    }

    /// Points a branch of the space somewhere, and pushes it there past the hooks of the server.
    #[track_caller]
    pub fn push_past(&self, refspec: &str) {
        let past = "--receive-pack=git -c core.hooksPath=/dev/null receive-pack";
        self.push_from(&self.fixture.space, &["--force", past], &[refspec])
            .ok();
    }

    /// The hook refuses it with this code; nothing of the server changes.
    #[track_caller]
    pub fn refuses(&self, refspec: &str, name: &str, code: &str) -> String {
        let before = self.refs();
        let ran = self.push_from(&self.fixture.space, &["--force"], &[refspec]);
        let said = refused(ran, code, name);
        assert_eq!(self.refs(), before);
        said
    }
}
